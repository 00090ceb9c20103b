// The figures of the range, beside those of the same time before.

function headline() {
  fill('headline', sentence(rangeWords()));
  const first = isSummed('now') ? period().lo : here.now.lo;
  byId('headline').append(element('span', { class: 'muted small' }, `${view.range === 'free' && !here.isCut ? '' : ` ${date(first + 1)} to ${date(here.now.hi)}`}${here.compared ? `, compared with ${date(here.compared.lo + 1)} to ${date(here.compared.hi)}` : ''}`));
  if (here.isCut) byId('headline').append(element('span', { class: 'muted small' }, here.old ? '; from sums, where pull requests are not in this page' : '; those before are not in this page'));
  const waits = { now: waitFigures('now'), before: waitFigures('before') };
  fill('summary', summarySentences(waits));
  const few = pair => pair.some(n => n < FEW);
  const due = { now: targetIn(here.people, here.now), before: targetIn(here.people, here.before) };
  const merged = { now: mergeFigures('now'), before: mergeFigures('before') };
  const waiting = here.people.filter(row => has(row, WAITING));
  const then = waitingThen();
  const ns = [waits.now.n, waits.before.n];
  const reviewed = { n: waits.now.n, rows: waits.now.rows, words: 'first reviews' };
  const rate = (part, whole) => whole.n ? part / whole.n : null;
  fill('cards',
    figure('Median time to first review', [waits.now.median, waits.before.median], spellParts, 'less', relative, few(ns), reviewed),
    figure('90th percentile', [waits.now.p90, waits.before.p90], spellParts, 'less', relative, few(ns), reviewed),
    figure(`Reviewed within ${targetWords()}${here.isCut ? `, since ${date(horizon())}` : ''}`, ['now', 'before'].map(when => share(due[when].met.length, due[when].due.length)), percentParts, 'more', points,
      few([due.now.due.length, due.before.due.length]), { n: due.now.due.length, rows: due.now.missed, words: 'were due', list: 'missed' }),
    figure('Waiting for review now', [waiting.length, then], countParts, 'less', difference, Math.max(waiting.length, then) < FEW, { n: waiting.length, rows: waiting, words: null, extra: { label: 'Waiting', value: waitingSeconds } }, `on ${date(here.now.lo)}`),
    figure('Merged without review', ['now', 'before'].map(when => rate(merged[when].unreviewed, merged[when])), percentParts, 'less', points, few([merged.now.n, merged.before.n]),
      { n: merged.now.n, rows: merged.now.rows.filter(row => has(row, UNREVIEWED)), words: 'merged', list: 'without review', extra: { label: 'Ready to merge', value: mergeSeconds } }),
    figure('Median time from ready to merge', [merged.now.median, merged.before.median], durationParts, 'less', relative, few([merged.now.timed, merged.before.timed]),
      { n: merged.now.timed, rows: merged.now.rows.filter(isMergeTimed), words: 'merged', extra: { label: 'Ready to merge', value: mergeSeconds } }));
}

function waitFigures(when) {
  if (isSummed(when)) return { ...oldFigures(here.scope, when), rows: [] };
  const { rows: found, seconds } = waitsIn(here.people, here[when]);
  return { ...figuresOf(seconds), rows: found };
}

function mergeFigures(when) {
  if (isSummed(when)) {
    const n = oldValue(here.scope, `merged_${when}`) ?? 0;
    return { n, timed: n, rows: [], unreviewed: oldValue(here.scope, `unreviewed_${when}`) ?? 0, median: roundedHours(oldValue(here.scope, `merge_${when}`)) };
  }
  const found = mergedIn(here.people, here[when]);
  const timed = found.filter(isMergeTimed);
  return { n: found.length, timed: timed.length, rows: found, unreviewed: found.filter(row => has(row, UNREVIEWED)).length, median: figuresOf(timed.map(mergeSeconds)).median };
}

// At the end of the day on which the range begins.
function waitingThen() {
  const day = daysAgo(here.now.lo);
  return day > 0 && day < content.open_days ? openWork(here.scope.places).get(day)?.waiting ?? 0 : null;
}

