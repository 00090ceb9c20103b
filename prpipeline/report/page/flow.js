// Where the time goes, and how much work is open.

const STAGES = { coding: 'Coding', draft: 'Draft', waiting_for_review: 'Waiting for review', in_review: 'In review', approved: 'Approved' };

// Of those merged in a period: rows, seconds and share of each stage.
function stagesIn(period) {
  const found = mergedIn(here.people, period);
  const stages = Object.keys(STAGES).map(name => {
    const mine = found.filter(row => rows[name][row] > 0);
    const seconds = mine.map(row => rows[name][row]);
    return { name, rows: mine, total: seconds.reduce((sum, value) => sum + value, 0), ...figuresOf(seconds) };
  });
  const total = stages.reduce((sum, stage) => sum + stage.total, 0);
  return { n: found.length, total, stages };
}

function stages() {
  const times = [['In the range', stagesIn(here.now)], ['Before', here.before ? stagesIn(here.before) : null]].filter(([, found]) => found?.total);
  fill('stages-note', `The hours of the pull requests that were merged in ${rangeWords()}, from the first commit to the merge, by stage; below, the medians of those that were in the stage.${cutWords()}`);
  if (!times.length) {
    fill('stages-table');
    return showNothing('stages', 'Nothing was merged in this time.');
  }
  const names = Object.keys(STAGES);
  const shareOf = (found, place) => share(found.stages[place].total, found.total);
  const list = (time, place) => openList(`${STAGES[names[place]]}, ${times[time][0].toLowerCase()}`, times[time][1].stages[place].rows, { label: STAGES[names[place]], value: row => rows[names[place]][row] });
  show('stages', 60 + 62 * times.length, times.map(([name, found]) => `${name}: ${names.map((stage, place) => `${STAGES[stage]} ${percent(shareOf(found, place))}`).join(', ')}`).join('. '), {
    legend: legend(Object.values(STAGES), { itemGap: 10 }),
    grid: { left: 92, right: 12, top: isNarrow('stages') ? 52 : 30, bottom: 24 },
    tooltip: { ...tooltip('item', () => ['', []]), formatter: ({ dataIndex, seriesIndex }) => {
      const stage = times[dataIndex][1].stages[seriesIndex];
      return tip(`${STAGES[stage.name]}, ${times[dataIndex][0].toLowerCase()}`, [['Share of all hours', percent(shareOf(times[dataIndex][1], seriesIndex)), stage.name], ['Median', duration(stage.median)], [stage.n < FEW ? 'Pull requests, too few to judge' : 'Pull requests', `n = ${count(stage.n)}`]]);
    } },
    xAxis: valueAxis({ max: 1, interval: 0.25, minInterval: 0, axisLabel: { color: colour('muted'), formatter: percent } }),
    yAxis: categoryAxis(times.map(([name, found]) => `${name}\nn = ${count(found.n)}`), { inverse: true, axisLabel: { color: colour('ink'), interval: 0, lineHeight: 16 } }),
    series: names.map((name, place) => bars(STAGES[name], times.map(([, found]) => ({ value: shareOf(found, place), itemStyle: { opacity: found.n < FEW ? 0.4 : 1 } })), name,
      { stack: 'all', barWidth: 34, label: { show: true, color: colour('card'), formatter: ({ value }) => value >= 0.08 ? percent(value) : '' } })),
  }, null, { of: (time, series) => list(time, Object.values(STAGES).indexOf(series)) });
  const [now, before] = [times.find(([name]) => name === 'In the range')?.[1], times.find(([name]) => name === 'Before')?.[1]];
  const cell = (found, place) => element('span', { class: found && found.stages[place].n < FEW ? 'few' : null }, duration(found?.stages[place].median));
  const amount = (found, time, place) => found?.stages[place].n ? element('button', { type: 'button', class: 'link', onclick: () => list(times.findIndex(([name]) => name === time), place) }, count(found.stages[place].n)) : '0';
  fill('stages-table', table([
    { label: 'Stage', show: place => STAGES[names[place]] },
    { label: 'Share', show: place => percent(now ? shareOf(now, place) : null), number: true },
    { label: 'Median', show: place => cell(now, place), number: true },
    { label: 'n', show: place => amount(now, 'In the range', place), number: true },
    { label: 'Share before', show: place => percent(before ? shareOf(before, place) : null), number: true },
    { label: 'Median before', show: place => cell(before, place), number: true },
    { label: 'n before', show: place => amount(before, 'Before', place), number: true },
  ], [...names.keys()], { caption: 'Stages of merged pull requests', isCompact: true }));
}

function openDays() {
  const work = openWork(here.scope.places);
  const first = Math.min(daysAgo(period().lo + 1), content.open_days - 1);
  const days = [];
  for (let ago = first; ago >= Math.max(0, daysAgo(period().hi)); ago--) days.push(ago);
  const some = days.filter(ago => work.has(ago));
  fill('work-note', `Pull requests of people that were open at the end of each day (UTC). A click lists them, also those that were closed for a while and reopened.${daysAgo(period().lo + 1) > first ? ` Day by day for the last ${plural(content.open_days, 'day')} only.` : ''}`);
  if (!some.length) return showNothing('work', 'No open work is known in this time.');
  const moment = ago => (Math.floor(content.as_of / DAY) - ago) * DAY;
  const parts = [['Ready, reviewed', 'people', day => day.open - day.draft - day.waiting], ['Waiting for review', 'waiting', day => day.waiting], ['Draft', 'none', day => day.draft]];
  const nothing = { open: 0, draft: 0, waiting: 0 };
  const of = ago => work.get(ago) ?? nothing;
  const open = ago => {
    const end = moment(ago) + DAY;
    openList(`Open at the end of ${date(moment(ago))}`, here.people.filter(row => rows.created[row] < end && !(rows.closed_at[row] < end)),
      { label: 'Open for', value: row => Math.min(end, content.as_of) - rows.created[row] });
  };
  const last = of(some[some.length - 1]), begin = of(some[0]);
  return show('work', 260, `Open pull requests by day: ${count(begin.open)} at first, ${count(last.open)} at last, of which ${count(last.waiting)} wait for a review.`, {
    legend: legend(parts.map(([name]) => name)),
    grid: { left: 40, right: 12, top: 34, bottom: 24 },
    tooltip: tooltip('axis', place => [`End of ${date(moment(days[place]))}`, [['Open', count(of(days[place]).open)], ...parts.map(([name, shade, value]) => [name, count(value(of(days[place]))), shade])]]),
    xAxis: categoryAxis(days.map(ago => labelOf(moment(ago), false, days.length > 365)), { boundaryGap: false }),
    yAxis: valueAxis(),
    series: parts.map(([name, shade, value]) => ({ type: 'line', step: 'end', name, stack: 'all', showSymbol: days.length === 1, lineStyle: { width: 1 }, itemStyle: { color: colour(shade) }, areaStyle: { opacity: 0.45 }, data: days.map(ago => value(of(ago))) })),
  }, () => table([
    { label: 'Day', value: ago => date(moment(ago)) },
    { label: 'Open', value: ago => of(ago).open, show: ago => element('button', { type: 'button', class: 'link', onclick: () => open(ago) }, count(of(ago).open)), number: true },
    { label: 'Waiting for review', value: ago => of(ago).waiting, number: true },
    { label: 'Draft', value: ago => of(ago).draft, number: true },
  ], [...days].reverse(), { caption: 'Open pull requests by day', most: 60 }), { at: place => open(days[place]) });
}
