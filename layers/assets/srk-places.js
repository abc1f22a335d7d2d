/* Sozialraumkarte: all places in memory, which of them fit a filter, and which stand together. Nothing is drawn here.
 * The rules are those of geodata/facilities.py: one offer must fit category, type and age together. */
(function () {
  'use strict';

  const STEP = 4; // an offer is category, type, age from (inclusive), age to (exclusive); -1 stands for not given
  const DEGREE = 1e5;
  const TILE_PX = 256;
  const BARRIER_FREE = ['', 'yes', 'partly', 'no'];

  /* The columns of layers/places.py as one object per place. */
  function decode(data) {
    const places = data.name.map((name, at) => ({
      name, ...onSquare(data.lon[at], data.lat[at]), dataset: data.datasets[data.dataset[at]], id: data.id[at], barrier: data.barrier[at],
      lon: data.lon[at] === null ? null : data.lon[at] / DEGREE, lat: data.lat[at] === null ? null : data.lat[at] / DEGREE,
      offers: data.offers[at],
    }));
    return { places, categories: data.categories, types: data.types };
  }

  /* Where a point lies on the square of the web map (0 to 1, from the north-west). */
  function onSquare(lon, lat) {
    if (lon === null) return {};
    const sine = Math.sin((lat / DEGREE) * (Math.PI / 180));
    return { x: lon / DEGREE / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
  }

  /* Places less than `apart` pixels from the first of a group join it. One pass over a grid of cells: 5,000 places
   * take a few milliseconds, so that every switch may group them anew (an index of all zooms took thirty times that). */
  function grouped(entries, zoom, apart) {
    const scale = TILE_PX * 2 ** zoom;
    const cells = new Map();
    const groups = [];
    for (const entry of entries) {
      const x = entry.place.x * scale;
      const y = entry.place.y * scale;
      const column = Math.floor(x / apart);
      const row = Math.floor(y / apart);
      let near = null;
      let least = apart * apart;
      for (let c = column - 1; c <= column + 1; c += 1) {
        for (let r = row - 1; r <= row + 1; r += 1) {
          for (const group of cells.get(c * 1e7 + r) || []) {
            const distance = (group.x - x) ** 2 + (group.y - y) ** 2;
            if (distance < least) {
              least = distance;
              near = group;
            }
          }
        }
      }
      if (near) near.entries.push(entry);
      else {
        near = { x, y, entries: [entry] };
        groups.push(near);
        const cell = column * 1e7 + row;
        if (cells.has(cell)) cells.get(cell).push(near);
        else cells.set(cell, [near]);
      }
    }
    return groups.map(({ entries: all }) => ({
      entries: all,
      lon: all.reduce((sum, one) => sum + one.place.lon, 0) / all.length,
      lat: all.reduce((sum, one) => sum + one.place.lat, 0) / all.length,
    }));
  }

  function ticked(names, chosen) {
    return names.map((name) => chosen.has(name));
  }

  /* A filter is { categories: Set, types: Set (empty: all), age: number or null, barrier: Set (empty: all) }.
   * Tells the places that fit with the category they are drawn as, and how many there would be in each category and of
   * each type if all other choices stayed: what stands beside a switch. */
  function matching(index, filter) {
    const inCategory = ticked(index.categories, filter.categories);
    const ofType = filter.types.size ? ticked(index.types, filter.types) : null;
    const access = filter.barrier.size ? ticked(BARRIER_FREE, filter.barrier) : null;
    const age = filter.age;
    const byCategory = new Array(index.categories.length).fill(0);
    const byType = new Array(index.types.length).fill(0);
    // The place that was counted last: one of several offers of a kind counts once.
    const lastOfCategory = new Array(byCategory.length).fill(-1);
    const lastOfType = new Array(byType.length).fill(-1);
    const found = [];
    index.places.forEach((place, at) => {
      if (access && !access[place.barrier]) return;
      let drawnAs = -1;
      const { offers } = place;
      for (let o = 0; o < offers.length; o += STEP) {
        const category = offers[o];
        const type = offers[o + 1];
        if (age !== null && !((offers[o + 2] < 0 || offers[o + 2] <= age) && (offers[o + 3] < 0 || offers[o + 3] > age))) continue;
        const typeFits = !ofType || (type >= 0 && ofType[type]);
        if (typeFits && lastOfCategory[category] !== at) {
          lastOfCategory[category] = at;
          byCategory[category] += 1;
        }
        if (!inCategory[category]) continue;
        if (type >= 0 && lastOfType[type] !== at) {
          lastOfType[type] = at;
          byType[type] += 1;
        }
        if (typeFits && (drawnAs < 0 || category < drawnAs)) drawnAs = category;
      }
      if (drawnAs >= 0) found.push({ place, at, category: index.categories[drawnAs] });
    });
    const named = (names, counts) => new Map(names.map((name, at) => [name, counts[at]]));
    return { found, byCategory: named(index.categories, byCategory), byType: named(index.types, byType) };
  }

  /* Metres as the crow flies. */
  function apart(lon, lat, place) {
    const rad = Math.PI / 180;
    const x = (place.lon - lon) * rad * Math.cos(((place.lat + lat) / 2) * rad);
    const y = (place.lat - lat) * rad;
    return Math.hypot(x, y) * 6371008.8;
  }

  /* The nearest of the found places, each with metres; places without a shown point have no distance. */
  function nearest(found, lon, lat, most) {
    return found.filter((one) => one.place.lon !== null)
      .map((one) => ({ ...one, metres: apart(lon, lat, one.place) }))
      .sort((a, b) => a.metres - b.metres)
      .slice(0, most);
  }

  Object.assign(window.srkMap, { decode, grouped, matching, nearest });
})();
