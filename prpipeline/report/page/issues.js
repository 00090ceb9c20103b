// Issues of Jira: how much work names one, and where the time of an issue goes. Without Jira the section is not there.

const STEPS = [
  ['waiting', 'Created to started'], ['opening', 'Started to pull request opened'], ['reviewing', 'Opened to first review'],
  ['approving', 'First review to approval'], ['merging', 'Approval to merge'], ['ending', 'Merge to done'],
];

function linkedIn(found) {
  const linked = new Set(content.issues.linked);
  const named = found.filter(row => linked.has(row));
  return { n: found.length, named, without: found.filter(row => !linked.has(row)), share: share(named.length, found.length) };
}

function issues() {
  byId('issues-section').hidden = !content.issues;
  if (!content.issues) return;
  const now = linkedIn(openedIn()), merged = linkedIn(mergedIn(here.people, here.now));
  const before = here.before && linkedIn(here.people.filter(row => within(rows.created[row], here.before)));
  const mergedBefore = here.before && linkedIn(mergedIn(here.people, here.before));
  fill('issues-note', `Whether pull requests name an issue${content.issues.projects ? ` of ${content.issues.projects}` : ''} in their ${(content.issues.sources ?? 'title').replaceAll(', ', ' or ')}. Pull requests of people, ${rangeWords()}.${cutWords()}`);
  const button = (text, title, found) => found.length ? element('button', { type: 'button', class: 'link', onclick: () => openList(title, found) }, text) : text;
  fill('issues-links', table([
    { label: 'Pull requests', show: one => one.name },
    { label: 'n', show: one => count(one.n), number: true },
    { label: 'With an issue', show: one => button(count(one.named.length), `${one.name}, with an issue`, one.named), number: true },
    { label: 'Without', show: one => button(count(one.without.length), `${one.name}, without an issue`, one.without), number: true },
    { label: 'Share with', show: one => element('span', { class: one.n < FEW ? 'few' : null }, percent(one.share)), number: true },
    { label: 'Share before', show: one => one.before ? percent(one.before.share) : NONE, number: true },
  ], [{ name: 'Opened', before, ...now }, { name: 'Merged', before: mergedBefore, ...merged }], { caption: 'Pull requests with and without an issue', isCompact: true }));
  const mine = new Set(merged.named);
  const steps = content.issues.steps.rows.map(row => Object.fromEntries(content.issues.steps.columns.map((column, place) => [column, row[place]]))).filter(step => mine.has(step.row));
  fill('issues-steps', steps.length ? table([
    { label: 'Step of the issue', show: one => one.label },
    { label: 'Median', show: one => element('span', { class: one.n < FEW ? 'few' : null }, duration(one.median)), number: true },
    { label: 'n', show: one => button(count(one.n), one.label, one.rows), number: true },
    { label: '90th percentile', show: one => duration(one.p90), number: true },
  ], STEPS.map(([name, label]) => {
    const known = steps.filter(step => step[name] !== null);
    return { label, rows: [...new Set(known.map(step => step.row))], ...figuresOf(known.map(step => step[name] * 60)) };
  }), { caption: 'Steps of issues whose first pull request was merged', isCompact: true }) : empty('No pull request with an issue was merged in this time.'));
  const early = steps.filter(step => step.is_early), left = steps.filter(step => step.is_left);
  const rowsOf = found => [...new Set(found.map(step => step.row))];
  fill('issues-odd', steps.length ? [`Of ${plural(steps.length, 'issue')} whose first pull request was merged, `,
    button(plural(early.length, 'was', 'were'), 'Done before the merge', rowsOf(early)), ' done before the last merge, and ',
    button(plural(left.length, 'is', 'are'), 'Merged, and the issue is not done', rowsOf(left)), ' not done though nothing is open any more.'] : '');
}
