// The time to first review by the week in which the pull requests were opened, as in review_time_weekly; by month in long ranges.

const WEEK = 7 * DAY;
const MONDAY = 4 * DAY; // 1970-01-05
const MOST_WEEKS = 110;

function weekOf(moment) {
  return Math.floor((moment - MONDAY) / WEEK) * WEEK + MONDAY;
}

function monthOf(moment) {
  const day = new Date(moment * 1000);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1) / 1000;
}

// The beginnings of the weeks or months of the range and the period before, whole ones; first: the place of the range's first.
function buckets() {
  const asked = period();
  const oldest = Math.min(earliest(), here.old || content.older ? Date.parse(`${content.older?.first_week ?? '9999-01-01'}T00:00:00Z`) / 1000 : Infinity);
  const lo = Math.max(here.before ? here.before.lo : asked.lo, oldest - 1) + 1;
  const isMonthly = (asked.hi - lo) / WEEK > MOST_WEEKS;
  const start = isMonthly ? monthOf : weekOf;
  const starts = [];
  for (let moment = start(lo); moment <= asked.hi; moment = isMonthly ? monthOf(moment + 32 * DAY) : moment + WEEK) starts.push(moment);
  const first = Math.max(0, starts.findIndex((moment, place) => (starts[place + 1] ?? Infinity) > asked.lo + 1));
  return { starts, start, isMonthly, first };
}

function labelOf(moment, isMonthly, isLong) {
  return new Date(moment * 1000).toLocaleDateString('en', isMonthly ? { month: 'short', year: 'numeric', timeZone: 'UTC' }
    : { day: 'numeric', month: 'short', timeZone: 'UTC', ...(isLong ? { year: '2-digit' } : {}) });
}

function bucketName(moment, isMonthly) {
  return `${isMonthly ? 'Month' : 'Week'} of ${date(moment)}`;
}

function byBucket(candidates, { starts, start }, moment) {
  const places = new Map(starts.map((begin, place) => [begin, place]));
  const found = starts.map(() => []);
  for (const one of candidates) found[places.get(start(moment(one)))]?.push(one);
  return found;
}

// Weeks that begin before the rows do, from the sums.
function oldWeeks({ starts, isMonthly }) {
  const weeks = new Map();
  if (!content.older || isMonthly || view.clock !== 'opened') return weeks;
  const first = Date.parse(`${content.older.first_week}T00:00:00Z`) / 1000;
  for (const [week, opened, reviewed, median, p90] of content.older.weeks[here.scope.old] ?? []) {
    const moment = first + week * WEEK;
    if (moment <= horizon()) weeks.set(starts.indexOf(moment), { opened, reviewed, median: roundedHours(median), p90: roundedHours(p90) });
  }
  return weeks;
}

