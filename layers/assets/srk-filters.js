/* Sozialraumkarte: the page's form filters the map at once, and the address says what is shown.
 * The form is the list's own (service/templates/filters.html); without scripts it leads to the list. */
(function () {
  'use strict';

  const { el, number, t, tn } = window.srkMap;
  const NONE = '-'; // no category at all
  const PUSHED = 'srk'; // marks what we wrote to the history

  class Filters {
    constructor(handle, data) {
      this.handle = handle;
      this.data = data;
      this.layer = handle.facilities;
      this.form = document.getElementById(data.form);
      this.categories = [...this.form.querySelectorAll('input[name="category"]')];
      this.types = [...this.form.querySelectorAll('input[name="type"]')];
      this.barrier = [...this.form.querySelectorAll('input[name="barrier_free"]')];
      this.age = this.form.querySelector('select[name="age"]');
      this.slider();
      // Both come for one click: the first filters, the second says that it is settled.
      this.form.addEventListener('input', () => this.changed(false));
      this.form.addEventListener('change', () => this.later(true));
      this.form.addEventListener('submit', (event) => this.toList(event));
      this.all('[data-all]', () => true);
      this.all('[data-none]', () => false);
      for (const button of document.querySelectorAll(`[data-reset="${data.form}"]`)) button.addEventListener('click', () => this.reset());
      for (const name of ['change', 'place', 'near']) handle.container.addEventListener(`srk:${name}`, () => this.later(name !== 'change'));
      handle.container.addEventListener('srk:facilities', (event) => this.counted(event.detail));
      window.addEventListener('popstate', () => this.restore(new URLSearchParams(window.location.search)));
      this.take();
      this.first = new URLSearchParams(window.location.search);
    }

    /* The choice of an age becomes a slider; the select keeps the value. */
    slider() {
      const { age } = this;
      const last = Math.max(...[...age.options].map((option) => Number(option.value || -1)));
      this.range = el('input', { type: 'range', min: -1, max: last, step: 1, id: `${age.id}-regler` });
      this.said = el('output', { for: this.range.id, class: 'srk-age' });
      const label = this.form.querySelector(`label[for="${age.id}"]`);
      label.htmlFor = this.range.id;
      label.after(this.said);
      age.after(this.range);
      age.hidden = true;
      this.range.addEventListener('input', () => {
        age.value = this.range.value === '-1' ? '' : this.range.value;
        this.sayAge();
      });
      this.sayAge();
    }

    sayAge() {
      const text = this.age.selectedOptions[0].textContent.trim();
      this.range.value = this.age.value || '-1';
      this.range.setAttribute('aria-valuetext', text);
      this.said.textContent = text;
    }

    all(selector, checked) {
      const button = this.form.querySelector(selector);
      if (!button) return;
      button.addEventListener('click', () => {
        for (const input of this.categories) input.checked = checked();
        this.changed(true);
      });
    }

    reset() {
      if (this.data.kept) {
        // The places themselves are others then: the page is asked for anew.
        const language = new URLSearchParams(window.location.search).get('lang');
        window.location.assign(language ? `?lang=${encodeURIComponent(language)}` : window.location.pathname);
        return;
      }
      for (const input of this.categories) input.checked = true;
      for (const input of [...this.types, ...this.barrier]) input.checked = false;
      this.age.value = '';
      this.sayAge();
      this.changed(true);
    }

    chosen(inputs) {
      return inputs.filter((input) => input.checked).map((input) => input.value);
    }

    /* Hand the form's choices to the map. */
    take() {
      const { filter } = this.layer;
      filter.categories.clear();
      for (const code of this.chosen(this.categories)) filter.categories.add(code);
      filter.types = new Set(this.chosen(this.types));
      filter.barrier = new Set(this.chosen(this.barrier));
      filter.age = this.age.value === '' ? null : Number(this.age.value);
      for (const input of this.types) {
        // One that is ticked stays in sight: it still counts.
        input.closest('label').hidden = !input.checked && !input.dataset.categories.split(' ').some((code) => filter.categories.has(code));
      }
    }

    changed(settled) {
      this.take();
      this.layer.apply();
      if (settled) this.later(true);
    }

    /* How many fit: in all, and beside each switch. */
    counted({ found, total: held, mapped }) {
      const total = this.data.total ?? held;
      const { byCategory, byType } = this.layer.result;
      for (const input of this.categories) this.beside(input, byCategory.get(input.value));
      for (const input of this.types) this.beside(input, byType.get(input.value));
      const without = this.layer.result.found.filter((one) => one.place.lon === null).length;
      const sentence = found === 0 ? t('Kein Ort passt zur Auswahl.') : found === total
        ? tn('{n} Ort für Kinder, Jugendliche und Familien.', '{n} Orte für Kinder, Jugendliche und Familien.', found)
        : tn('{n} von {total} Orten passt zur Auswahl.', '{n} von {total} Orten passen zur Auswahl.', found, { total: number(total) });
      const note = without && mapped < held
        ? tn('{n} davon steht ohne Standort nur in der Liste.', '{n} davon stehen ohne Standort nur in der Liste.', without) : '';
      for (const [name, text] of [['found', sentence], ['unmapped', note]]) {
        for (const box of document.querySelectorAll(`[data-${name}="${this.data.form}"]`)) box.textContent = text;
      }
      for (const button of document.querySelectorAll(`[data-reset="${this.data.form}"]`)) button.hidden = this.query().size === 0;
      if (this.first) {
        const first = this.first;
        this.first = null;
        // The address says all this already: the way back leads where one came from.
        this.restoring = true;
        this.place(first);
        this.restoring = false;
        this.later(false);
      }
    }

    beside(input, count) {
      const box = input.closest('label').querySelector('.anzahl');
      if (box) box.textContent = number(count);
    }

    /* The choices as parameters of the list and of the API. */
    query() {
      const made = new URLSearchParams(this.data.kept || {});
      const categories = this.chosen(this.categories);
      if (categories.length < this.categories.length) made.set('category', categories.join(',') || NONE);
      for (const type of this.chosen(this.types)) made.append('type', type);
      if (this.age.value !== '') made.set('age', this.age.value);
      if (this.chosen(this.barrier).length) made.set('barrier_free', this.chosen(this.barrier).join(','));
      return made;
    }

    /* All that a shared address has to say. */
    state() {
      const made = this.query();
      const { handle } = this;
      const now = handle.state();
      if (handle.usualLevel !== undefined && now.level !== handle.usualLevel) made.set('level', now.level || NONE);
      // Nor is the view told that was moved to where somebody is.
      if (handle.moved && !handle.own) for (const name of ['lat', 'lon', 'zoom']) made.set(name, now[name]);
      // Where somebody is stays in this page: an address is kept, shared and sent. One that was searched for may go.
      if (handle.near && handle.near.name) {
        made.set('near', `${handle.near.lon.toFixed(5)},${handle.near.lat.toFixed(5)}`);
        made.set('near_name', handle.near.name);
      }
      if (handle.place) made.set('place', `${handle.place.dataset}/${handle.place.id}`);
      const language = new URLSearchParams(window.location.search).get('lang');
      if (language) made.set('lang', language);
      return made;
    }

    /* Write the address once for all that changes in one go; `push`: the way back leads here. */
    later(push) {
      if (this.restoring) return;
      if (this.pending === undefined) queueMicrotask(() => {
        const text = this.state().toString();
        const target = text ? `?${text}` : window.location.pathname;
        const write = this.pending && target !== (window.location.search || window.location.pathname) ? 'pushState' : 'replaceState';
        this.pending = undefined;
        if (window.location.protocol !== 'file:') window.history[write](PUSHED, '', target);
        this.handle.emit('address', { query: text });
      });
      this.pending = Boolean(this.pending) || push;
    }

    restore(params) {
      this.restoring = true;
      const categories = params.get('category');
      for (const input of this.categories) input.checked = categories === null || categories.split(',').includes(input.value);
      for (const input of this.types) input.checked = params.getAll('type').includes(input.value);
      for (const input of this.barrier) input.checked = (params.get('barrier_free') || '').split(',').includes(input.value);
      this.age.value = params.get('age') || '';
      this.sayAge();
      this.changed(false);
      this.place(params);
      this.restoring = false;
      this.handle.emit('address', { query: params.toString() });
    }

    /* Level, view, search point and opened place of an address. */
    place(params) {
      const { handle } = this;
      const level = params.get('level');
      if (handle.showLevel) handle.showLevel(level === null ? handle.usualLevel : level === NONE ? null : level);
      const [lat, lon, zoom] = ['lat', 'lon', 'zoom'].map((name) => Number(params.get(name) ?? NaN));
      if ([lat, lon, zoom].every(Number.isFinite) && Math.abs(lat) <= 85 && Math.abs(lon) <= 180) {
        handle.map.setView([lat, lon], zoom, { animate: false });
        handle.moved = true;
      }
      if (handle.showNear) handle.showNear(params.get('near'), params.get('near_name'));
      const [dataset, ...id] = (params.get('place') || '').split('/');
      const found = dataset && this.layer.find(dataset, id.join('/'));
      if (found) this.layer.show(found);
      else handle.map.closePopup();
    }

    /* The list of the same places. */
    listAddress() {
      const made = this.query();
      const language = new URLSearchParams(window.location.search).get('lang');
      if (language) made.set('lang', language);
      return made.size ? `${this.data.list}?${made}` : this.data.list;
    }

    toList(event) {
      event.preventDefault();
      if (this.data.list.startsWith('#')) {
        // In a file the list is part of the page, and follows the map by itself.
        const list = document.querySelector(this.data.list);
        list.scrollIntoView();
        list.focus({ preventScroll: true });
        return;
      }
      window.location.assign(this.listAddress());
    }
  }

  function filters(id, data) {
    const handle = window.srkMap.of(id);
    handle.filters = new Filters(handle, data);
  }

  window.srkMap.filters = filters;
})();
