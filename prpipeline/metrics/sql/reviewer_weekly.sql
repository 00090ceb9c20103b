-- reviewer_weekly: one row per repository, reviewer and ISO week (UTC) in which they reviewed or were asked to.
--
-- reviews counts qualifying reviews submitted in the week, pull_requests the pull requests they were on;
-- share_of_reviews is their share of the repository's qualifying reviews of that week.
-- requests counts the times that the person (not a team) was asked for a review in the week. The response to one is
-- their first submitted review of that pull request at or after it; requests_unanswered have none. A request that was
-- withdrawn before a response counts as unanswered. response_hours are those of the week's answered requests.
-- Reviewers are distinguished by id; deleted accounts have none and share a row. reviewer_login is the login that a
-- reviewer used last in the repository, the same in every week.

CREATE TABLE IF NOT EXISTS metrics.reviewer_weekly (
    repository            VARCHAR,
    reviewer_login        VARCHAR,
    week                  DATE,
    reviews               BIGINT,
    pull_requests         BIGINT,
    share_of_reviews      DOUBLE,
    approvals             BIGINT,
    change_requests       BIGINT,
    requests              BIGINT,
    requests_unanswered   BIGINT,
    response_hours_median DOUBLE,
    response_hours_p75    DOUBLE,
    response_hours_p90    DOUBLE,
    reviewer_id           BIGINT,
    repository_id         BIGINT
);

DELETE FROM metrics.reviewer_weekly WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.reviewer_weekly BY NAME
WITH qualifying AS (
    SELECT *, CAST(date_trunc('week', submitted_at) AS DATE) AS week
    FROM metrics.classified_reviews($repositories)
    WHERE is_qualifying
),
reviews AS (
    SELECT
        repository_id,
        reviewer_id,
        week,
        count(*) AS reviews,
        CASE WHEN count(*) > 1 THEN list_unique(list(pull_request_id))::BIGINT ELSE 1 END AS pull_requests,
        count(*) FILTER (original_state = 'APPROVED') AS approvals,
        count(*) FILTER (original_state = 'CHANGES_REQUESTED') AS change_requests
    FROM qualifying
    GROUP BY repository_id, reviewer_id, week
),
totals AS (
    SELECT repository_id, week, sum(reviews)::DOUBLE AS reviews FROM reviews GROUP BY repository_id, week
),
asked AS (
    SELECT pull_request_id, repository_id, subject_id AS reviewer_id, subject_login, created_at
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories))
      AND event = 'review_requested'
      AND NOT subject_is_team
      AND subject_id IS NOT NULL
),
answers AS (
    SELECT pull_request_id, reviewer_id, submitted_at
    FROM raw.reviews
    SEMI JOIN asked USING (pull_request_id, reviewer_id)
    WHERE repository_id IN (SELECT unnest($repositories))
),
answered AS (
    SELECT asked.*, answers.submitted_at
    FROM asked
    ASOF LEFT JOIN answers
        ON asked.pull_request_id = answers.pull_request_id
        AND asked.reviewer_id = answers.reviewer_id
        AND asked.created_at <= answers.submitted_at
),
withdrawn AS (
    SELECT DISTINCT asked.pull_request_id, asked.reviewer_id, asked.created_at
    FROM answered AS asked
    JOIN raw.review_events AS removal
        ON removal.pull_request_id = asked.pull_request_id
        AND removal.subject_id = asked.reviewer_id
        AND removal.event = 'review_request_removed'
        AND NOT removal.subject_is_team
        AND removal.created_at > asked.created_at
        AND removal.created_at < asked.submitted_at
    WHERE removal.repository_id IN (SELECT unnest($repositories))
),
requests AS (
    SELECT
        repository_id,
        reviewer_id,
        CAST(date_trunc('week', created_at) AS DATE) AS week,
        count(*) AS requests,
        count(*) - count(hours) AS requests_unanswered,
        quantile_cont(hours, [0.5, 0.75, 0.9]) AS response_hours
    FROM (
        SELECT
            answered.*,
            CASE WHEN withdrawn.created_at IS NULL
                THEN metrics.hours_between(answered.created_at, submitted_at) END AS hours
        FROM answered
        LEFT JOIN withdrawn
            ON withdrawn.pull_request_id = answered.pull_request_id
            AND withdrawn.reviewer_id = answered.reviewer_id
            AND withdrawn.created_at = answered.created_at
    )
    GROUP BY ALL
),
logins AS (
    SELECT repository_id, reviewer_id, arg_max(login, moment) AS reviewer_login
    FROM (
        SELECT repository_id, reviewer_id, reviewer_login AS login, submitted_at AS moment
        FROM raw.reviews
        WHERE repository_id IN (SELECT unnest($repositories))
        UNION ALL
        SELECT repository_id, reviewer_id, subject_login, created_at FROM asked
    )
    GROUP BY repository_id, reviewer_id
)
SELECT
    repository_names.repository,
    reviewer_login,
    week,
    coalesce(reviews.reviews, 0) AS reviews,
    coalesce(pull_requests, 0) AS pull_requests,
    round(coalesce(reviews.reviews, 0) / totals.reviews, 4) AS share_of_reviews,
    coalesce(approvals, 0) AS approvals,
    coalesce(change_requests, 0) AS change_requests,
    coalesce(requests, 0) AS requests,
    coalesce(requests_unanswered, 0) AS requests_unanswered,
    round(response_hours[1], 2) AS response_hours_median,
    round(response_hours[2], 2) AS response_hours_p75,
    round(response_hours[3], 2) AS response_hours_p90,
    reviewer_id,
    repository_id
FROM reviews
FULL JOIN requests USING (repository_id, reviewer_id, week)
LEFT JOIN totals USING (repository_id, week)
LEFT JOIN logins USING (repository_id, reviewer_id)
LEFT JOIN metrics.repository_names USING (repository_id);
