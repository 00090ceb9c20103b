-- pull_request_issues: one row per key of an issue in the title, the branch or the body of a pull request, once for each of the three.
--
-- Keys are those of selected projects, present and former ones, as pull_request_keys reads them: a project selected later links old
-- pull requests, too. issue_key is the key as it stands there, in upper case; issue_id the issue that has or had it, moved or gone though it be,
-- and NULL where none is known, as of one that is hidden. position counts the keys of a source from 1, each where it first stands. is_primary: the
-- first of the title, or else of the branch, or else of the body. Bodies are looked at only where the setting says so; those of bots
-- are not, for they quote other people's texts. Of a body the words are stored that may be keys: in a text of these the same keys stand.
CREATE TABLE IF NOT EXISTS metrics.pull_request_issues (
    repository      VARCHAR,
    number          BIGINT,
    issue_key       VARCHAR,
    issue_id        BIGINT,
    source          VARCHAR,
    position        BIGINT,
    is_primary      BOOLEAN,
    is_bot_author   BOOLEAN,
    pull_request_id BIGINT,
    repository_id   BIGINT
);

DELETE FROM metrics.pull_request_issues;

INSERT INTO metrics.pull_request_issues BY NAME
WITH texts AS (
    SELECT repository_id, pull_request_id, number, 'title' AS source,
        regexp_extract_all(title, metrics.key_pattern($jira_prefixes), 1) AS keys
    FROM raw.pull_requests
    WHERE len($jira_prefixes) > 0 AND list_contains($links_from, 'title')
    UNION ALL
    SELECT repository_id, pull_request_id, number, 'branch',
        regexp_extract_all(head_ref, metrics.key_pattern($jira_prefixes), 1, 'i')
    FROM raw.pull_requests
    WHERE len($jira_prefixes) > 0 AND list_contains($links_from, 'branch')
    UNION ALL
    SELECT pull_request.repository_id, pull_request.pull_request_id, pull_request.number, 'body',
        regexp_extract_all(string_agg(key, ' ' ORDER BY position), metrics.key_pattern($jira_prefixes), 1)
    FROM raw.pull_request_body_keys AS word
    JOIN raw.pull_requests AS pull_request
        ON pull_request.repository_id = word.repository_id AND pull_request.pull_request_id = word.pull_request_id
    WHERE len($jira_prefixes) > 0 AND list_contains($links_from, 'body') AND has_body_keys
    GROUP BY pull_request.repository_id, pull_request.pull_request_id, pull_request.number
),
listed AS (
    SELECT repository_id, pull_request_id, number, source, upper(unnest(keys)) AS issue_key,
        generate_subscripts(keys, 1) AS place
    FROM texts
    WHERE len(keys) > 0
),
placed AS (
    SELECT repository_id, pull_request_id, number, source, issue_key, min(place) AS place
    FROM listed
    WHERE metrics.is_key(issue_key)
    GROUP BY ALL
),
selected AS (
    SELECT project_id, unnest(list_concat([project_key, entry], coalesce(former_keys, []))) AS prefix
    FROM meta.jira_projects
    WHERE is_tracked
),
linked AS (
    SELECT placed.*, issue_id
    FROM placed
    LEFT JOIN raw.jira_keys USING (issue_key)
    LEFT JOIN raw.jira_issues AS issue USING (issue_id)
    WHERE regexp_replace(placed.issue_key, '-[0-9]+$', '') IN (SELECT prefix FROM selected WHERE prefix IS NOT NULL)
       OR issue.project_id IN (SELECT project_id FROM selected WHERE project_id IS NOT NULL)
)
SELECT
    repository_names.repository,
    linked.number,
    issue_key,
    issue_id,
    source,
    row_number() OVER (PARTITION BY linked.repository_id, linked.pull_request_id, source ORDER BY place) AS position,
    row_number() OVER (PARTITION BY linked.repository_id, linked.pull_request_id ORDER BY source DESC, place) = 1 AS is_primary,
    is_bot_author,
    linked.pull_request_id,
    linked.repository_id
FROM linked
LEFT JOIN metrics.pull_request_times AS times
    ON times.repository_id = linked.repository_id AND times.pull_request_id = linked.pull_request_id
LEFT JOIN metrics.repository_names ON repository_names.repository_id = linked.repository_id
WHERE source <> 'body' OR NOT coalesce(is_bot_author, false);
