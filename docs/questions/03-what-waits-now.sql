-- What waits for a review now, and who was asked?
SELECT place, repository, number, title, author_login, round(waiting_hours / 24, 1) AS days, requested_reviewers, url
FROM review_queue
WHERE NOT is_bot_author
ORDER BY place;
