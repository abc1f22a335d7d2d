/* Sozialraumkarte: one stop for the tab key, arrow keys from shape to shape, letters to a name.
 * A thousand stops would bury everything after them. */
(function () {
  'use strict';

  const { el } = window.srkMap;

  /* items: { path: SVG or HTML element, name, label, focus(visible), blur(), enter() }, in the order of the arrow keys. */
  function roving(items) {
    const last = items.length - 1;
    const move = (from, to) => {
      items[from].path.setAttribute('tabindex', '-1');
      items[to].path.setAttribute('tabindex', '0');
      items[to].path.focus({ preventScroll: true });
    };
    /* The next name behind this one that begins with the letter, from the start again after the last. */
    const named = (at, letter) => {
      for (let step = 1; step <= items.length; step += 1) {
        const to = (at + step) % items.length;
        if (items[to].name.toLocaleLowerCase('de').startsWith(letter)) return to;
      }
      return undefined;
    };
    items.forEach((item, at) => {
      const { path } = item;
      path.setAttribute('tabindex', at === 0 ? '0' : '-1');
      path.setAttribute('role', 'button');
      path.setAttribute('aria-label', item.label);
      path.addEventListener('focus', () => item.focus(path.matches(':focus-visible')));
      path.addEventListener('blur', () => item.blur());
      path.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const enter = event.key === 'Enter' || event.key === ' ';
        let to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
        if (to === undefined && !enter && event.key.length === 1) to = named(at, event.key.toLocaleLowerCase('de'));
        if (to === undefined && !enter) return;
        event.preventDefault();
        event.stopPropagation();
        if (enter) item.enter();
        else if (to >= 0 && to <= last) move(at, to);
      });
    });
  }

  /* Rows with data-area-key in tables of the page, there now or later, and shapes of the map choose each other.
   * Returns select(key or null), which marks rows, calls mark(key) for the map and tells the page. */
  function tableRows(handle, mark, show) {
    let selected = null;
    const every = (selector) => document.querySelectorAll(`tr${selector}`);
    function select(key) {
      if (key === selected) return;
      selected = key;
      for (const row of every('.srk-row-selected')) row.classList.remove('srk-row-selected');
      for (const row of key === null ? [] : every('[data-area-key]')) row.classList.toggle('srk-row-selected', row.dataset.areaKey === key);
      mark(key);
      handle.emit('select', { key });
    }
    /* What the keyboard is at on the map keeps its sign, or gets it back, while the mouse wanders about the page. */
    const leave = () => {
      if (!handle.container.contains(document.activeElement)) select(null);
      else if (handle.focused) select(handle.focused);
    };
    const keyOf = (event) => {
      const row = event.target instanceof Element ? event.target.closest('tr[data-area-key]') : null;
      return row ? row.dataset.areaKey : null;
    };
    // Leaving one row for another tells of both; the one entered counts.
    for (const name of ['mouseover', 'focusin']) {
      document.addEventListener(name, (event) => {
        const key = keyOf(event);
        if (key !== null) select(key);
        else if (!handle.container.contains(event.target)) leave();
      });
    }
    document.addEventListener('click', (event) => {
      const key = keyOf(event);
      if (key !== null && !event.target.closest('a, button, input, select, label, summary')) show(key);
    });
    return select;
  }

  /* Returns mark(layer or undefined): a double line around a shape or along an arc, above all others. The shapes
   * themselves stay where they are: moving a focused element in the document would take its focus away. */
  function highlight(handle) {
    const pane = handle.map.getPane('srk-highlight') || handle.map.createPane('srk-highlight');
    pane.classList.add('srk-highlight');
    const group = L.layerGroup().addTo(handle.map);
    return (layer) => {
      group.clearLayers();
      if (!layer) return;
      const Shape = layer.constructor;
      for (const look of [{ color: '#ffffff', weight: 7 }, { color: '#1f2328', weight: 3.5 }]) {
        group.addLayer(new Shape(layer.getLatLngs(), { pane: 'srk-highlight', interactive: false, fill: false, opacity: 1, ...look }));
      }
    };
  }

  /* The outer ring of a polygon, of several parts that of the largest (by its box): an area's island may come first. */
  function largest(layer) {
    const given = layer.getLatLngs();
    const rings = L.LineUtil.isFlat(given[0]) ? [given[0]] : given.map((part) => part[0]);
    const size = (ring) => {
      const bounds = L.latLngBounds(ring);
      return (bounds.getEast() - bounds.getWest()) * (bounds.getNorth() - bounds.getSouth());
    };
    return rings.reduce((best, ring) => (size(ring) > size(best) ? ring : best));
  }

  /* Names where they fit into their areas and cover neither each other nor what `taken` tells (boxes in the map's own
   * pixels); they are no part of the keyboard's or a screen reader's way. Returns what takes them away again. */
  function labels(handle, layers, nameOf, taken = () => []) {
    const { map } = handle;
    const pane = map.getPane('srk-labels') || map.createPane('srk-labels');
    pane.classList.add('srk-labels');
    const group = L.layerGroup().addTo(map);
    let waiting = 0;
    const draw = () => {
      waiting = 0;
      group.clearLayers();
      const view = map.getBounds();
      const boxes = taken();
      for (const layer of layers) {
        const part = largest(layer);
        const bounds = L.latLngBounds(part);
        if (!view.intersects(bounds)) continue;
        const [one, other] = [bounds.getNorthWest(), bounds.getSouthEast()].map((corner) => map.latLngToLayerPoint(corner));
        const name = nameOf(layer);
        const half = name.length * 3.1 + 4;
        if (other.x - one.x < 2 * half || other.y - one.y < 22 || name.length > 40) continue;
        const middle = L.PolyUtil.polygonCenter(part, map.options.crs);
        const at = map.latLngToLayerPoint(middle);
        const box = L.bounds([at.x - half, at.y - 10], [at.x + half, at.y + 10]);
        if (boxes.some((held) => held.overlaps(box))) continue;
        boxes.push(box);
        const icon = L.divIcon({ className: 'srk-label', html: el('span', { 'aria-hidden': 'true' }, name), iconSize: [0, 0] });
        group.addLayer(L.marker(middle, { icon, interactive: false, keyboard: false, pane: 'srk-labels' }));
      }
    };
    const later = () => {
      if (!waiting) waiting = requestAnimationFrame(draw);
    };
    map.on('moveend', later);
    handle.container.addEventListener('srk:drawn', later);
    draw();
    return () => {
      cancelAnimationFrame(waiting);
      map.off('moveend', later);
      handle.container.removeEventListener('srk:drawn', later);
      group.remove();
    };
  }

  /* Fill the map with bounds (west, south, east, north) beside its panel; without tiles zoom need not be whole. */
  function fit(handle, [west, south, east, north]) {
    const { map } = handle;
    let tiled = false;
    map.eachLayer((layer) => { tiled = tiled || layer instanceof L.TileLayer; });
    if (!tiled) map.options.zoomSnap = 0.25;
    const panel = handle.container.querySelector('.srk-panel');
    const open = panel && panel.querySelector('[aria-expanded="true"]');
    map.fitBounds([[south, west], [north, east]], {
      animate: false, paddingTopLeft: [20, 20], paddingBottomRight: [open ? panel.offsetWidth + 30 : 20, 34],
    });
  }

  Object.assign(window.srkMap, { roving, tableRows, highlight, labels, fit });
})();
