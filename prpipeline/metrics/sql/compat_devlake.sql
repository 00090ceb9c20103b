-- compat_devlake: what Apache DevLake's project_pr_metrics says, as far as pull requests and reviews show.
--
-- Merged pull requests only, in whole minutes rounded up, a negative span NULL.
--   pr_pickup_time_minutes  first comment by someone else - created_at
--   pr_review_time_minutes  merged_at - that comment
--   pr_cycle_time_minutes   merged_at - created_at
-- Someone else is any other account: bots count, and so do comments after the merge, whose review time is then NULL.
-- DevLake counts every comment, this only reviews, which are all we store. DevLake's pr_cycle_time also has the
-- coding time before and the deployment time after, for which it needs commits and deployments.

CREATE OR REPLACE VIEW compat_devlake AS
WITH comments AS (
    SELECT repository, repository_id, pull_request_id, min(submitted_at) AS first_at
    FROM review_evidence
    WHERE NOT is_self
    GROUP BY ALL
),
seconds AS (
    SELECT
        repository, number, pull_request_id, repository_id,
        date_diff('second', created_at, first_at) AS pickup,
        date_diff('second', first_at, merged_at) AS review,
        date_diff('second', created_at, merged_at) AS cycle
    FROM review_time_hours
    LEFT JOIN comments USING (repository, repository_id, pull_request_id)
    WHERE merged_at IS NOT NULL
)
SELECT
    repository,
    number,
    CASE WHEN pickup >= 0 THEN (pickup + 59) // 60 END AS pr_pickup_time_minutes,
    CASE WHEN review >= 0 THEN (review + 59) // 60 END AS pr_review_time_minutes,
    CASE WHEN cycle >= 0 THEN (cycle + 59) // 60 END AS pr_cycle_time_minutes,
    pull_request_id,
    repository_id
FROM seconds;
