-- review_pairs: one row per team of reviewers, team of authors and ISO week (UTC) in which the former reviewed the latter.
--
-- Counted are qualifying reviews of people's pull requests, as in reviewer_weekly, where the reviewer or the author was of a
-- team: the author at the opening, the reviewer at the review. The other one's team may be NULL: of none. Somebody who is
-- of several teams counts for the one that is listed first. A team's reviews of its own pull requests are rows, too.
-- first_reviews are the pull requests that got their first review by that team in the week; first_review_hours the times
-- from the opening to it: of unrounded seconds, interpolated linearly between closest ranks, rounded half up to 2 decimals.
-- They must not be averaged.

CREATE TABLE IF NOT EXISTS metrics.review_pairs (
    reviewer_team              VARCHAR,
    author_team                VARCHAR,
    week                       DATE,
    reviews                    BIGINT,
    verdicts                   BIGINT,
    pull_requests              BIGINT,
    reviewers                  BIGINT,
    authors                    BIGINT,
    first_reviews              BIGINT,
    first_review_hours_median  DOUBLE,
    first_review_hours_p75     DOUBLE,
    first_review_hours_p90     DOUBLE
);

DELETE FROM metrics.review_pairs;

INSERT INTO metrics.review_pairs BY NAME
-- Without members there is nothing to find: the repositories are none then.
WITH reviews AS MATERIALIZED (
    SELECT
        reviewer_period.team AS reviewer_team,
        author_period.team AS author_team,
        review.repository_id,
        review.pull_request_id,
        review.reviewer_id,
        times.author_id,
        review.is_verdict,
        review.submitted_at,
        date_diff('second', times.created_at, review.submitted_at) AS seconds
    FROM metrics.classified_reviews((
        SELECT list(DISTINCT repository_id) FROM metrics.account_activity JOIN metrics.team_periods ON person_id = actor_id
    )) AS review
    JOIN metrics.pull_request_times AS times USING (repository_id, pull_request_id)
    LEFT JOIN metrics.team_periods AS reviewer_period
        ON reviewer_period.person_id = review.reviewer_id
        AND reviewer_period.started_at <= review.submitted_at AND reviewer_period.ended_at > review.submitted_at
    LEFT JOIN metrics.team_periods AS author_period
        ON author_period.person_id = times.author_id
        AND author_period.started_at <= times.created_at AND author_period.ended_at > times.created_at
    WHERE is_qualifying AND is_counted AND coalesce(reviewer_period.team, author_period.team) IS NOT NULL
),
firsts AS (
    SELECT
        reviewer_team,
        author_team,
        CAST(date_trunc('week', min(submitted_at)) AS DATE) AS week,
        min(seconds) AS seconds
    FROM reviews
    GROUP BY repository_id, pull_request_id, reviewer_team, author_team
),
first_reviews AS (
    SELECT reviewer_team, author_team, week, count(*) AS first_reviews,
        quantile_cont(seconds, [0.5, 0.75, 0.9]) AS first_review_hours
    FROM firsts
    GROUP BY ALL
),
weeks AS (
    SELECT
        reviewer_team,
        author_team,
        CAST(date_trunc('week', submitted_at) AS DATE) AS week,
        count(*) AS reviews,
        count(*) FILTER (is_verdict) AS verdicts,
        count(DISTINCT (repository_id, pull_request_id)) AS pull_requests,
        count(DISTINCT reviewer_id) AS reviewers,
        count(DISTINCT author_id) AS authors
    FROM reviews
    GROUP BY ALL
)
SELECT
    weeks.*,
    coalesce(first_reviews, 0) AS first_reviews,
    metrics.rounded_hours(first_review_hours[1]) AS first_review_hours_median,
    metrics.rounded_hours(first_review_hours[2]) AS first_review_hours_p75,
    metrics.rounded_hours(first_review_hours[3]) AS first_review_hours_p90
FROM weeks
LEFT JOIN first_reviews
    ON first_reviews.week = weeks.week
    AND first_reviews.reviewer_team IS NOT DISTINCT FROM weeks.reviewer_team
    AND first_reviews.author_team IS NOT DISTINCT FROM weeks.author_team
ORDER BY reviewer_team, author_team, week;