function trend() {
  const shape = buckets();
  const { starts, isMonthly, first } = shape;
  const found = byBucket(here.people, shape, row => rows.created[row]);
  const value = clock().value;
  const isTimed = row => !Number.isNaN(value(row));
  const old = oldWeeks(shape);
  const points = found.map((mine, place) => {
    const timed = mine.filter(isTimed), waiting = mine.filter(row => has(row, WAITING));
    const own = { ...figuresOf(timed.map(value)), rows: mine, opened: mine.length, reviewed: timed.length, waiting: waiting.length };
    const sums = old.get(place);
    return sums ? { ...own, ...sums, n: sums.reviewed, rows: [], waiting: 0 } : starts[place] < horizon() ? { n: 0, median: null, p90: null, rows: [], opened: 0, reviewed: 0, waiting: 0 } : own;
  });
  const labels = starts.map(moment => labelOf(moment, isMonthly, starts.length > 52));
  fill('trend-note', `Median and 90th percentile ${clock().words}, by the ${isMonthly ? 'month' : 'week'} in which people opened the pull requests; below, how many. Hollow and faint: fewer than ${FEW} reviewed. A click lists them.${view.clock === 'opened' && !isMonthly ? '' : cutWords()}`);
  if (!points.some(point => point.opened)) return showNothing('trend', 'No pull requests were opened in this time.');
  const open = place => openList(`${bucketName(starts[place], isMonthly)}: opened`, points[place].rows);
  const series = (name, shade, width) => ({
    type: 'line', name: shade === 'median' ? 'Median' : '90th percentile', itemStyle: { color: colour(shade) }, lineStyle: { width },
    symbol: 'circle', showSymbol: true, symbolSize: starts.length > 52 ? 4 : 7, areaStyle: { opacity: shade === 'median' ? 0.12 : 0.07 },
    data: points.map(point => point.n && point.n < FEW ? { value: point[name], symbol: 'emptyCircle', itemStyle: { opacity: 0.45 } } : point[name]),
  });
  const areas = [];
  if (first > 0) areas.push([{ name: 'before', xAxis: 0 }, { xAxis: first - 1 }]);
  if (points.length > 2 && period().hi >= content.as_of) areas.push([{ name: 'may still change', xAxis: points.length - (isMonthly ? 1 : 2) }, { xAxis: points.length - 1 }]);
  const known = points.filter(point => point.median !== null).map(point => point.median);
  const names = ['Reviewed', 'Still waiting', 'Never reviewed or draft'];
  const ended = point => point.opened - point.reviewed - point.waiting;
  const counts = [point => point.reviewed, point => point.waiting, ended];
  const shorter = document.documentElement.classList.contains('printing') ? 75 : 0; // so that it fits below the lists
  return show('trend', 380 - shorter, `Median and 90th percentile ${clock().words}, ${plural(starts.length, isMonthly ? 'month' : 'week')}. `
    + (known.length ? `The medians lie between ${spell(Math.min(...known))} and ${spell(Math.max(...known))}.` : 'No reviews yet.'), {
    legend: isNarrow('trend')
      ? [legend(['Median', '90th percentile']), legend(names, { top: 250 - shorter, itemGap: 10, formatter: name => name.replace('reviewed or ', 'or ') })]
      : legend(['Median', '90th percentile', ...names]),
    grid: [{ left: 50, right: 12, top: 38, height: 205 - shorter }, { left: 50, right: 12, top: 275 - shorter, height: 70 }],
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    tooltip: tooltip('axis', place => [bucketName(starts[place], isMonthly), [
      ['Median', spell(points[place].median), 'median'], ['90th percentile', spell(points[place].p90), 'p90'],
      [`Reviewed${points[place].n < FEW ? ', too few to judge' : ''}`, `n = ${count(points[place].reviewed)}`, 'people'], ['Still waiting', count(points[place].waiting), 'waiting'],
      ['Never reviewed or draft', count(ended(points[place])), 'none']]]),
    xAxis: [categoryAxis(labels, { axisLabel: { show: false } }), categoryAxis(labels, { gridIndex: 1 })],
    yAxis: [hoursAxis(points.flatMap(point => [point.median, point.p90])), valueAxis({ gridIndex: 1, splitNumber: 2 })],
    series: [
      series('p90', 'p90', 1.5),
      { ...series('median', 'median', 2.5), markArea: { silent: true, itemStyle: { color: colour('muted'), opacity: 0.1 },
        label: { color: colour('muted'), position: 'insideTop', distance: 6, fontSize: 11 }, data: areas } },
      ...names.map((name, place) => bars(name, points.map(counts[place]), ['people', 'waiting', 'none'][place], { stack: 'all', xAxisIndex: 1, yAxisIndex: 1 })),
    ],
  }, () => table([
    { label: isMonthly ? 'Month of' : 'Week of', value: place => date(starts[place]) },
    { label: 'Median', value: place => points[place].median, show: place => exact(points[place].median), number: true },
    { label: '90th percentile', value: place => points[place].p90, show: place => exact(points[place].p90), number: true },
    { label: 'Opened', value: place => points[place].opened, show: place => points[place].rows.length ? counted(points[place].rows, `${bucketName(starts[place], isMonthly)}: opened`) : count(points[place].opened), number: true },
    { label: 'Reviewed', value: place => points[place].reviewed, number: true },
    { label: 'Still waiting', value: place => points[place].waiting, number: true },
  ], [...starts.keys()].reverse(), { caption: 'Time to first review', most: 60 }), { at: place => points[place].rows.length && open(place) });
}
