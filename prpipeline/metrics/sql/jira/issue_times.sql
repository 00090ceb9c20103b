-- issue_times: one row per issue of Jira, with how long it took.
--
-- lead_time_hours is created_at to done_at, cycle_time_hours started_at to done_at, as in issues: NULL where it is not done, and of cycle where
-- it was never in a status of category indeterminate. The business columns count the working hours of the configured calendar only.
-- hours_new, hours_indeterminate and hours_done are what it spent in statuses of that category, hours_unknown in those of which the category is not
-- known. The present stretch in done is no time of work, and not counted: so of an issue that is done the four add up to its lead
-- time, if its changelog has no gap. A time that still runs ends now, of an issue that is gone when that was found, and of one that is not
-- tracked when it was read last. times_reopened is how often it left a done status for one that is not done.
CREATE TABLE IF NOT EXISTS metrics.issue_times (
    issue_id                  BIGINT,
    issue_key                 VARCHAR,
    project_key               VARCHAR,
    lead_time_hours           DOUBLE,
    cycle_time_hours          DOUBLE,
    lead_time_business_hours  DOUBLE,
    cycle_time_business_hours DOUBLE,
    times_reopened            BIGINT,
    hours_new                 DOUBLE,
    hours_indeterminate       DOUBLE,
    hours_done                DOUBLE,
    hours_unknown             DOUBLE,
    first_assigned_at         TIMESTAMP,
    last_assigned_at          TIMESTAMP,
    first_resolved_at         TIMESTAMP,
    created_at                TIMESTAMP,
    started_at                TIMESTAMP,
    done_at                   TIMESTAMP,
    project_id                BIGINT
);

DELETE FROM metrics.issue_times;

INSERT INTO metrics.issue_times BY NAME
WITH half_days AS (
    FROM metrics.half_days(
        $half_day, $worked_before, $first_start, $first_length, $second_start, $second_length
    )
),
spent AS (
    SELECT
        issue_id,
        coalesce(span.status_category, 'unknown') AS category,
        sum(greatest(0, metrics.milliseconds_between(
            span.started_at,
            coalesce(
                ended_at,
                least($as_of, issue.gone_at, CASE WHEN NOT issue.is_tracked THEN synced_at END)
            )
        )))::BIGINT AS spent
    FROM metrics.issue_status_spans AS span
    JOIN metrics.issues AS issue USING (issue_id)
    JOIN (SELECT issue_id, synced_at FROM raw.jira_issues) USING (issue_id)
    WHERE done_at IS NULL OR span.started_at < done_at
    GROUP BY ALL
),
by_category AS (
    SELECT
        issue_id,
        any_value(spent) FILTER (category = 'new') AS new,
        any_value(spent) FILTER (category = 'indeterminate') AS indeterminate,
        any_value(spent) FILTER (category = 'done') AS done,
        any_value(spent) FILTER (category = 'unknown') AS unknown
    FROM spent
    GROUP BY issue_id
),
others AS (
    SELECT
        issue_id,
        min(created_at) FILTER (field = 'assignee' AND to_id IS NOT NULL) AS first_assigned_at,
        max(created_at) FILTER (field = 'assignee' AND to_id IS NOT NULL) AS last_assigned_at,
        min(created_at) FILTER (field = 'resolution' AND to_id IS NOT NULL) AS first_resolved_at
    FROM raw.jira_changes
    WHERE field IN ('assignee', 'resolution')
    GROUP BY issue_id
)
SELECT
    issue_id, issue_key, project_key,
    metrics.hours_of_milliseconds(metrics.milliseconds_between(created_at, issue.done_at)) AS lead_time_hours,
    metrics.hours_of_milliseconds(metrics.milliseconds_between(issue.started_at, issue.done_at)) AS cycle_time_hours,
    metrics.hours(
        metrics.worked_until(at_end, issue.done_at) - metrics.worked_until(at_creation, created_at)
    ) AS lead_time_business_hours,
    metrics.hours(
        metrics.worked_until(at_end, issue.done_at) - metrics.worked_until(at_start, issue.started_at)
    ) AS cycle_time_business_hours,
    coalesce(times_reopened, 0) AS times_reopened,
    metrics.hours_of_milliseconds(coalesce(new, 0)) AS hours_new,
    metrics.hours_of_milliseconds(coalesce(indeterminate, 0)) AS hours_indeterminate,
    metrics.hours_of_milliseconds(coalesce(done, 0)) AS hours_done,
    metrics.hours_of_milliseconds(coalesce(unknown, 0)) AS hours_unknown,
    first_assigned_at, last_assigned_at, first_resolved_at,
    created_at, issue.started_at, issue.done_at, project_id
FROM metrics.issues AS issue
LEFT JOIN metrics.issue_moments USING (issue_id)
LEFT JOIN by_category USING (issue_id)
LEFT JOIN others USING (issue_id)
LEFT JOIN half_days AS at_creation ON at_creation.half_day = metrics.half_day_of(created_at)
LEFT JOIN half_days AS at_start ON at_start.half_day = metrics.half_day_of(issue.started_at)
LEFT JOIN half_days AS at_end ON at_end.half_day = metrics.half_day_of(issue.done_at);
