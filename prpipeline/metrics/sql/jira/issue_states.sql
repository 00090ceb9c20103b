-- issue_states: the statuses that each issue has been in, one row each, in their order (place, from 0).
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
    category_before VARCHAR,
    started_at      TIMESTAMP,
    ended_at        TIMESTAMP,
    is_last         BOOLEAN
);

DELETE FROM metrics.issue_states;

INSERT INTO metrics.issue_states BY NAME
WITH placed AS (
    SELECT
        issue_id, from_id, from_text, to_id, to_text, created_at,
        row_number() OVER ordered AS place,
        lag(to_id) OVER ordered AS before_id,
        lead(created_at) OVER ordered AS next_at
    FROM raw.jira_changes
    WHERE field = 'status'
    WINDOW ordered AS (PARTITION BY issue_id ORDER BY created_at, try_cast(change_id AS BIGINT), change_id, item)
),
changes AS (
    SELECT
        placed.* REPLACE (
            CASE WHEN place = 1 THEN from_id ELSE before_id END AS before_id,
            greatest(placed.created_at, issue.created_at) AS created_at,
            CASE WHEN next_at IS NOT NULL THEN greatest(next_at, issue.created_at) END AS next_at
        ),
        next_at IS NULL AND to_id IS DISTINCT FROM issue.status_id AS is_short,
        CASE WHEN issue.status_category IS DISTINCT FROM left_by.category
            AND status_category_changed_at >= greatest(placed.created_at, issue.created_at)
            THEN status_category_changed_at END AS made_up_at
    FROM placed
    JOIN raw.jira_issues AS issue USING (issue_id)
    LEFT JOIN raw.jira_statuses AS left_by ON left_by.status_id = to_id
),
states AS (
    SELECT
        issue_id,
        0 AS place,
        CASE WHEN first.issue_id IS NULL THEN issue.status_id ELSE from_id END AS status_id,
        CASE WHEN first.issue_id IS NULL THEN issue.status ELSE from_text END AS written,
        NULL AS before_id,
        issue.created_at AS started_at,
        first.created_at AS ended_at,
        first.issue_id IS NULL AS is_last
    FROM raw.jira_issues AS issue
    LEFT JOIN (FROM changes WHERE place = 1) AS first USING (issue_id)
    UNION ALL
    SELECT
        issue_id, place, to_id, to_text, before_id, created_at,
        CASE WHEN is_short THEN made_up_at ELSE next_at END,
        next_at IS NULL AND NOT is_short
    FROM changes
    UNION ALL
    SELECT issue_id, place + 1, issue.status_id, issue.status, to_id, made_up_at, NULL, true
    FROM changes
    JOIN raw.jira_issues AS issue USING (issue_id)
    WHERE is_short
)
SELECT
    issue_id, place, states.status_id,
    coalesce(listed.name, written) AS status,
    CASE
        WHEN listed.status_id IS NOT NULL THEN listed.category
        WHEN states.status_id = issue.status_id THEN issue.status_category
    END AS status_category,
    CASE
        WHEN before.status_id IS NOT NULL THEN before.category
        WHEN before_id = issue.status_id THEN issue.status_category
    END AS category_before,
    started_at, ended_at, is_last
FROM states
JOIN raw.jira_issues AS issue USING (issue_id)
LEFT JOIN raw.jira_statuses AS listed ON listed.status_id = states.status_id
LEFT JOIN raw.jira_statuses AS before ON before.status_id = before_id;
