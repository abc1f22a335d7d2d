/* Sozialraumkarte: places as clustered symbols. Only what is in view stands in the document. */
(function () {
  'use strict';

  const { el, symbol, places, number, getJson, t, decode, grouped, matching } = window.srkMap;
  const SIZE_PX = 26;
  const CLUSTER_PX = 44;
  const CLOSE_ZOOM = 16;
  const LISTED = 60;
  const KEYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

  /* An icon drawn once per category and copied for each marker that comes into view. */
  const SymbolIcon = L.DivIcon.extend({
    createIcon() {
      if (!this.drawing) this.drawing = symbol(this.options.look, SIZE_PX);
      const box = el('div', {}, this.drawing.cloneNode(true));
      this._setIconStyles(box, 'icon');
      return box;
    },
  });

  const ClusterIcon = L.DivIcon.extend({
    createIcon() {
      const box = el('div', {}, number(this.options.count));
      this._setIconStyles(box, 'icon');
      return box;
    },
  });

  /* A marker whose name is said aloud; Leaflet names images only. */
  const NamedMarker = L.Marker.extend({
    _initIcon() {
      L.Marker.prototype._initIcon.call(this);
      this._icon.setAttribute('aria-label', this.options.label);
      this._icon.setAttribute('tabindex', '-1');
    },
  });

  class Facilities {
    constructor(handle, data) {
      this.handle = handle;
      this.map = handle.map;
      this.data = data;
      this.filter = { categories: handle.active, types: new Set(), age: null, barrier: new Set() };
      this.details = new Map();
      this.drawn = new Map();
      this.request = 0;
      this.looks = new Map(data.categories.map((look) => {
        if (look.shown) handle.active.add(look.category);
        return [look.category, {
          look, title: look.title, icon: new SymbolIcon({ look, className: 'srk-marker', iconSize: [SIZE_PX, SIZE_PX] }),
        }];
      }));
      this.group = L.layerGroup().addTo(this.map);
      this.map.on('moveend', () => this.draw());
      this.map.getPane('markerPane').addEventListener('keydown', (event) => this.key(event));
    }

    async load(url) {
      const mine = ++this.request;
      this.handle.say('facilities', t('Einrichtungen werden geladen …'));
      try {
        const data = await getJson(url, 'application/json');
        if (mine !== this.request) return;
        this.index = decode(data);
        this.handle.say('facilities', '');
        this.apply();
      } catch {
        if (mine !== this.request) return;
        this.handle.say('facilities', t('Die Einrichtungen konnten nicht geladen werden.'), () => this.load(url));
      }
    }

    /* Show what fits the filter now. */
    apply() {
      if (!this.index) return;
      this.result = matching(this.index, this.filter);
      this.points = this.result.found.filter((one) => one.place.lon !== null && this.looks.has(one.category));
      this.groups = new Map();
      this.draw();
      const { places: all } = this.index;
      this.handle.emit('facilities', {
        total: all.length, mapped: all.filter((place) => place.lon !== null).length,
        found: this.result.found.length, shown: this.points.length,
      });
    }

    /* Groups are made for the whole map, so that moving it does not change them. */
    groupsAt(zoom) {
      if (!this.groups.has(zoom)) this.groups.set(zoom, grouped(this.points, zoom, CLUSTER_PX));
      return this.groups.get(zoom);
    }

    draw() {
      if (!this.points) return;
      const box = this.map.getBounds().pad(0.25);
      const seen = this.groupsAt(this.map.getZoom()).filter((group) => box.contains([group.lat, group.lon]));
      const keys = new Set();
      for (const group of seen) {
        const [{ at, category }] = group.entries;
        const key = group.entries.length > 1 ? `${group.lon} ${group.lat} ${group.entries.length}` : `${at} ${category}`;
        keys.add(key);
        if (!this.drawn.has(key)) this.drawn.set(key, this.marker(group));
        this.drawn.get(key).group = group;
      }
      const focused = document.activeElement;
      let lost = false;
      for (const [key, marker] of this.drawn) {
        if (keys.has(key)) continue;
        lost = lost || marker.getElement() === focused;
        this.drawn.delete(key);
        this.group.removeLayer(marker);
      }
      this.stops(lost);
      this.handle.emit('drawn', { markers: seen.length });
    }

    marker({ entries, lon, lat }) {
      const count = entries.length;
      const look = this.looks.get(entries[0].category);
      const size = count < 10 ? 32 : count < 100 ? 38 : 46;
      const icon = count > 1 ? new ClusterIcon({ count, className: 'srk-cluster', iconSize: [size, size] }) : look.icon;
      const label = count > 1 ? t('{places}, vergrößern', { places: places(count) }) : `${entries[0].place.name}, ${look.title}`;
      const made = new NamedMarker([lat, lon], { icon, label, title: count > 1 ? '' : label, riseOnHover: true });
      made.on('click', () => this.chosen(made));
      return made.addTo(this.group);
    }

    /* One stop for the tab key, arrow keys from symbol to symbol, from the top down. */
    stops(lost) {
      const inside = this.map.getBounds();
      this.order = [...this.drawn.values()].sort((a, b) => b.getLatLng().lat - a.getLatLng().lat || a.getLatLng().lng - b.getLatLng().lng);
      const kept = this.order.find((marker) => marker === this.stop);
      const next = kept || this.nearStop(inside);
      for (const marker of this.order) marker.getElement().setAttribute('tabindex', marker === next ? '0' : '-1');
      this.stop = next;
      if (lost && next) next.getElement().focus({ preventScroll: true });
    }

    /* Where the stop goes when its symbol is gone: near it, else the first in view. */
    nearStop(inside) {
      const seen = this.order.filter((marker) => inside.contains(marker.getLatLng()));
      if (!this.stop) return seen[0] || this.order[0];
      const from = this.stop.getLatLng();
      return seen.reduce((best, one) => (!best || from.distanceTo(one.getLatLng()) < from.distanceTo(best.getLatLng()) ? one : best), undefined);
    }

    key(event) {
      const at = this.order ? this.order.findIndex((marker) => marker.getElement() === event.target) : -1;
      if (at < 0) return;
      const last = this.order.length - 1;
      const to = event.key === 'Home' ? 0 : event.key === 'End' ? last : at + (KEYS[event.key] || 0);
      const enter = event.key === 'Enter' || event.key === ' ';
      if (!enter && !(event.key in KEYS) && event.key !== 'Home' && event.key !== 'End') return;
      event.preventDefault();
      event.stopPropagation();
      if (enter) this.chosen(this.order[at]);
      else if (to >= 0 && to <= last) {
        this.stop = this.order[to];
        this.order[at].getElement().setAttribute('tabindex', '-1');
        this.stop.getElement().setAttribute('tabindex', '0');
        this.stop.getElement().focus();
      }
    }

    chosen(marker) {
      this.stop = marker;
      const { entries } = marker.group;
      if (entries.length === 1) {
        this.open(entries[0].place, marker);
        return;
      }
      // To where they stand apart; those that never do are listed.
      let zoom = Math.floor(this.map.getZoom()) + 1;
      while (zoom <= this.map.getMaxZoom() && grouped(entries, zoom, CLUSTER_PX).length === 1) zoom += 1;
      if (zoom > this.map.getMaxZoom()) this.list(marker);
      else this.map.setView(marker.getLatLng(), zoom);
    }

    /* Places too close to be told apart on the map. */
    list(marker) {
      const { entries: all } = marker.group;
      const entries = all.slice(0, LISTED).map(({ place, category }) => {
        const button = el('button', { type: 'button', class: 'srk-entry' }, symbol(this.looks.get(category).look, 20), el('span', {}, place.name));
        button.addEventListener('click', () => this.open(place, marker));
        return el('li', {}, button);
      });
      const more = all.length - entries.length;
      if (more > 0) entries.push(el('li', {}, t('und {n} weitere, in der Liste der Angebote', { n: number(more) })));
      const heading = el('h3', {}, t('{places} an dieser Stelle', { places: places(all.length) }));
      this.handle.popup(marker.getLatLng(), el('div', { class: 'srk-popup' }, heading, el('ul', {}, ...entries)), () => marker.getElement(), [0, -10]);
    }

    find(dataset, id) {
      return this.index && this.index.places.find((place) => place.dataset === dataset && place.id === id);
    }

    /* Go to a place and open its card; `from` is the button it was asked for with. */
    show(place, from) {
      if (place.lon === null) return;
      this.handle.moved = true;
      this.map.setView([place.lat, place.lon], Math.max(this.map.getZoom(), CLOSE_ZOOM), { animate: false });
      this.open(place, [...this.drawn.values()].find(({ group }) => group.entries.length === 1 && group.entries[0].place === place), from);
    }

    async open(place, marker, from) {
      const body = el('div', {}, el('p', {}, t('Wird geladen …')));
      const content = el('div', { class: 'srk-popup' }, el('h3', {}, place.name), body);
      const popup = this.handle.popup([place.lat, place.lon], content, () => this.opener(marker, from), [0, -8]);
      this.handle.place = place;
      popup.once('remove', () => {
        if (this.handle.place !== place) return;
        this.handle.place = null;
        this.handle.emit('place', null);
      });
      this.handle.emit('place', { dataset: place.dataset, facility_id: place.id });
      try {
        const row = await this.detail(place);
        const page = this.data.page ? this.address(this.data.page, place) : null;
        body.replaceChildren(...(row ? window.srkMap.detail(row, this.data.titles, page) : [el('p', {}, t('Keine weiteren Angaben.'))]));
      } catch {
        body.replaceChildren(el('p', {}, t('Die Angaben konnten nicht geladen werden.')));
      }
      this.handle.refit(popup);
    }

    /* What the focus returns to when a card is closed: what it was opened from, as far as that is still there. */
    opener(marker, from) {
      const signs = [from, marker && marker.getElement(), this.stop && this.stop.getElement()];
      return signs.find((one) => one && one.isConnected && one.getClientRects().length) || this.map.getContainer();
    }

    address(pattern, place) {
      return pattern.replaceAll('{dataset}', () => encodeURIComponent(place.dataset))
        .replaceAll('{facility_id}', () => encodeURIComponent(place.id));
    }

    async detail(place) {
      const url = this.address(this.data.detail, place);
      if (!this.details.has(url)) this.details.set(url, ((await getJson(url, 'application/json')).rows || [])[0]);
      return this.details.get(url);
    }
  }

  function facilities(id, data) {
    const handle = window.srkMap.of(id);
    handle.facilities = new Facilities(handle, data);
    handle.facilities.load(data.url);
  }

  window.srkMap.facilities = facilities;
})();
