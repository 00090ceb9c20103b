// Formats numbers and times for people. Unknown is a dash, never 0.

const NONE = '–';
const plainNumber = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function count(value) {
  return value === null || value === undefined ? NONE : plainNumber.format(value);
}

function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// [number, unit], so that a card can set them apart.
function durationParts(hours) {
  if (hours === null || hours === undefined) return [NONE, ''];
  if (hours < 1) return [String(Math.round(hours * 60)), 'min'];
  if (hours < 48) return [String(Number(hours.toFixed(hours < 10 ? 1 : 0))), 'h'];
  const days = hours / 24;
  return [days < 10 ? String(Number(days.toFixed(1))) : plainNumber.format(days), 'days'];
}

function duration(hours) {
  return durationParts(hours).join('\u00a0').trim(); // number and unit stay on one line
}

// Seconds as the tables say them, in hours of two decimals.
function hoursOf(seconds) {
  return seconds === null || Number.isNaN(seconds) ? null : roundedHours(seconds);
}

// Hours by the clock that was chosen: a business day has no 24 of them, so that they are never called days.
function spellParts(hours) {
  if (view.clock !== 'business' || hours === null || hours < 48) return durationParts(hours);
  return [plainNumber.format(hours), 'h'];
}

function spell(hours) {
  return spellParts(hours).join('\u00a0').trim();
}

function exact(hours) {
  return hours === null ? NONE : `${hours.toFixed(2)}\u00a0h`;
}

function share(part, whole) {
  return whole ? part / whole : null;
}

function percent(fraction) {
  return fraction === null || fraction === undefined ? NONE : `${Math.round(fraction * 100)} %`;
}

function dateTime(text) {
  return text ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : 'never';
}

function zoneName(zone) {
  return zone.replaceAll('_', ' ');
}

function ago(text, now = Date.now()) {
  const hours = (now - Date.parse(text)) / 36e5;
  return hours < 0.1 ? 'just now' : `${duration(hours)} ago`;
}

function unpacked({ columns, rows }) {
  return rows.map(row => Object.fromEntries(columns.map((column, index) => [column, row[index]])));
}
