/* Sozialraumkarte: a map of numbers. Colours, patterns and texts come ready from the server; here they are drawn. */
(function () {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const { el, getJson, roving, tableRows, highlight, labels, fit } = window.srkMap;

  function svg(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  function defs(prefix, patterns) {
    return svg('defs', {}, ...Object.entries(patterns).map(([kind, one]) => svg(
      'pattern',
      { id: `${prefix}-${kind}`, width: one.size, height: one.size, patternUnits: 'userSpaceOnUse' },
      svg('rect', { width: one.size, height: one.size, fill: one.ground }),
      svg('path', { d: one.path, ...(one.stroke ? { fill: 'none', stroke: one.ink, 'stroke-width': one.stroke } : { fill: one.ink }) }),
    )));
  }

  /* One for all maps of the page: a pattern in an undisplayed or removed SVG would not be drawn. */
  function patterns(id, data) {
    const holder = svg('svg', { class: 'srk-defs', width: 0, height: 0, 'aria-hidden': 'true', focusable: 'false' });
    holder.append(defs(id, data));
    document.getElementById(id).append(holder);
  }

  const fillOf = (id, data, entry) => (entry.kind in data.patterns ? `url(#${id}-${entry.kind})` : entry.colour);

  function legend(handle, id, data) {
    const section = handle.section(data.unit ? `${data.title} (${data.unit})` : data.title);
    const list = el('ul', { class: 'srk-legend' });
    for (const entry of data.classes) {
      const patch = svg('svg', { class: 'srk-swatch', width: 28, height: 18, viewBox: '0 0 28 18', 'aria-hidden': 'true', focusable: 'false' });
      patch.append(svg('rect', { x: 0.5, y: 0.5, width: 27, height: 17, fill: fillOf(id, data, entry), stroke: data.ink }));
      const count = entry.count === 1 ? '1 Gebiet' : `${entry.count.toLocaleString('de-DE')} Gebiete`;
      list.append(el('li', { class: `srk-class srk-class-${entry.kind}` }, patch, el('span', {}, entry.title), el('span', { class: 'srk-count' }, count)));
    }
    section.append(list);
    return section;
  }

  function draw(handle, id, data, shapes) {
    const weight = data.areas.length > 300 ? 0.6 : 1;
    const known = new Map(data.areas.map(([key, name, at, text, note]) => [key, { key, name, at, text, note }]));
    const of = (layer) => {
      const { area_key: key, area_name: name } = layer.feature.properties;
      return known.get(String(key)) || { key: String(key), name: String(name || key), at: data.missing, text: data.classes[data.missing].title, note: '' };
    };
    const drawn = new Map();
    const mark = highlight(handle);
    const select = tableRows(handle, (key) => mark(drawn.get(key)), (key) => {
      const layer = drawn.get(key);
      if (layer) handle.map.panInside(layer.getBounds().getCenter(), { padding: [40, 40] });
    });
    const lines = (area) => [el('p', { class: 'srk-value' }, area.text), ...(area.note ? [el('p', {}, area.note)] : [])];
    function open(layer, latlng) {
      const area = of(layer);
      const content = el('div', { class: 'srk-popup' }, el('h3', {}, area.name), ...lines(area));
      if (data.page) {
        const fill = (text) => encodeURIComponent(text);
        const href = data.page.replaceAll('{level}', () => fill(data.level)).replaceAll('{key}', () => fill(area.key));
        content.append(el('p', {}, el('a', { href }, 'Zum Gebietsprofil')));
      }
      layer.closeTooltip();
      handle.popup(latlng, content, () => layer.getElement());
    }

    const group = L.geoJSON(shapes, {
      smoothFactor: 0.5,
      filter: ({ geometry, properties }) => Boolean(geometry) && /Polygon$/.test(geometry.type)
        && (!data.only || known.has(String(properties.area_key))),
      style: (feature) => {
        const entry = data.classes[of({ feature }).at];
        return { color: data.ink, weight, opacity: 1, fillColor: fillOf(id, data, entry), fillOpacity: 1, className: `srk-area srk-area-${entry.kind}` };
      },
      onEachFeature: (feature, layer) => {
        const area = of(layer);
        drawn.set(area.key, layer);
        layer.bindTooltip(() => el('div', {}, el('strong', {}, area.name), ...lines(area)), { sticky: true, className: 'srk-tooltip' });
        layer.on('mouseover', () => select(area.key));
        layer.on('mouseout', () => select(handle.focused || null));
        layer.on('click', (event) => open(layer, event.latlng));
      },
    }).addTo(handle.map);

    const ordered = [...drawn.values()].sort((a, b) => of(a).name.localeCompare(of(b).name, 'de'));
    roving(ordered.map((layer) => {
      const area = of(layer);
      const middle = () => layer.getBounds().getCenter();
      return {
        path: layer.getElement(),
        name: area.name,
        label: [`${area.name}: ${area.text}`, area.note].filter(Boolean).join(', '),
        focus: (visible) => {
          handle.focused = area.key;
          select(area.key);
          // The mouse brings its own position; the keyboard moves the map only as far as needed.
          if (!visible) return;
          handle.map.panInside(middle(), { padding: [40, 40] });
          layer.openTooltip(middle());
        },
        blur: () => {
          handle.focused = null;
          select(null);
          layer.closeTooltip();
        },
        enter: () => open(layer, middle()),
      };
    }));
    if (data.labels) labels(handle, [...drawn.values()], (layer) => of(layer).name);
    return { group, without: [...known.values()].filter((area) => !drawn.has(area.key)) };
  }

  async function choropleth(id, data) {
    const handle = window.srkMap.of(id);
    patterns(id, data.patterns);
    const section = data.legend ? legend(handle, id, data) : null;
    let shapes = data.shapes;
    if (typeof shapes === 'string') {
      handle.say('choropleth', 'Gebiete werden geladen …');
      try {
        shapes = await getJson(data.shapes, 'application/geo+json, application/json;q=0.9');
      } catch {
        handle.say('choropleth', 'Die Gebiete konnten nicht geladen werden.', () => {
          section?.remove();
          document.querySelector(`#${CSS.escape(id)} > .srk-defs`).remove();
          choropleth(id, data);
        });
        return;
      }
      handle.say('choropleth', '');
    }
    if (data.fit) fit(handle, data.fit);
    const { group, without } = draw(handle, id, data, shapes);
    if (section && without.length) {
      const names = without.slice(0, 5).map((area) => area.name).join(', ');
      section.append(el('p', { class: 'srk-without' }, `Ohne Fläche auf der Karte: ${names}${without.length > 5 ? ` und ${without.length - 5} weitere` : ''}`));
    }
    handle.emit('choropleth', { areas: group.getLayers().length, without_shape: without.length });
  }

  window.srkMap.choropleth = choropleth;
})();
