-- review_time_hours: one row per pull request, with every time that a review of it took.
--
-- C is created_at, M is merged_at. R (ready_at) is the first ready_for_review event of a pull request that was
-- opened as a draft, else C; one that never became ready has no R. Q is a qualifying review (review_evidence).
-- Of reviews in the same second the lowest review id is the first. Hours are rounded to 2 decimals; what is not
-- known is NULL, never 0.
--
--   review_time_hours             first Q - C
--   review_time_hours_any         first submitted review of anyone at any time - C
--   pickup_time_hours             first Q at or after R - R
--   review_time_business_hours    first Q - C, counting only the working hours of the calendar
--   time_to_first_approval_hours  first approving Q at or after R - R, a later dismissed approval too: like the
--                                 pickup, for an approval given to a draft would make a negative time
--   time_to_merge_hours           M - R; NULL where it was merged before it was ready
--   cycle_time_hours              M - C
--   draft_hours                   sum of the spells as a draft up to M, closed_at or now; NULL where the last draft
--                                 event contradicts is_draft, for then an event is missing
--   waiting_hours                 open, ready and without a Q: now - R; NULL for all others
--   review_rounds                 Q that requested changes, plus one where an approval follows the last of them

CREATE TABLE IF NOT EXISTS metrics.review_time_hours (
    repository                   VARCHAR,
    team                         VARCHAR,
    number                       BIGINT,
    title                        VARCHAR,
    author_login                 VARCHAR,
    state                        VARCHAR,
    created_at                   TIMESTAMP,
    created_week                 DATE,
    review_time_hours            DOUBLE,
    null_reason                  VARCHAR,
    review_time_hours_any        DOUBLE,
    pickup_time_hours            DOUBLE,
    review_time_business_hours   DOUBLE,
    time_to_first_approval_hours DOUBLE,
    time_to_merge_hours          DOUBLE,
    cycle_time_hours             DOUBLE,
    draft_hours                  DOUBLE,
    waiting_hours                DOUBLE,
    review_rounds                BIGINT,
    reviewers                    BIGINT,
    reviews                      BIGINT,
    first_reviewer_login         VARCHAR,
    first_review_state           VARCHAR,
    first_review_at              TIMESTAMP,
    first_bot_review_at          TIMESTAMP,
    is_bot_author                BOOLEAN,
    is_draft                     BOOLEAN,
    is_revert                    BOOLEAN,
    is_hotfix                    BOOLEAN,
    merged_without_review        BOOLEAN,
    reviewed_after_merge         BOOLEAN,
    reviewed_in_draft            BOOLEAN,
    ready_at                     TIMESTAMP,
    closed_at                    TIMESTAMP,
    merged_at                    TIMESTAMP,
    url                          VARCHAR,
    author_id                    BIGINT,
    first_review_id              BIGINT,
    pull_request_id              BIGINT,
    repository_id                BIGINT,
    metric_version               BIGINT
);

