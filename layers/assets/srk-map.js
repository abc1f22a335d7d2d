/* Sozialraumkarte: ground, panel and messages of a map.
 * Everything that comes from data is written as text (nodes, textContent), never parsed as HTML. */
(function () {
  'use strict';

  const SVG = 'http://www.w3.org/2000/svg';
  const WIDE_PX = 720;
  const handles = new Map();
  const said = { locale: 'de-DE', texts: {} };

  /* A text in the page's language; texts are written in German here. {name} stands for a value. */
  function filled(text, values) {
    return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name]) : text;
  }

  function t(text, values) {
    return filled(Object.hasOwn(said.texts, text) ? said.texts[text] : text, values);
  }

  /* A text with a number: how it is said of one, and of several; {n} is the number. */
  function tn(one, several, count, values) {
    const forms = Object.hasOwn(said.texts, one) ? said.texts[one] : [one, several];
    return filled(forms[count === 1 ? 0 : 1], { n: number(count), ...values });
  }

  function number(value) {
    said.format = said.format || new Intl.NumberFormat(said.locale);
    return said.format.format(Number(value || 0));
  }

  /* A new element; strings among the children become text. */
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  /* A category's symbol, the same drawing as layers/palette.py makes. */
  function symbol(style, size) {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    const box = { class: 'srk-symbol', width: size, height: size, viewBox: '-1 -1 26 26', 'aria-hidden': 'true' };
    const look = { d: style.shape, fill: style.colour, stroke: '#ffffff', 'stroke-width': 1.5, 'stroke-linejoin': 'round' };
    for (const [name, value] of Object.entries(box)) svg.setAttribute(name, value);
    for (const [name, value] of Object.entries(look)) path.setAttribute(name, value);
    svg.append(path);
    return svg;
  }

  function places(count) {
    return tn('{n} Einrichtung', '{n} Einrichtungen', Number(count || 0));
  }

  /* Files without a server hand their data over in srkMap.files, by the same addresses; what has to be worked out, such
   * as a search, srkMap.answer does. */
  async function getJson(url, accept) {
    if (Object.hasOwn(window.srkMap.files, url)) return window.srkMap.files[url];
    if (window.srkMap.answer) return window.srkMap.answer(url);
    // On other sites' pages nobody is signed in, whoever looks.
    const credentials = document.querySelector('[data-anonymous]') ? 'omit' : 'same-origin';
    const answer = await fetch(url, { headers: { Accept: accept }, credentials, signal: AbortSignal.timeout(60000) });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  /* Leaflet writes attributions as HTML: hand it escaped text. */
  function escaped(text) {
    return el('span', {}, text).innerHTML;
  }

  /* The one panel of a map: switches and legend. Closed on narrow maps, open on wide ones. */
  const Panel = L.Control.extend({
    options: { position: 'topright' },
    onAdd(map) {
      const id = `${map.getContainer().id}-panel`;
      this.content = el('div', { class: 'srk-panel-content', id });
      this.button = el('button', { type: 'button', class: 'srk-panel-button', 'aria-controls': id }, t('Auswahl und Legende'));
      this.button.addEventListener('click', () => this.open(this.content.hidden));
      this.box = el('div', { class: 'srk-panel', role: 'group', 'aria-label': t('Auswahl und Legende') }, this.button, this.content);
      L.DomEvent.disableClickPropagation(this.box);
      L.DomEvent.disableScrollPropagation(this.box);
      this.box.addEventListener('keydown', (event) => {
        event.stopPropagation();
        if (event.key === 'Escape' && !this.content.hidden) {
          this.open(false);
          this.button.focus();
        }
      });
      this.fit(map);
      map.on('resize', () => this.fit(map));
      this.open(map.getSize().x >= WIDE_PX);
      return this.box;
    },
    open(yes) {
      this.content.hidden = !yes;
      this.button.setAttribute('aria-expanded', String(yes));
    },
    fit(map) {
      this.content.style.maxHeight = `${Math.max(120, map.getSize().y - 110)}px`;
    },
  });

  class Handle {
    constructor(map) {
      this.map = map;
      this.container = map.getContainer();
      this.messages = new Map();
      this.box = el('div', { class: 'srk-status', role: 'status' });
      this.container.append(this.box);
      L.DomEvent.disableClickPropagation(this.box);
      this.level = null;
      this.active = new Set();
      this.moved = false; // by somebody: until then the map shows all there is, however the window changes
    }

    /* A headed group of entries: in the page's own element for them, else in the panel of the map. */
    section(heading) {
      const host = document.getElementById(`${this.container.id}-host`);
      if (!host && !this.panel) this.panel = new Panel().addTo(this.map);
      const group = el('fieldset', { class: 'srk-section' }, el('legend', {}, heading));
      (host || this.panel.content).append(group);
      return group;
    }

    /* Say something about one matter (or, without text, that it is settled). */
    say(matter, text, retry) {
      this.messages.delete(matter);
      if (text) this.messages.set(matter, { text, retry });
      this.box.replaceChildren(...[...this.messages.values()].map((message) => {
        const line = el('p', {}, message.text);
        if (message.retry) {
          const again = el('button', { type: 'button' }, t('Erneut versuchen'));
          again.addEventListener('click', message.retry);
          line.append(' ', again);
        }
        return line;
      }));
    }

    /* Tell the page; it may listen on the map's element. */
    emit(name, detail) {
      this.container.dispatchEvent(new CustomEvent(`srk:${name}`, { bubbles: true, detail }));
    }

    /* What a shared link has to say to open the same view. */
    state() {
      const { lat, lng } = this.map.getCenter();
      return {
        lat: Number(lat.toFixed(5)), lon: Number(lng.toFixed(5)), zoom: this.map.getZoom(),
        level: this.level, categories: [...this.active],
      };
    }

    /* A popup that takes the focus and gives it back. */
    popup(latlng, content, opener, offset) {
      // The popup before is closed first: closing it later would carry the focus home out of the new one.
      this.map.closePopup();
      // Leaflet lets it fade away; two dialogs would stand there meanwhile.
      if (this.opened && this.opened.getElement()) this.opened.getElement().remove();
      // The page may make room before it is measured.
      this.container.classList.add('srk-open');
      this.map.invalidateSize({ pan: false });
      const size = this.map.getSize();
      const narrow = size.x < WIDE_PX;
      if (narrow && this.panel) this.panel.open(false);
      const right = !narrow && this.panel && !this.panel.content.hidden ? this.panel.box.offsetWidth + 22 : 12;
      const popup = L.popup({
        maxWidth: Math.min(300, size.x - 72), minWidth: Math.min(220, size.x - 72),
        maxHeight: Math.max(160, narrow ? size.y - 130 : Math.round(size.y * 0.55)), offset: offset || [0, 0],
        // Beside the controls, which lie above popups.
        autoPanPaddingTopLeft: narrow ? [12, 58] : [60, 12], autoPanPaddingBottomRight: [right, 12],
      });
      this.opened = popup.setLatLng(latlng).setContent(content).openOn(this.map);
      const box = popup.getElement();
      box.setAttribute('role', 'dialog');
      const close = box.querySelector('.leaflet-popup-close-button');
      if (close) close.setAttribute('aria-label', t('Schließen'));
      const heading = content.querySelector('h3');
      if (heading) {
        box.setAttribute('aria-label', heading.textContent);
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
      box.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') this.map.closePopup(popup);
      });
      popup.once('remove', () => {
        if (this.opened === popup) this.container.classList.remove('srk-open');
        const home = typeof opener === 'function' ? opener() : opener;
        if (home && home.isConnected && box.contains(document.activeElement)) home.focus({ preventScroll: true });
      });
      return popup;
    }

    /* Fit a popup to content that has grown; Leaflet takes the nodes out meanwhile, and the focus with them. */
    refit(popup) {
      if (!popup.isOpen()) return;
      const focused = popup.getElement().contains(document.activeElement) ? document.activeElement : null;
      popup.update();
      if (focused) focused.focus({ preventScroll: true });
    }
  }

  function canvas(map, frame) {
    Object.assign(said, { locale: frame.locale || said.locale, texts: frame.texts || said.texts });
    const handle = new Handle(map);
    handles.set(handle.container.id, handle);
    L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(map);
    const attribution = L.control.attribution({ prefix: false }).addTo(map);
    if (frame.attribution) attribution.addAttribution(escaped(frame.attribution));
    // On a phone the upper edge belongs to the panel and to popups.
    const position = map.getSize().x < WIDE_PX ? 'bottomright' : 'topleft';
    L.control.zoom({ position, zoomInTitle: t('Hineinzoomen'), zoomOutTitle: t('Herauszoomen') }).addTo(map);
    map.fitBounds(frame.bounds, { animate: false });
    map.on('moveend', () => handle.emit('change', handle.state()));
    for (const name of ['pointerdown', 'wheel', 'keydown']) {
      handle.container.addEventListener(name, () => { handle.moved = true; }, { passive: true, capture: true });
    }
    // Leaflet notices a resized window only; the page may also give the map another size.
    new ResizeObserver(() => {
      map.invalidateSize({ pan: false });
      if (!handle.moved) map.fitBounds(frame.bounds, { animate: false });
    }).observe(handle.container);
  }

  function legend(id, data) {
    const group = handles.get(id).section(t('Zeichen'));
    const titles = { area: t('Gebiet'), cluster: t('zusammengefasste Einrichtungen') };
    const list = el('ul', { class: 'srk-legend' });
    for (const entry of data.entries) {
      const sign = entry.kind === 'symbol' ? symbol(entry, 20) : el('span', { class: `srk-sign srk-sign-${entry.kind}`, 'aria-hidden': 'true' });
      if (entry.kind === 'cluster') sign.append('12');
      list.append(el('li', {}, sign, el('span', {}, titles[entry.kind] || entry.title)));
    }
    group.append(list);
  }

  window.srkMap = { files: {}, canvas, legend, el, symbol, places, number, t, tn, getJson, locale: () => said.locale, of: (id) => handles.get(id) };
})();
