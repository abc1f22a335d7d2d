/* Sozialraumkarte: places as clustered symbols, switched on and off by category. */
(function () {
  'use strict';

  const { el, symbol, places, getJson } = window.srkMap;
  const SIZE_PX = 26;

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
      const box = el('div', { 'aria-label': `${places(this.options.count)}, vergrößern` }, this.options.count.toLocaleString('de-DE'));
      this._setIconStyles(box, 'icon');
      return box;
    },
  });

  /* A marker whose name is said aloud; Leaflet names images only. */
  const PlaceMarker = L.Marker.extend({
    _initIcon() {
      L.Marker.prototype._initIcon.call(this);
      this._icon.setAttribute('aria-label', this.options.title);
    },
  });

  function clusterIcon(cluster) {
    const count = cluster.getChildCount();
    const size = count < 10 ? 32 : count < 100 ? 38 : 46;
    return new ClusterIcon({ count, className: 'srk-cluster', iconSize: [size, size] });
  }

  function markersOf(data) {
    const markers = [];
    for (const feature of data.features || []) {
      if (!feature.geometry || feature.geometry.type !== 'Point') continue;
      const [lon, lat] = feature.geometry.coordinates;
      const marker = new PlaceMarker([lat, lon], { riseOnHover: true });
      marker.place = feature.properties;
      markers.push(marker);
    }
    return markers;
  }

  class Facilities {
    constructor(handle, data) {
      this.handle = handle;
      this.data = data;
      this.active = handle.active;
      this.markers = [];
      this.details = new Map();
      this.request = 0;
      this.busy = false;
      this.again = false;
      this.looks = new Map(data.categories.map((look) => {
        if (look.shown) this.active.add(look.category);
        return [look.category, {
          title: look.title, icon: new SymbolIcon({ look, className: 'srk-marker', iconSize: [SIZE_PX, SIZE_PX], popupAnchor: [0, -8] }),
        }];
      }));
      this.group = L.markerClusterGroup({
        maxClusterRadius: 44, showCoverageOnHover: false, iconCreateFunction: clusterIcon,
        animate: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
        chunkedLoading: true, chunkProgress: (done, all) => this.progress(done, all),
        spiderLegPolylineOptions: { weight: 1.5, color: '#4a5663', opacity: 0.7 },
      });
      this.group.on('click keypress', (event) => this.chosen(event));
      this.group.addTo(handle.map);
    }

    /* The symbol is that of the place's first category that is switched on. */
    draw() {
      // Markers may still be on their way in chunks; changing them now would mix both states.
      if (this.busy) {
        this.again = true;
        return;
      }
      const shown = [];
      for (const marker of this.markers) {
        const category = (marker.place.categories || []).find((one) => this.active.has(one));
        if (category === undefined) continue;
        const look = this.looks.get(category);
        marker.options.icon = look.icon;
        marker.options.title = `${marker.place.name}, ${look.title}`;
        shown.push(marker);
      }
      this.group.clearLayers();
      this.busy = true;
      this.group.addLayers(shown);
      this.handle.emit('facilities', { total: this.total, mapped: this.markers.length, shown: shown.length });
    }

    /* Called before the last chunk is drawn, hence the task of its own. */
    progress(done, all) {
      if (done < all) return;
      setTimeout(() => {
        this.busy = false;
        if (!this.again) {
          this.handle.emit('drawn', {});
          return;
        }
        this.again = false;
        this.draw();
      });
    }

    async load(url) {
      const mine = ++this.request;
      this.handle.say('facilities', 'Einrichtungen werden geladen …');
      try {
        const data = await getJson(url, 'application/geo+json, application/json;q=0.9');
        if (mine !== this.request) return;
        this.total = (data.features || []).length;
        this.markers = markersOf(data);
        this.handle.say('facilities', '');
        this.draw();
      } catch {
        if (mine !== this.request) return;
        this.handle.say('facilities', 'Die Einrichtungen konnten nicht geladen werden.', () => this.load(url));
      }
    }

    chosen(event) {
      const marker = event.propagatedFrom || event.layer || event.sourceTarget;
      if (!marker || !marker.place) return;
      if (event.type === 'keypress') {
        if (event.originalEvent.key !== 'Enter' && event.originalEvent.key !== ' ') return;
        event.originalEvent.preventDefault();
      }
      this.open(marker);
    }

    async open(marker) {
      const place = marker.place;
      const body = el('div', {}, el('p', {}, 'Wird geladen …'));
      const content = el('div', { class: 'srk-popup' }, el('h3', {}, place.name), body);
      const popup = this.handle.popup(marker.getLatLng(), content, () => marker.getElement(), [0, -6]);
      this.handle.emit('place', { dataset: place.dataset, facility_id: place.facility_id });
      try {
        const row = await this.detail(place);
        body.replaceChildren(...(row ? window.srkMap.detail(row, this.data.titles) : [el('p', {}, 'Keine weiteren Angaben.')]));
      } catch {
        body.replaceChildren(el('p', {}, 'Die Angaben konnten nicht geladen werden.'));
      }
      this.handle.refit(popup);
    }

    async detail(place) {
      const url = this.data.detail
        .replaceAll('{dataset}', () => encodeURIComponent(place.dataset))
        .replaceAll('{facility_id}', () => encodeURIComponent(place.facility_id));
      if (!this.details.has(url)) {
        const answer = await getJson(url, 'application/json');
        this.details.set(url, (answer.rows || [])[0]);
      }
      return this.details.get(url);
    }

    switches() {
      const section = this.handle.section('Einrichtungen');
      const inputs = [];
      const changed = () => {
        for (const input of inputs) this.active[input.checked ? 'add' : 'delete'](input.value);
        this.draw();
        this.handle.emit('change', this.handle.state());
      };
      const all = (label, checked) => {
        const button = el('button', { type: 'button', class: 'srk-all' }, label);
        button.addEventListener('click', () => {
          for (const input of inputs) input.checked = checked;
          changed();
        });
        return button;
      };
      if (this.data.categories.length > 2) section.append(el('p', { class: 'srk-alls' }, all('Alle', true), all('Keine', false)));
      for (const look of this.data.categories) {
        const input = el('input', { type: 'checkbox', value: look.category });
        input.checked = look.shown;
        input.addEventListener('change', changed);
        inputs.push(input);
        const count = el('span', { class: 'srk-count' }, look.count.toLocaleString('de-DE'));
        section.append(el('label', { class: 'srk-choice' }, input, symbol(look, 20), el('span', {}, look.title), count));
      }
    }
  }

  function facilities(id, data) {
    const handle = window.srkMap.of(id);
    const layer = new Facilities(handle, data);
    layer.switches();
    layer.load(data.url);
    /* For the page: other places (a filter), drawn in the same manner. */
    handle.reload = (url) => layer.load(url);
  }

  window.srkMap.facilities = facilities;
})();
