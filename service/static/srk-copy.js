/* Buttons that copy a field: <button data-copy="id of the field" data-copied="what it says then">. */
(function () {
  "use strict";

  const SAID_MS = 2500;

  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    const before = button.textContent;
    button.setAttribute("aria-live", "polite");
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      // Without a secure address the marked text is there to be copied by hand.
      if (!navigator.clipboard) return;
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        return;
      }
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = before; }, SAID_MS);
    });
  }
})();
