-- review_requests: one row per request for a review of a pull request by a person or a team.
--
-- A request begins when somebody is asked who is not asked already; asking again before it ends is the same request
-- (times_asked counts). It ends with the first of
--   answered    the person submits a review (also as a draft, or while it is closed), no later than the merge; of a team,
--               whoever is in it that day, but for the author (answered_by_login), as far as its members are known: see
--               teams_from_github
--   withdrawn   the request is removed
-- and afterwards the same person may be asked again, which is another request. Without either its outcome is
--   closed      the pull request was merged or closed while they were asked, or before
--   pending     it is open, and they are asked now
--   NULL        not known: a team was asked and a person other than the author has reviewed since, who may have been of the
--               team (before its members were first read, nobody knows who was); or a deleted account was asked and a deleted account has reviewed since
-- In the same second a review answers what is asked, and a removal comes before a request. GitHub drops a request when
-- the review comes; a removal in that second is this, no withdrawal.
-- Persons are distinguished by id, and have the login of the last event; a deleted account has none.
-- hours, business_hours: asked_at to answered_at. waiting_hours: asked_at to now, where the outcome is pending.

CREATE TABLE IF NOT EXISTS metrics.review_requests (
    repository      VARCHAR,
    number          BIGINT,
    reviewer_login  VARCHAR,
    is_team         BOOLEAN,
    is_bot          BOOLEAN,
    asked_at        TIMESTAMP,
    answered_at     TIMESTAMP,
    withdrawn_at    TIMESTAMP,
    outcome         VARCHAR,
    hours           DOUBLE,
    business_hours  DOUBLE,
    waiting_hours   DOUBLE,
    times_asked     BIGINT,
    review_id       BIGINT,
    answered_by_id    BIGINT,
    answered_by_login VARCHAR,
    is_bot_author   BOOLEAN,
    reviewer_id     BIGINT,
    pull_request_id BIGINT,
    repository_id   BIGINT
);

