// The parts of the page, each drawn for one scope: everything, a team or a repository.

function published() {
  const { status } = content;
  fill('published', `Published ${dateTime(status.published_at)} (${ago(status.published_at)}), `
    + (status.newest_sync_at ? `last synced${status.is_sample_data ? '' : ' with GitHub'} ${ago(status.newest_sync_at)}.` : 'never synced with GitHub.'));
}

const TROUBLES = { failed: 'failed', gone: 'gone from GitHub', forbidden: 'access denied', new: 'never synced', untracked: 'no longer tracked' };

function isTroubled(repository) {
  return repository.status !== 'untracked' && (repository.last_error !== null || ['failed', 'gone', 'forbidden'].includes(repository.status));
}

function problems() {
  const troubled = content.repositories.filter(isTroubled);
  const waiting = content.repositories.filter(repository => repository.status === 'new' && !isTroubled(repository));
  const notices = [];
  if (content.status.is_sample_data) {
    notices.push(element('p', { class: 'notice' }, element('strong', {}, 'Sample data.'),
      ' These are made-up repositories of the demo, not from GitHub. They go when the first real repository is synced.'));
  }
  if (troubled.length) {
    notices.push(element('div', { class: 'notice bad', role: 'alert' },
      element('strong', {}, `${plural(troubled.length, 'repository', 'repositories')} of ${count(content.repositories.length)} could not be synced; what they show is old or missing.`),
      element('ul', {}, troubled.slice(0, 5).map(repository => element('li', {}, foreign(repository.repository),
        ` (${TROUBLES[repository.status] ?? repository.status}): `, foreign(repository.last_error ?? 'no reason given'),
        ` Last synced: ${dateTime(repository.last_sync_at)}.`))),
      troubled.length > 5 ? element('a', { href: '#data-title' }, `All ${count(troubled.length)} are listed below`) : null));
  }
  if (waiting.length) {
    notices.push(element('p', { class: 'notice' }, `${plural(waiting.length, 'repository has', 'repositories have')} not been synced yet and ${waiting.length === 1 ? 'is' : 'are'} missing here.`));
  }
  if (!content.repositories.length) {
    notices.push(element('p', { class: 'notice' }, 'No repository is tracked yet, so there is nothing to show.'));
  }
  fill('problems', notices);
}

const NOTHING = {
  reviewed_now: 0, reviewed_before: 0, median_now: null, median_before: null, p90_now: null, p90_before: null,
  within_day_now: 0, within_day_before: 0, aged_now: 0, aged_before: 0, opened_now: 0, opened_before: 0, merged_now: 0, merged_before: 0,
  unreviewed_now: 0, unreviewed_before: 0, merge_now: null, merge_before: null, waiting_now: 0, waiting_before: 0, longest_wait: null,
};

function headline(scope) {
  const found = scope.headline ?? NOTHING;
  const sentences = [];
  if (found.reviewed_now) {
    sentences.push(found.reviewed_now < 5
      ? `Only ${plural(found.reviewed_now, 'pull request')} got a first review, after a median of ${duration(found.median_now)}.`
      : `Half of the pull requests got their first review within ${duration(found.median_now)}, nine in ten within ${duration(found.p90_now)}.`);
  } else {
    sentences.push('No pull request got a first review.');
  }
  if (found.waiting_now) {
    sentences.push(found.waiting_now === 1 ? `One is waiting now, for ${duration(found.longest_wait)}.`
      : `${count(found.waiting_now)} are waiting now, one for ${duration(found.longest_wait)}.`);
  } else sentences.push('None is waiting.');
  fill('summary', sentences.join(' '));

  const pair = name => [found[`${name}_now`], found[`${name}_before`]];
  const rate = (part, whole) => ['now', 'before'].map(time => share(found[`${part}_${time}`], found[`${whole}_${time}`]));
  fill('cards',
    figure('Median time to first review', pair('median'), durationParts, 'less', relative),
    figure('90th percentile', pair('p90'), durationParts, 'less', relative),
    figure('Reviewed within a day', rate('within_day', 'aged'), percentParts, 'more', points),
    figure('Waiting for review now', pair('waiting'), countParts, 'less', difference, 'four weeks ago'),
    figure('Merged without review', rate('unreviewed', 'merged'), percentParts, 'less', points),
    figure('Median time from ready to merge', pair('merge'), durationParts, 'less', relative));
}

