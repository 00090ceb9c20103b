-- compat_middleware: what Middleware computes for a pull request, in seconds.
--
-- From middlewarehq/middleware at 5471e35d (2025-08-16), backend/analytics_server/mhq: service/code/sync/
-- etl_code_analytics.py and etl_github_handler.py, exapi/github.py, exapi/models/github_timeline.py, utils/string.py.
--
-- Closed and merged pull requests only. Reviews and ready_for_review events of people count, at any time: the author's
-- own and those after the merge too. Left out are accounts of type Bot, those with a name that the expression below finds
-- (helper_bot, ci-bot-1, x[bot]; not dependabot), and deleted accounts. The configured bots are people here. An approval
-- is a review whose state is APPROVED now, so not a dismissed one. Ready is the first ready_for_review event that is not
-- left out, whatever the pull request was opened as, or created_at where there is none.
--   first_response_time_seconds  first review - ready; negative where it was reviewed as a draft
--   rework_time_seconds          first approval - first review; 0 where the first review approves, NULL without approval
--   merge_time_seconds           merged_at - first approval; NULL where that would be negative, or nothing approved it
--   cycle_time_seconds           merged_at - ready; negative where it was merged as a draft
-- Middleware writes unknown as -1 second, so a time of exactly -1 second is NULL. At a pull request of a deleted author it
-- stops reading the repository; here such a pull request is a row like any other.

CREATE OR REPLACE VIEW compat_middleware AS
WITH actions AS (
    SELECT repository, repository_id, number, reviewer_login AS login, submitted_at AS acted_at, state AS action
    FROM reviews
    WHERE NOT reviewer_is_bot
    UNION ALL
    SELECT repository, repository_id, number, actor_login, created_at, event
    FROM review_events
    WHERE event = 'ready_for_review'
),
firsts AS (
    SELECT
        repository, repository_id, number,
        min(acted_at) FILTER (action = 'ready_for_review') AS ready_event_at,
        min(acted_at) FILTER (action <> 'ready_for_review') AS reviewed_at,
        min(acted_at) FILTER (action = 'APPROVED') AS approved_at
    FROM actions
    WHERE login IS NOT NULL
      -- The expression is slow, and few logins have these letters.
      AND NOT CASE WHEN contains(lower(login), 'bot')
          THEN regexp_matches(login, '(?i)(\b[\w@-]*[-_\[\]@ ]+bot[-_\d\[\]]*\b|\[bot\]|_bot_|_bot$|^bot_)')
          ELSE false END
    GROUP BY ALL
)
SELECT
    repository,
    number,
    nullif(date_diff('second', coalesce(ready_event_at, created_at), reviewed_at), -1) AS first_response_time_seconds,
    date_diff('second', reviewed_at, approved_at) AS rework_time_seconds,
    CASE WHEN merged_at >= approved_at THEN date_diff('second', approved_at, merged_at) END AS merge_time_seconds,
    nullif(date_diff('second', coalesce(ready_event_at, created_at), merged_at), -1) AS cycle_time_seconds,
    pull_request_id,
    repository_id
FROM pull_requests
LEFT JOIN firsts USING (repository, repository_id, number)
WHERE state <> 'open';
