// What the data is, and what is wrong with it.

function published() {
  const { status } = content;
  fill('published', `Published ${dateTime(status.published_at)} (${ago(status.published_at)}), `
    + (status.newest_sync_at ? `last synced${status.is_sample_data ? '' : ' with GitHub'} ${ago(status.newest_sync_at)}.` : 'never synced with GitHub.')
    + (status.oldest_jira_sync_at ? ` Issues of Jira were last synced ${ago(status.oldest_jira_sync_at)}.` : '')
    + (status.newest_delivery_at ? ` The newest delivery of a webhook came ${ago(status.newest_delivery_at)}.` : ''));
}

const TROUBLES = { failed: 'failed', gone: 'gone from GitHub', forbidden: 'access denied', new: 'never synced', untracked: 'no longer tracked' };

function isTroubled(repository) {
  return repository.status !== 'untracked' && (repository.last_error !== null || ['failed', 'gone', 'forbidden'].includes(repository.status));
}

function problems() {
  const troubled = content.repositories.filter(isTroubled);
  const waiting = content.repositories.filter(repository => repository.status === 'new' && !isTroubled(repository));
  const untracked = content.repositories.filter(repository => repository.status === 'untracked');
  const notices = [];
  if (content.status.is_sample_data) {
    notices.push(element('p', { class: 'notice' }, element('strong', {}, 'Sample data.'),
      ' These are made-up repositories of the demo, not from GitHub. They go when the first real repository is synced.'));
  }
  if (troubled.length) {
    notices.push(element('div', { class: 'notice bad', role: 'alert' },
      element('strong', {}, `${plural(troubled.length, 'repository', 'repositories')} of ${count(content.repositories.length)} could not be synced; what they show is old or missing.`),
      element('ul', {}, troubled.slice(0, 5).map(repository => element('li', {}, foreign(repository.repository),
        ` (${TROUBLES[repository.status] ?? repository.status}): `, foreign(repository.last_error ?? 'no reason given'),
        ` Last synced: ${dateTime(repository.last_sync_at)}.`))),
      troubled.length > 5 ? element('button', { type: 'button', class: 'link', onclick: () => byId('data-title').scrollIntoView() }, `All ${count(troubled.length)} are listed below`) : null));
  }
  if (content.status.jira_projects_failed) {
    const { jira_projects_failed: failed, oldest_jira_sync_at: synced } = content.status;
    notices.push(element('p', { class: 'notice bad', role: 'alert' }, element('strong', {}, `${plural(failed, 'project')} of Jira could not be synced; what is said of issues is old or missing.`),
      synced ? ` The least recent sync that went well was at ${dateTime(synced)}.` : ' None has been synced yet.', ' “prpipeline status” says why.'));
  }
  if (waiting.length) {
    notices.push(element('p', { class: 'notice' }, `${plural(waiting.length, 'repository has', 'repositories have')} not been synced yet and ${waiting.length === 1 ? 'is' : 'are'} missing here.`));
  }
  if (untracked.length) {
    notices.push(element('p', { class: 'notice' }, `${plural(untracked.length, 'repository is', 'repositories are')} no longer tracked and ${untracked.length === 1 ? 'stays' : 'stay'} as last synced: `,
      untracked.slice(0, 5).flatMap((repository, place) => [place ? ', ' : '', foreign(repository.repository)]), untracked.length > 5 ? ' and others.' : '.'));
  }
  if (!content.repositories.length) {
    notices.push(element('p', { class: 'notice' }, 'No repository is tracked yet, so there is nothing to show.'));
  }
  fill('problems', notices);
}

function data() {
  const { status } = content;
  const held = content.repositories.reduce((sum, row) => sum + row.pull_requests, 0);
  fill('data-note', `${plural(content.repositories.length, 'repository', 'repositories')} with ${plural(held, 'pull request')}. Published by prpipeline ${status.version} with metric definitions of version ${status.metric_version}. `
    + `${status.oldest_sync_at ? `The least recent sync of a repository was ${dateTime(status.oldest_sync_at)}` : 'None has been synced yet'}. All times are UTC${content.zone === 'UTC' ? '' : `, but for the hours of “When it happens”, which are those of ${zoneName(content.zone)}`}.`
    + (content.horizon ? ` Cut, to keep the page small: ${plural(content.pull_requests, 'pull request')}, all that are open and all with a change since ${content.horizon.slice(0, 10)}, are in the page one by one. Before that there are weeks and the preset ranges, in sums.` : ''));
  if (!content.repositories.length) return;
  const worst = row => isTroubled(row) ? 0 : row.status === 'ok' ? 2 : 1;
  const rows = [...content.repositories].sort((one, other) => worst(one) - worst(other));
  fill('data', table([
    { label: 'Repository', value: row => row.repository, wide: true, show: row => [fullName(row.repository),
      row.tracked_as !== row.repository ? element('div', { class: 'muted small' }, 'tracked as ', foreign(row.tracked_as)) : null] },
    { label: 'Status', value: row => row.status, show: row => element('span', { class: `badge ${isTroubled(row) ? 'bad' : row.status === 'ok' ? 'good' : 'warn'}` }, row.status === 'ok' && isTroubled(row) ? 'failed' : TROUBLES[row.status] ?? row.status) },
    { label: 'Last synced', value: row => row.last_sync_at, show: row => dateTime(row.last_sync_at) },
    { label: 'Pull requests', value: row => row.pull_requests, number: true },
    { label: 'On GitHub', value: row => row.pull_requests_on_github, number: true },
    rows.some(isTroubled) ? { label: 'Why it failed', value: row => row.last_error, wide: true, show: row => row.last_error ? foreign(row.last_error) : '' } : null,
  ].filter(Boolean), rows, { caption: 'Repositories and their last syncs', most: 15 }));
}

function definitions() {
  const own = [
    ['Median, 90th percentile', 'Half of the values, nine in ten of the values, are at or below it. Pull requests without a value are left out, never counted as 0.'],
    ['n', 'How many values a number is made of. Nothing is coloured as better or worse where there are fewer than 5 on either side.'],
    ['Reviewed within the target', 'Of the pull requests whose first review was due in the range: the part that got it in time. Closing without a review ends the wait, and is not in time. The targets are those of the repositories file.'],
    ['Stages', 'Coding is the time from the first commit to the opening; waiting for review is ready and open without a review since it was ready; in review lasts up to the first approval.'],
    ['People, bots', 'Bots are apps, logins ending in [bot], and the logins on the configured list.'],
  ];
  fill('definitions', [...own, ...content.definitions].flatMap(([term, text]) => [element('dt', {}, term), element('dd', {}, text)]));
}
