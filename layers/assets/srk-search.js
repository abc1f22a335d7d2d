/* Sozialraumkarte: search for a place, street, area or offer, and what is near. The own position only on a click. */
(function () {
  'use strict';

  const { el, symbol, t, tn, getJson, nearest } = window.srkMap;
  const WAIT_MS = 180;
  const SHORTEST = 2;
  const LISTED = 10;
  const POINT_ZOOM = 15;
  const PIN = 'M12 1a8 8 0 0 1 8 8c0 5.5-8 14-8 14S4 14.5 4 9a8 8 0 0 1 8-8z';

  class Search {
    constructor(handle, data) {
      this.handle = handle;
      this.data = data;
      this.form = document.getElementById(data.form);
      this.input = this.form.querySelector('input[name="q"]');
      this.list = el('ul', { class: 'srk-hits', role: 'listbox', id: `${this.input.id}-treffer`, 'aria-label': t('Vorschläge') });
      this.list.hidden = true;
      this.said = el('p', { class: 'srk-said', role: 'status' });
      this.form.append(this.list, this.said);
      this.hits = [];
      this.at = -1;
      const roles = { role: 'combobox', 'aria-expanded': 'false', 'aria-controls': this.list.id, 'aria-autocomplete': 'list' };
      for (const [name, value] of Object.entries(roles)) this.input.setAttribute(name, value);
      this.input.addEventListener('input', () => this.typed());
      this.input.addEventListener('keydown', (event) => this.key(event));
      this.input.addEventListener('blur', () => this.open(false));
      this.form.addEventListener('submit', (event) => this.submitted(event));
      this.box = document.getElementById(data.near);
      const locate = this.form.querySelector('[data-locate]');
      if (locate && 'geolocation' in navigator) {
        locate.hidden = false;
        locate.addEventListener('click', () => this.locate());
      }
      handle.container.addEventListener('srk:facilities', () => this.listNear());
      handle.showNear = (point, name) => this.shared(point, name);
    }

    say(text) {
      this.said.textContent = text;
    }

    typed() {
      clearTimeout(this.timer);
      const asked = this.input.value.trim();
      this.say('');
      if (!this.enough(asked)) {
        this.answered = '';
        this.show([]);
        if (asked.length >= SHORTEST) this.say(t('Bitte mindestens zwei Buchstaben oder Ziffern eingeben.'));
        return;
      }
      this.timer = setTimeout(() => this.ask(asked), WAIT_MS);
    }

    /* Signs alone are nothing to search for. */
    enough(asked) {
      return asked.replace(/[^\p{L}\p{N}]/gu, '').length >= SHORTEST;
    }

    /* The answer to the newest question only. */
    async ask(asked) {
      this.asked = asked;
      try {
        const answer = await getJson(`${this.data.url}${encodeURIComponent(asked)}`, 'application/json');
        if (this.asked !== asked) return false;
        this.answered = asked;
        // An answer that comes after the field was left is kept for Enter, but opens nothing over the page.
        this.show(answer.rows, document.activeElement === this.input);
        if (answer.rows.length) this.say(tn('{n} Vorschlag', '{n} Vorschläge', answer.rows.length));
        else this.say(t('Nichts gefunden zu „{asked}“.', { asked }));
        return true;
      } catch {
        if (this.asked === asked) this.say(t('Die Suche ist gerade nicht möglich.'));
        return false;
      }
    }

    show(hits, opened = true) {
      this.hits = hits;
      this.at = -1;
      this.list.replaceChildren(...hits.map((hit, at) => {
        const option = el('li', { role: 'option', id: `${this.list.id}-${at}`, 'aria-selected': 'false' }, el('span', {}, hit.title), el('small', {}, hit.detail || ''));
        // Before the field loses the focus and closes the list.
        option.addEventListener('pointerdown', (event) => event.preventDefault());
        option.addEventListener('click', () => this.choose(hit));
        return option;
      }));
      this.open(opened && hits.length > 0);
    }

    open(yes) {
      this.list.hidden = !yes;
      this.input.setAttribute('aria-expanded', String(yes));
      if (!yes) this.mark(-1);
    }

    mark(at) {
      this.at = at;
      [...this.list.children].forEach((option, n) => option.setAttribute('aria-selected', String(n === at)));
      if (at < 0) this.input.removeAttribute('aria-activedescendant');
      else {
        this.input.setAttribute('aria-activedescendant', `${this.list.id}-${at}`);
        this.list.children[at].scrollIntoView({ block: 'nearest' });
      }
    }

    key(event) {
      const { length } = this.hits;
      if (event.key === 'Escape' && !this.list.hidden) this.open(false);
      else if (event.key === 'ArrowDown' && length) {
        this.open(true);
        this.mark((this.at + 1) % length);
      } else if (event.key === 'ArrowUp' && length) {
        this.open(true);
        this.mark(this.at <= 0 ? length - 1 : this.at - 1);
      } else return;
      event.preventDefault();
    }

    async submitted(event) {
      event.preventDefault();
      clearTimeout(this.timer);
      const asked = this.input.value.trim();
      if (!this.enough(asked)) {
        this.say(t('Bitte mindestens zwei Buchstaben oder Ziffern eingeben.'));
        return;
      }
      if (this.answered !== asked && !(await this.ask(asked))) return;
      const hit = this.hits[Math.max(0, this.at)];
      if (hit) this.choose(hit);
    }

    choose(hit) {
      this.input.value = hit.title;
      // Enter once more means the same hit.
      this.asked = hit.title;
      this.answered = hit.title;
      this.hits = [hit];
      this.say('');
      this.open(false);
      const { map, facilities } = this.handle;
      this.handle.moved = true;
      this.handle.own = false;
      if (hit.kind === 'place') {
        const place = facilities.find(hit.dataset, hit.facility_id);
        if (place && place.lon !== null) facilities.show(place);
        else this.unseen(hit);
      } else if (hit.kind === 'area') {
        map.fitBounds([[hit.south, hit.west], [hit.north, hit.east]], { animate: false });
        if (this.handle.showArea) this.handle.showArea(hit.area_level, hit.area_key);
        this.handle.emit('change', this.handle.state());
      } else {
        this.near({ lon: hit.lon, lat: hit.lat, name: hit.title }, true);
      }
    }

    /* A place whose point may not be known, or that the map does not hold: its page tells more. */
    unseen(hit) {
      const { facilities } = this.handle;
      this.say(t('Dieser Ort ist auf der Karte nicht zu sehen.'));
      if (!facilities.data.page) return;
      const href = facilities.address(facilities.data.page, { dataset: hit.dataset, id: hit.facility_id });
      this.said.append(' ', el('a', { href }, t('Alle Angaben zu diesem Ort')));
    }

    locate() {
      this.say(t('Der Standort wird bestimmt …'));
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          this.say('');
          this.handle.own = true;
          this.near({ lon: coords.longitude, lat: coords.latitude, name: '' }, true);
        },
        () => this.say(t('Der Standort ist nicht bekannt. Bitte stattdessen eine Straße eingeben.')),
        { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
      );
    }

    shared(point, name) {
      const [lon, lat] = (point || '').split(',').map(Number);
      if (point && Number.isFinite(lon) && Number.isFinite(lat) && Math.abs(lat) <= 85) this.near({ lon, lat, name: name || t('gewählter Punkt') }, false);
      else if (!this.handle.near || this.handle.near.name) this.near(null, false); // the own position is in no address
    }

    /* A point to look from: a sign on the map, and the nearest places beside it. */
    near(point, go) {
      const { handle } = this;
      if (this.pin) this.pin.remove();
      this.pin = null;
      handle.near = point;
      if (point) {
        const name = point.name || t('Mein Standort');
        const icon = L.divIcon({ className: 'srk-pin', iconSize: [34, 34], iconAnchor: [17, 33] });
        this.pin = L.marker([point.lat, point.lon], { icon, interactive: false, keyboard: false }).addTo(handle.map);
        this.pin.getElement().append(symbol({ shape: PIN, colour: '#1f2328' }, 34));
        handle.moved = handle.moved || go;
        if (go) handle.map.setView([point.lat, point.lon], Math.max(handle.map.getZoom(), POINT_ZOOM), { animate: false });
        this.heading = t('In der Nähe: {name}', { name });
      }
      this.listNear();
      if (go && point && this.box.querySelector('ol')) {
        const { length } = this.box.querySelectorAll('li');
        this.say(tn('{n} Ort in der Nähe', '{n} Orte in der Nähe', length));
      }
      if (go) handle.emit('near', point);
    }

    listNear() {
      const { near, facilities } = this.handle;
      this.box.hidden = !near;
      if (!near || !facilities.result) return;
      const found = nearest(facilities.result.found, near.lon, near.lat, LISTED);
      const close = el('button', { type: 'button', class: 'srk-close', 'aria-label': t('Liste der Orte in der Nähe schließen') }, '×');
      close.addEventListener('click', () => {
        this.near(null, false);
        this.handle.emit('near', null);
        this.input.focus();
      });
      const entries = found.map(({ place, category, metres }) => {
        const minutes = Math.max(1, Math.ceil((metres * this.data.detour) / this.data.metres_per_minute));
        const button = el('button', { type: 'button', class: 'srk-entry' }, symbol(facilities.looks.get(category).look, 20),
          el('span', {}, place.name), el('span', { class: 'srk-minutes' }, tn('{n} Minute', '{n} Minuten', minutes)));
        button.addEventListener('click', () => facilities.show(place, button));
        return el('li', {}, button);
      });
      this.box.replaceChildren(
        el('h2', {}, this.heading), close,
        ...(found.length ? [el('ol', {}, ...entries), el('p', { class: 'srk-small' }, this.data.note)] : [el('p', {}, t('Kein Ort passt zur Auswahl.'))]),
      );
    }
  }

  function search(id, data) {
    const handle = window.srkMap.of(id);
    handle.search = new Search(handle, data);
  }

  window.srkMap.search = search;
})();
