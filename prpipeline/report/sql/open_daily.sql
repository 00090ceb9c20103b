-- People's pull requests open at the end of each of the last $days days. day is that many days before that of now.
SELECT repository_id, date_diff('day', day, $as_of::DATE) AS day, open, draft, waiting
FROM open_daily
WHERE day > $as_of::DATE - $days::INTEGER
ORDER BY repository_id, day
