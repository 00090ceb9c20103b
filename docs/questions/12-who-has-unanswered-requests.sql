-- Who has requests for a review that wait for an answer? Of people's pull requests; teams that were asked stand beside people.
SELECT
    reviewer_login,
    is_team,
    count(*) AS requests,
    round(max(waiting_hours) / 24, 1) AS longest_days,
    string_agg(repository || '#' || number, ', ' ORDER BY asked_at) AS pull_requests
FROM review_requests
WHERE outcome = 'pending' AND NOT is_bot AND NOT is_bot_author
GROUP BY reviewer_login, is_team
ORDER BY requests DESC, longest_days DESC, reviewer_login;
