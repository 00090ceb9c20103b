// What the reader chose: scope, range, clock and switches. It lives in the address, so that a view can be sent.

const VIEW = { scope: 'all', range: '4w', from: '', to: '', clock: 'opened', compare: 'repositories', heat: 'wait', queue: 'ready' };
const RANGES = { '4w': '4 weeks', '12w': '12 weeks', '6m': '6 months', '1y': '1 year', all: 'All', free: 'Dates' };
const view = { ...VIEW };
let scopes = [], here = null; // here: what the scope and the range come to

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(VIEW)) view[name] = given.get(name) ?? VIEW[name];
  if (!(view.range in RANGES)) view.range = VIEW.range;
  if (!(view.clock in CLOCKS) || (view.clock === 'business' && !hasBusinessHours())) view.clock = VIEW.clock;
  if (!scopes.some(scope => scope.key === view.scope)) view.scope = VIEW.scope;
  if (view.range === 'free' && !freePeriod()) view.range = VIEW.range;
}

function writeAddress() {
  const chosen = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (value !== VIEW[name] && !(['from', 'to'].includes(name) && view.range !== 'free')) chosen.set(name, value);
  }
  history.replaceState(null, '', `#${chosen}`);
}

function hasBusinessHours() {
  return content.working_time.length > 0;
}

// Scopes by name, not by number, so that an address says what it shows.
function readScopes() {
  const own = content.repositories.filter(one => one.place !== null);
  const teams = [...new Set(own.map(one => one.team).filter(Boolean))].sort((one, other) => one.localeCompare(other, 'en'));
  const places = chosen => new Set(chosen.map(one => one.place));
  scopes = [
    { key: 'all', old: 'all', kind: 'all', name: 'All repositories', places: places(own) },
    ...teams.map(team => ({ key: `team:${team}`, old: `team:${team}`, kind: 'team', name: team, places: places(own.filter(one => one.team === team)) })),
    ...own.map(one => ({ key: `repository:${one.repository}`, old: `repository:${one.place}`, kind: 'repository', name: one.repository, places: places([one]) })),
  ];
}

function midnight(text) {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / 1000 : NaN;
  return Number.isFinite(moment) ? moment : null;
}

// Both days included, UTC.
function freePeriod() {
  const from = midnight(view.from), to = midnight(view.to);
  return from === null || to === null || from > to ? null : { lo: from - 1, hi: to + DAY - 1 };
}

// Times after lo, up to hi.
function period() {
  const now = content.as_of;
  if (view.range === 'free') return freePeriod();
  if (view.range === 'all') return { lo: Math.min(now, earliest()) - 1, hi: now };
  return { lo: now - content.presets[view.range] * DAY, hi: now };
}

function earliest() {
  return rows.created.reduce((least, moment) => Math.min(least, moment), content.as_of);
}

function horizon() {
  return content.horizon ? Date.parse(content.horizon) / 1000 : -Infinity;
}

function readView() {
  const scope = scopes.find(one => one.key === view.scope);
  const now = period();
  const asked = view.range === 'all' ? null : { lo: now.lo - (now.hi - now.lo), hi: now.lo };
  const before = asked && asked.lo >= horizon() && asked.hi > earliest() - 1 ? asked : null;
  const people = [], bots = [];
  for (let row = 0; row < rows.count; row++) {
    if (scope.places.has(rows.repository[row])) (has(row, BOT) ? bots : people).push(row);
  }
  const reviews = [];
  rows.review_of.forEach((row, review) => {
    if (scope.places.has(rows.repository[row]) && !has(row, BOT)) reviews.push(review);
  });
  const old = content.older?.presets[view.range] ?? null;
  here = { scope, now: { ...now, lo: Math.max(now.lo, horizon()) }, before, people, bots, reviews, old, isCut: now.lo < horizon(), compared: before ?? (old && asked) };
}

function change(changes) {
  Object.assign(view, changes);
  writeAddress();
  draw();
}

// Whether the figures of the range (now) or of the period before come from sums: of preset ranges that begin before the rows.
function isSummed(when) {
  return here.old !== null && (when === 'now' ? here.isCut : here.before === null);
}

function date(moment) {
  return new Date(moment * 1000).toISOString().slice(0, 10);
}

function rangeWords() {
  const words = { all: 'all time', free: `the days ${view.from} to ${view.to}` };
  return words[view.range] ?? `the last ${RANGES[view.range]}`.replace('last 1 year', 'last year');
}

const sentence = text => text[0].toUpperCase() + text.slice(1);