DELETE FROM metrics.review_requests WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.review_requests BY NAME
WITH events AS (
    SELECT pull_request_id, subject_is_team AS is_team, coalesce(subject_id::VARCHAR, subject_login, '') AS subject,
        subject_id, subject_login, created_at AS moment, event = 'review_requested' AS is_request
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories))
      AND event IN ('review_requested', 'review_request_removed')
),
subjects AS (
    SELECT
        pull_request_id,
        is_team,
        subject,
        any_value(subject_id) AS subject_id,
        arg_max(subject_login, moment) AS login,
        min(moment) FILTER (is_request) AS first_asked_at
    FROM events
    GROUP BY ALL
    HAVING first_asked_at IS NOT NULL
),
reviews AS (
    SELECT pull_request_id, reviewer_id, review_id, submitted_at,
        coalesce(reviewer_id = times.author_id, false) AS is_self,
        metrics.is_bot(reviewer_login, reviewer_is_bot, $bots) AS is_bot
    FROM raw.reviews AS review
    JOIN metrics.pull_request_times AS times USING (pull_request_id)
    SEMI JOIN subjects USING (pull_request_id)
    WHERE review.repository_id IN (SELECT unnest($repositories))
      AND submitted_at <= coalesce(merged_at, submitted_at)
),
seconds AS (
    SELECT
        pull_request_id,
        is_team,
        subject,
        moment,
        count(*) FILTER (is_request) AS requests,
        min(review_id) AS review_id,
        count(*) > requests AS is_end,
        -- A removal comes before the requests of its second, a review after them.
        is_end AND count(review_id) = 0 AS is_end_before
    FROM (
        SELECT pull_request_id, is_team, subject, moment, is_request, NULL::BIGINT AS review_id
        FROM events
        UNION ALL
        SELECT pull_request_id, false, subject, submitted_at, false, review_id
        FROM reviews
        JOIN subjects USING (pull_request_id)
        WHERE NOT is_team AND subject_id = reviewer_id
        UNION ALL
        SELECT pull_request_id, true, subject, submitted_at, false, review_id
        FROM reviews
        JOIN subjects USING (pull_request_id)
        JOIN raw.team_members AS member ON team_id = subject_id AND actor_id = reviewer_id
        WHERE is_team AND NOT is_self
          AND coalesce(joined_on, DATE '-infinity') <= submitted_at AND coalesce(left_on, DATE 'infinity') > submitted_at
    )
    GROUP BY pull_request_id, is_team, subject, moment
),
-- Requests between the same two ends are one.
placed AS (
    SELECT *, coalesce(count(*) FILTER (is_end) OVER (
        PARTITION BY pull_request_id, is_team, subject ORDER BY moment ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS ends_before
    FROM seconds
),
periods AS (
    SELECT
        pull_request_id,
        is_team,
        subject,
        min(moment) FILTER (requests > 0) AS asked_at,
        CAST(sum(requests) AS BIGINT) AS times_asked,
        any_value(moment) FILTER (is_end) AS ended_at,
        any_value(review_id) AS review_id
    FROM (
        SELECT pull_request_id, is_team, subject, moment, ends_before, is_end, review_id,
            CASE WHEN is_end_before THEN 0 ELSE requests END AS requests
        FROM placed
        UNION ALL
        SELECT pull_request_id, is_team, subject, moment, ends_before + 1, false, NULL, requests
        FROM placed
        WHERE is_end_before AND requests > 0
    )
    GROUP BY pull_request_id, is_team, subject, ends_before
    HAVING sum(requests) > 0
),
-- The last review by which a request may have been answered, though nobody knows.
possible_answers AS (
    SELECT pull_request_id, is_team, subject, max(submitted_at) AS perhaps_answered_at
    FROM subjects
    JOIN reviews USING (pull_request_id)
    LEFT JOIN raw.teams AS team ON is_team AND team_id = subject_id
    WHERE CASE
        WHEN is_team THEN NOT is_self AND NOT is_bot
            AND (reviewer_id IS NULL OR submitted_at < coalesce(known_from, DATE 'infinity'))
        ELSE subject = '' AND reviewer_id IS NULL
    END
    GROUP BY ALL
),
requests AS (
    SELECT
        times.repository_id,
        pull_request_id,
        times.number,
        times.is_bot_author,
        is_team,
        asked_at,
        times_asked,
        review_id,
        subjects.login,
        CASE WHEN NOT is_team THEN subjects.subject_id END AS reviewer_id,
        CASE WHEN review_id IS NOT NULL THEN ended_at END AS answered_at,
        CASE WHEN review_id IS NULL THEN ended_at END AS withdrawn_at,
        CASE
            WHEN review_id IS NOT NULL THEN 'answered'
            WHEN ended_at IS NOT NULL THEN 'withdrawn'
            WHEN asked_at <= perhaps_answered_at THEN NULL
            WHEN is_open THEN 'pending'
            ELSE 'closed'
        END AS outcome
    FROM periods
    JOIN subjects USING (pull_request_id, is_team, subject)
    JOIN metrics.pull_request_times AS times USING (pull_request_id)
    LEFT JOIN possible_answers USING (pull_request_id, is_team, subject)
    WHERE times.repository_id IN (SELECT unnest($repositories))
),
half_days AS (
    FROM metrics.half_days(
        $half_day, $worked_before, $first_start, $first_length, $second_start, $second_length
    )
)
SELECT
    repository_names.repository,
    request.number,
    login AS reviewer_login,
    is_team,
    NOT is_team AND metrics.is_bot(login, false, $bots) AS is_bot,
    asked_at,
    answered_at,
    withdrawn_at,
    outcome,
    metrics.hours_between(asked_at, answered_at) AS hours,
    metrics.hours(
        metrics.worked_until(answered, answered_at) - metrics.worked_until(asked, asked_at)
    ) AS business_hours,
    CASE WHEN outcome = 'pending'
        THEN metrics.hours_between(asked_at, greatest(asked_at, coalesce(clock.as_of, $as_of))) END AS waiting_hours,
    times_asked,
    review_id,
    answer.reviewer_id AS answered_by_id,
    answer.reviewer_login AS answered_by_login,
    is_bot_author,
    request.reviewer_id,
    request.pull_request_id,
    request.repository_id
FROM requests AS request
LEFT JOIN raw.reviews AS answer USING (repository_id, review_id)
LEFT JOIN half_days AS asked
    ON asked.half_day = CASE WHEN answered_at IS NOT NULL THEN metrics.half_day_of(asked_at) END
LEFT JOIN half_days AS answered ON answered.half_day = metrics.half_day_of(answered_at)
LEFT JOIN metrics.repository_names ON repository_names.repository_id = request.repository_id
LEFT JOIN metrics.repository_clocks AS clock ON clock.repository_id = request.repository_id;
