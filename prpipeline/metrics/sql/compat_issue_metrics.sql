-- compat_issue_metrics: what GitHub's issue-metrics action says of a pull request, in seconds.
--
-- From github/issue-metrics at d70b1a00 (2026-03-05): issue_metrics.py, time_to_first_response.py,
-- time_to_ready_for_review.py, time_to_merge.py, time_in_draft.py.
--
-- ready_for_review_at is the first ready_for_review event, whatever the pull request was opened as; NULL for what is
-- a draft now. The clock starts there, or at created_at without one.
--   time_to_first_review_seconds  to the first review, in the first 50 of the pull request, by someone who has another
--                                 login than the author and is no account of type Bot, no earlier than
--                                 ready_for_review_at. Reviews after the merge count.
--   time_to_merge_seconds         to the merge
--   time_in_draft_seconds         from created_at to the first ready_for_review event where no convert_to_draft event came
--                                 before it; and from each convert_to_draft event, the last of repeated ones, to the next
--                                 ready_for_review event, or until now where it is open. Without any such event, a draft that
--                                 is open counts from created_at until now. NULL where that is 0.
-- Now is repositories.as_of. Draft events of one second have no order: they are taken in turns, so that they fit what follows.
-- issue-metrics looks for ready_for_review_at in the first 50 issue events of all kinds. Here it is looked for in the first 50
-- of the kinds in review_events, which are fewer: behind many labels or mentions it is found here, and not there.
-- Deleted accounts: issue-metrics stops reading at the first review, or event, by one. So a review of a deleted account
-- before the first that counts makes time_to_first_review_seconds NULL; an event by one up to the ready_for_review event
-- makes ready_for_review_at NULL; any event by one makes time_in_draft_seconds NULL. At a deleted author it ends altogether;
-- here that pull request is a row like any other.

