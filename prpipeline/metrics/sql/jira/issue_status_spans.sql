-- issue_status_spans: one row per time that an issue spent in a status.
--
-- From when it came into the status (or was created in it) until it left it; ended_at is NULL for the one that it is in. Times of no length
-- are left out. Names and categories are those of today, see issue_states. Where the changelog has a gap, so that it is not known when
-- the issue left a status, that time is left out, too.
CREATE TABLE IF NOT EXISTS metrics.issue_status_spans (
    issue_id        BIGINT,
    issue_key       VARCHAR,
    status          VARCHAR,
    status_category VARCHAR,
    started_at      TIMESTAMP,
    ended_at        TIMESTAMP,
    hours           DOUBLE,
    project_id      BIGINT,
    status_id       VARCHAR
);

DELETE FROM metrics.issue_status_spans;

INSERT INTO metrics.issue_status_spans BY NAME
WITH states AS (
    SELECT *, lead(started_at) OVER (PARTITION BY issue_id ORDER BY place) AS ended_at
    FROM metrics.issue_states
)
SELECT
    issue_id, issue_key, states.status, states.status_category, started_at, ended_at,
    metrics.hours_of_milliseconds(metrics.milliseconds_between(started_at, ended_at)) AS hours,
    project_id, states.status_id
FROM states
JOIN raw.jira_issues AS issue USING (issue_id)
WHERE started_at IS NOT NULL AND (is_last OR ended_at > started_at);
