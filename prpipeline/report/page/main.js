// Starts the page, and draws it whenever a choice changes.

const content = JSON.parse(byId('content').textContent);
content.repositories = unpacked(content.repositories).sort((one, other) => compare(one.repository, other.repository, 1));
const dark = matchMedia('(prefers-color-scheme: dark)');
let theme = 'auto', rows = null, places = [];

function draw() {
  readView();
  controls();
  document.title = here.scope.kind === 'all' ? 'Review time' : `Review time: ${here.scope.name}`;
  for (const part of [headline, compareTable, longestEnded, queue, trend, distribution, sizes, stages, issues, openDays, heat, reviewers, authors]) part();
  tellScrolling();
}

function controls() {
  byId('scope').value = view.scope;
  segments('range', Object.entries(RANGES), view.range, chosen => change(chosen === 'free' ? freeChoice() : { range: chosen }));
  const clocks = Object.entries(CLOCKS).filter(([name]) => name !== 'business' || hasBusinessHours());
  segments('clock', clocks.map(([name, { label }]) => [name, label]), view.clock, chosen => change({ clock: chosen }));
  byId('dates').hidden = view.range !== 'free';
  byId('from').value = view.from;
  byId('to').value = view.to;
}

// Free dates begin as the range that was shown.
function freeChoice() {
  const now = period();
  return { range: 'free', from: date(now.lo + 1), to: date(now.hi) };
}

function datesChosen() {
  const chosen = { from: byId('from').value, to: byId('to').value };
  const isPossible = midnight(chosen.from) !== null && midnight(chosen.to) !== null && chosen.from <= chosen.to;
  byId('to').setCustomValidity(isPossible ? '' : 'The last day is before the first.');
  if (isPossible) change(chosen);
}

function scopeList() {
  const options = kind => scopes.filter(one => one.kind === kind).map(one => element('option', { value: one.key }, one.name));
  const group = (label, found) => found.length ? element('optgroup', { label }, found) : null;
  fill('scope', options('all'), group('Teams', options('team')), group('Repositories', options('repository')));
  byId('scope').addEventListener('change', event => goTo(event.target.value));
}

function dress(name) {
  document.documentElement.classList.toggle('dark', name === 'dark' || (name === 'auto' && dark.matches));
  const next = { auto: 'light', light: 'dark', dark: 'auto' };
  const labels = { auto: '◐ Auto', light: '☀ Light', dark: '☾ Dark' };
  fill('theme', labels[theme]);
  byId('theme').setAttribute('aria-label', `Colours: ${theme}. Change to ${next[theme]}`);
  return next[theme];
}

function restyle(name = theme) {
  dress(name);
  draw();
}

function printing(on) {
  document.documentElement.classList.toggle('printing', on);
  const moving = still;
  still = true;
  restyle(on ? 'light' : theme);
  still = moving;
}

// Which tables hold more than is to be seen beside.
function tellScrolling() {
  for (const box of document.querySelectorAll('.scroll')) box.classList.toggle('scrolls', box.scrollWidth > box.clientWidth + 1);
}

async function start() {
  const packed = byId('rows');
  rows = await unpackRows(content.parts, packed.textContent);
  packed.remove();
  content.older = rows.older ? JSON.parse(rows.older[0]) : null;
  readCalendar(content.working_time);
  places = content.repositories.filter(one => one.place !== null).sort((one, other) => one.place - other.place);
  completed(rows, content);
  readScopes();
  readAddress();
  scopeList();
  published();
  problems();
  data();
  definitions();
  draw();
  dark.addEventListener('change', () => restyle());
  addEventListener('hashchange', () => { readAddress(); draw(); });
  byId('theme').addEventListener('click', () => { theme = dress(theme); restyle(); });
  byId('print').addEventListener('click', () => print());
  for (const name of ['from', 'to']) byId(name).addEventListener('change', datesChosen);
  byId('skip').addEventListener('click', event => { event.preventDefault(); byId('headline').focus(); });
  byId('list-close').addEventListener('click', () => byId('list').close());
  byId('list').addEventListener('click', event => { if (event.target === byId('list')) byId('list').close(); });
  addEventListener('beforeprint', () => printing(true));
  addEventListener('afterprint', () => printing(false));
  addEventListener('resize', () => { charts.forEach(chart => chart.resize()); tellScrolling(); });
  document.body.classList.add('drawn');
}

dress(theme);
start().catch(error => {
  fill('problems', element('p', { class: 'notice bad' }, `The report cannot be shown: ${error.message}. Browsers since 2023 can; this one may be older.`));
  throw error;
});
