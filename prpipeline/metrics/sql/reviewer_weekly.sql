-- reviewer_weekly: one row per repository, reviewer and ISO week (UTC) in which they reviewed or were asked to.
--
-- reviews counts qualifying reviews of people's pull requests that were submitted in the week, pull_requests the pull
-- requests they were on; reviews_of_bots counts those of bots' pull requests, which nothing else here does.
-- verdicts and inline_only are parts of reviews, as in review_time_hours. share_of_reviews is the person's share of the
-- repository's reviews of that week without inline_only: what a reader takes a review for. Where nobody has read yet whether
-- a comment has a text, inline_only is NULL and the comment counts in share_of_reviews.
-- requests counts the times that the person (not a team) was asked in the week to review a person's pull request. The response
-- to one is their first qualifying review of that pull request at or after it; requests_unanswered have none. A request that
-- was withdrawn before a response counts as unanswered. response_hours are those of the week's answered requests: of
-- unrounded seconds, interpolated linearly between closest ranks, rounded half up to 2 decimals. They must not be averaged.
-- Bots are in no row: neither their reviews nor requests to them. With the setting exclude_bots off they are people.
-- n_null_before_reviews counts pull requests with such a request that closed before GitHub had reviews.
-- Reviewers are distinguished by id; deleted accounts have none and share a row. reviewer_login is the login that a
-- reviewer used last in the repository, the same in every week.

CREATE TABLE IF NOT EXISTS metrics.reviewer_weekly (
    repository            VARCHAR,
    reviewer_login        VARCHAR,
    week                  DATE,
    reviews               BIGINT,
    verdicts              BIGINT,
    inline_only           BIGINT,
    pull_requests         BIGINT,
    share_of_reviews      DOUBLE,
    approvals             BIGINT,
    change_requests       BIGINT,
    reviews_of_bots       BIGINT,
    requests              BIGINT,
    requests_unanswered   BIGINT,
    response_hours_median DOUBLE,
    response_hours_p75    DOUBLE,
    response_hours_p90    DOUBLE,
    n_null_before_reviews BIGINT,
    reviewer_id           BIGINT,
    repository_id         BIGINT
);

DELETE FROM metrics.reviewer_weekly WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.reviewer_weekly BY NAME
WITH classified AS MATERIALIZED (
    SELECT review.*, is_counted
    FROM metrics.classified_reviews($repositories) AS review
    JOIN metrics.pull_request_times USING (repository_id, pull_request_id)
    WHERE disqualified_by IS NULL OR disqualified_by = 'bot'
),
qualifying AS (
    SELECT *, CAST(date_trunc('week', submitted_at) AS DATE) AS week
    FROM classified
    WHERE is_qualifying
),
reviews AS (
    SELECT
        repository_id,
        reviewer_id,
        week,
        count(*) FILTER (is_counted) AS reviews,
        count(*) FILTER (NOT is_counted) AS reviews_of_bots,
        count(*) FILTER (is_counted AND is_verdict) AS verdicts,
        count(*) FILTER (is_counted AND is_inline_only) AS inline_only,
        count(*) FILTER (is_counted AND is_inline_only IS NULL) AS unknown,
        CASE WHEN count(*) > 1 THEN coalesce(list_unique(list(pull_request_id) FILTER (is_counted)), 0)::BIGINT
            ELSE bool_or(is_counted)::BIGINT END AS pull_requests,
        count(*) FILTER (is_counted AND original_state = 'APPROVED') AS approvals,
        count(*) FILTER (is_counted AND original_state = 'CHANGES_REQUESTED') AS change_requests
    FROM qualifying
    GROUP BY repository_id, reviewer_id, week
),
totals AS (
    SELECT repository_id, week, sum(reviews - inline_only)::DOUBLE AS reviews FROM reviews GROUP BY repository_id, week
),
-- An event does not say that whom it asks is a bot; their reviews do.
bots AS (
    SELECT DISTINCT reviewer_id FROM classified WHERE is_bot AND NOT is_qualifying
),
asked AS (
    SELECT
        event.pull_request_id,
        event.repository_id,
        subject_id AS reviewer_id,
        subject_login,
        event.created_at,
        null_reason IS NOT DISTINCT FROM 'before_reviews' AS is_before_reviews
    FROM raw.review_events AS event
    JOIN metrics.pull_request_times USING (repository_id, pull_request_id)
    WHERE event.repository_id IN (SELECT unnest($repositories))
      AND event = 'review_requested'
      AND NOT subject_is_team
      AND subject_id IS NOT NULL
      AND is_counted
      AND NOT ($exclude_bots AND metrics.is_bot(subject_login, false, $bots))
      AND subject_id NOT IN (FROM bots WHERE reviewer_id IS NOT NULL)
),
answers AS (
    SELECT pull_request_id, reviewer_id, submitted_at
    FROM qualifying
    SEMI JOIN asked USING (pull_request_id, reviewer_id)
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
        quantile_cont(hours, [0.5, 0.75, 0.9]) AS response_hours,
        count(DISTINCT pull_request_id) FILTER (is_before_reviews) AS n_null_before_reviews
    FROM (
        SELECT
            answered.*,
            CASE WHEN withdrawn.created_at IS NULL
                THEN date_diff('second', answered.created_at, submitted_at) END AS hours
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
    coalesce(verdicts, 0) AS verdicts,
    CASE WHEN coalesce(unknown, 0) = 0 THEN coalesce(inline_only, 0) END AS inline_only,
    coalesce(pull_requests, 0) AS pull_requests,
    CASE WHEN totals.reviews > 0
        THEN round(coalesce(reviews.reviews - inline_only, 0) / totals.reviews, 4) END AS share_of_reviews,
    coalesce(approvals, 0) AS approvals,
    coalesce(change_requests, 0) AS change_requests,
    coalesce(reviews_of_bots, 0) AS reviews_of_bots,
    coalesce(requests, 0) AS requests,
    coalesce(requests_unanswered, 0) AS requests_unanswered,
    metrics.rounded_hours(response_hours[1]) AS response_hours_median,
    metrics.rounded_hours(response_hours[2]) AS response_hours_p75,
    metrics.rounded_hours(response_hours[3]) AS response_hours_p90,
    coalesce(n_null_before_reviews, 0) AS n_null_before_reviews,
    reviewer_id,
    repository_id
FROM reviews
FULL JOIN requests USING (repository_id, reviewer_id, week)
LEFT JOIN totals USING (repository_id, week)
LEFT JOIN logins USING (repository_id, reviewer_id)
LEFT JOIN metrics.repository_names USING (repository_id);
