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

  /* Lower case, umlauts written out, nothing but letters and digits. */
  function plain(text) {
    const spelt = String(text).normalize("NFKC").toLowerCase().replaceAll("ä", "ae").replaceAll("ö", "oe").replaceAll("ü", "ue").replaceAll("ß", "ss");
    return spelt.normalize("NFKD").replace(/[^\p{L}\p{N}]/gu, "");
  }

  function street(text) {
    return [...String(text).matchAll(/([\p{L}\p{N}]+)(\.?)/gu)].map(([, word, dot]) => {
      const spelt = plain(word);
      if (Object.hasOwn(ABBREVIATED, spelt)) return ABBREVIATED[spelt];
      if (dot && Object.hasOwn(DOTTED, spelt)) return DOTTED[spelt];
      return spelt.endsWith("str") ? `${spelt}asse` : spelt;
    }).join("");
  }

  let known = null;

  /* Everything there is to find, spelt once. */
  function everything() {
    if (known) return known;
    const named = files.suche.map((hit) => ({ hit, name: plain(hit.title), text: hit.kind === "street" ? street(hit.title) : plain(hit.title) }));
    places.name.forEach((title, at) => {
      const more = files.angaben[at];
      const address = [more.street, more.house_number].filter(Boolean).join(" ");
      const types = (more.offers || []).flatMap((offer) => [offer.name, offer.type]);
      const detail = [address, more.area_name].filter(Boolean).join(", ");
      const hit = { kind: "place", title, detail, dataset: places.datasets[places.dataset[at]], facility_id: places.id[at] };
      named.push({ hit, name: plain(title), text: plain([title, more.provider, address, ...types].filter(Boolean).join(" ")) });
    });
    known = named;
    return known;
  }

  function likeness(name, asked) {
    if (name === asked) return 0;
    if (name.startsWith(asked)) return 1;
    return name.includes(asked) ? 2 : 3;
  }

  function search(text) {
    const asked = plain(text);
    // A house number is not known here: its street is.
    const way = street(text.replace(/(?<=\p{L}.*)[\s,]+\d+\s*\p{L}?\s*$/u, ""));
    if (!asked) return [];
    return everything()
      .filter(({ hit, text: held }) => held.includes(hit.kind === "street" ? way : asked))
      .map((one) => ({ ...one, like: likeness(one.hit.kind === "street" ? one.text : one.name, one.hit.kind === "street" ? way : asked) }))
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
