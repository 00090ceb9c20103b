// The page's arithmetic, as that of the tables: percentiles of unrounded seconds, interpolated linearly between closest
// ranks, as hours rounded half up to 2 decimals.

const FEW = 5; // with fewer values no colour judges

function quantile(sorted, share) {
  if (!sorted.length) return null;
  const place = (sorted.length - 1) * share, low = Math.floor(place);
  const next = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (next - sorted[low]) * (place - low);
}

function roundedHours(seconds) {
  return seconds === null ? null : Math.floor(seconds / 36 + 0.5 + 1e-6) / 100;
}

// {n, median, p90} of seconds, in hours.
function figuresOf(seconds) {
  const sorted = Float64Array.from(seconds).sort();
  return { n: sorted.length, median: roundedHours(quantile(sorted, 0.5)), p90: roundedHours(quantile(sorted, 0.9)) };
}

const CLOCKS = {
  opened: {
    label: 'Since opened', words: 'from opening to the first review', target: () => content.targets.since_opened * 3600,
    value: row => rows.review[row], end: row => rows.reviewed_at[row], due: (row, target) => rows.created[row] + target,
    elapsed: row => content.as_of - rows.created[row],
  },
  ready: {
    label: 'Since ready', words: 'from ready for review to the first review since then', target: () => content.targets.since_ready * 3600,
    value: row => rows.pickup[row], end: row => rows.picked_up_at[row], due: (row, target) => rows.created[row] + rows.ready[row] + target,
    elapsed: row => content.as_of - rows.created[row] - rows.ready[row],
  },
  business: {
    label: 'Business hours', words: 'from opening to the first review, in business hours', target: () => content.targets.business * 3600,
    value: row => rows.business[row], end: row => rows.reviewed_at[row], due: (row, target) => workedUntil(worked(rows.created[row]) + target),
    elapsed: row => worked(content.as_of) - worked(rows.created[row]),
  },
};

function clock() {
  return CLOCKS[view.clock];
}

function within(moment, { lo, hi }) {
  return moment > lo && moment <= hi;
}

// Waits that ended in a period: rows and seconds, side by side.
function waitsIn(candidates, period) {
  const { value, end } = clock();
  const found = period ? candidates.filter(row => within(end(row), period)) : [];
  return { rows: found, seconds: found.map(value) };
}

// How many first reviews that were due in a period came in time. Closing ends the wait, so that what was closed unreviewed
// counts as not met.
function targetIn(candidates, period) {
  if (!period) return { due: [], met: [], missed: [] };
  const { value, due, target } = clock();
  const seconds = target();
  const found = candidates.filter(row => within(due(row, seconds), period));
  const isMet = row => value(row) <= seconds;
  return { due: found, met: found.filter(isMet), missed: found.filter(row => !isMet(row)) };
}

function mergeSeconds(row) {
  return rows.closed[row] - rows.ready[row];
}

function mergedIn(candidates, period) {
  return period ? candidates.filter(row => rows.state[row] === MERGED && within(rows.closed_at[row], period)) : [];
}

const isMergeTimed = row => rows.closed[row] >= rows.ready[row];

function has(row, flag) {
  return (rows.flags[row] & flag) !== 0;
}

const OPEN = 0, CLOSED = 1, MERGED = 2;

// Open work at the end of a day (days before now) or of each day, over the repositories in scope.
function openWork(places) {
  const days = new Map();
  rows.open_day.forEach((day, entry) => {
    if (!places.has(rows.open_repository[entry])) return;
    const sum = days.get(day) ?? { open: 0, draft: 0, waiting: 0 };
    sum.open += rows.open_open[entry];
    sum.draft += rows.open_draft[entry];
    sum.waiting += rows.open_waiting[entry];
    days.set(day, sum);
  });
  return days;
}

// Days before that of now on which a moment lies, by UTC.
function daysAgo(moment) {
  return Math.floor(content.as_of / DAY) - Math.floor(moment / DAY);
}

function grouped(candidates, key) {
  const groups = new Map();
  for (const row of candidates) {
    const name = key(row);
    if (name === null || Number.isNaN(name)) continue;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(row);
  }
  return groups;
}
