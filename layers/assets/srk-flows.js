/* Sozialraumkarte: flows from one place to the Bundesländer. Arcs, widths and texts come ready from the server. */
(function () {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const { el, roving, tableRows, highlight, fit } = window.srkMap;
  const DASHES = '7 6';

  /* A line of three points drawn as a curve that bends to the second. */
  const Arc = L.Polyline.extend({
    options: { noClip: true, smoothFactor: 0, fill: false },
    _updatePath() {
      const [from, bend, to] = this.getLatLngs().map((point) => this._map.latLngToLayerPoint(point));
      this._renderer._setPath(this, `M${from.x} ${from.y}Q${bend.x} ${bend.y} ${to.x} ${to.y}`);
    },
  });

  /* A line of the legend: a stroke as on the map, or none. */
  function sample(kind, data) {
    const svg = document.createElementNS(SVG, 'svg');
    for (const [name, value] of Object.entries({ class: 'srk-swatch', width: 28, height: 18, viewBox: '0 0 28 18', 'aria-hidden': 'true', focusable: 'false' })) {
      svg.setAttribute(name, value);
    }
    if (kind === 'flow' || kind === 'suppressed') {
      const line = document.createElementNS(SVG, 'path');
      const look = { d: 'M0 9h28', stroke: data.colour, 'stroke-width': kind === 'flow' ? data.widest : 2 };
      if (kind === 'suppressed') look['stroke-dasharray'] = DASHES;
      for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
      svg.append(line);
    }
    return svg;
  }

  function legend(handle, data) {
    const list = el('ul', { class: 'srk-legend' });
    for (const entry of data.legend) {
      list.append(el('li', { class: `srk-class srk-class-${entry.kind}` }, sample(entry.kind, data), el('span', {}, entry.title)));
    }
    handle.section(data.unit ? `${data.title} (${data.unit})` : data.title).append(list);
  }

  /* What has no place on the map stands in a corner of it. */
  function beside(handle, data) {
    if (!data.beside.length) return;
    const control = L.control({ position: 'bottomleft' });
    control.onAdd = () => {
      const list = el('dl', { class: 'srk-beside' });
      for (const entry of data.beside) list.append(el('div', { class: `srk-flow-${entry.kind}` }, el('dt', {}, entry.name), el('dd', {}, entry.sentence)));
      return list;
    };
    control.addTo(handle.map);
  }

  function label(place) {
    return el(
      'span', { class: 'srk-flow-name' },
      el('span', { class: 'srk-long' }, place.name), el('span', { class: 'srk-short' }, place.code), ' ', el('strong', {}, place.text),
    );
  }

  function open(handle, place, node, data) {
    const content = el('div', { class: 'srk-popup' }, el('h3', {}, place.name), el('p', { class: 'srk-value' }, place.sentence));
    content.append(el('p', {}, place.name === data.home.name ? 'Im eigenen Bundesland' : `Von: ${data.home.origin}`));
    handle.popup(L.latLng(place.at), content, () => node.getElement());
  }

  function flows(id, data) {
    const handle = window.srkMap.of(id);
    legend(handle, data);
    beside(handle, data);
    fit(handle, data.bounds);
    const mark = highlight(handle);
    const arcs = new Map();
    const nodes = new Map();
    const select = tableRows(handle, (name) => mark(arcs.get(name)), (name) => {
      if (nodes.has(name)) handle.map.panInside(nodes.get(name).getLatLng(), { padding: [60, 60] });
    });
    for (const place of data.places) {
      if (!place.bend) continue;
      const line = new Arc([data.home.at, place.bend, place.at], {
        color: data.colour, weight: place.width, opacity: 0.8, lineCap: 'butt',
        dashArray: place.kind === 'suppressed' ? DASHES : null, className: `srk-arc srk-arc-${place.kind}`,
      }).addTo(handle.map);
      line.on('mouseover', () => select(place.name));
      line.on('mouseout', () => select(null));
      line.on('click', () => open(handle, place, nodes.get(place.name), data));
      arcs.set(place.name, line);
    }
    const items = [];
    for (const place of [...data.places].sort((a, b) => a.name.localeCompare(b.name, 'de'))) {
      const own = place.name === data.home.name;
      const node = L.circleMarker(place.at, {
        radius: own ? 9 : 5, color: '#1f2328', weight: own ? 3 : 1.5, fillOpacity: 1,
        fillColor: place.kind === 'flow' || own ? data.colour : '#ffffff', className: `srk-node srk-node-${place.kind}`,
      }).addTo(handle.map);
      node.bindTooltip(label(place), { permanent: true, direction: place.side, offset: { left: [-6, place.down], right: [6, place.down], top: [0, -4], bottom: [0, 4] }[place.side], className: `srk-flow-label srk-flow-${own ? 'own' : place.kind}` });
      // The circle says all of it already: the label is for the eye.
      node.getTooltip().getElement().removeAttribute('role');
      node.getTooltip().getElement().setAttribute('aria-hidden', 'true');
      node.getElement().removeAttribute('aria-describedby');
      node.on('mouseover', () => select(place.name));
      node.on('mouseout', () => select(null));
      node.on('click', () => open(handle, place, node, data));
      nodes.set(place.name, node);
      items.push({
        path: node.getElement(),
        name: place.name,
        label: own ? `${place.name}, eigenes Bundesland: ${place.sentence}` : `${place.name}: ${place.sentence}`,
        focus: (visible) => {
          select(place.name);
          node.setStyle({ weight: 4 });
          if (visible) handle.map.panInside(node.getLatLng(), { padding: [60, 60] });
        },
        blur: () => {
          select(null);
          node.setStyle({ weight: own ? 3 : 1.5 });
        },
        enter: () => open(handle, place, node, data),
      });
    }
    roving(items);
    handle.emit('flows', { arcs: arcs.size });
  }

  window.srkMap.flows = flows;
})();
