// The pull requests, their reviews and the open work, as packing.py packed them: an array for each column, where NaN is unknown.

const UNKNOWN = -(2 ** 31);
const DAY = 86400;
const BOT = 1, DRAFT = 2, UNREVIEWED = 4, WAITING = 8;

async function inflated(text) {
  const packed = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function column(bytes, kind) {
  if (kind === 'texts') return new TextDecoder().decode(bytes).split('\n');
  const length = bytes.length / 4;
  const values = new Float64Array(length);
  for (let row = 0, last = 0; row < length; row++) {
    const value = bytes[row] | bytes[length + row] << 8 | bytes[2 * length + row] << 16 | bytes[3 * length + row] << 24;
    values[row] = kind === 'rising' ? last += value : value === UNKNOWN ? NaN : value;
  }
  return values;
}

async function unpackRows(parts, text) {
  const bytes = await inflated(text);
  const columns = {};
  let place = 0;
  for (const [name, kind, length, guess] of parts) {
    columns[name] = column(bytes.subarray(place, place + length), kind);
    if (guess) addGuess(columns, name, guess);
    place += length;
  }
  return columns;
}

// What is stored is what differs from a sum of other columns; where one of them is unknown, the sum is 0.
function addGuess(columns, name, guess) {
  const others = guess.map(one => [one[0] === '-' ? -1 : 1, columns[one.slice(1)]]);
  columns[name].forEach((value, row) => {
    const sum = others.reduce((total, [sign, values]) => total + sign * values[row], 0);
    if (!Number.isNaN(sum)) columns[name][row] = value + sum;
  });
}

// Adds what follows from the columns: moments in seconds since 1970, and who reviewed first.
function completed(columns, { as_of: now }) {
  const count = columns.age.length;
  columns.count = count;
  columns.created = columns.age.map(age => now - age);
  columns.closed_at = columns.closed.map((seconds, row) => columns.created[row] + seconds);
  columns.reviewed_at = columns.review.map((seconds, row) => columns.created[row] + seconds);
  columns.picked_up_at = columns.pickup.map((seconds, row) => columns.created[row] + columns.ready[row] + seconds);
  columns.business = columns.reviewed_at.map((moment, row) => worked(moment) - worked(columns.created[row]));
  columns.review_at = columns.review_after.map((seconds, review) => {
    const row = columns.review_of[review];
    return columns.created[row] + (columns.review[row] || 0) + seconds;
  });
  columns.first_reviewer = new Float64Array(count).fill(NaN);
  columns.review_kind.forEach((kind, row) => {
    if (kind & 8) columns.first_reviewer[columns.review_of[row]] = columns.reviewer[row];
  });
  return columns;
}

// Working seconds up to a moment, by the calendar; NaN where it is unknown.
const shifts = { starts: [], ends: [], before: [] };

function readCalendar(turns) {
  let moment = 0, before = 0;
  for (let place = 0; place < turns.length; place += 2) {
    shifts.starts.push(moment += turns[place]);
    shifts.ends.push(moment += turns[place + 1]);
    shifts.before.push(before);
    before += turns[place + 1];
  }
}

function worked(moment) {
  if (Number.isNaN(moment) || !shifts.starts.length) return NaN;
  const place = above(shifts.starts, moment) - 1;
  return place < 0 ? 0 : shifts.before[place] + Math.min(moment, shifts.ends[place]) - shifts.starts[place];
}

// The moment by which so many working seconds have passed; NaN beyond the calendar.
function workedUntil(seconds) {
  const place = above(shifts.before, seconds) - 1;
  const moment = place < 0 ? NaN : shifts.starts[place] + seconds - shifts.before[place];
  return moment <= shifts.ends[place] ? moment : NaN;
}

// How many of the sorted numbers are at or below one.
function above(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1; else high = middle;
  }
  return low;
}

// The clock of the report's time zone, as if it were UTC.
function local(moment) {
  const place = Math.max(0, above(content.offsets.map(([since]) => since), moment) - 1);
  return moment + (content.offsets[place]?.[1] ?? 0);
}
