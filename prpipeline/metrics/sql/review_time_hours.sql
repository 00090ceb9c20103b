-- review_time_hours: one row per pull request, with every time that its review took.
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
--   draft_hours                   sum of the draft periods up to M, closed_at or now; NULL where the last draft
--                                 event contradicts is_draft, for then an event is missing
--   waiting_hours                 of those that are open, ready and without a Q: the sum of the periods in which it was
--                                 open and ready, up to now. NULL for all others, and where draft events or events of
--                                 closing contradict the state
--   coding_time_hours             C - first_commit_at; NULL where that is later than C, as after a rebase
--   review_to_approval_hours      first approving Q at or after R - first Q at or after R
--   approval_to_merge_hours       M - first approving Q at or after R
-- Now is the last sync for a repository that is no longer tracked.
--   null_reason                   before_reviews: no review, and last closed before GitHub had reviews (2016-09-14);
--                                 then only_after_merge, only_self_and_bots, only_self (a bot's of its own pull request
--                                 too), only_bots, no_reviews
--   verdicts                      Q that approved or requested changes, also if dismissed later
--   inline_only                   Q of state COMMENTED without a text of their own: GitHub makes one of each inline
--                                 comment or reply that is written outside a review
--   review_rounds                 Q that requested changes, plus one where an approval follows the last of them

CREATE OR REPLACE VIEW metrics.review_time_hours AS
SELECT
    repository_names.repository,
    repository_names.team,
    times.number,
    pull_request.title,
    pull_request.author_login,
    pull_request.state,
    times.created_at,
    times.created_week,
    times.review_time_hours,
    times.null_reason,
    times.review_time_hours_any,
    times.pickup_time_hours,
    times.review_time_business_hours,
    times.time_to_first_approval_hours,
    times.time_to_merge_hours,
    times.cycle_time_hours,
    times.draft_hours,
    times.waiting_hours,
    CASE WHEN pull_request.first_commit_at <= times.created_at
        THEN metrics.hours_between(pull_request.first_commit_at, times.created_at) END AS coding_time_hours,
    metrics.hours_between(times.first_since_ready_at, times.first_approval_at) AS review_to_approval_hours,
    metrics.hours_between(times.first_approval_at, times.merged_at) AS approval_to_merge_hours,
    times.review_rounds,
    times.reviewers,
    times.reviews,
    times.verdicts,
    times.inline_only,
    review.reviewer_login AS first_reviewer_login,
    review.state AS first_review_state,
    times.first_review_at,
    times.first_bot_review_at,
    pull_request.author_is_bot,
    times.is_bot_author,
    times.is_counted,
    pull_request.is_draft,
    metrics.size_class(pull_request.additions + pull_request.deletions) AS size_class,
    CASE WHEN contains(lower(title), 'revert') THEN regexp_matches(title, '\brevert\b', 'i') ELSE false END
        AS is_revert,
    CASE WHEN contains(lower(title), 'hotfix') THEN regexp_matches(title, '\bhotfix\b', 'i') ELSE false END
        AS is_hotfix,
    times.merged_without_review,
    times.reviewed_after_merge,
    times.reviewed_in_draft,
    pull_request.first_commit_at,
    times.ready_at,
    times.first_approval_at,
    times.closed_at,
    times.merged_at,
    pull_request.merged_by_login,
    pull_request.additions,
    pull_request.deletions,
    pull_request.changed_files,
    pull_request.commits,
    pull_request.comments,
    pull_request.base_ref,
    pull_request.head_ref,
    pull_request.is_from_fork,
    pull_request.url,
    times.author_id,
    times.first_review_id,
    times.pull_request_id,
    times.repository_id,
    times.metric_version
FROM metrics.pull_request_times AS times
JOIN raw.pull_requests AS pull_request
    ON pull_request.repository_id = times.repository_id AND pull_request.pull_request_id = times.pull_request_id
LEFT JOIN raw.reviews AS review
    ON review.repository_id = times.repository_id AND review.review_id = times.first_review_id
LEFT JOIN metrics.repository_names ON repository_names.repository_id = times.repository_id;
