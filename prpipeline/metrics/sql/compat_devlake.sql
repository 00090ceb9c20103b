-- compat_devlake: what Apache DevLake's project_pr_metrics says, as far as pull requests and reviews show.
--
-- From apache/incubator-devlake at 420e494b (2026-05-05), backend/plugins: dora/tasks/change_lead_time_calculator.go,
-- github_graphql/tasks/pr_collector.go and pr_extractor.go, github/tasks/pr_review_convertor.go.
--
-- Merged pull requests only, in whole minutes rounded up. A span is NULL where that makes it negative: up to 59 seconds
-- too early are 0 minutes.
--   pr_pickup_time_minutes  first review by someone else - created_at
--   pr_review_time_minutes  merged_at - that review
--   pr_cycle_time_minutes   merged_at - created_at; 0 where that is negative
-- Someone else is any other account, of the first 100 reviews, at any time: one after the merge too. Its GraphQL plugin,
-- which is followed here, reads the number of users only: all bots and deleted accounts are account 0, so they count, except
-- on a pull request of account 0. (Its REST plugin drops deleted reviewers, and all of their reviews with them.)
-- DevLake counts every comment, this only reviews, which are all we store. DevLake's pr_cycle_time also has the
-- coding time before and the deployment time after, for which it needs commits and deployments.

CREATE OR REPLACE VIEW compat_devlake AS
WITH merged AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number, pull_request_id, created_at, merged_at,
        CASE WHEN author_is_bot THEN 0 ELSE coalesce(author_id, 0) END AS author_account
    FROM pull_requests
    WHERE merged_at IS NOT NULL
),
-- Only a pull request of more than 100 reviews needs its reviews put in order.
long_ones AS (
    SELECT repository, repository_id, number FROM reviews GROUP BY ALL HAVING count(*) > 100
),
beyond AS (
    SELECT repository, repository_id, review_id, true AS is_beyond
    FROM reviews
    JOIN long_ones USING (repository, repository_id, number)
    QUALIFY row_number() OVER (
        PARTITION BY repository, repository_id, number ORDER BY submitted_at, review_id
    ) > 100
),
first_reviews AS (
    SELECT repository, repository_id, number, min(submitted_at) AS reviewed_at
    FROM reviews
    JOIN merged USING (repository, repository_id, number)
    LEFT JOIN beyond USING (repository, repository_id, review_id)
    WHERE is_beyond IS NULL
      AND CASE WHEN reviewer_is_bot THEN 0 ELSE coalesce(reviewer_id, 0) END <> author_account
    GROUP BY ALL
),
spans AS (
    SELECT
        repository, number, pull_request_id, repository_id,
        date_diff('second', created_at, reviewed_at) AS pickup,
        date_diff('second', reviewed_at, merged_at) AS review,
        date_diff('second', created_at, merged_at) AS cycle
    FROM merged
    LEFT JOIN first_reviews USING (repository, repository_id, number)
)
SELECT
    repository,
    number,
    CASE WHEN pickup > -60 THEN (pickup + 59) // 60 END AS pr_pickup_time_minutes,
    CASE WHEN review > -60 THEN (review + 59) // 60 END AS pr_review_time_minutes,
    greatest(0, cycle + 59) // 60 AS pr_cycle_time_minutes,
    pull_request_id,
    repository_id
FROM spans;
