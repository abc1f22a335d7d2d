/* Planning desk, "Daten": shows the result as soon as a file has been checked or taken over. */
(function () {
  'use strict';

  const PAUSE_MS = 500;
  const MOST_FAILURES = 20;
  const said = document.querySelector('[data-stand]');
  if (!said) return;
  const pause = () => new Promise((done) => { setTimeout(done, PAUSE_MS); });

  /* Asked without touching the page: focus and place stay where they are until there is something to see. */
  async function look() {
    for (let failures = 0; failures < MOST_FAILURES;) {
      try {
        const answer = await fetch(said.dataset.stand, { headers: { accept: 'application/json' }, cache: 'no-store' });
        const stand = answer.ok ? await answer.json() : { busy: false };
        if (!stand.busy) {
          window.location.reload();
          return;
        }
        if (said.textContent !== stand.said) said.textContent = stand.said;
        failures = 0;
      } catch {
        failures += 1;
      }
      await pause();
    }
    document.querySelector('[data-selbst]').hidden = true;
  }

  document.querySelector('[data-selbst]').hidden = false;
  look();
})();