CREATE OR REPLACE VIEW compat_issue_metrics AS
WITH of_events AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number,
        min(created_at) FILTER (event = 'ready_for_review') AS ready_at,
        min(created_at) FILTER (event = 'converted_to_draft') AS to_draft_at,
        min(created_at) FILTER (actor_login IS NULL) AS unreadable_at
    FROM review_events
    GROUP BY ALL
),
-- Only a pull request of more than 50 events, or reviews, needs them put in order.
long_events AS (
    SELECT repository, repository_id, number FROM review_events GROUP BY ALL HAVING count(*) > 50
),
last_events AS (
    SELECT repository, repository_id, number, created_at AS read_until
    FROM review_events
    JOIN long_events USING (repository, repository_id, number)
    QUALIFY row_number() OVER (PARTITION BY repository, repository_id, number ORDER BY created_at, event_id) = 50
),
starts AS NOT MATERIALIZED (
    SELECT
        repository, repository_id, number, pull_request_id, author_login, created_at, merged_at, is_draft,
        state = 'open' AS is_open, ready_at, to_draft_at, unreadable_at,
        CASE
            WHEN NOT is_draft AND ready_at < coalesce(unreadable_at, ready_at + INTERVAL 1 SECOND)
                AND ready_at <= coalesce(read_until, ready_at)
            THEN ready_at
        END AS ready_for_review_at
    FROM pull_requests
    LEFT JOIN of_events USING (repository, repository_id, number)
    LEFT JOIN last_events USING (repository, repository_id, number)
),
long_ones AS (
    SELECT repository, repository_id, number FROM reviews GROUP BY ALL HAVING count(*) > 50
),
beyond AS (
    SELECT repository, repository_id, review_id, true AS is_beyond
    FROM reviews
    JOIN long_ones USING (repository, repository_id, number)
    QUALIFY row_number() OVER (
        PARTITION BY repository, repository_id, number ORDER BY submitted_at, review_id
    ) > 50
),
-- One number that sorts as (submitted_at, review_id) does.
placed_reviews AS NOT MATERIALIZED (
    SELECT *, epoch_us(submitted_at)::HUGEINT * 18446744073709551616::HUGEINT + review_id AS place FROM reviews
),
first_reviews AS (
    SELECT
        repository, repository_id, number,
        min(place) FILTER (reviewer_login IS NOT NULL) AS first_place,
        min(place) FILTER (reviewer_login IS NULL) AS unreadable_place
    FROM placed_reviews
    JOIN starts USING (repository, repository_id, number)
    LEFT JOIN beyond USING (repository, repository_id, review_id)
    WHERE is_beyond IS NULL
      AND (
          reviewer_login IS NULL
          OR NOT reviewer_is_bot
              AND reviewer_login IS DISTINCT FROM author_login
              AND submitted_at >= coalesce(ready_for_review_at, submitted_at)
      )
    GROUP BY ALL
),
draft_events AS (
    SELECT
        repository, repository_id, number, created_at AS moment,
        sum(CASE event WHEN 'converted_to_draft' THEN 1 ELSE -1 END) AS net
    FROM review_events
    WHERE event IN ('ready_for_review', 'converted_to_draft')
    GROUP BY ALL
),
-- was_draft: at the beginning of that second, by the next events that do not cancel out, or else by what it is now.
seconds AS (
    SELECT
        repository, repository_id, number, moment, net,
        coalesce(
            first_value(CASE WHEN net <> 0 THEN net < 0 END IGNORE NULLS) OVER (
                in_order ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ),
            is_draft
        ) AS was_draft,
        lag(moment) OVER in_order AS last_moment,
        lag(net) OVER in_order AS last_net,
        lead(moment) OVER in_order IS NULL AS is_last
    FROM draft_events
    JOIN pull_requests USING (repository, repository_id, number)
    WINDOW in_order AS (PARTITION BY repository, repository_id, number ORDER BY moment)
),
-- A convert_to_draft event last in its second starts a period; a ready_for_review event first in a later one ends it.
later_drafts AS (
    SELECT
        repository, repository_id, number,
        sum(date_diff('second', last_moment, moment)) FILTER (
            (net < 0 OR net = 0 AND was_draft) AND (last_net > 0 OR last_net = 0 AND was_draft)
        ) AS later_seconds,
        max(moment) FILTER (is_last AND (net > 0 OR net = 0 AND was_draft)) AS last_drafted_at
    FROM seconds
    GROUP BY ALL
)
SELECT
    repository,
    number,
    ready_for_review_at,
    date_diff('second', coalesce(ready_for_review_at, created_at), reviewed_at) AS time_to_first_review_seconds,
    date_diff('second', coalesce(ready_for_review_at, created_at), merged_at) AS time_to_merge_seconds,
    CASE WHEN unreadable_at IS NULL THEN CAST(nullif(greatest(0,
        CASE WHEN ready_at <= coalesce(to_draft_at, ready_at) THEN date_diff('second', created_at, ready_at) ELSE 0 END
        + coalesce(later_seconds, 0)
        + coalesce(date_diff('second', open_draft_at, greatest(as_of, open_draft_at)), 0)
    ), 0) AS BIGINT) END AS time_in_draft_seconds,
    pull_request_id,
    repository_id
FROM (
    SELECT
        *,
        -- Nothing behind a review that cannot be read is read.
        CASE WHEN first_place < coalesce(unreadable_place, first_place + 1)
            THEN make_timestamp((first_place >> 64)::BIGINT) END AS reviewed_at,
        CASE
            WHEN NOT is_open THEN NULL
            WHEN ready_at IS NOT NULL OR to_draft_at IS NOT NULL THEN last_drafted_at
            WHEN is_draft THEN created_at
        END AS open_draft_at
    FROM starts
    LEFT JOIN later_drafts USING (repository, repository_id, number)
    LEFT JOIN first_reviews USING (repository, repository_id, number)
)
LEFT JOIN (
    SELECT repository_id, max(as_of) AS as_of FROM repositories GROUP BY repository_id
) USING (repository_id);
