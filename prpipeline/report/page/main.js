// The state of the page, and the controls that change it.

const content = JSON.parse(byId('content').textContent);
for (const name of ['repositories', 'queue']) content[name] = unpacked(content[name]);
const dark = matchMedia('(prefers-color-scheme: dark)');
let theme = 'auto', range = 26, heatMeasure = 'wait', queueAuthors = 'people';
let scope = content.scopes[0];

function draw() {
  for (const part of [headline, trend, distribution, heat, queue, repositories, reviewers, authors]) part(scope);
}

function choose(key) {
  scope = content.scopes.find(one => one.key === key) ?? content.scopes[0];
  byId('scope').value = scope.key;
  document.title = scope.key ? `Review time: ${scope.name}` : 'Review time';
  draw();
  scrollTo({ top: 0 });
}

function scopeList() {
  const options = kind => content.scopes.filter(one => one.kind === kind).map(one => element('option', { value: one.key }, one.name));
  const group = (label, found) => found.length ? element('optgroup', { label }, found) : null;
  fill('scope', options('all'), group('Teams', options('team')), group('Repositories', options('repository')));
  byId('scope').addEventListener('change', event => choose(event.target.value));
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

function ranges() {
  segments('range', [[13, '3 months'], [26, '6 months'], [52, '1 year'], [104, '2 years']], range, chosen => {
    range = chosen;
    trend(scope);
    authors(scope);
  });
}

function printing(on) {
  document.documentElement.classList.toggle('printing', on);
  const moving = still;
  still = true;
  restyle(on ? 'light' : theme);
  still = moving;
}

dress(theme);
scopeList();
published();
problems();
ranges();
data();
definitions();
draw();
dark.addEventListener('change', () => restyle());
byId('theme').addEventListener('click', () => { theme = dress(theme); restyle(); });
byId('print').addEventListener('click', () => print());
addEventListener('beforeprint', () => printing(true));
addEventListener('afterprint', () => printing(false));
addEventListener('resize', () => charts.forEach(chart => chart.resize()));
