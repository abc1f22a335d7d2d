/* Sozialraumkarte: what is said about one place, as DOM nodes. */
(function () {
  'use strict';

  const { el, t, tn, locale } = window.srkMap;

  /* Ages run from (inclusive) to (exclusive); either may be open. */
  function ageText(from, to) {
    const lower = from === null || from === undefined ? null : Number(from);
    const upper = to === null || to === undefined ? null : Number(to);
    if (lower === null && upper === null) return t('Alter nicht angegeben');
    if (upper === null) return lower === 0 ? t('für jedes Alter') : tn('ab {n} Jahr', 'ab {n} Jahren', lower);
    if (!lower) return tn('unter {n} Jahr', 'unter {n} Jahren', upper);
    return t('für {lower} bis unter {upper} Jahre', { lower, upper });
  }

  function dateText(iso) {
    const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(iso || ''));
    if (!found) return '';
    if (locale().startsWith('de')) return `${found[3]}.${found[2]}.${found[1]}`;
    const day = new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])));
    return day.toLocaleDateString(locale(), { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
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
    const words = { yes: t('ja'), partly: t('teilweise'), no: t('nein') };
    return Object.hasOwn(words, value) ? words[value] : t('nicht bekannt');
  }

  /* What every offer says alike is said once, for the place. */
  function common(offers, key) {
    const values = new Set(offers.map((offer) => offer[key] ?? null));
    return values.size === 1 ? { value: [...values][0] } : null;
  }

  function offerNode(offer, row, titles, once) {
    const category = Object.hasOwn(titles, offer.category) ? titles[offer.category] : offer.category;
    const name = offer.name && offer.name !== row.name ? offer.name : offer.type || category || t('Angebot');
    const item = el('li', {}, el('strong', {}, name));
    if (category && category !== name) item.append(el('span', {}, category));
    if (offer.type && offer.type !== name && offer.type !== category) item.append(el('span', {}, offer.type));
    item.append(el('span', {}, ageText(offer.age_from, offer.age_to)));
    if (!once.opening && offer.opening_hours) item.append(el('span', {}, t('Öffnungszeiten: {hours}', { hours: offer.opening_hours })));
    const asOf = dateText(offer.as_of);
    if (asOf && !once.asOf) item.append(el('span', { class: 'srk-as-of' }, t('Stand: {day}', { day: asOf })));
    return item;
  }

  /* All there is to say below the name; `page` is the address of the place's own page, if it has one. */
  function detail(row, titles, page) {
    const offers = row.offers || [];
    const once = { opening: common(offers, 'opening_hours'), asOf: common(offers, 'as_of') };
    const nodes = row.provider ? [el('p', {}, t('Träger: {provider}', { provider: row.provider }))] : [];
    if (offers.length) {
      nodes.push(el('h4', {}, offers.length === 1 ? t('Angebot') : t('Angebote')));
      nodes.push(el('ul', {}, ...offers.map((offer) => offerNode(offer, row, titles, once))));
    }
    const facts = el('dl');
    const street = [row.street, row.house_number].filter(Boolean).join(' ');
    const city = [row.postcode, row.city].filter(Boolean).join(' ');
    fact(facts, t('Adresse'), [street, city].filter(Boolean).join(', '));
    if (once.opening) fact(facts, t('Öffnungszeiten'), once.opening.value);
    fact(facts, t('Barrierefrei'), access(row.barrier_free));
    if (row.phone) fact(facts, t('Telefon'), phone(row.phone));
    if (row.website) fact(facts, t('Website'), website(row.website));
    nodes.push(facts);
    const asOf = once.asOf && dateText(once.asOf.value);
    if (asOf) nodes.push(el('p', { class: 'srk-as-of' }, t('Stand: {day}', { day: asOf })));
    if (page) nodes.push(el('p', {}, el('a', { href: page }, t('Alle Angaben zu diesem Ort'))));
    return nodes;
  }

  window.srkMap.detail = detail;
  window.srkMap.ageText = ageText;
})();
