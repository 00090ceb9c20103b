-- The pull requests of people that wait for their first review, longest first: of one team, of those without, or of all.
SELECT
    queue.repository,
    queue.number,
    queue.title,
    queue.author_login,
    queue.waiting_hours,
    queue.requested_reviewers,
    queue.url
FROM review_queue AS queue
JOIN review_time_hours AS times USING (pull_request_id)
WHERE times.is_counted AND ($everything OR queue.team IS NOT DISTINCT FROM $team)
ORDER BY queue.waiting_hours DESC, queue.place
