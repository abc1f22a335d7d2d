/* Sozialraumkarte: what is said about one place, as DOM nodes. */
(function () {
  'use strict';

  const { el } = window.srkMap;
  const BARRIER_FREE = { yes: 'ja', partly: 'teilweise', no: 'nein' };

  function years(count) {
    return count === 1 ? 'Jahr' : 'Jahre';
  }

  /* Ages run from (inclusive) to (exclusive); either may be open. */
  function ageText(from, to) {
    const lower = from === null || from === undefined ? null : Number(from);
    const upper = to === null || to === undefined ? null : Number(to);
    if (lower === null && upper === null) return 'Alter nicht angegeben';
    if (upper === null) return lower === 0 ? 'für jedes Alter' : `ab ${lower} ${lower === 1 ? 'Jahr' : 'Jahren'}`;
    if (!lower) return `unter ${upper} ${upper === 1 ? 'Jahr' : 'Jahren'}`;
    return `für ${lower} bis unter ${upper} ${years(upper)}`;
  }

  function dateText(iso) {
    const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(iso || ''));
    return found ? `${found[3]}.${found[2]}.${found[1]}` : '';
  }

  /* Only an address that is one becomes a link; anything else stays text. */
  function website(text) {
    let url = null;
    try {
      url = new URL(String(text).trim());
    } catch {
      return String(text);
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return String(text);
    return el('a', { href: url.href, rel: 'noopener noreferrer' }, url.host + (url.pathname === '/' ? '' : url.pathname));
  }

  function phone(text) {
    const number = String(text);
    if (!/^[+\d][\d\s()/.-]{3,}$/.test(number)) return number;
    return el('a', { href: `tel:${number.replace(/\(0\)/g, '').replace(/[^+\d]/g, '')}` }, number);
  }

  function fact(list, title, value) {
    if (value) list.append(el('div', {}, el('dt', {}, title), el('dd', {}, value)));
  }

  function access(value) {
    return Object.hasOwn(BARRIER_FREE, value) ? BARRIER_FREE[value] : 'nicht bekannt';
  }

  /* What every offer says alike is said once, for the place. */
  function common(offers, key) {
    const values = new Set(offers.map((offer) => offer[key] ?? null));
    return values.size === 1 ? { value: [...values][0] } : null;
  }

  function offerNode(offer, row, titles, once) {
    const category = Object.hasOwn(titles, offer.category) ? titles[offer.category] : offer.category;
    const name = offer.name && offer.name !== row.name ? offer.name : offer.type || category || 'Angebot';
    const item = el('li', {}, el('strong', {}, name));
    if (category && category !== name) item.append(el('span', {}, category));
    if (offer.type && offer.type !== name && offer.type !== category) item.append(el('span', {}, offer.type));
    item.append(el('span', {}, ageText(offer.age_from, offer.age_to)));
    if (!once.opening && offer.opening_hours) item.append(el('span', {}, `Öffnungszeiten: ${offer.opening_hours}`));
    if (!once.access) item.append(el('span', {}, `Barrierefrei: ${access(offer.barrier_free)}`));
    const asOf = dateText(offer.as_of);
    if (asOf && asOf !== dateText(row.as_of)) item.append(el('span', {}, `Stand: ${asOf}`));
    return item;
  }

  /* All there is to say below the name. */
  function detail(row, titles) {
    const offers = row.offers || [];
    const once = { opening: common(offers, 'opening_hours'), access: common(offers, 'barrier_free') };
    const nodes = row.provider ? [el('p', {}, `Träger: ${row.provider}`)] : [];
    if (offers.length) {
      nodes.push(el('h4', {}, offers.length === 1 ? 'Angebot' : 'Angebote'));
      nodes.push(el('ul', {}, ...offers.map((offer) => offerNode(offer, row, titles, once))));
    }
    const facts = el('dl');
    const street = [row.street, row.house_number].filter(Boolean).join(' ');
    const city = [row.postcode, row.city].filter(Boolean).join(' ');
    fact(facts, 'Adresse', [street, city].filter(Boolean).join(', '));
    if (once.opening) fact(facts, 'Öffnungszeiten', once.opening.value);
    if (once.access) fact(facts, 'Barrierefrei', access(once.access.value));
    if (row.phone) fact(facts, 'Telefon', phone(row.phone));
    if (row.website) fact(facts, 'Website', website(row.website));
    nodes.push(facts);
    const asOf = dateText(row.as_of);
    if (asOf) nodes.push(el('p', { class: 'srk-as-of' }, `Stand: ${asOf}`));
    return nodes;
  }

  window.srkMap.detail = detail;
  window.srkMap.ageText = ageText;
})();
