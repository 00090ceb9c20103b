-- issue_states: the statuses that each issue has been in, one row each, in their order (place, from 1).
--
-- Its changelog has them; the first is what its first change of status leads away from, or the present one. Names and categories
-- are those of today, by the status's id. Of an id that the site lists no more the name is the one that was written, and the
-- category not known, except of the issue's own status, of which the issue says it. A change that is said to be from
-- before the issue counts as made with it. Where the changelog does not lead to the present status, that is added: since
-- when Jira says the category has changed, where it has, else at an unknown time.
CREATE TABLE IF NOT EXISTS metrics.issue_states (
    issue_id        BIGINT,
    place           BIGINT,
    status_id       VARCHAR,
    status          VARCHAR,
    status_category VARCHAR,
    started_at      TIMESTAMP,
    is_last         BOOLEAN
);

DELETE FROM metrics.issue_states;

INSERT INTO metrics.issue_states BY NAME
WITH changes AS (
    SELECT
        issue_id, from_id, from_text, to_id, to_text, jira_changes.created_at,
        row_number() OVER ordered AS place,
        row_number() OVER (
            PARTITION BY issue_id ORDER BY jira_changes.created_at DESC, try_cast(change_id AS BIGINT) DESC, change_id DESC, item DESC
        ) = 1 AS is_last
    FROM raw.jira_changes
    WHERE field = 'status'
    WINDOW ordered AS (
        PARTITION BY issue_id ORDER BY jira_changes.created_at, try_cast(change_id AS BIGINT), change_id, item
    )
),
states AS (
    SELECT
        issue_id,
        0 AS place,
        coalesce(from_id, CASE WHEN changes.issue_id IS NULL THEN issue.status_id END) AS status_id,
        coalesce(from_text, CASE WHEN changes.issue_id IS NULL THEN issue.status END) AS written,
        issue.created_at AS started_at
    FROM raw.jira_issues AS issue
    LEFT JOIN (FROM changes WHERE place = 1) AS changes USING (issue_id)
    UNION ALL
    SELECT issue_id, place, to_id, to_text, greatest(changes.created_at, issue.created_at)
    FROM changes
    JOIN raw.jira_issues AS issue USING (issue_id)
    UNION ALL
    SELECT issue_id, place + 1, issue.status_id, issue.status, CASE
        WHEN issue.status_category IS DISTINCT FROM left_by.category
            AND status_category_changed_at >= changes.created_at
            THEN greatest(status_category_changed_at, issue.created_at)
    END
    FROM changes
    JOIN raw.jira_issues AS issue USING (issue_id)
    LEFT JOIN raw.jira_statuses AS left_by ON left_by.status_id = to_id
    WHERE is_last AND to_id IS DISTINCT FROM issue.status_id
)
SELECT
    issue_id,
    row_number() OVER (PARTITION BY issue_id ORDER BY place) AS place,
    states.status_id,
    coalesce(listed.name, written) AS status,
    CASE
        WHEN listed.status_id IS NOT NULL THEN category
        WHEN states.status_id = issue.status_id THEN issue.status_category
    END AS status_category,
    started_at,
    row_number() OVER (PARTITION BY issue_id ORDER BY place DESC) = 1 AS is_last
FROM states
JOIN raw.jira_issues AS issue USING (issue_id)
LEFT JOIN raw.jira_statuses AS listed ON listed.status_id = states.status_id;