const countParts = value => [count(value), ''];
const percentParts = value => value === null ? [NONE, ''] : [String(Math.round(value * 100)), '%'];
const relative = (now, before) => before ? [Math.round(100 * (now - before) / before), ' %'] : [0, ''];
const points = (now, before) => {
  const by = Math.round(100 * now) - Math.round(100 * before);
  return [by, Math.abs(by) === 1 ? ' point' : ' points'];
};
const difference = (now, before) => [now - before, ''];

function figure(title, [now, before], parts, better, change, when = 'before') {
  const [value, unit] = parts(now);
  const known = now !== null && before !== null;
  const [by, of] = known ? change(now, before) : [0, ''];
  const verdict = !by ? '' : (by < 0) === (better === 'less') ? 'good' : 'bad';
  const words = { good: 'better', bad: 'worse' };
  return element('div', { class: 'figure' }, element('h3', {}, title),
    element('div', { class: 'value' }, value, unit ? element('span', { class: 'unit' }, ` ${unit}`) : null),
    element('div', { class: 'change' }, known
      ? element('span', { class: `badge ${verdict}` }, by ? `${by > 0 ? '▲' : '▼'} ${count(Math.abs(by))}${of}` : 'no change',
        verdict ? element('span', { class: 'hidden' }, ` ${by > 0 ? 'more' : 'less'}, ${words[verdict]}`) : null) : null),
    element('div', { class: 'was' }, before === null ? `nothing ${when}` : `${parts(before).join(' ').trim()} ${when}`));
}

