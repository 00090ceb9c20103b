-- issue_links_weekly: one row per repository and ISO week (UTC) in which pull requests were opened, with how many name an issue.
--
-- A pull request names an issue where pull_request_issues has any key of it. n_unresolved are those that name only keys of which no issue is
-- known. merged_lines are the lines added and deleted by what was merged. Pull requests of people are counted, those of bots in the
-- columns that say so; with the setting exclude_bots off bots are people. projects and sources are what is linked now: the
-- selected projects, and where keys are looked for. Without a selected project there are no rows.
CREATE TABLE IF NOT EXISTS metrics.issue_links_weekly (
    repository                 VARCHAR,
    week                       DATE,
    n                          BIGINT,
    n_without_issue            BIGINT,
    share_without_issue        DOUBLE,
    n_unresolved               BIGINT,
    n_merged                   BIGINT,
    n_merged_without_issue     BIGINT,
    merged_lines               BIGINT,
    merged_lines_without_issue BIGINT,
    n_bot_authors              BIGINT,
    n_bots_without_issue       BIGINT,
    projects                   VARCHAR,
    sources                    VARCHAR,
    repository_id              BIGINT
);

DELETE FROM metrics.issue_links_weekly;

INSERT INTO metrics.issue_links_weekly BY NAME
WITH selected AS (
    SELECT string_agg(DISTINCT coalesce(project_key, entry), ', ' ORDER BY coalesce(project_key, entry)) AS projects
    FROM meta.jira_projects
    WHERE is_tracked
),
links AS (
    SELECT repository_id, pull_request_id, bool_or(issue_id IS NOT NULL) AS is_resolved
    FROM metrics.pull_request_issues
    GROUP BY ALL
),
rows AS (
    SELECT
        times.repository_id, created_week AS week, is_counted, times.merged_at IS NOT NULL AS is_merged,
        links.pull_request_id IS NULL AS is_without, NOT coalesce(is_resolved, true) AS is_unresolved,
        additions + deletions AS lines
    FROM metrics.pull_request_times AS times
    JOIN (SELECT repository_id, pull_request_id, additions, deletions FROM raw.pull_requests) AS given
        ON given.repository_id = times.repository_id AND given.pull_request_id = times.pull_request_id
    LEFT JOIN links
        ON links.repository_id = times.repository_id AND links.pull_request_id = times.pull_request_id
)
SELECT
    repository,
    week,
    count(*) FILTER (is_counted) AS n,
    count(*) FILTER (is_counted AND is_without) AS n_without_issue,
    round(n_without_issue / nullif(n, 0), 4) AS share_without_issue,
    count(*) FILTER (is_counted AND is_unresolved) AS n_unresolved,
    count(*) FILTER (is_counted AND is_merged) AS n_merged,
    count(*) FILTER (is_counted AND is_merged AND is_without) AS n_merged_without_issue,
    coalesce(sum(lines) FILTER (is_counted AND is_merged), 0) AS merged_lines,
    coalesce(sum(lines) FILTER (is_counted AND is_merged AND is_without), 0) AS merged_lines_without_issue,
    count(*) FILTER (NOT is_counted) AS n_bot_authors,
    count(*) FILTER (NOT is_counted AND is_without) AS n_bots_without_issue,
    any_value(projects) AS projects,
    array_to_string($links_from, ', ') AS sources,
    rows.repository_id
FROM rows
CROSS JOIN selected
LEFT JOIN metrics.repository_names ON repository_names.repository_id = rows.repository_id
WHERE projects IS NOT NULL
GROUP BY repository, week, rows.repository_id;
