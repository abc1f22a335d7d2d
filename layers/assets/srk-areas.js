/* Sozialraumkarte: levels of areas, one at a time, each fetched when it is first shown. */
(function () {
  'use strict';

  const { el, getJson, t, tn, roving, labels } = window.srkMap;
  const NORMAL = { color: '#4a5663', weight: 1.25, fillColor: '#ffffff', fillOpacity: 0.45 };
  const STRONG = { color: '#1f2328', weight: 3, fillColor: '#ffe9a8', fillOpacity: 0.6 };

  function nameOf(layer) {
    return String(layer.feature.properties.area_name);
  }

  /* How many places lie in an area, whatever the filter leaves of them on the map. */
  function everything(area) {
    return tn('{n} Einrichtung insgesamt', '{n} Einrichtungen insgesamt', Number(area.facilities || 0));
  }

  function sentence(area) {
    return `${area.area_name}: ${everything(area)}`;
  }

  function link(pattern, area, text) {
    const fill = (value) => encodeURIComponent(value);
    const href = pattern.replaceAll('{level}', () => fill(area.area_level)).replaceAll('{key}', () => fill(area.area_key));
    return el('p', {}, el('a', { href }, text));
  }

  /* `level` says where the area's page and the list of its places are, if there are such. */
  function open(handle, layer, level, latlng) {
    const area = layer.feature.properties;
    const content = el('div', { class: 'srk-popup' }, el('h3', {}, area.area_name), el('p', {}, everything(area)));
    if (level.page) content.append(link(level.page, area, t('Zum Gebietsprofil')));
    if (level.list && area.facilities) content.append(link(level.list, area, t('Angebote in diesem Gebiet')));
    layer.closeTooltip();
    handle.popup(latlng, content, () => layer.getElement());
  }

  /* One stop for the tab key, arrow keys from area to area. */
  function keyboard(handle, group, level) {
    const layers = group.getLayers().filter((layer) => layer.getElement && layer.getElement());
    layers.sort((a, b) => nameOf(a).localeCompare(nameOf(b), 'de'));
    roving(layers.map((layer) => {
      const shown = () => layer.getBounds().getCenter();
      return {
        path: layer.getElement(),
        name: nameOf(layer),
        label: sentence(layer.feature.properties),
        focus: (visible) => {
          layer.setStyle(STRONG);
          // The mouse brings its own position; the keyboard moves the map only as far as needed.
          if (!visible) return;
          handle.map.panInside(shown(), { padding: [40, 40] });
          layer.openTooltip(shown());
        },
        blur: () => {
          layer.setStyle(NORMAL);
          layer.closeTooltip();
        },
        enter: () => open(handle, layer, level, shown()),
      };
    }));
  }

  /* What the symbols of places cover, in the map's own pixels. */
  function covered({ map, facilities }) {
    return [...(facilities ? facilities.drawn.values() : [])].map((marker) => {
      const at = map.latLngToLayerPoint(marker.getLatLng());
      const half = marker.options.icon.options.iconSize[0] / 2;
      return L.bounds([at.x - half, at.y - half], [at.x + half, at.y + half]);
    });
  }

  function polygons(handle, data, level) {
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
        layer.on('click', (event) => open(handle, layer, level, event.latlng));
      },
    });
    let unlabel = null;
    group.on('add', () => {
      keyboard(handle, group, level);
      unlabel = labels(handle, group.getLayers(), nameOf, () => covered(handle));
    });
    group.on('remove', () => unlabel && unlabel());
    return group;
  }

  function areas(id, data) {
    const handle = window.srkMap.of(id);
    const groups = new Map();
    const section = handle.section(t('Gebiete'));
    const inputs = new Map();
    let visible = null;

    async function show(level) {
      handle.level = level ? level.level : null;
      if (visible) visible.remove();
      visible = null;
      handle.say('areas', '');
      handle.emit('change', handle.state());
      if (!level) return;
      if (!groups.has(level.level)) {
        handle.say('areas', t('{level}: Grenzen werden geladen …', { level: level.title }));
        try {
          const answer = await getJson(level.url, 'application/geo+json, application/json;q=0.9');
          groups.set(level.level, polygons(handle, answer, level));
        } catch {
          if (handle.level === level.level) {
            handle.say('areas', t('{level}: Die Grenzen konnten nicht geladen werden.', { level: level.title }), () => show(level));
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
      inputs.set(input.value, { input, level });
      section.append(el('label', { class: 'srk-choice' }, input, el('span', {}, level ? level.title : t('Keine Gebiete'))));
      if (level && input.checked) show(level);
    }
    handle.usualLevel = data.shown;
    /* For the page: show the level of a shared address; null for none. */
    handle.showLevel = (code) => {
      const found = inputs.get(code || '');
      if (!found || found.input.checked) return;
      found.input.checked = true;
      show(found.level);
    };
    /* For the search: show a level and tell of one of its areas; whether it is on the map. */
    handle.showArea = async (code, key) => {
      const found = inputs.get(code);
      if (!found) return false;
      if (!found.input.checked || !visible) {
        found.input.checked = true;
        await show(found.level);
      }
      const layer = visible && visible.getLayers().find((one) => one.feature.properties.area_key === key);
      if (layer) open(handle, layer, found.level, layer.getBounds().getCenter());
      return Boolean(layer);
    };
  }

  window.srkMap.areas = areas;
})();