function weeks(scope) {
  const from = Math.max(content.weeks - range, 0);
  const start = Date.parse(`${content.first_week}T00:00:00Z`);
  const series = name => (scope.weekly?.[name] ?? Array(content.weeks).fill(name.endsWith('_hours') ? null : 0)).slice(from);
  const days = series('opened').map((_, index) => new Date(start + (from + index) * 7 * 864e5));
  return { series, days, labels: days.map(day => day.toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC', ...(range > 52 ? { year: '2-digit' } : {}) })) };
}

function weekName(day) {
  return `Week of ${day.toISOString().slice(0, 10)}`;
}

function trend(scope) {
  const { series, days, labels } = weeks(scope);
  const opened = series('opened'), reviewed = series('reviewed'), waiting = series('waiting');
  const median = series('median_hours'), p90 = series('p90_hours');
  const ended = opened.map((all, index) => all - reviewed[index] - waiting[index]);
  if (!opened.some(Boolean)) return showNothing('trend', 'No pull requests were opened in these weeks.');
  const last = labels.length - 1;
  const symbols = { showSymbol: true, symbol: 'circle', symbolSize: range > 52 ? 3 : 6 };
  const known = median.filter(value => value !== null);
  return show('trend', 380, `Weekly median and 90th percentile of the time to first review, ${plural(labels.length, 'week')}. `
    + (known.length ? `The weekly medians lie between ${duration(Math.min(...known))} and ${duration(Math.max(...known))}.` : 'No reviews yet.'), {
    legend: isNarrow('trend')
      ? [legend(['Median', '90th percentile']), legend(['Reviewed', 'Still waiting', 'Never reviewed or draft'], { top: 250, itemGap: 10, formatter: name => name.replace('reviewed or ', 'or ') })]
      : legend(['Median', '90th percentile', 'Reviewed', 'Still waiting', 'Never reviewed or draft']),
    grid: [{ left: 50, right: 12, top: 38, height: 205 }, { left: 50, right: 12, top: 275, height: 70 }],
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    tooltip: tooltip('axis', index => [weekName(days[index]), [
      ['Median', duration(median[index]), 'median'], ['90th percentile', duration(p90[index]), 'p90'],
      ['Reviewed', count(reviewed[index]), 'people'], ['Still waiting', count(waiting[index]), 'waiting'],
      ['Never reviewed or draft', count(ended[index]), 'none']]]),
    xAxis: [categoryAxis(labels, { axisLabel: { show: false } }), categoryAxis(labels, { gridIndex: 1 })],
    yAxis: [hoursAxis([...median, ...p90]), valueAxis({ gridIndex: 1, splitNumber: 2 })],
    series: [
      { type: 'line', name: '90th percentile', data: p90, ...symbols, itemStyle: { color: colour('p90') }, lineStyle: { width: 1.5 }, areaStyle: { opacity: 0.07 } },
      { type: 'line', name: 'Median', data: median, ...symbols, itemStyle: { color: colour('median') }, lineStyle: { width: 2.5 }, areaStyle: { opacity: 0.12 },
        markArea: { silent: true, itemStyle: { color: colour('muted'), opacity: 0.1 }, label: { color: colour('muted'), position: 'insideTopRight', distance: 6, fontSize: 11 },
          data: last < 2 ? [] : [[{ name: 'may still change', xAxis: last - 1 }, { xAxis: last }]] } },
      bars('Reviewed', reviewed, 'people', { stack: 'all', xAxisIndex: 1, yAxisIndex: 1 }),
      bars('Still waiting', waiting, 'waiting', { stack: 'all', xAxisIndex: 1, yAxisIndex: 1 }),
      bars('Never reviewed or draft', ended, 'none', { stack: 'all', xAxisIndex: 1, yAxisIndex: 1 }),
    ],
  }, () => table([
    { label: 'Week of', value: index => days[index].toISOString().slice(0, 10) },
    { label: 'Median', value: index => median[index], show: index => duration(median[index]), number: true },
    { label: '90th percentile', value: index => p90[index], show: index => duration(p90[index]), number: true },
    { label: 'Opened', value: index => opened[index], number: true },
    { label: 'Reviewed', value: index => reviewed[index], number: true },
    { label: 'Still waiting', value: index => waiting[index], number: true },
  ], [...days.keys()].reverse(), { caption: 'Time to first review by week' }));
}

const BUCKETS = [
  ['hour_1', '< 1 h', 'median'], ['hours_4', '1–4 h', 'median'], ['hours_8', '4–8 h', 'median'], ['day_1', '8–24 h', 'median'],
  ['days_2', '1–2 d', 'median'], ['days_4', '2–4 d', 'median'], ['week_1', '4–7 d', 'median'], ['weeks_2', '1–2 w', 'median'], ['longer', '> 2 w', 'median'],
  ['waiting', 'waiting', 'waiting'], ['ended_unreviewed', 'never', 'none'], ['in_draft', 'draft', 'none'],
];
const BUCKET_NAMES = { waiting: 'Waiting for a first review', ended_unreviewed: 'Merged or closed without a review', in_draft: 'Open as a draft' };

function distribution(scope) {
  const found = scope.distribution;
  const values = BUCKETS.map(([name]) => found?.[name] ?? 0);
  const all = values.reduce((sum, value) => sum + value, 0);
  fill('distribution-note', all ? `${plural(all, 'pull request')} that people opened in the last 12 weeks${found.median_hours === null ? '' : `: median ${duration(found.median_hours)}, 90th percentile ${duration(found.p90_hours)}`}.`
    : 'Pull requests that people opened in the last 12 weeks.');
  if (!all) return showNothing('distribution', 'People opened no pull requests in the last 12 weeks.');
  const names = BUCKETS.map(([name, label]) => BUCKET_NAMES[name] ?? `First review after ${label}`);
  const isSlanted = byId('distribution').clientWidth < 400; // on a phone, so that each bar keeps its name
  return show('distribution', 290, `Time to first review of ${plural(all, 'pull request')}: ${BUCKETS.map(([, label], index) => `${label}: ${values[index]}`).join(', ')}.`, {
    grid: { left: 34, right: 4, top: 24, bottom: isSlanted ? 50 : 26 },
    tooltip: tooltip('axis', index => [names[index], [[plural(values[index], 'pull request'), percent(values[index] / all)]]]),
    xAxis: categoryAxis(BUCKETS.map(([, label]) => label), { axisLabel: { color: colour('muted'), interval: 0, fontSize: 10.5, rotate: isSlanted ? 60 : 0 } }),
    yAxis: valueAxis(),
    series: [bars('Pull requests', values.map((value, index) => ({ value, itemStyle: { color: colour(BUCKETS[index][2]), borderRadius: [3, 3, 0, 0] } })), 'median',
      { barCategoryGap: '18%', label: { show: true, position: 'top', color: colour('ink'), formatter: ({ value }) => value || '' } })],
  }, () => table([
    { label: 'First review after', value: index => names[index].replace('First review after ', '') },
    { label: 'Pull requests', value: index => values[index], number: true },
    { label: 'Share', show: index => percent(values[index] / all), number: true },
  ], [...values.keys()], { caption: 'Distribution of the time to first review' }));
}

const MEASURES = {
  wait: { label: 'Wait', caption: 'Median time to first review by weekday and hour of opening', measure: slot => slot[2], display: duration, scale: Math.log1p },
  opened: { label: 'Opened', caption: 'Pull requests opened by weekday and hour', measure: slot => slot[1] || null, display: count, scale: value => value },
  reviews: { label: 'Reviews', caption: 'Reviews by weekday and hour', measure: slot => slot[3] || null, display: count, scale: value => value },
};

function heat(scope) {
  const slots = new Map((scope.heat_map ?? []).map(slot => [slot[0], slot]));
  fill('heat-note', `Weekday and hour in ${zoneName(content.zone)}, last 52 weeks, people only.`);
  segments('heat-measure', Object.entries(MEASURES).map(([key, { label }]) => [key, label]), heatMeasure, chosen => { heatMeasure = chosen; heat(scope); byId('heat-measure').querySelector(':checked').focus(); });
  const measure = MEASURES[heatMeasure];
  fill('heat', heatMap(slots, { ...measure, caption: `${measure.caption}, ${zoneName(content.zone)}`, describe: slot => [
    ['Median wait of those opened then', duration(slot[2])], ['Pull requests opened', count(slot[1])], ['Reviews submitted', count(slot[3])]] }));
}

function inScope(scope, row) {
  return scope.kind === 'all' || (scope.kind === 'team' ? row.team === scope.name : row.scope === scope.key);
}

function waitBadge(hours) {
  return element('span', { class: `badge ${hours > 168 ? 'bad' : hours > 24 ? 'warn' : ''}` }, duration(hours));
}

function queue(scope) {
  const here = content.queue.filter(row => inScope(scope, row));
  const rows = here.filter(row => queueAuthors === 'all' || row.is_bot_author === (queueAuthors === 'bots'));
  segments('queue-authors', [['people', 'People'], ['bots', 'Bots'], ['all', 'All']], queueAuthors, chosen => { queueAuthors = chosen; queue(scope); byId('queue-authors').querySelector(':checked').focus(); });
  const all = scope.kind === 'all' ? content.waiting : [...new Map(here.map(row => [row.scope, row.in_repository])).values()].reduce((sum, value) => sum + value, 0);
  fill('queue-note', 'Open, ready, and without a review by another person; the longest since it was ready first. '
    + (all > here.length ? `The ${count(here.length)} that have waited longest of ${count(all)} are listed.` : ''));
  if (!rows.length) return fill('queue', empty({ people: "None of people's pull requests is waiting.", bots: "None of bots' pull requests is waiting.", all: 'Nothing is waiting.' }[queueAuthors]));
  return fill('queue', table([
    { label: 'Waiting', value: row => row.waiting_hours, show: row => waitBadge(row.waiting_hours), number: true },
    { label: 'Pull request', value: row => row.title, wide: true, show: row => {
      const text = [foreign(row.title || '(no title)')];
      return row.url ? element('a', { href: row.url, target: '_blank', rel: 'noopener noreferrer' }, text) : text; } },
    { label: 'Where', wrap: true, value: row => `${row.repository}#${row.number}`, show: row => fullName(`${row.repository}#${row.number}`) },
    { label: 'Author', wrap: true, value: row => row.author_login, show: row => login(row.author_login, row.is_bot_author) },
    { label: 'Asked to review', wrap: true, value: row => row.requested, show: row => row.requested ? foreign(row.requested) : element('span', { class: 'muted' }, 'nobody') },
    { label: 'Opened', value: row => row.created_at, show: row => row.created_at.slice(0, 10) },
  ], rows, { caption: 'Pull requests waiting for a first review', most: 15, sorted: [0, -1] }));
}

function repositories(scope) {
  byId('repositories-section').hidden = scope.kind === 'repository';
  if (scope.kind === 'repository') return;
  const rows = content.repositories.filter(row => scope.kind === 'all' || row.team === scope.name);
  const weekly = new Map(content.scopes.map(one => [one.key, one.weekly?.median_hours?.slice(-26) ?? []]));
  const longest = Math.max(0, ...rows.map(row => row.p90_hours ?? 0));
  fill('repositories', rows.length ? table([
    { label: 'Repository', value: row => row.repository, wide: true, show: row => [row.scope === null ? fullName(row.repository)
      : element('button', { type: 'button', class: 'link', onclick: () => choose(row.scope) }, fullName(row.repository)),
      row.status === 'untracked' ? element('div', { class: 'muted small' }, TROUBLES.untracked) : null] },
    { label: 'Opened', value: row => row.opened, number: true },
    { label: 'Median', value: row => row.median_hours, show: row => duration(row.median_hours), number: true },
    { label: '90th percentile', value: row => row.p90_hours, show: row => duration(row.p90_hours), number: true },
    { label: 'Spread', show: row => span(row.median_hours, row.p90_hours, longest) },
    { label: 'Trend', show: row => sparkline(weekly.get(row.scope) ?? [], `Weekly median of ${row.repository}`) },
    { label: 'Waiting', value: row => row.waiting, number: true },
    { label: 'Merged without review', value: row => share(row.merged_unreviewed, row.merged), show: row => percent(share(row.merged_unreviewed, row.merged)), number: true },
  ], rows, { caption: 'Repositories compared', most: 15, sorted: [1, -1] }) : empty('No repositories.'));
}

function reviewers(scope) {
  const rows = (scope.reviewers ?? []).filter(row => !row[1]);
  const all = rows.length ? rows[0][6] : 0, people = rows.length ? rows[0][7] : 0, verdicts = rows.length ? rows[0][10] : 0;
  fill('reviewers-table');
  if (!rows.length) {
    fill('reviewers-note', 'Reviews that people submitted in the last 12 weeks.');
    return showNothing('reviewers', 'No reviews in the last 12 weeks.');
  }
  const top = rows.slice(0, 3).reduce((sum, row) => sum + row[8], 0);
  fill('reviewers-note', `${plural(all, 'review')} by ${plural(people, 'person', 'people')} in the last 12 weeks, of which ${plural(verdicts, 'verdict')} (approvals and requests for changes)`
    + (people > 3 && verdicts ? `; the busiest three gave ${percent(top / verdicts)} of the verdicts.` : '.'));
  const shown = rows.slice(0, 12);
  const name = row => row[0] ?? 'deleted account';
  const short = text => text.length > 20 ? `${text.slice(0, 19)}…` : text;
  const details = index => [name(shown[index]), [['Verdicts', count(shown[index][8]), 'people'], ['Share of verdicts', percent(share(shown[index][8], verdicts))], ['Reviews', count(shown[index][2])], ['Inline comments only', shown[index][9] === null ? NONE : count(shown[index][9])], ['Pull requests', count(shown[index][3])], ['First to review', count(shown[index][4])]]];
  show('reviewers', 40 + 32 * shown.length, `Verdicts by person: ${shown.map(row => `${name(row)}: ${row[8]}`).join(', ')}.`, {
    grid: { left: 135, right: 76, top: 6, bottom: 24 },
    tooltip: tooltip('axis', details),
    xAxis: valueAxis(),
    yAxis: categoryAxis(shown.map((row, index) => index), { inverse: true, axisLabel: { color: colour('ink'), interval: 0, formatter: index => short(name(shown[index])) } }),
    series: [bars('Verdicts', shown.map(row => row[8]), 'people', { barCategoryGap: '30%', itemStyle: { color: colour('people'), borderRadius: [0, 3, 3, 0] },
      label: { show: true, position: 'right', color: colour('muted'), formatter: ({ dataIndex }) => `${shown[dataIndex][8]} · ${percent(share(shown[dataIndex][8], verdicts))}` } })],
  });
  fill('reviewers-table', table([
    { label: 'Reviewer', wrap: true, value: name, show: row => login(row[0], false) },
    { label: 'Verdicts', value: row => row[8], number: true },
    { label: 'Reviews', value: row => row[2], number: true },
    { label: 'Inline only', value: row => row[9], show: row => row[9] === null ? NONE : count(row[9]), number: true },
    { label: 'Pull requests', value: row => row[3], number: true },
    { label: 'First to review', value: row => row[4], number: true },
    { label: 'Median wait for those', value: row => row[5], show: row => duration(row[5]), number: true },
  ], rows, { caption: 'Reviewers', most: 12, sorted: [1, -1] }), people > rows.length ? element('p', { class: 'muted small' }, `The ${rows.length} busiest of ${count(people)} are listed.`) : null);
}

function authors(scope) {
  const by = isBot => (scope.authors ?? []).find(row => row.is_bot === isBot) ?? null;
  const people = by(false), bots = by(true);
  const robots = (scope.reviewers ?? []).filter(row => row[1]);
  const reviewsBy = isBot => (scope.reviewers ?? []).find(row => row[1] === isBot)?.[6] ?? 0;
  const line = (label, show) => ({ label, people: show(people, false), bots: show(bots, true) });
  const rows = [
    line('Pull requests opened', row => count(row?.opened ?? 0)),
    line('Median time to first review by a person', row => duration(row?.median_hours)),
    line('90th percentile', row => duration(row?.p90_hours)),
    line('Merged without a review by a person', row => percent(share(row?.merged_unreviewed, row?.merged))),
    line('Of those, waiting now', row => count(row?.waiting ?? 0)),
    line('Reviews submitted', (row, isBot) => count(reviewsBy(isBot))),
  ];
  fill('authors-table', table([
    { label: 'Last 12 weeks', wrap: true, show: row => row.label },
    { label: 'People', show: row => row.people, number: true },
    { label: 'Bots', show: row => row.bots, number: true },
  ], rows, { caption: 'People and bots in the last 12 weeks' }),
  people?.reviewed_by_bots || robots.length ? element('p', { class: 'muted small' },
    people?.reviewed_by_bots ? `Bots reviewed ${count(people.reviewed_by_bots)} of people's ${plural(people.opened, 'pull request')}, a median of ${duration(people.bot_median_hours)} after opening. ` : '',
    robots.length ? ['Bots that review: ', robots.slice(0, 5).flatMap((row, index) => [index ? ', ' : '', foreign(row[0] ?? 'deleted account'), ` (${count(row[2])})`]), '.'].flat() : '') : null);
  stacked('opened', 'Pull requests opened', scope, ['opened', 'opened_by_bots']);
  stacked('reviews', 'Reviews', scope, ['reviews', 'reviews_of_bots']);
}

function stacked(id, what, scope, names) {
  const { series, days, labels } = weeks(scope);
  const [people, bots] = names.map(series);
  const sum = values => values.reduce((total, value) => total + value, 0);
  if (!sum(people) && !sum(bots)) return showNothing(id, 'None in these weeks.');
  return show(id, 220, `${what} by week: ${count(sum(people))} by people, ${count(sum(bots))} by bots in ${plural(labels.length, 'week')}.`, {
    legend: legend(['People', 'Bots']),
    grid: { left: 38, right: 4, top: 34, bottom: 24 },
    tooltip: tooltip('axis', index => [weekName(days[index]), [['People', count(people[index]), 'people'], ['Bots', count(bots[index]), 'bots']]]),
    xAxis: categoryAxis(labels), yAxis: valueAxis(),
    series: [bars('People', people, 'people', { stack: 'all' }), bars('Bots', bots, 'bots', { stack: 'all' })],
  }, () => table([
    { label: 'Week of', value: index => days[index].toISOString().slice(0, 10) },
    { label: 'People', value: index => people[index], number: true },
    { label: 'Bots', value: index => bots[index], number: true },
  ], [...days.keys()].reverse(), { caption: `${what} by week` }));
}

function data() {
  const { status } = content;
  const held = content.repositories.reduce((sum, row) => sum + row.pull_requests, 0);
  const simple = content.repositories.filter(row => row.scope === null && row.pull_requests).length;
  fill('data-note', `${plural(content.repositories.length, 'repository', 'repositories')} with ${plural(held, 'pull request')}. Published by prpipeline ${status.version} with metric definitions of version ${status.metric_version}. `
    + `${status.oldest_sync_at ? `The least recent sync of a repository was ${dateTime(status.oldest_sync_at)}` : 'None has been synced yet'}. All times are UTC${content.zone === 'UTC' ? '' : `, but for the hours of “When it happens”, which are those of ${zoneName(content.zone)}`}.`
    + (simple ? (simple === 1 ? ' The least active repository has no charts of its own; it counts in all others.'
      : ` The ${count(simple)} least active repositories have no charts of their own; they count in all others.`) : ''));
  if (!content.repositories.length) return;
  const worst = row => isTroubled(row) ? 0 : row.status === 'ok' ? 2 : 1;
  const rows = [...content.repositories].sort((one, other) => worst(one) - worst(other));
  fill('data', table([
    { label: 'Repository', value: row => row.repository, wide: true, show: row => [fullName(row.repository),
      row.tracked_as !== row.repository ? element('div', { class: 'muted small' }, 'tracked as ', foreign(row.tracked_as)) : null] },
    { label: 'Status', value: row => row.status, show: row => element('span', { class: `badge ${isTroubled(row) ? 'bad' : row.status === 'ok' ? 'good' : 'warn'}` }, row.status === 'ok' && isTroubled(row) ? 'failed' : TROUBLES[row.status] ?? row.status) },
    { label: 'Last synced', value: row => row.last_sync_at, show: row => dateTime(row.last_sync_at) },
    { label: 'Pull requests', value: row => row.pull_requests, number: true },
    { label: 'On GitHub', value: row => row.pull_requests_on_github, number: true },
    rows.some(isTroubled) ? { label: 'Why it failed', value: row => row.last_error, wide: true, show: row => row.last_error ? foreign(row.last_error) : '' } : null,
  ].filter(Boolean), rows, { caption: 'Repositories and their last syncs', most: 15 }));
}

function definitions() {
  const own = [
    ['Median, 90th percentile', 'Half of the values, nine in ten of the values, are at or below it. Pull requests without a value are left out, never counted as 0.'],
    ['People, bots', 'Bots are apps, logins ending in [bot], and the logins on the configured list.'],
  ];
  fill('definitions', [...own, ...content.definitions].flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]));
}