function summarySentences({ now, before }) {
  const said = [];
  if (!now.n) said.push('No pull request got a first review.');
  else if (now.n < FEW) said.push(`Only ${plural(now.n, 'pull request')} got a first review, after a median of ${spell(now.median)}.`);
  else said.push(`Half of the pull requests got their first review within ${spell(now.median)}, nine in ten within ${spell(now.p90)}${before.n >= FEW ? `; before, within ${spell(before.median)} and ${spell(before.p90)}` : ''}.`);
  if (here.scope.kind !== 'repository') {
    const judged = comparison('repositories').filter(isJudged);
    const worse = judged.filter(one => slower(one) > 0).sort((one, other) => slower(other) - slower(one));
    if (worse.length) {
      said.push(`${plural(worse.length, 'repository', 'repositories')} of ${count(judged.length)} with at least ${FEW} reviews in both got slower${worse.length > 1 ? ', most of all' : ':'} `,
        element('button', { type: 'button', class: 'link', onclick: () => goTo(`repository:${worse[0].name}`) }, foreign(worse[0].name)),
        ` (${spell(worse[0].before.median)} → ${spell(worse[0].now.median)}).`);
    } else if (judged.length) said.push(`None of the ${plural(judged.length, 'repository', 'repositories')} with at least ${FEW} reviews in both got slower.`);
  }
  const waiting = here.people.filter(row => has(row, WAITING));
  const longest = waiting.reduce((most, row) => Math.max(most, waitingSeconds(row)), 0);
  said.push(waiting.length === 1 ? `One is waiting now, for ${duration(hoursOf(longest))}.` : waiting.length ? `${count(waiting.length)} are waiting now, one for ${duration(hoursOf(longest))}.` : 'None is waiting.');
  return said.flatMap((part, index) => index ? [' ', part] : [part]);
}

const countParts = value => [count(value), ''];
const percentParts = value => value === null ? [NONE, ''] : [String(Math.round(value * 100)), '%'];
const relative = (now, before) => before ? [Math.round(100 * (now - before) / before), ' %'] : [0, ''];
const points = (now, before) => {
  const by = Math.round(100 * now) - Math.round(100 * before);
  return [by, Math.abs(by) === 1 ? ' point' : ' points'];
};
const difference = (now, before) => [now - before, ''];

// of: {n, rows, words, list, extra}: what the figure counts, and the list that a click on it opens.
function figure(title, [now, before], parts, better, change, isFew, of, when = 'before') {
  const [value, unit] = parts(now);
  const isKnown = now !== null && before !== null;
  const [by, unitOfChange] = isKnown ? change(now, before) : [0, ''];
  const verdict = !by || isFew ? '' : (by < 0) === (better === 'less') ? 'good' : 'bad';
  const words = { good: 'better', bad: 'worse' };
  const isEmpty = of.n < FEW && of.words !== null;
  return element('div', { class: `figure ${isEmpty ? 'few' : ''}` }, element('h3', {}, title),
    element('div', { class: 'value', title: parts === countParts || parts === percentParts ? null : exact(now) }, value, unit ? element('span', { class: 'unit' }, ` ${unit}`) : null),
    element('div', { class: 'change' }, isKnown
      ? element('span', { class: `badge ${verdict}` }, by ? `${by > 0 ? '▲' : '▼'} ${count(Math.abs(by))}${unitOfChange}` : 'no change',
        verdict ? element('span', { class: 'hidden' }, ` ${by > 0 ? 'more' : 'less'}, ${words[verdict]}`) : null) : null),
    element('div', { class: 'was' }, before === null ? `nothing ${when}` : `${parts(before).join(' ').trim()} ${when}`),
    element('div', { class: 'was' }, of.words === null ? '' : `n = ${count(of.n)}`,
      of.rows.length ? [of.words === null ? '' : ' · ', element('button', { type: 'button', class: 'link', onclick: () => openList(`${title}${of.list ? `: ${of.list}` : ''}`, of.rows, of.extra) }, of.list ?? 'list')] : null));
}
