/* Planning desk: what is nicer with scripts. Without them every view works by its links and forms. */
(function () {
  'use strict';

  /* A range beside the links of the periods; letting go of it follows the link. */
  function slider(nav) {
    const links = [...nav.querySelectorAll('a')];
    if (links.length < 3) return;
    const current = Math.max(0, links.findIndex((link) => link.hasAttribute('aria-current')));
    const range = document.createElement('input');
    Object.assign(range, { type: 'range', min: 0, max: links.length - 1, step: 1, value: current });
    range.setAttribute('aria-label', nav.dataset.slider);
    const shown = document.createElement('output');
    const say = () => {
      shown.textContent = links[range.value].textContent;
      range.setAttribute('aria-valuetext', shown.textContent);
    };
    range.addEventListener('input', say);
    range.addEventListener('change', () => {
      if (Number(range.value) !== current) window.location.assign(links[range.value].href);
    });
    say();
    const box = document.createElement('div');
    box.className = 'schieber nurbildschirm';
    box.append(range, shown);
    nav.prepend(box);
    if (links.length > 12) nav.querySelector('ul').hidden = true;
  }

  function printing(button) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }

  function copying(button) {
    if (!navigator.clipboard) return;
    const said = button.parentElement.querySelector('[data-copied]');
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(window.location.href);
        said.textContent = 'Die Adresse ist kopiert.';
      } catch {
        said.textContent = 'Das Kopieren ist hier nicht erlaubt; die Adresse steht oben im Browser.';
      }
    });
  }

  /* The next click on the map is the point to look from; coming from the keyboard the middle of the map is. */
  function picking(button) {
    const form = button.form;
    const holder = document.querySelector('.srk-map');
    if (!holder || !window.srkMap) return;
    const said = form.querySelector('[data-picking]');
    button.hidden = false;
    const take = ({ lat, lng }) => {
      form.elements.lon.value = lng.toFixed(5);
      form.elements.lat.value = lat.toFixed(5);
      form.elements.place.value = '';
      form.requestSubmit();
    };
    button.addEventListener('click', () => {
      const { map } = window.srkMap.of(holder.id);
      said.textContent = 'Jetzt auf die Karte tippen; die Eingabetaste nimmt die Mitte der Karte.';
      holder.classList.add('srk-picking');
      holder.scrollIntoView({ block: 'nearest' });
      // Before the areas hear of it: they would open their popup.
      holder.addEventListener('click', (event) => {
        event.stopPropagation();
        take(map.mouseEventToLatLng(event));
      }, { capture: true, once: true });
      button.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        take(map.getCenter());
      }, { once: true });
    });
  }

  for (const nav of document.querySelectorAll('[data-slider]')) slider(nav);
  for (const button of document.querySelectorAll('[data-print]')) printing(button);
  for (const button of document.querySelectorAll('[data-copy]')) copying(button);
  for (const button of document.querySelectorAll('[data-pick]')) picking(button);
})();
