/* Sozialraumkarte: what a new version of the data would change, by kind of change. */
(function () {
  'use strict';

  const { el, symbol, getJson } = window.srkMap;
  const SIZE_PX = 20;

  const SymbolIcon = L.DivIcon.extend({
    createIcon() {
      const box = el('div', {}, symbol(this.options.look, SIZE_PX));
      this._setIconStyles(box, 'icon');
      return box;
    },
  });

  const at = (point) => [point.coordinates[1], point.coordinates[0]];
  const sentence = (properties) => `${properties.name}: ${properties.said}`;

  /* A place: its sign, and of a moved one where it was and the way from there. */
  function place(feature, look) {
    const { before } = feature.properties;
    const layers = [];
    if (before) {
      const line = { color: look.colour, weight: 2.5, dashArray: look.dash, interactive: false };
      layers.push(L.polyline([at(before), at(feature.geometry)], line));
      layers.push(L.circleMarker(at(before), { radius: 5, color: look.colour, weight: 2, fillColor: '#ffffff', fillOpacity: 1, interactive: false }));
    }
    const icon = new SymbolIcon({ look, className: 'srk-marker', iconSize: [SIZE_PX, SIZE_PX], popupAnchor: [0, -6] });
    const marker = L.marker(at(feature.geometry), { icon, keyboard: false, riseOnHover: true });
    layers.push(marker);
    return { layers, main: marker, middle: () => marker.getLatLng(), element: () => marker.getElement() };
  }

  /* An area: its border, and of one whose border changes the old one as a thin line. */
  function area(feature, look) {
    const { before } = feature.properties;
    const layers = [];
    if (before) layers.push(L.geoJSON(before, { style: { color: '#4a5663', weight: 1.5, dashArray: '3 4', fill: false, interactive: false } }));
    const style = { color: look.colour, weight: 2.5, dashArray: look.dash, fillColor: look.colour, fillOpacity: 0.18 };
    const [main] = L.geoJSON(feature.geometry, { style }).getLayers();
    layers.push(main);
    return { layers, main, middle: () => main.getBounds().getCenter(), element: () => main.getElement() };
  }

  function open(handle, drawn, properties, look, latlng) {
    const content = el('div', { class: 'srk-popup' }, el('h3', {}, properties.name), el('p', {}, `${look.title}${properties.said === look.title ? '' : `: ${properties.said}`}`));
    drawn.main.closeTooltip();
    handle.popup(latlng, content, () => drawn.element(), [0, -4]);
  }

  /* One stop for the tab key over all that is shown; the arrow keys go from one to the next. */
  function keyboard(handle, shown) {
    window.srkMap.roving(shown.filter((one) => one.drawn.element()).map((one) => ({
      path: one.drawn.element(),
      name: String(one.properties.name),
      label: sentence(one.properties),
      focus: (visible) => {
        if (!visible) return;
        handle.map.panInside(one.drawn.middle(), { padding: [40, 40] });
        one.drawn.main.openTooltip(one.drawn.middle());
      },
      blur: () => one.drawn.main.closeTooltip(),
      enter: () => open(handle, one.drawn, one.properties, one.look, one.drawn.middle()),
    })));
  }

  function draw(handle, data, looks) {
    const all = [];
    for (const feature of data.features) {
      const look = looks.get(feature.properties.fate);
      if (!look || !feature.geometry) continue;
      const drawn = (feature.geometry.type === 'Point' ? place : area)(feature, look);
      drawn.main.bindTooltip(() => el('span', {}, sentence(feature.properties)), { className: 'srk-tooltip', sticky: feature.geometry.type !== 'Point' });
      drawn.main.on('click', (event) => open(handle, drawn, feature.properties, look, event.latlng));
      all.push({ drawn, look, properties: feature.properties });
    }
    all.sort((a, b) => String(a.properties.name).localeCompare(String(b.properties.name), 'de'));
    const groups = new Map();
    for (const one of all) {
      if (!groups.has(one.look.fate)) groups.set(one.look.fate, L.layerGroup());
      for (const layer of one.drawn.layers) groups.get(one.look.fate).addLayer(layer);
    }
    const refresh = () => {
      // All anew, so that every element on the map is a fresh one, without the keys of the round before.
      for (const group of groups.values()) group.remove();
      for (const look of looks.values()) {
        if (look.shown && groups.has(look.fate)) groups.get(look.fate).addTo(handle.map);
      }
      keyboard(handle, all.filter((one) => one.look.shown));
    };
    refresh();
    handle.emit('changes', { shown: all.length });
    return refresh;
  }

  function changes(id, data) {
    const handle = window.srkMap.of(id);
    const looks = new Map(data.kinds.map((kind) => [kind.fate, { ...kind, shown: true }]));
    const section = handle.section('Änderungen');
    let refresh = () => {};
    for (const look of looks.values()) {
      const input = el('input', { type: 'checkbox', value: look.fate });
      input.checked = true;
      input.addEventListener('change', () => {
        look.shown = input.checked;
        refresh();
      });
      section.append(el('label', { class: 'srk-choice' }, input, symbol(look, 18), el('span', {}, look.title),
        el('span', { class: 'srk-count' }, look.count.toLocaleString('de-DE'))));
    }
    async function load() {
      handle.say('changes', 'Änderungen werden geladen …');
      try {
        const answer = await getJson(data.url, 'application/geo+json, application/json;q=0.9');
        handle.say('changes', '');
        refresh = draw(handle, answer, looks);
      } catch {
        handle.say('changes', 'Die Änderungen konnten nicht geladen werden.', load);
      }
    }
    load();
  }

  window.srkMap.changes = changes;
})();