DELETE FROM metrics.review_time_hours WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.review_time_hours BY NAME
WITH drafts AS (
    SELECT
        spell.pull_request_id,
        bool_or(spell.opened_as_draft) AS opened_as_draft,
        bool_or(spell.ended_at IS NULL) AS still_draft,
        CAST(sum(greatest(0, date_diff('second',
            spell.started_at,
            least(spell.ended_at, coalesce(pull_request.merged_at, pull_request.closed_at, $as_of))
        ))) AS BIGINT) AS seconds
    FROM metrics.draft_spells AS spell
    JOIN raw.pull_requests AS pull_request USING (pull_request_id)
    WHERE spell.repository_id IN (SELECT unnest($repositories))
      AND pull_request.repository_id IN (SELECT unnest($repositories))
    GROUP BY spell.pull_request_id
),
first_ready AS (
    SELECT pull_request_id, min(created_at) AS moment
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories)) AND event = 'ready_for_review'
    GROUP BY pull_request_id
),
-- place is one number that sorts as (submitted_at, review_id) does.
evidence AS (
    SELECT
        pull_request_id, submitted_at, review_id, reviewer_id, reviewer_login, state, original_state,
        is_qualifying, disqualified_by, is_bot, is_in_draft, is_since_ready,
        CASE WHEN is_qualifying
            THEN epoch_us(submitted_at)::HUGEINT * 18446744073709551616::HUGEINT + review_id END AS place
    FROM metrics.review_evidence
    WHERE repository_id IN (SELECT unnest($repositories))
),
reviews AS (
    SELECT
        pull_request_id,
        min(submitted_at) AS first_any_at,
        min(submitted_at) FILTER (is_bot) AS first_bot_review_at,
        min(submitted_at) FILTER (is_qualifying) AS first_review_at,
        min(submitted_at) FILTER (is_qualifying AND is_since_ready) AS first_since_ready_at,
        min(submitted_at) FILTER (is_qualifying AND is_since_ready AND original_state = 'APPROVED')
            AS first_approval_at,
        arg_min(review_id, place) AS first_review_id,
        arg_min(state, place) AS first_review_state,
        -- A deleted account has no login, and arg_min passes NULL by.
        arg_min(coalesce(reviewer_login, ''), place) AS first_reviewer_login,
        max(place) FILTER (original_state = 'CHANGES_REQUESTED') AS last_request_place,
        max(place) FILTER (original_state = 'APPROVED') AS last_approval_place,
        count(place) FILTER (original_state = 'CHANGES_REQUESTED') AS change_requests,
        count(place) AS reviews,
        count(DISTINCT coalesce(reviewer_id, -1)) FILTER (is_qualifying) AS reviewers,
        bool_or(disqualified_by = 'self') AS some_self,
        bool_or(disqualified_by = 'bot') AS some_bot,
        bool_or(disqualified_by = 'after_merge') AS some_after_merge,
        bool_or(is_qualifying AND is_in_draft) AS some_in_draft
    FROM evidence
    GROUP BY pull_request_id
),
-- Working seconds since some fixed moment, at any second t of a half day:
-- worked_before + the part of each of its at most two working intervals that has passed.
half_days AS (
    SELECT
        unnest($half_day) AS half_day,
        unnest($worked_before) AS worked_before,
        unnest($first_start) AS first_start,
        unnest($first_length) AS first_length,
        unnest($second_start) AS second_start,
        unnest($second_length) AS second_length
),
times AS (
    SELECT
        pull_request.*,
        reviews.* EXCLUDE (pull_request_id),
        CASE WHEN coalesce(drafts.opened_as_draft, false) THEN first_ready.moment ELSE pull_request.created_at END
            AS ready_at,
        CASE WHEN coalesce(drafts.still_draft, false) = pull_request.is_draft
            THEN coalesce(drafts.seconds, 0) END AS draft_seconds
    FROM raw.pull_requests AS pull_request
    LEFT JOIN reviews USING (pull_request_id)
    LEFT JOIN drafts USING (pull_request_id)
    LEFT JOIN first_ready USING (pull_request_id)
    WHERE pull_request.repository_id IN (SELECT unnest($repositories))
)
SELECT
    names.repository,
    names.team,
    number,
    title,
    author_login,
    state,
    created_at,
    CAST(date_trunc('week', created_at) AS DATE) AS created_week,
    metrics.hours_between(created_at, first_review_at) AS review_time_hours,
    CASE
        WHEN first_review_at IS NOT NULL THEN NULL
        WHEN first_any_at IS NULL THEN 'no_reviews'
        WHEN some_after_merge THEN 'only_after_merge'
        WHEN some_self AND some_bot THEN 'only_self_and_bots'
        WHEN some_self THEN 'only_self'
        ELSE 'only_bots'
    END AS null_reason,
    metrics.hours_between(created_at, first_any_at) AS review_time_hours_any,
    metrics.hours_between(ready_at, first_since_ready_at) AS pickup_time_hours,
    metrics.hours(
        reviewed.worked_before
            + greatest(0, least(epoch(first_review_at)::BIGINT - reviewed.first_start, reviewed.first_length))
            + greatest(0, least(epoch(first_review_at)::BIGINT - reviewed.second_start, reviewed.second_length))
        - opened.worked_before
            - greatest(0, least(epoch(created_at)::BIGINT - opened.first_start, opened.first_length))
            - greatest(0, least(epoch(created_at)::BIGINT - opened.second_start, opened.second_length))
    ) AS review_time_business_hours,
    metrics.hours_between(ready_at, first_approval_at) AS time_to_first_approval_hours,
    CASE WHEN merged_at >= ready_at THEN metrics.hours_between(ready_at, merged_at) END AS time_to_merge_hours,
    metrics.hours_between(created_at, merged_at) AS cycle_time_hours,
    metrics.hours(draft_seconds) AS draft_hours,
    CASE WHEN state = 'open' AND NOT is_draft AND first_review_at IS NULL
        THEN metrics.hours_between(ready_at, greatest($as_of, ready_at)) END AS waiting_hours,
    coalesce(change_requests + (last_approval_place > last_request_place)::BIGINT, change_requests, 0)
        AS review_rounds,
    coalesce(reviewers, 0) AS reviewers,
    coalesce(reviews, 0) AS reviews,
    nullif(first_reviewer_login, '') AS first_reviewer_login,
    first_review_state,
    first_review_at,
    first_bot_review_at,
    author_is_bot
        OR coalesce(ends_with(lower(author_login), '[bot]'), false)
        OR coalesce(list_contains($bots, lower(author_login)), false) AS is_bot_author,
    is_draft,
    CASE WHEN contains(lower(title), 'revert') THEN regexp_matches(title, '\brevert\b', 'i') ELSE false END
        AS is_revert,
    CASE WHEN contains(lower(title), 'hotfix') THEN regexp_matches(title, '\bhotfix\b', 'i') ELSE false END
        AS is_hotfix,
    merged_at IS NOT NULL AND first_review_at IS NULL AS merged_without_review,
    coalesce(some_after_merge, false) AS reviewed_after_merge,
    coalesce(some_in_draft, false) AS reviewed_in_draft,
    ready_at,
    closed_at,
    merged_at,
    url,
    author_id,
    first_review_id,
    pull_request_id,
    repository_id,
    $metric_version AS metric_version
FROM times
LEFT JOIN metrics.names() AS names USING (repository_id)
LEFT JOIN half_days AS opened ON opened.half_day = epoch(created_at)::BIGINT // 43200
LEFT JOIN half_days AS reviewed ON reviewed.half_day = epoch(first_review_at)::BIGINT // 43200;
