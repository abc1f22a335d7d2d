/* What a service would answer, worked out in the page: details and search from the data handed over, and the list that
 * follows the map. The rules of the search are those of geodata/search.py and geodata/spelling.py, in short. */
(function () {
  "use strict";

  const MOST = 8;
  const ORDER = ["area", "street", "place"];
  const ABBREVIATED = { st: "sankt", pl: "platz" };
  const DOTTED = { gr: "grosse", kl: "kleine" };
  const { files } = window.srkMap;
  const places = files.orte;

  /* Lower case, umlauts written out, no accents. */
  function letters(text) {
    const spelt = String(text).normalize("NFKC").toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss");
    return spelt.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  }

  /* Nothing but letters and digits. */
  function plain(text) {
    return letters(text).replace(/[^\p{L}\p{N}]/gu, "");
  }

  /* Words with a space between them; what hyphens and apostrophes join is one word. */
  function words(spelt) {
    return spelt.replace(/(\p{L})[-'’‐‑]+(?=\p{L})/gu, "$1").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  }

  /* Abbreviations spelt out: "St." is "sankt", "Gr. Bergstr." is "grosse bergstrasse". */
  function spelt(text) {
    return words(letters(text).replace(/([\p{L}\p{N}]+)(\.?)/gu, (_, word, dot) => {
      if (Object.hasOwn(ABBREVIATED, word)) return ABBREVIATED[word] + dot;
      if (dot && word.endsWith("pl")) return `${word.slice(0, -2)}platz`;
      if (dot && Object.hasOwn(DOTTED, word)) return DOTTED[word];
      return (word.endsWith("str") ? `${word}asse` : word) + dot;
    }));
  }

  function street(text) {
    return spelt(text).replaceAll(" ", "");
  }

  /* What places are searched with: as typed and spelt out, words together or apart. */
  function patterns(text) {
    return [words(letters(text)), spelt(text)].map((one) => new RegExp(one.replaceAll(" ", " ?")));
  }

  let known = null;

  /* Everything there is to find, spelt once. */
  function everything() {
    if (known) return known;
    const named = files.suche.map((hit) => ({ hit, name: plain(hit.title), text: hit.kind === "street" ? street(hit.title) : plain(hit.title) }));
    places.name.forEach((title, at) => {
      const more = files.angaben[at];
      const address = [more.street, more.house_number].filter(Boolean).join(" ");
      const together = (...parts) => spelt(parts.filter(Boolean).join(" "));
      const texts = [
        together(title, more.provider, more.street, more.house_number, more.postcode, more.city),
        ...(more.offers || []).map((offer) => together(offer.name, offer.type)),
      ];
      const detail = [address, more.area_name].filter(Boolean).join(", ");
      const hit = { kind: "place", title, detail, dataset: places.datasets[places.dataset[at]], facility_id: places.id[at] };
      named.push({ hit, name: plain(title), texts });
    });
    known = named;
    return known;
  }

  function likeness(name, asked) {
    if (name === asked) return 0;
    if (name.startsWith(asked)) return 1;
    return name.includes(asked) ? 2 : 3;
  }

  /* What may be the street of a text, as geodata/search.py reads it: as it stands, without city, without number. */
  function streetReadings(text) {
    const asked = text.trim().replace(/^\d{5}[\s,]+(?=\S)/, "");
    const made = [asked];
    const cities = [...asked.matchAll(/[\s,]+\d{5}(?!\d)[^\d]*|\s*,[^\d,]*/g)];
    if (cities.length) made.push(asked.slice(0, cities[cities.length - 1].index), asked.slice(0, cities[0].index));
    const numbers = [...asked.matchAll(/\d+/g)].filter(([digits]) => digits.length < 5).reverse();
    made.push(...numbers.slice(0, 4).map((found) => asked.slice(0, found.index)));
    made.push(asked.slice(0, Math.max(0, asked.lastIndexOf(" "))));
    return made.map(street).filter((one) => one.length >= 3);
  }

  function search(text) {
    const asked = plain(text);
    if (!asked) return [];
    const meant = patterns(text);
    const held = everything();
    const ways = streetReadings(text);
    // A house number is not known here: its street is.
    const way = ways.find((one) => held.some(({ hit, text: name }) => hit.kind === "street" && name.includes(one)));
    const fits = ({ hit, text: name, texts }) => {
      if (hit.kind === "street") return way !== undefined && name.includes(way);
      return texts ? texts.some((one) => meant.some((pattern) => pattern.test(one))) : name.includes(asked);
    };
    return held
      .filter(fits)
      .map((one) => ({ ...one, like: one.hit.kind === "street" ? likeness(one.text, way) : likeness(one.name, asked) }))
      .sort((a, b) => a.like - b.like || ORDER.indexOf(a.hit.kind) - ORDER.indexOf(b.hit.kind) || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
      .slice(0, MOST)
      .map((one) => one.hit);
  }

  function detail(dataset, id) {
    const at = places.id.findIndex((held, n) => held === id && places.datasets[places.dataset[n]] === dataset);
    if (at < 0) return [];
    return [{ name: places.name[at], ...files.angaben[at] }];
  }

  window.srkMap.answer = (url) => {
    const [what, ...rest] = url.split("/").map(decodeURIComponent);
    if (what === "suche") return { rows: search(rest.join("/")) };
    if (what === "angaben") return { rows: detail(rest[0], rest.slice(1).join("/")) };
    throw new Error(`nothing is held for ${url}`);
  };

  /* The list shows what the map shows. */
  document.addEventListener("srk:facilities", (event) => {
    const { result } = window.srkMap.of(event.target.id).facilities;
    const shown = new Set(result.found.map((one) => String(one.at)));
    for (const row of document.querySelectorAll("#liste tr[data-at]")) row.hidden = !shown.has(row.dataset.at);
  });
})();
