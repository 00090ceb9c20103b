-- issue_moments: when work on each issue began and ended.
--
-- done_at is the start of its present unbroken stretch in statuses of category done, also where it was created in one; NULL where it is
-- in none now. started_at is when it first came into a status of category indeterminate, also by being created in one. times_reopened
-- counts the changes from a done status to one of another category; to one whose category is not known is none.
CREATE OR REPLACE VIEW metrics.issue_moments AS
SELECT
    issue_id,
    CASE WHEN bool_or(status_category = 'done') FILTER (is_last) THEN
        (arg_max({'moment': started_at}, place) FILTER (status_category = 'done' AND category_before IS DISTINCT FROM 'done')).moment
    END AS done_at,
    (arg_min({'moment': started_at}, place) FILTER (status_category = 'indeterminate')).moment AS started_at,
    count(*) FILTER (category_before = 'done' AND status_category <> 'done') AS times_reopened
FROM metrics.issue_states
GROUP BY issue_id;
