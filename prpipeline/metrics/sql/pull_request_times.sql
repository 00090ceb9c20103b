-- pull_request_times: what review_time_hours computes, one narrow row per pull request; what it means stands there.
--
-- What raw says in words (titles, logins) is joined by the view: writing it again would cost more than computing.
-- is_counted: whether aggregates count it. waiting_since is as long before now as the pull request has waited: created_at
-- later by what it was closed or a draft, so that waiting goes on without a look at its events.

CREATE TABLE IF NOT EXISTS metrics.pull_request_times (
    repository_id                BIGINT,
    pull_request_id              BIGINT,
    number                       BIGINT,
    author_id                    BIGINT,
    created_at                   TIMESTAMP,
    created_week                 DATE,
    ready_at                     TIMESTAMP,
    closed_at                    TIMESTAMP,
    merged_at                    TIMESTAMP,
    is_open                      BOOLEAN,
    is_bot_author                BOOLEAN,
    is_counted                   BOOLEAN,
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
    business_seconds             BIGINT,
    draft_seconds                BIGINT,
    waiting_since                TIMESTAMP,
    review_rounds                BIGINT,
    reviewers                    BIGINT,
    reviews                      BIGINT,
    verdicts                     BIGINT,
    inline_only                  BIGINT,
    first_review_id              BIGINT,
    first_review_at              TIMESTAMP,
    first_any_at                 TIMESTAMP,
    first_since_ready_at         TIMESTAMP,
    first_approval_at            TIMESTAMP,
    first_bot_review_at          TIMESTAMP,
    merged_without_review        BOOLEAN,
    reviewed_after_merge         BOOLEAN,
    reviewed_in_draft            BOOLEAN,
    metric_version               BIGINT
);

