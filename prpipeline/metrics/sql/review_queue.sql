-- review_queue: one row per pull request that waits for its first review now: open, ready, without a qualifying review,
-- in a repository that is tracked.
--
-- place 1 has waited longest, by waiting_hours. Bots' pull requests are in it, flagged. requested_reviewers are the people and teams whose review is requested now: the last
-- event about them is a request, and they have not reviewed since (GitHub drops a request when its review comes).

CREATE TABLE IF NOT EXISTS metrics.review_queue (
    place               BIGINT,
    repository          VARCHAR,
    team                VARCHAR,
    number              BIGINT,
    title               VARCHAR,
    author_login        VARCHAR,
    waiting_hours       DOUBLE,
    requested_reviewers VARCHAR,
    requested           BIGINT,
    ready_at            TIMESTAMP,
    created_at          TIMESTAMP,
    is_bot_author       BOOLEAN,
    url                 VARCHAR,
    author_id           BIGINT,
    pull_request_id     BIGINT,
    repository_id       BIGINT
);

DELETE FROM metrics.review_queue;

INSERT INTO metrics.review_queue BY NAME
WITH waiting AS (
    SELECT * FROM metrics.pull_request_times
    SEMI JOIN (FROM metrics.repository_clocks WHERE is_tracked) USING (repository_id)
    WHERE waiting_hours IS NOT NULL
),
-- A request and a removal in the same second: the request counts as the later one.
latest AS (
    SELECT
        pull_request_id,
        subject_is_team,
        coalesce(subject_id::VARCHAR, subject_login) AS subject,
        arg_max(subject_login, created_at) AS login,
        any_value(subject_id) AS subject_id,
        max(created_at) FILTER (event = 'review_requested') AS requested_at,
        max(created_at) FILTER (event = 'review_request_removed') AS removed_at
    FROM raw.review_events
    WHERE event IN ('review_requested', 'review_request_removed')
      AND pull_request_id IN (SELECT pull_request_id FROM waiting)
    GROUP BY ALL
),
reviewed AS (
    SELECT pull_request_id, reviewer_id, max(submitted_at) AS reviewed_at
    FROM raw.reviews
    WHERE pull_request_id IN (SELECT pull_request_id FROM waiting)
    GROUP BY ALL
),
asked AS (
    SELECT
        latest.pull_request_id,
        string_agg(coalesce(login, '(deleted account)'), ', ' ORDER BY requested_at, login) AS requested_reviewers,
        count(*) AS requested
    FROM latest
    LEFT JOIN reviewed
        ON reviewed.pull_request_id = latest.pull_request_id
        AND reviewed.reviewer_id = latest.subject_id
        AND NOT latest.subject_is_team
    WHERE requested_at >= coalesce(removed_at, requested_at)
      AND requested_at > coalesce(reviewed_at, requested_at - INTERVAL 1 SECOND)
    GROUP BY latest.pull_request_id
)
SELECT
    row_number() OVER (ORDER BY waiting_hours DESC, waiting_since, pull_request_id) AS place,
    repository_names.repository,
    repository_names.team,
    waiting.number,
    pull_request.title,
    pull_request.author_login,
    waiting_hours,
    requested_reviewers,
    coalesce(requested, 0) AS requested,
    ready_at,
    waiting.created_at,
    is_bot_author,
    pull_request.url,
    waiting.author_id,
    pull_request_id,
    waiting.repository_id
FROM waiting
JOIN raw.pull_requests AS pull_request USING (pull_request_id)
LEFT JOIN asked USING (pull_request_id)
LEFT JOIN metrics.repository_names ON repository_names.repository_id = waiting.repository_id
ORDER BY place;
