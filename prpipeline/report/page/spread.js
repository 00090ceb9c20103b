// How long those opened in the range waited, by size of the change, and by weekday and hour.

const LIMITS = [[1, '< 1 h'], [4, '1–4 h'], [8, '4–8 h'], [24, '8–24 h'], [48, '1–2 d'], [96, '2–4 d'], [168, '4–7 d'], [336, '1–2 w'], [Infinity, '> 2 w']];
const UNTIMED = [['waiting', 'Waiting for a first review', 'waiting'], ['never', 'Merged or closed without a review', 'none'], ['draft', 'Open as a draft', 'none']];

function openedIn() {
  return here.people.filter(row => within(rows.created[row], here.now));
}

function distribution() {
  const value = clock().value;
  const groups = [...LIMITS, ...UNTIMED].map(() => []);
  const seconds = [];
  for (const row of openedIn()) {
    const hours = value(row) / 3600;
    let place;
    if (!Number.isNaN(hours)) {
      place = LIMITS.findIndex(([limit]) => hours < limit);
      seconds.push(value(row));
    } else if (has(row, WAITING)) place = LIMITS.length;
    else if (rows.state[row] !== OPEN) place = LIMITS.length + 1;
    else if (has(row, DRAFT)) place = LIMITS.length + 2;
    else continue; // reviewed as a draft only, or in a repository that is no longer tracked
    groups[place].push(row);
  }
  const labels = [...LIMITS.map(([, label]) => label), ...UNTIMED.map(([label]) => label)];
  const names = [...LIMITS.map(([, label]) => `First review after ${label}`), ...UNTIMED.map(([, name]) => name)];
  const shades = [...LIMITS.map(() => 'median'), ...UNTIMED.map(([, , shade]) => shade)];
  const all = groups.reduce((sum, group) => sum + group.length, 0);
  const { n, median, p90 } = figuresOf(seconds);
  fill('distribution-note', `${plural(all, 'pull request')} that people opened in ${rangeWords()}${n ? `: median ${spell(median)}, 90th percentile ${spell(p90)}, n = ${count(n)}` : ''}.${cutWords()}`);
  if (!all) return showNothing('distribution', 'People opened no pull requests in this time.');
  const isSlanted = byId('distribution').clientWidth < 400; // on a phone, so that each bar keeps its name
  return show('distribution', 290, `Time to first review of ${plural(all, 'pull request')}: ${labels.map((label, place) => `${label}: ${groups[place].length}`).join(', ')}.`, {
    grid: { left: 34, right: 4, top: 24, bottom: isSlanted ? 50 : 26 },
    tooltip: tooltip('axis', place => [names[place], [[plural(groups[place].length, 'pull request'), percent(groups[place].length / all)]]]),
    xAxis: categoryAxis(labels, { axisLabel: { color: colour('muted'), interval: 0, fontSize: 10.5, rotate: isSlanted ? 60 : 0 } }),
    yAxis: valueAxis(),
    series: [bars('Pull requests', groups.map((group, place) => ({ value: group.length, itemStyle: { color: colour(shades[place]), borderRadius: [3, 3, 0, 0] } })), 'median',
      { barCategoryGap: '18%', label: { show: true, position: 'top', color: colour('ink'), formatter: ({ value: shown }) => shown || '' } })],
  }, () => table([
    { label: 'First review after', value: place => names[place].replace('First review after ', '') },
    { label: 'Pull requests', value: place => groups[place].length, show: place => counted(groups[place], names[place]), number: true },
    { label: 'Share', show: place => percent(groups[place].length / all), number: true },
  ], [...groups.keys()], { caption: 'Distribution of the time to first review' }), { at: place => openList(names[place], groups[place]) });
}

