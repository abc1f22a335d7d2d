/* The page around the public map: the sheet of a phone, and sharing. */
(function () {
  "use strict";

  const VIEW = ["lat", "lon", "zoom", "near", "near_name", "place", "level"]; // of one person's map only

  const sheet = document.querySelector(".blatt");
  const opener = document.querySelector("[data-sheet]");
  const heading = sheet.querySelector("h2");
  const narrow = window.matchMedia("(width < 60rem)");
  // What is not the sheet stays out of reach while it is open.
  const rest = [...document.querySelectorAll("body > header, body > footer, body > .hinweis, body > .skip, .kartenseite ~ *"), ...[...sheet.parentElement.children].filter((one) => one !== sheet)];

  function open(yes) {
    sheet.classList.toggle("offen", yes);
    opener.setAttribute("aria-expanded", String(yes));
    for (const one of rest) one.inert = yes;
    if (yes) {
      sheet.setAttribute("role", "dialog");
      sheet.setAttribute("aria-modal", "true");
      heading.focus();
    } else {
      sheet.removeAttribute("role");
      sheet.removeAttribute("aria-modal");
    }
  }

  function close() {
    if (!sheet.classList.contains("offen")) return;
    open(false);
    opener.focus();
  }

  for (const one of document.querySelectorAll("[data-scripted]")) one.hidden = false;
  opener.addEventListener("click", () => open(true));
  sheet.querySelector("[data-sheet-close]").addEventListener("click", close);
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  narrow.addEventListener("change", () => {
    if (sheet.classList.contains("offen")) open(false);
  });

  const share = document.querySelector("[data-share]");
  const link = document.querySelector("[data-open-map]");
  const languages = document.querySelectorAll(".sprachen a");
  let query = window.location.search.slice(1);

  /* Everything that leads to the same view elsewhere follows what is chosen on the map. */
  function say() {
    const suffix = query ? `?${query}` : "";
    if (link) link.search = query;
    for (const one of languages) {
      const made = new URLSearchParams(query);
      made.delete("lang");
      if (one.lang !== "de") made.set("lang", one.lang);
      one.search = made.toString();
    }
    if (!share) return;
    share.querySelector("[data-share-address]").value = window.location.origin + window.location.pathname + suffix;
    const embed = new URLSearchParams(query);
    for (const name of VIEW) embed.delete(name);
    share.querySelector("[data-embed]").search = embed.toString();
  }

  document.addEventListener("srk:address", (event) => {
    query = event.detail.query;
    say();
  });
  if (share) share.hidden = window.location.protocol === "file:";
  say();
})();
