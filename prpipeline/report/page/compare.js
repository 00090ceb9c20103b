// Who got slower: repositories, teams (of the repository, or of the author at the opening), authors and reviewers in the range, and in the period before.

const COMPARED = {
  repositories: { label: 'Repositories', one: 'Repository', key: row => rows.repository[row], name: key => places[key].repository },
  teams: { label: 'Teams', one: 'Team', key: row => repositoryOf(row).team, name: key => key },
  author_teams: { label: 'Teams of authors', one: 'Team of the author', key: row => rows.author_team[row] || null, name: key => content.author_teams[key] },
  authors: { label: 'Authors', one: 'Author', key: row => rows.author[row], name: person },
  reviewers: { label: 'First reviewers', one: 'First reviewer', key: row => rows.first_reviewer[row], name: person },
};

// Of which kind the scopes are that sums are known of.
const SUMMED = { repositories: 'repository', teams: 'team' };

// [{key, name, now, before, rowsNow, rowsBefore}], with {n, median, p90} in hours.
function comparison(kind) {
  const { key, name } = COMPARED[kind];
  const found = new Map();
  const one = (key, name) => {
    const nothing = { n: 0, median: null, p90: null };
    if (!found.has(key)) found.set(key, { key, name, now: nothing, before: nothing, rowsNow: [], rowsBefore: [] });
    return found.get(key);
  };
  for (const [when, rowsName] of [['now', 'rowsNow'], ['before', 'rowsBefore']]) {
    if (isSummed(when) && SUMMED[kind]) {
      for (const scope of scopes.filter(scope => scope.kind === SUMMED[kind] && here.old[scope.old] && [...scope.places].every(place => here.scope.places.has(place)))) {
        const figures = oldFigures(scope, when);
        if (figures.n) one(kind === 'teams' ? scope.name : [...scope.places][0], scope.name)[when] = figures;
      }
    } else {
      for (const [group, mine] of grouped(waitsIn(here.people, here[when]).rows, key)) {
        Object.assign(one(group, name(group)), { [when]: figuresOf(mine.map(clock().value)), [rowsName]: mine });
      }
    }
  }
  return [...found.values()];
}

function oldValue(scope, name) {
  return here.old[scope.old]?.[content.older.columns.indexOf(name)] ?? null;
}

function oldFigures(scope, when) {
  const [median, p90] = oldValue(scope, `${view.clock}_${when}`) ?? [null, null];
  return { n: oldValue(scope, `${view.clock}_n_${when}`) ?? 0, median: roundedHours(median), p90: roundedHours(p90) };
}

function isJudged({ now, before }) {
  return now.n >= FEW && before.n >= FEW;
}

// By how much slower; unknown where too few were reviewed to say.
function slower(one) {
  return isJudged(one) ? one.now.median - one.before.median : null;
}

function changeBadge(one) {
  if (!here.compared) return NONE;
  if (!one.before.n || !one.now.n) return element('span', { class: 'muted' }, one.now.n ? 'new' : 'none now');
  const by = one.now.median - one.before.median;
  const text = `${by > 0 ? '▲' : by < 0 ? '▼' : ''} ${by ? `${by > 0 ? '+' : '−'}${spell(Math.abs(by))}` : 'no change'}`;
  if (!isJudged(one)) return element('span', { class: 'few', title: 'Too few to judge' }, text, ` (n = ${Math.min(one.now.n, one.before.n)})`);
  return element('span', { class: `badge ${by > 0 ? 'bad' : by < 0 ? 'good' : ''}` }, text, element('span', { class: 'hidden' }, by > 0 ? ' slower' : by < 0 ? ' faster' : ''));
}

function compareTable() {
  const available = Object.entries(COMPARED).filter(([kind]) => (kind !== 'repositories' || here.scope.kind !== 'repository')
    && (kind !== 'teams' || (here.scope.kind === 'all' && scopes.some(scope => scope.kind === 'team')))
    && (kind !== 'author_teams' || content.author_teams.length > 1));
  const kind = available.some(([name]) => name === view.compare) ? view.compare : available[0][0];
  segments('compare-kind', available.map(([name, { label }]) => [name, label]), kind, chosen => change({ compare: chosen }));
  const { one: label } = COMPARED[kind];
  const found = comparison(kind);
  fill('compare-note', here.compared ? `Median ${clock().words}, in ${rangeWords()} and in the same time before; counted on the day of the first review. The slower ones first; faded where fewer than ${FEW} were reviewed in either.`
    : `Median ${clock().words}. Nothing to compare with: the data does not reach back far enough.${cutWords()}`);
  if (!found.length) return fill('compare', empty('No pull request got a first review.'));
  const longest = Math.max(0, ...found.map(one => one.now.p90 ?? 0));
  const waiting = grouped(here.people.filter(row => has(row, WAITING)), COMPARED[kind].key);
  const scopeOf = one => ({ repositories: `repository:${one.name}`, teams: `team:${one.name}` })[kind];
  const faded = figures => figures.n && figures.n < FEW ? 'few' : null;
  const hours = (figures, name) => element('span', { class: faded(figures), title: exact(figures[name]) }, spell(figures[name]));
  return fill('compare', table([
    { label, value: one => one.name, wide: true, show: one => scopeOf(one) ? element('button', { type: 'button', class: 'link', onclick: () => goTo(scopeOf(one)) }, fullName(one.name)) : foreign(one.name ?? 'deleted account') },
    { label: 'Change', value: slower, show: changeBadge, number: true },
    { label: 'Median', value: one => one.now.median, show: one => hours(one.now, 'median'), number: true },
    { label: 'n', value: one => one.now.n, show: one => one.rowsNow.length ? counted(one.rowsNow, `${one.name ?? 'deleted account'}: first reviews in ${rangeWords()}`) : count(one.now.n), number: true },
    { label: 'Median before', value: one => one.before.median, show: one => hours(one.before, 'median'), number: true },
    { label: 'n before', value: one => one.before.n, show: one => one.rowsBefore.length ? counted(one.rowsBefore, `${one.name ?? 'deleted account'}: first reviews in the time before`) : count(one.before.n), number: true },
    { label: '90th percentile', value: one => one.now.p90, show: one => hours(one.now, 'p90'), number: true },
    { label: 'Median to 90th', 'wide-only': true, show: one => element('span', { class: faded(one.now) }, span(one.now.median, one.now.p90, longest)) },
    kind === 'reviewers' ? null : { label: 'Waiting now', value: one => waiting.get(one.key)?.length ?? 0, show: one => counted(waiting.get(one.key) ?? [], `${one.name}: waiting now`, { label: 'Waiting', value: waitingSeconds }), number: true },
  ].filter(Boolean), found.sort((one, other) => compare(slower(one), slower(other), -1) || compare(one.now.n, other.now.n, -1)), { caption: `${COMPARED[kind].label} compared`, most: 15, sorted: [1, -1], isCompact: true }));
}

function goTo(scope) {
  change({ scope });
  scrollTo({ top: 0 });
}
