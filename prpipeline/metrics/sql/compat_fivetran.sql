-- compat_fivetran: what Fivetran's GitHub package says, in hours, not rounded.
--
-- From fivetran/dbt_github at 48ceaa54 (v1.1.0, 2025-10-27), models: intermediate/int_github__pull_request_times.sql,
-- staging/stg_github__requested_reviewer_history.sql and stg_github__pull_request_review.sql.
--
-- Only pull requests for which a review was ever requested: of a person or a team, also of one whose account is deleted, and
-- also where the request was withdrawn. The clock starts at the first request. What has not happened runs on until now:
-- repositories.as_of.
--   hours_request_review_to_first_review  to the first submitted review of anyone after it, or now
--   hours_request_review_to_first_action  to the first review by someone who had been asked, which is not dismissed;
--                                         or closed_at, or now, whichever is first
--   hours_request_review_to_merge         to the merge; NULL where it was not merged
-- Bots, the author and deleted accounts count as reviewers; a deleted account, or a team, is never someone who was asked.
-- The package divides by 60 and 60: on Postgres and Redshift, which divide whole numbers, its hours are whole, cut off
-- towards 0 (trunc of these); on BigQuery, Snowflake and Databricks they are these.

CREATE OR REPLACE VIEW compat_fivetran AS
WITH first_requests AS NOT MATERIALIZED (
    SELECT repository, repository_id, number, min(created_at) AS requested_at
    FROM review_events
    WHERE event = 'review_requested'
    GROUP BY ALL
),
first_reviews AS (
    SELECT repository, repository_id, number, min(submitted_at) AS reviewed_at
    FROM reviews
    JOIN first_requests USING (repository, repository_id, number)
    WHERE submitted_at > requested_at
    GROUP BY ALL
),
first_actions AS (
    SELECT repository, repository_id, number, min(submitted_at) AS acted_at
    FROM reviews AS review
    JOIN review_events AS request USING (repository, repository_id, number)
    WHERE request.event = 'review_requested'
      AND request.subject_id = review.reviewer_id
      AND review.submitted_at > request.created_at
      AND review.state IN ('COMMENTED', 'APPROVED', 'CHANGES_REQUESTED')
    GROUP BY ALL
)
SELECT
    repository,
    number,
    date_diff('second', requested_at, coalesce(reviewed_at, as_of)) / 60 / 60
        AS hours_request_review_to_first_review,
    date_diff('second', requested_at, least(coalesce(acted_at, as_of), coalesce(closed_at, as_of))) / 60 / 60
        AS hours_request_review_to_first_action,
    date_diff('second', requested_at, merged_at) / 60 / 60 AS hours_request_review_to_merge,
    pull_request_id,
    repository_id
FROM pull_requests
JOIN (SELECT repository_id, max(as_of) AS as_of FROM repositories GROUP BY repository_id) USING (repository_id)
JOIN first_requests USING (repository, repository_id, number)
LEFT JOIN first_reviews USING (repository, repository_id, number)
LEFT JOIN first_actions USING (repository, repository_id, number);
