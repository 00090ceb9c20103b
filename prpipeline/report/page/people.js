// Who reviews, and what bots do.

const isByBot = review => (rows.review_kind[review] & 4) !== 0;
const kindOf = review => rows.review_kind[review] & 3;
const VERDICT = 0, INLINE = 1, UNREAD = 3;

// Reviews by people in a period: {name, reviews, verdicts, inline, pullRequests, first}, the most verdicts first.
function reviewersIn(period) {
  const mine = period ? here.reviews.filter(review => !isByBot(review) && within(rows.review_at[review], period)) : [];
  return [...grouped(mine, review => rows.reviewer[review])].map(([key, reviews]) => {
    const first = reviews.filter(review => rows.review_kind[review] & 8).map(review => rows.review_of[review]);
    return {
      key, name: person(key), reviews: reviews.length, verdicts: reviews.filter(review => kindOf(review) === VERDICT).length,
      inline: reviews.some(review => kindOf(review) === UNREAD) ? null : reviews.filter(review => kindOf(review) === INLINE).length,
      rows: [...new Set(reviews.map(review => rows.review_of[review]))], first,
      wait: figuresOf(first.map(clock().value).filter(seconds => !Number.isNaN(seconds))),
    };
  }).sort((one, other) => other.verdicts - one.verdicts || other.reviews - one.reviews || compare(one.name, other.name, 1));
}

function reviewers() {
  const found = reviewersIn(here.now);
  const before = new Map(reviewersIn(here.before).map(one => [one.key, one]));
  const sum = name => found.reduce((total, one) => total + one[name], 0);
  const all = sum('reviews'), verdicts = sum('verdicts');
  fill('reviewers-table');
  if (!found.length) {
    fill('reviewers-note', `Reviews that people submitted in ${rangeWords()}.`);
    return showNothing('reviewers', 'No reviews in this time.');
  }
  const top = found.slice(0, 3).reduce((total, one) => total + one.verdicts, 0);
  fill('reviewers-note', `${plural(all, 'review')} by ${plural(found.length, 'person', 'people')} in ${rangeWords()}, of which ${plural(verdicts, 'verdict')} (approvals and requests for changes)`
    + (found.length > 3 && verdicts ? `; the busiest three gave ${percent(top / verdicts)} of the verdicts.` : '.') + cutWords());
  const shown = found.slice(0, 12);
  const short = text => text.length > 20 ? `${text.slice(0, 19)}…` : text;
  const details = place => [shown[place].name, [['Verdicts', count(shown[place].verdicts), 'people'], ['Share of verdicts', percent(share(shown[place].verdicts, verdicts))], ['Reviews', count(shown[place].reviews)], ['Inline comments only', count(shown[place].inline)], ['Pull requests', count(shown[place].rows.length)], ['First to review', count(shown[place].first.length)]]];
  show('reviewers', 40 + 32 * shown.length, `Verdicts by person: ${shown.map(one => `${one.name}: ${one.verdicts}`).join(', ')}.`, {
    grid: { left: 135, right: 76, top: 6, bottom: 24 },
    tooltip: tooltip('axis', details),
    xAxis: valueAxis(),
    yAxis: categoryAxis(shown.map((one, place) => place), { inverse: true, axisLabel: { color: colour('ink'), interval: 0, formatter: place => short(shown[place].name) } }),
    series: [bars('Verdicts', shown.map(one => one.verdicts), 'people', { barCategoryGap: '30%', itemStyle: { color: colour('people'), borderRadius: [0, 3, 3, 0] },
      label: { show: true, position: 'right', color: colour('muted'), formatter: ({ dataIndex }) => `${shown[dataIndex].verdicts} · ${percent(share(shown[dataIndex].verdicts, verdicts))}` } })],
  }, null, { at: place => openList(`${shown[place].name}: reviewed`, shown[place].rows), isUpright: true });
  fill('reviewers-table', table([
    { label: 'Reviewer', wrap: true, value: one => one.name, show: one => login(one.name, false) },
    { label: 'Verdicts', value: one => one.verdicts, number: true },
    here.before ? { label: 'Before', value: one => before.get(one.key)?.verdicts ?? 0, number: true } : null,
    { label: 'Reviews', value: one => one.reviews, number: true },
    { label: 'Inline only', value: one => one.inline, show: one => count(one.inline), number: true },
    { label: 'Pull requests', value: one => one.rows.length, show: one => counted(one.rows, `${one.name}: reviewed`), number: true },
    { label: 'First to review', value: one => one.first.length, show: one => counted(one.first, `${one.name}: first to review`), number: true },
    { label: 'Median wait for those', value: one => one.wait.median, show: one => element('span', { class: one.wait.n < FEW ? 'few' : null }, spell(one.wait.median)), number: true },
  ].filter(Boolean), found, { caption: 'Reviewers', most: 12, sorted: [1, -1], isCompact: true }));
}

