/* Sozialraumkarte: levels of areas, one at a time, each fetched when it is first shown. */
(function () {
  'use strict';

  const { el, places, getJson } = window.srkMap;
  const NORMAL = { color: '#4a5663', weight: 1.25, fillColor: '#ffffff', fillOpacity: 0.45 };
  const STRONG = { color: '#1f2328', weight: 3, fillColor: '#ffe9a8', fillOpacity: 0.6 };

  function sentence(area) {
    return `${area.area_name}: ${places(area.facilities)}`;
  }

  function open(handle, layer, page, latlng) {
    const area = layer.feature.properties;
    const content = el('div', { class: 'srk-popup' }, el('h3', {}, area.area_name), el('p', {}, places(area.facilities)));
    if (page) {
      const fill = (text) => encodeURIComponent(text);
      const href = page.replaceAll('{level}', () => fill(area.area_level)).replaceAll('{key}', () => fill(area.area_key));
      content.append(el('p', {}, el('a', { href }, 'Zum Gebietsprofil')));
    }
    layer.closeTooltip();
    handle.popup(latlng, content, () => layer.getElement());
  }

  /* One stop for the tab key, arrow keys from area to area: a hundred stops would bury everything after them. */
  function keyboard(handle, group, page) {
    const layers = group.getLayers().filter((layer) => layer.getElement && layer.getElement());
    layers.sort((a, b) => String(a.feature.properties.area_name).localeCompare(b.feature.properties.area_name, 'de'));
    const move = (from, to) => {
      layers[from].getElement().setAttribute('tabindex', '-1');
      layers[to].getElement().setAttribute('tabindex', '0');
      layers[to].getElement().focus({ preventScroll: true });
    };
    const last = layers.length - 1;
    layers.forEach((layer, at) => {
      const path = layer.getElement();
      path.setAttribute('tabindex', at === 0 ? '0' : '-1');
      path.setAttribute('role', 'button');
      path.setAttribute('aria-label', sentence(layer.feature.properties));
      const shown = () => layer.getBounds().getCenter();
      path.addEventListener('focus', () => {
        layer.setStyle(STRONG);
        // The mouse brings its own position; the keyboard moves the map only as far as needed.
        if (path.matches(':focus-visible')) {
          handle.map.panInside(shown(), { padding: [40, 40] });
          layer.openTooltip(shown());
        }
      });
      path.addEventListener('blur', () => {
        layer.setStyle(NORMAL);
        layer.closeTooltip();
      });
      path.addEventListener('keydown', (event) => {
        const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
        const enter = event.key === 'Enter' || event.key === ' ';
        if (to === undefined && !enter) return;
        event.preventDefault();
        event.stopPropagation();
        if (enter) open(handle, layer, page, shown());
        else if (to >= 0 && to <= last) move(at, to);
      });
    });
  }

  function polygons(handle, data, page) {
    const group = L.geoJSON(data, {
      filter: (feature) => Boolean(feature.geometry),
      style: () => NORMAL,
      onEachFeature: (feature, layer) => {
        layer.bindTooltip(() => el('span', {}, sentence(feature.properties)), { sticky: true, className: 'srk-tooltip' });
        layer.on('mouseover', () => {
          layer.setStyle(STRONG);
          // Moving a focused element in the document would take its focus away.
          if (!group.getLayers().some((other) => other.getElement() === document.activeElement)) layer.bringToFront();
        });
        layer.on('mouseout', () => {
          if (layer.getElement() !== document.activeElement) layer.setStyle(NORMAL);
        });
        layer.on('click', (event) => open(handle, layer, page, event.latlng));
      },
    });
    group.on('add', () => keyboard(handle, group, page));
    return group;
  }

  function areas(id, data) {
    const handle = window.srkMap.of(id);
    const groups = new Map();
    const section = handle.section('Gebiete');
    let visible = null;

    async function show(level) {
      handle.level = level ? level.level : null;
      if (visible) visible.remove();
      visible = null;
      handle.say('areas', '');
      handle.emit('change', handle.state());
      if (!level) return;
      if (!groups.has(level.level)) {
        handle.say('areas', `${level.title} werden geladen …`);
        try {
          const answer = await getJson(level.url, 'application/geo+json, application/json;q=0.9');
          groups.set(level.level, polygons(handle, answer, level.page));
        } catch {
          if (handle.level === level.level) {
            handle.say('areas', `${level.title} konnten nicht geladen werden.`, () => show(level));
          }
          return;
        }
      }
      // Another level may have been chosen while this one was on its way.
      if (handle.level !== level.level || visible) return;
      handle.say('areas', '');
      visible = groups.get(level.level).addTo(handle.map);
    }

    for (const level of [...data.levels, null]) {
      const input = el('input', { type: 'radio', name: `${id}-areas`, value: level ? level.level : '' });
      input.checked = (level ? level.level : null) === data.shown;
      input.addEventListener('change', () => show(level));
      section.append(el('label', { class: 'srk-choice' }, input, el('span', {}, level ? level.title : 'Keine Gebiete')));
      if (level && input.checked) show(level);
    }
  }

  window.srkMap.areas = areas;
})();