function sizes() {
  const value = clock().value;
  const groups = grouped(waitsIn(here.people, here.now).rows, row => rows.size[row]);
  const found = content.sizes.map((name, size) => ({ name, rows: groups.get(size) ?? [], ...figuresOf((groups.get(size) ?? []).map(value)) }));
  const all = found.reduce((sum, one) => sum + one.n, 0);
  fill('sizes-note', `Median and 90th percentile ${clock().words}, by lines added and deleted (size_class); first reviews in ${rangeWords()}.${cutWords()}`);
  if (!all) return showNothing('sizes', 'Nothing of a known size was reviewed in this time.');
  const faint = (one, name) => ({ value: one[name], itemStyle: { opacity: one.n < FEW ? 0.35 : 1 } });
  return show('sizes', 290, `Median ${clock().words} by size: ${found.map(one => `${one.name}: ${spell(one.median)}, n = ${one.n}`).join('; ')}.`, {
    legend: legend(['Median', '90th percentile']),
    grid: { left: 50, right: 4, top: 34, bottom: 40 },
    tooltip: tooltip('axis', size => [`Size ${found[size].name}`, [['Median', spell(found[size].median), 'median'], ['90th percentile', spell(found[size].p90), 'p90'], [found[size].n < FEW ? 'Reviewed, too few to judge' : 'Reviewed', `n = ${count(found[size].n)}`]]]),
    xAxis: categoryAxis(found.map(one => `${one.name}\nn = ${count(one.n)}`), { axisLabel: { color: colour('muted'), interval: 0, lineHeight: 15 } }),
    yAxis: hoursAxis(found.flatMap(one => [one.median, one.p90])),
    series: [bars('Median', found.map(one => faint(one, 'median')), 'median'), bars('90th percentile', found.map(one => faint(one, 'p90')), 'p90')],
  }, () => table([
    { label: 'Size', show: one => one.name },
    { label: 'Median', value: one => one.median, show: one => spell(one.median), number: true },
    { label: '90th percentile', value: one => one.p90, show: one => spell(one.p90), number: true },
    { label: 'n', value: one => one.n, show: one => counted(one.rows, `Size ${one.name}`), number: true },
  ], found, { caption: 'Time to first review by size' }), { at: size => openList(`Size ${found[size].name}`, found[size].rows) });
}

const MEASURES = {
  wait: { label: 'Wait', caption: 'Median time to first review by weekday and hour of opening', measure: slot => slot.median, display: spell, scale: Math.log1p },
  opened: { label: 'Opened', caption: 'Pull requests opened by weekday and hour', measure: slot => slot.opened.length || null, display: count, scale: value => value },
  reviews: { label: 'Reviews', caption: 'Reviews by weekday and hour', measure: slot => slot.reviews || null, display: count, scale: value => value },
};

// Weekday (0 is Monday) * 24 + hour, by the clock of the report's time zone.
function slotOf(moment) {
  const shown = local(moment);
  return (Math.floor(shown / DAY) + 3) % 7 * 24 + Math.floor(shown % DAY / 3600);
}

function heat() {
  const value = clock().value;
  const slots = new Map();
  const slot = moment => {
    const place = slotOf(moment);
    if (!slots.has(place)) slots.set(place, { opened: [], reviews: 0, n: 0, median: null });
    return slots.get(place);
  };
  for (const row of openedIn()) slot(rows.created[row]).opened.push(row);
  for (const review of here.reviews) {
    if (!(rows.review_kind[review] & 4) && within(rows.review_at[review], here.now)) slot(rows.review_at[review]).reviews += 1;
  }
  for (const one of slots.values()) Object.assign(one, figuresOf(one.opened.map(value).filter(seconds => !Number.isNaN(seconds))));
  fill('heat-note', `Weekday and hour in ${zoneName(content.zone)}, ${rangeWords()}, people only. A long range shows more; cells of fewer than ${FEW} are faded.${cutWords()}`);
  const kind = MEASURES[view.heat] ? view.heat : 'wait';
  segments('heat-measure', Object.entries(MEASURES).map(([key, { label }]) => [key, label]), kind, chosen => change({ heat: chosen }));
  const measure = MEASURES[kind];
  fill('heat', heatMap(slots, { ...measure, caption: `${measure.caption}, ${zoneName(content.zone)}`,
    isFaded: one => kind === 'wait' && one.n < FEW,
    open: (one, name) => openList(`Opened on ${name}`, one.opened),
    describe: one => [['Median wait of those opened then', spell(one.median)], ['of', `n = ${count(one.n)}`], ['Pull requests opened', count(one.opened.length)], ['Reviews submitted', count(one.reviews)]] }));
}
