// The longest waits for a first review: those that ended in the range, and those that go on; and why.

const REASONS = { draft: 'Draft', unasked: 'Nobody asked', silent: 'Asked and silent' };

function waitingSeconds(row) {
  return Number.isNaN(rows.waiting[row]) ? content.as_of - rows.created[row] : rows.waiting[row] * 36;
}

// What a wait that ended was made of, in seconds.
function partsOf(row) {
  const draft = rows.draft_wait[row] || 0, unasked = rows.unasked_wait[row] || 0;
  return { draft, unasked, silent: Math.max(0, rows.review[row] - draft - unasked) };
}

function mainReason(parts) {
  return Object.keys(REASONS).reduce((most, name) => parts[name] > parts[most] ? name : most);
}

function reason(row) {
  const parts = partsOf(row);
  const all = parts.draft + parts.unasked + parts.silent;
  const words = { draft: 'as a draft', unasked: 'ready, nobody asked', silent: 'asked, without an answer' };
  const shown = Object.keys(REASONS).filter(name => parts[name] > all / 50).sort((one, other) => parts[other] - parts[one]);
  return [element('span', { class: 'reason' }, REASONS[mainReason(parts)]),
    shown.length > 1 || mainReason(parts) !== shown[0] ? element('div', { class: 'muted small' }, shown.map(name => `${duration(parts[name] / 3600)} ${words[name]}`).join(', ')) : null];
}

function longestEnded() {
  const { rows: found } = waitsIn(here.people, here.now);
  const value = clock().value;
  const sorted = found.sort((one, other) => value(other) - value(one));
  fill('ended-note', `First reviews in ${rangeWords()} that came last, ${clock().words}, and what the wait was made of, by the clock.${cutWords()}`);
  if (!sorted.length) return fill('ended', empty('No pull request got a first review.'));
  return fill('ended', table([
    { label: 'Waited', value: row => value(row), show: row => spell(hoursOf(value(row))), number: true },
    { label: 'Pull request', value: row => rows.title[row], wide: true, show: described },
    { label: 'Why', wide: true, value: row => REASONS[mainReason(partsOf(row))], show: reason },
    { label: 'First reviewer', wrap: true, value: row => person(rows.first_reviewer[row]), show: row => foreign(person(rows.first_reviewer[row]) ?? NONE) },
  ], sorted.slice(0, 50), { caption: 'The longest waits that ended', most: 5, isList: true, sorted: [0, -1] }));
}

const QUEUES = {
  ready: { label: 'Ready', nothing: "None of people's pull requests is waiting.", has: row => has(row, WAITING) && !has(row, BOT) },
  drafts: { label: 'Drafts', nothing: 'No draft is without a review.', has: row => isUnreviewedDraft(row) && !has(row, BOT) },
  bots: { label: "Bots'", nothing: "None of bots' pull requests is waiting.", has: row => has(row, WAITING) && has(row, BOT) },
  all: { label: 'All', nothing: 'Nothing is waiting.', has: row => has(row, WAITING) || isUnreviewedDraft(row) },
};

function isUnreviewedDraft(row) {
  return rows.state[row] === OPEN && has(row, DRAFT) && Number.isNaN(rows.review[row]) && repositoryOf(row).status !== 'untracked';
}

function isLate(row) {
  return has(row, WAITING) && clock().elapsed(row) > clock().target();
}

function whyWaiting(row) {
  if (has(row, DRAFT)) return 'draft';
  return rows.requested[row] ? 'silent' : 'unasked';
}

function queue() {
  const mine = [...here.people, ...here.bots];
  const kind = QUEUES[view.queue] ? view.queue : 'ready';
  segments('queue-authors', Object.entries(QUEUES).map(([name, { label }]) => [name, `${label} ${count(mine.filter(QUEUES[name].has).length)}`]), kind, chosen => change({ queue: chosen }));
  const found = mine.filter(QUEUES[kind].has).sort((one, other) => waitingSeconds(other) - waitingSeconds(one));
  const late = found.filter(isLate).length;
  fill('queue-note', 'Open, ready, and without a review by another person, at the time of the publication whatever the range; hours in which it was open and ready. Drafts: since they were opened. '
    + (late ? `${count(late)} of these ${late === 1 ? 'is' : 'are'} past the target of ${targetWords()}.` : ''));
  if (!found.length) return fill('queue', empty(QUEUES[kind].nothing));
  return fill('queue', table([
    { label: 'Waiting', value: waitingSeconds, show: row => element('span', { class: `badge ${isLate(row) ? 'late' : ''}` }, duration(hoursOf(waitingSeconds(row)))), number: true },
    { label: 'Pull request', value: row => rows.title[row], wide: true, show: described },
    { label: 'Why', wrap: true, value: row => REASONS[whyWaiting(row)], show: row => element('span', { class: 'reason' }, REASONS[whyWaiting(row)]) },
    { label: 'Asked to review', wrap: true, value: row => content.requested[rows.requested[row]], show: row => rows.requested[row] ? foreign(content.requested[rows.requested[row]]) : element('span', { class: 'muted' }, 'nobody') },
    { label: 'Opened', value: row => rows.created[row], show: row => date(rows.created[row]) },
  ], found, { caption: 'Pull requests waiting for a first review', most: 10, isList: true, sorted: [0, -1] }));
}

function targetWords() {
  const hours = clock().target() / 3600;
  return `${count(hours)} ${view.clock === 'business' ? 'business ' : ''}hour${hours === 1 ? '' : 's'} ${view.clock === 'ready' ? 'since ready' : 'since opening'}`;
}

function cutWords() {
  return here.isCut ? ` Pull requests are here one by one only since ${content.horizon.slice(0, 10)}.` : '';
}
