-- review_evidence: one row per submitted review, with whether it qualifies and, if not, why.
--
-- A review qualifies when its reviewer is not the author (ids are compared, logins are labels), is not a bot, and
-- it was submitted no later than the merge. A bot is an actor of type Bot, a login that ends in [bot], or a login
-- on the configured list, without regard to case. A deleted account has no id: it is a human, and never the author.
-- disqualified_by is the first reason that applies of self, bot, after_merge; the flags show the others.
-- is_since_ready: whether it was submitted at or after ready_at (see review_time_hours).
-- is_verdict and is_inline_only are of the two kinds that counts of work tell apart, see review_time_hours.
-- reviewer_team is the reviewer's team at the review: of several, the one that is listed first (team_periods).
-- With the setting exclude_self or exclude_bots off, that reason disqualifies nothing.

CREATE OR REPLACE VIEW metrics.review_evidence AS
SELECT
    repository_names.repository,
    review.number,
    review.reviewer_login,
    reviewer_period.team AS reviewer_team,
    review.state,
    review.original_state,
    review.is_verdict,
    review.is_inline_only,
    review.submitted_at,
    metrics.hours_between(review.created_at, review.submitted_at) AS hours_since_created,
    review.is_qualifying,
    review.disqualified_by,
    review.is_self,
    review.is_bot,
    review.is_after_merge,
    review.is_in_draft,
    review.is_since_ready,
    review.reviewer_id,
    review.review_id,
    review.repository_id,
    review.pull_request_id
FROM metrics.evidence((SELECT list(DISTINCT repository_id) FROM raw.pull_requests)) AS review
LEFT JOIN metrics.repository_names USING (repository_id)
LEFT JOIN metrics.team_periods AS reviewer_period
    ON reviewer_period.person_id = review.reviewer_id
    AND reviewer_period.started_at <= review.submitted_at AND reviewer_period.ended_at > review.submitted_at;
