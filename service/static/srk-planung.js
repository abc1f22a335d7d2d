/* Planning desk: what is nicer with scripts. Without them every view works by its links and forms. */
(function () {
  'use strict';

  /* A range beside the links of the periods. Moving it only says where it stands; letting go of it with the mouse or a
   * finger, the enter key or the button follows the link. */
  function slider(nav) {
    const links = [...nav.querySelectorAll('a')];
    if (links.length < 3) return;
    const current = Math.max(0, links.findIndex((link) => link.hasAttribute('aria-current')));
    const range = document.createElement('input');
    Object.assign(range, { type: 'range', min: 0, max: links.length - 1, step: 1, value: current });
    range.id = 'zeitraum-schieber';
    const label = document.createElement('label');
    label.htmlFor = range.id;
    label.textContent = nav.dataset.slider;
    const shown = document.createElement('output');
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: nav.dataset.show });
    const say = () => {
      shown.textContent = links[range.value].textContent;
      range.setAttribute('aria-valuetext', shown.textContent);
    };
    const go = () => {
      if (Number(range.value) !== current) window.location.assign(links[range.value].href);
    };
    range.addEventListener('input', say);
    range.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') go();
    });
    range.addEventListener('pointerdown', () => {
      // It may be let go of beside the range.
      const done = new AbortController();
      window.addEventListener('pointerup', () => { done.abort(); go(); }, { signal: done.signal });
      window.addEventListener('pointercancel', () => done.abort(), { signal: done.signal });
    });
    button.addEventListener('click', go);
    say();
    const box = document.createElement('div');
    box.className = 'schieber nurbildschirm';
    box.append(label, range, shown, button);
    nav.prepend(box);
  }

  function printing(button) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }

  /* The button may carry an address that shows the same when there are newer figures. */
  function copying(button) {
    if (!navigator.clipboard) return;
    const said = button.parentElement.querySelector('[data-copied]');
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(new URL(button.dataset.copy, window.location.href).href);
        said.textContent = 'Die Adresse ist kopiert.';
      } catch {
        said.textContent = 'Das Kopieren ist hier nicht erlaubt; die Adresse steht oben im Browser.';
      }
    });
  }

  /* The next click on the map is the point to look from; the enter key takes the middle of the map, from the button and
   * from the map itself. Escape, or the button again, calls it off. */
  function picking(button) {
    const form = button.form;
    const holder = document.querySelector('.srk-map');
    if (!holder || !window.srkMap) return;
    const said = form.querySelector('[data-picking]');
    let listening = null;
    const stop = (text) => {
      listening.abort();
      listening = null;
      said.textContent = text;
      holder.classList.remove('srk-picking');
      button.removeAttribute('aria-pressed');
    };
    const take = ({ lat, lng }) => {
      stop('');
      form.elements.lon.value = lng.toFixed(5);
      form.elements.lat.value = lat.toFixed(5);
      form.elements.place.value = '';
      form.requestSubmit();
    };
    button.hidden = false;
    button.addEventListener('click', () => {
      if (listening) {
        stop('');
        return;
      }
      const { map } = window.srkMap.of(holder.id);
      listening = new AbortController();
      const { signal } = listening;
      said.textContent = 'Jetzt auf die Karte tippen; die Eingabetaste nimmt die Mitte der Karte, Escape bricht ab.';
      holder.classList.add('srk-picking');
      button.setAttribute('aria-pressed', 'true');
      holder.scrollIntoView({ block: 'nearest' });
      const enter = (event) => {
        if (event.key !== 'Enter' || event.target.closest('.leaflet-control')) return;
        event.preventDefault();
        event.stopPropagation();
        // A key held down is still the one that pressed the button.
        if (!event.repeat) take(map.getCenter());
      };
      // Before the areas hear of it: they would open their popup.
      holder.addEventListener('click', (event) => {
        if (event.target.closest('.leaflet-control')) return;
        event.stopPropagation();
        if (!map.dragging.moved()) take(map.mouseEventToLatLng(event));
      }, { capture: true, signal });
      holder.addEventListener('keydown', enter, { capture: true, signal });
      button.addEventListener('keydown', enter, { signal });
      document.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') stop('Abgebrochen.');
      }, { signal });
    });
  }

  for (const nav of document.querySelectorAll('[data-slider]')) slider(nav);
  for (const button of document.querySelectorAll('[data-print]')) printing(button);
  for (const button of document.querySelectorAll('[data-copy]')) copying(button);
  for (const button of document.querySelectorAll('[data-pick]')) picking(button);
})();