DELETE FROM metrics.pull_request_times WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.pull_request_times BY NAME
WITH pull_requests AS (
    SELECT repository_id, pull_request_id, number, author_id, created_at, closed_at, merged_at, ready_at,
        is_draft, has_open_period, state = 'open' AS is_open,
        metrics.is_bot(author_login, author_is_bot, $bots) AS is_bot_author,
        coalesce(clock.as_of, $as_of) AS as_of
    FROM metrics.ready_pull_requests($repositories)
    LEFT JOIN metrics.repository_clocks AS clock USING (repository_id)
),
-- When open pull requests were a draft or closed. The two may overlap.
breaks AS (
    SELECT pull_request_id, started_at, coalesce(ended_at, TIMESTAMP 'infinity') AS ended_at
    FROM metrics.draft_periods
    WHERE repository_id IN (SELECT unnest($repositories))
    UNION ALL
    FROM metrics.closed_periods($repositories)
),
steps AS (
    SELECT pull_request_id, greatest(moment, created_at) AS moment, sum(step) AS step
    FROM (
        SELECT pull_request_id, unnest([started_at, ended_at]) AS moment, unnest([1, -1]) AS step FROM breaks
    )
    JOIN pull_requests USING (pull_request_id)
    WHERE is_open
    GROUP BY ALL
),
interruptions AS (
    SELECT
        pull_request_id,
        bool_or(isinf(until)) AS is_interrupted,
        sum(date_diff('second', moment, until)) FILTER (NOT isinf(until))::BIGINT AS seconds
    FROM (
        SELECT
            pull_request_id,
            moment,
            sum(step) OVER in_order AS depth,
            lead(moment) OVER in_order AS until
        FROM steps
        WINDOW in_order AS (PARTITION BY pull_request_id ORDER BY moment)
    )
    WHERE depth > 0
    GROUP BY pull_request_id
),
drafts AS (
    SELECT
        period.pull_request_id,
        CAST(sum(greatest(0, date_diff('second',
            period.started_at,
            coalesce(least(period.ended_at, coalesce(pull_request.merged_at, pull_request.closed_at)), as_of)
        ))) AS BIGINT) AS seconds
    FROM metrics.draft_periods AS period
    JOIN pull_requests AS pull_request USING (pull_request_id)
    WHERE period.repository_id IN (SELECT unnest($repositories))
    GROUP BY period.pull_request_id
),
-- place orders the qualifying reviews: one number that sorts as (submitted_at, review_id) does.
evidence AS (
    SELECT
        *,
        original_state = 'APPROVED' AS is_approval,
        original_state = 'CHANGES_REQUESTED' AS is_change_request,
        CASE WHEN is_qualifying
            THEN epoch_us(submitted_at)::HUGEINT * 18446744073709551616::HUGEINT + review_id END AS place
    FROM metrics.evidence($repositories)
),
-- Each aggregate costs as much as a join, so flags of few values share one.
reviews AS (
    SELECT
        pull_request_id,
        min(submitted_at) AS first_any_at,
        min(submitted_at) FILTER (is_bot) AS first_bot_review_at,
        min(submitted_at) FILTER (is_qualifying AND is_since_ready) AS first_since_ready_at,
        min(submitted_at) FILTER (is_qualifying AND is_since_ready AND is_approval) AS first_approval_at,
        min(place) AS first_place,
        max(place * 2 + is_approval::HUGEINT) FILTER (is_approval OR is_change_request) AS last_decision,
        count(place) FILTER (is_change_request) AS change_requests,
        count(place) AS reviews,
        list(coalesce(reviewer_id, -1)) FILTER (is_qualifying) AS people,
        -- Three counts in one number of 3 × 20 bits: verdicts, inline comments, and of whose text nothing is known.
        sum(
            CASE WHEN NOT is_qualifying THEN 0 WHEN is_verdict THEN 1 WHEN is_inline_only THEN 1048576
                WHEN is_inline_only IS NULL THEN 1099511627776 ELSE 0 END
        )::BIGINT AS kinds_of_work,
        bit_or(
            CASE disqualified_by WHEN 'self' THEN 1 WHEN 'bot' THEN 2 WHEN 'after_merge' THEN 4
                ELSE CASE WHEN is_in_draft THEN 8 ELSE 0 END END::UTINYINT
        ) AS kinds
    FROM evidence
    GROUP BY pull_request_id
),
half_days AS (
    FROM metrics.half_days(
        $half_day, $worked_before, $first_start, $first_length, $second_start, $second_length
    )
),
times AS (
    SELECT
        pull_request.*,
        first_any_at,
        first_bot_review_at,
        first_since_ready_at,
        first_approval_at,
        -- GitHub has had reviews since that day.
        coalesce(first_any_at IS NULL AND closed_at < TIMESTAMP '2016-09-14', false) AS is_before_reviews,
        change_requests,
        last_decision & 1 = 1 AS is_approved_last,
        reviews,
        kinds_of_work,
        -- Counting distinct people is expensive, and most pull requests have one.
        CASE WHEN reviews > 1 THEN list_unique(people) ELSE reviews END AS reviewers,
        kinds & 1 <> 0 AS some_self,
        kinds & 2 <> 0 AS some_bot,
        kinds & 4 <> 0 AS some_after_merge,
        kinds & 8 <> 0 AS some_in_draft,
        make_timestamp((first_place >> 64)::BIGINT) AS first_review_at,
        (first_place & 18446744073709551615::HUGEINT)::BIGINT AS first_review_id,
        CASE WHEN coalesce(has_open_period, false) = is_draft THEN coalesce(drafts.seconds, 0) END AS draft_seconds,
        CASE WHEN is_open AND NOT is_draft AND first_place IS NULL AND NOT coalesce(is_interrupted, false)
            THEN created_at + to_seconds(coalesce(interruptions.seconds, 0)) END AS waiting_since
    FROM pull_requests AS pull_request
    LEFT JOIN reviews USING (pull_request_id)
    LEFT JOIN drafts USING (pull_request_id)
    LEFT JOIN interruptions USING (pull_request_id)
),
worked AS (
    SELECT
        times.*,
        metrics.worked_until(reviewed, first_review_at) - metrics.worked_until(opened, created_at) AS business_seconds
    FROM times
    LEFT JOIN half_days AS opened
        ON opened.half_day = CASE WHEN first_review_at IS NOT NULL THEN metrics.half_day_of(created_at) END
    LEFT JOIN half_days AS reviewed ON reviewed.half_day = metrics.half_day_of(first_review_at)
)
SELECT
    repository_id,
    pull_request_id,
    number,
    author_id,
    created_at,
    CAST(date_trunc('week', created_at) AS DATE) AS created_week,
    ready_at,
    closed_at,
    merged_at,
    is_open,
    is_bot_author,
    NOT (is_bot_author AND $exclude_bots) AS is_counted,
    metrics.hours_between(created_at, first_review_at) AS review_time_hours,
    CASE
        WHEN first_review_at IS NOT NULL THEN NULL
        WHEN is_before_reviews THEN 'before_reviews'
        WHEN first_any_at IS NULL THEN 'no_reviews'
        WHEN some_after_merge THEN 'only_after_merge'
        WHEN some_self AND some_bot THEN 'only_self_and_bots'
        WHEN some_self THEN 'only_self'
        ELSE 'only_bots'
    END AS null_reason,
    metrics.hours_between(created_at, first_any_at) AS review_time_hours_any,
    metrics.hours_between(ready_at, first_since_ready_at) AS pickup_time_hours,
    metrics.hours(business_seconds) AS review_time_business_hours,
    metrics.hours_between(ready_at, first_approval_at) AS time_to_first_approval_hours,
    CASE WHEN merged_at >= ready_at THEN metrics.hours_between(ready_at, merged_at) END AS time_to_merge_hours,
    metrics.hours_between(created_at, merged_at) AS cycle_time_hours,
    metrics.hours(draft_seconds) AS draft_hours,
    metrics.hours_between(waiting_since, greatest(as_of, waiting_since)) AS waiting_hours,
    business_seconds,
    draft_seconds,
    waiting_since,
    coalesce(CASE WHEN change_requests > 0 AND is_approved_last THEN change_requests + 1 ELSE change_requests END, 0)
        AS review_rounds,
    coalesce(reviewers, 0)::BIGINT AS reviewers,
    coalesce(reviews, 0) AS reviews,
    coalesce(kinds_of_work & 1048575, 0) AS verdicts,
    CASE WHEN coalesce(kinds_of_work >> 40, 0) = 0 THEN coalesce(kinds_of_work >> 20 & 1048575, 0) END AS inline_only,
    first_review_id,
    first_review_at,
    first_any_at,
    first_since_ready_at,
    first_approval_at,
    first_bot_review_at,
    CASE WHEN NOT is_before_reviews THEN merged_at IS NOT NULL AND first_review_at IS NULL END AS merged_without_review,
    coalesce(some_after_merge, false) AS reviewed_after_merge,
    coalesce(some_in_draft, false) AS reviewed_in_draft,
    $metric_version AS metric_version
FROM worked;