function authors() {
  const opened = candidates => candidates.filter(row => within(rows.created[row], here.now));
  const people = opened(here.people), bots = opened(here.bots);
  const isReviewed = row => !Number.isNaN(clock().value(row));
  const isMerged = row => rows.state[row] === MERGED;
  const byBots = here.reviews.filter(review => isByBot(review) && within(rows.review_at[review], here.now));
  const byPeople = here.reviews.filter(review => !isByBot(review) && within(rows.review_at[review], here.now));
  const line = (label, show) => ({ label, people: show(people, false), bots: show(bots, true) });
  const times = found => figuresOf(found.filter(isReviewed).map(clock().value));
  const lines = [
    line('Pull requests opened', (found, isBot) => counted(found, `Opened by ${isBot ? 'bots' : 'people'}`)),
    line('Median time to first review by a person', found => spell(times(found).median)),
    line('90th percentile', found => spell(times(found).p90)),
    line('Merged without a review by a person', found => percent(share(found.filter(row => has(row, UNREVIEWED)).length, found.filter(isMerged).length))),
    line('Of those, waiting now', found => count(found.filter(row => has(row, WAITING)).length)),
    line("Reviews of people's pull requests", (found, isBot) => count((isBot ? byBots : byPeople).length)),
  ];
  const robots = [...grouped(byBots, review => rows.reviewer[review])].map(([key, reviews]) => [person(key), reviews.length]).sort((one, other) => other[1] - one[1]);
  const soon = people.map(row => rows.bot_review[row]).filter(seconds => !Number.isNaN(seconds));
  fill('authors-table', table([
    { label: sentence(rangeWords()), wrap: true, show: row => row.label },
    { label: 'People', show: row => row.people, number: true },
    { label: 'Bots', show: row => row.bots, number: true },
  ], lines, { caption: 'People and bots' }),
  soon.length || robots.length ? element('p', { class: 'muted small' },
    soon.length ? `Bots reviewed ${count(soon.length)} of people's ${plural(people.length, 'pull request')}, a median of ${duration(figuresOf(soon).median)} after opening. ` : '',
    robots.length ? ['Bots that review: ', robots.slice(0, 5).flatMap(([name, reviews], place) => [place ? ', ' : '', foreign(name), ` (${count(reviews)})`]), '.'].flat() : '') : null);
  const shape = buckets();
  const opening = candidates => byBucket(candidates, shape, row => rows.created[row]).map(found => found.length);
  const reviewing = isBot => byBucket(here.reviews.filter(review => isByBot(review) === isBot), shape, review => rows.review_at[review]).map(found => found.length);
  stacked('opened', 'Pull requests opened', shape, opening(here.people), opening(here.bots));
  stacked('reviews', 'Reviews', shape, reviewing(false), reviewing(true));
}

function stacked(id, what, { starts, isMonthly }, people, bots) {
  const sum = values => values.reduce((total, value) => total + value, 0);
  if (!sum(people) && !sum(bots)) return showNothing(id, 'None in this time.');
  const unit = isMonthly ? 'month' : 'week';
  return show(id, 220, `${what} by ${unit}: ${count(sum(people))} by people, ${count(sum(bots))} by bots in ${plural(starts.length, unit)}.`, {
    legend: legend(['People', 'Bots']),
    grid: { left: 38, right: 4, top: 34, bottom: 24 },
    tooltip: tooltip('axis', place => [bucketName(starts[place], isMonthly), [['People', count(people[place]), 'people'], ['Bots', count(bots[place]), 'bots']]]),
    xAxis: categoryAxis(starts.map(moment => labelOf(moment, isMonthly, starts.length > 52))), yAxis: valueAxis(),
    series: [bars('People', people, 'people', { stack: 'all' }), bars('Bots', bots, 'bots', { stack: 'all' })],
  }, () => table([
    { label: isMonthly ? 'Month of' : 'Week of', value: place => date(starts[place]) },
    { label: 'People', value: place => people[place], number: true },
    { label: 'Bots', value: place => bots[place], number: true },
  ], [...starts.keys()].reverse(), { caption: `${what} by ${unit}`, most: 60 }), { at: place => {
    if (id === 'opened') return openList(`${bucketName(starts[place], isMonthly)}: opened`, byBucket([...here.people, ...here.bots], { starts, start: isMonthly ? monthOf : weekOf }, row => rows.created[row])[place]);
    const found = byBucket(here.reviews, { starts, start: isMonthly ? monthOf : weekOf }, review => rows.review_at[review])[place];
    return openList(`${bucketName(starts[place], isMonthly)}: reviewed`, [...new Set(found.map(review => rows.review_of[review]))]);
  } });
}
