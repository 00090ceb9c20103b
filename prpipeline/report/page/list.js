// The pull requests behind a bar, a point or a cell.

const LISTED = 100;

function address(row) {
  const own = content.own_addresses[row];
  if (own !== undefined) return own;
  const folder = content.addresses[rows.repository[row]];
  return folder ? folder + rows.number[row] : null;
}

function repositoryOf(row) {
  return places[rows.repository[row]];
}

function titled(row) {
  const text = rows.title[row] ? foreign(rows.title[row]) : foreign(`${repositoryOf(row).repository}#${rows.number[row]}`);
  const url = address(row);
  return url ? element('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, text) : text;
}

// The title, and below it where it is and whose.
function described(row) {
  return [titled(row), element('div', { class: 'muted small' }, fullName(`${repositoryOf(row).repository}#${rows.number[row]}`), ' · ', login(person(rows.author[row]), has(row, BOT)))];
}

function person(number) {
  return Number.isNaN(number) ? null : content.people[number] ?? 'deleted account';
}

function known(seconds) {
  return Number.isNaN(seconds) || seconds === null || seconds === undefined ? null : seconds;
}

function listColumns(extra) {
  const wait = row => known(clock().value(row));
  return [
    extra ?? { label: 'Waited', value: wait, show: row => spell(hoursOf(wait(row))), number: true },
    { label: 'Pull request', value: row => rows.title[row], wide: true, show: described },
    { label: 'First reviewer', wrap: true, value: row => person(rows.first_reviewer[row]), show: row => { const name = person(rows.first_reviewer[row]); return name ? foreign(name) : NONE; } },
    { label: 'Opened', value: row => rows.created[row], show: row => date(rows.created[row]) },
    { label: 'State', value: row => stateName(row) },
  ];
}

function stateName(row) {
  return rows.state[row] === MERGED ? 'merged' : rows.state[row] === CLOSED ? 'closed' : has(row, DRAFT) ? 'draft' : 'open';
}

// extra: {label, value in seconds} in place of the wait.
function openList(title, found, extra = null) {
  const dialog = byId('list');
  const column = extra && { label: extra.label, value: extra.value, show: row => duration(hoursOf(known(extra.value(row)))), number: true };
  const value = extra?.value ?? clock().value;
  const sorted = [...found].sort((one, other) => compare(known(value(one)), known(value(other)), -1));
  fill('list-title', title);
  fill('list-note', plural(sorted.length, 'pull request') + (sorted.some(row => !rows.title[row]) ? '; older ones are named by their number.' : '.'));
  fill('list-table', sorted.length ? table(listColumns(column), sorted, { caption: title, most: LISTED, isList: true, sorted: [0, -1] }) : empty('None.'));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTo({ top: 0 });
}

// A number that opens the list of what it counts.
function counted(found, title, extra) {
  return found.length ? element('button', { type: 'button', class: 'link', onclick: () => openList(title, found, extra) }, count(found.length)) : '0';
}
