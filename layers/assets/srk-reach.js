/* Sozialraumkarte: the area reached from a point, as bands with a line of their own each. */
(function () {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const { el } = window.srkMap;

  function swatch(tag, look) {
    const svg = document.createElementNS(SVG, 'svg');
    const shape = document.createElementNS(SVG, tag);
    const box = { class: 'srk-swatch', width: 28, height: 18, viewBox: '0 0 28 18', 'aria-hidden': 'true', focusable: 'false' };
    for (const [name, value] of Object.entries(box)) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries(look)) shape.setAttribute(name, value);
    svg.append(shape);
    return svg;
  }

  function reach(id, data) {
    const handle = window.srkMap.of(id);
    // Above areas that are fetched and drawn later.
    const pane = 'srk-reach';
    if (!handle.map.getPane(pane)) handle.map.createPane(pane).classList.add(pane);
    const list = el('ul', { class: 'srk-legend' });
    const start = data.start && L.circleMarker(data.start, { pane, radius: 7, color: '#ffffff', weight: 3, fillColor: '#1f2328', fillOpacity: 1, interactive: false });
    if (start) {
      const point = swatch('circle', { cx: 14, cy: 9, r: 6, fill: '#1f2328', stroke: '#ffffff', 'stroke-width': 2 });
      list.append(el('li', {}, point, el('span', {}, data.startTitle)));
    }
    let bounds = start ? start.getLatLng().toBounds(500) : L.latLngBounds([]);
    const layers = data.bands.map((band) => {
      const layer = L.geoJSON(band.geometry, {
        style: { color: band.colour, weight: 2.5, dashArray: band.dashes || null, fillColor: band.colour, fillOpacity: 0.14, className: 'srk-reach' },
        interactive: false,
        pane,
      });
      bounds = bounds.extend(layer.getBounds());
      const look = { x: 2, y: 2, width: 24, height: 14, fill: band.colour, 'fill-opacity': 0.14, stroke: band.colour, 'stroke-width': 2.5 };
      if (band.dashes) look['stroke-dasharray'] = band.dashes;
      list.append(el('li', {}, swatch('rect', look), el('span', {}, band.title)));
      return layer;
    });
    for (const layer of layers.reverse()) layer.addTo(handle.map);
    if (start) start.addTo(handle.map);
    if (data.fit) handle.map.fitBounds(bounds, { animate: false, padding: [20, 20] });
    handle.section(data.title).append(list);
    handle.emit('reach', { bands: layers.length });
  }

  window.srkMap.reach = reach;
})();
