// Tables that people can sort, and the heat map, which is a table with colours.

// Columns: {label, value: row => sort key, show: row => content, number: align right, wrap, wide: may break lines, wide-only: not on paper}.
function table(columns, rows, { caption, most = Infinity, sorted = null, isCompact = false, isList = false } = {}) {
  const body = element('tbody');
  const heads = columns.map((column, index) => element('th', { scope: 'col', class: classOf(column) },
    column.value && rows.length > 1
      ? element('button', { type: 'button', onclick: () => sortBy(index) }, column.label) : column.label));
  const box = element('div', {}, element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption },
    element('table', { class: isCompact ? 'compact' : isList ? 'listed' : null }, element('caption', { class: 'hidden' }, caption), element('thead', {}, element('tr', {}, heads)), body)));
  let order = sorted, shown = rows, limit = most;

  function draw() {
    body.replaceChildren(...shown.slice(0, limit).map(row => element('tr', {}, columns.map((column, index) =>
      element(index ? 'td' : 'th', { scope: index ? null : 'row', 'data-label': column.label, class: classOf(column) },
        column.show ? column.show(row) : cell(column.value(row)))))));
    heads.forEach((head, index) => order && order[0] === index
      ? head.setAttribute('aria-sort', order[1] > 0 ? 'ascending' : 'descending') : head.removeAttribute('aria-sort'));
  }

  function sortBy(index) {
    const column = columns[index];
    const way = order && order[0] === index ? -order[1] : column.number ? -1 : 1;
    order = [index, way];
    shown = [...rows].sort((one, other) => compare(column.value(one), column.value(other), way));
    draw();
  }

  draw();
  if (rows.length > most) {
    const note = element('p', { class: 'paper muted small' }, `The first ${count(most)} of ${count(rows.length)}.`);
    const button = element('button', { type: 'button', class: 'more', onclick: () => { limit = Infinity; draw(); button.remove(); note.remove(); tellScrolling(); } },
      `Show all ${count(rows.length)}`);
    box.append(button, note);
  }
  return box;
}

function classOf(column) {
  return ['number', 'wrap', 'wide', 'wide-only'].filter(kind => column[kind]).join(' ') || null;
}

// Unknown values come last in both directions.
function compare(one, other, way) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  return way * (typeof one === 'string' ? one.localeCompare(other, 'en', { numeric: true }) : one - other);
}

function cell(value) {
  return value === null || value === undefined ? NONE : typeof value === 'number' ? count(value) : foreign(value);
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

// Slots by number (weekday * 24 + hour); measure: slot => number or null; describe: slot => rows of a tip; open: a click.
function heatMap(slots, { caption, measure, display, scale, describe, isFaded, open }) {
  const known = [...slots.values()].map(measure).filter(value => value !== null);
  if (!known.length) return empty('Nothing in this period.');
  const low = scale(Math.min(...known)), high = scale(Math.max(...known));
  const hours = [...Array(24).keys()];
  const rows = WEEKDAYS.map((weekday, day) => element('tr', {}, element('th', { scope: 'row', 'aria-label': weekday }, DAYS[day]),
    hours.map(hour => {
      const slot = slots.get(day * 24 + hour);
      const value = slot ? measure(slot) : null;
      if (value === null) return element('td');
      const name = `${weekday} ${String(hour).padStart(2, '0')}:00–${String(hour).padStart(2, '0')}:59`;
      const td = element('td', { class: isFaded(slot) ? 'filled faint' : 'filled', onclick: () => open(slot, name) }, element('span', { class: 'hidden' }, display(value)));
      td.style.setProperty('--share', high > low ? ((scale(value) - low) / (high - low)).toFixed(3) : '0.5');
      hintOn(td, () => tip(name, describe(slot)));
      return td;
    })));
  return element('div', {}, element('div', { class: 'scroll' }, element('table', { class: 'heat' },
    element('caption', { class: 'hidden' }, caption),
    element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, element('span', { class: 'hidden' }, 'Weekday')),
      hours.map(hour => element('th', { scope: 'col', 'aria-label': `${hour}:00` }, hour % 6 ? '' : String(hour).padStart(2, '0'))))),
    element('tbody', {}, rows))),
  element('div', { class: 'scale', 'aria-hidden': 'true' }, display(Math.min(...known)), high > low ? [element('i'), display(Math.max(...known))] : null));
}

function hintOn(target, make) {
  const hint = byId('hint');
  target.addEventListener('pointerenter', () => {
    hint.replaceChildren(...make().childNodes);
    hint.hidden = false;
    const place = target.getBoundingClientRect(), size = hint.getBoundingClientRect();
    hint.style.left = `${Math.max(8, Math.min(place.left, innerWidth - size.width - 8))}px`;
    hint.style.top = `${place.top > size.height + 12 ? place.top - size.height - 6 : place.bottom + 6}px`;
  });
  target.addEventListener('pointerleave', () => { hint.hidden = true; });
}
