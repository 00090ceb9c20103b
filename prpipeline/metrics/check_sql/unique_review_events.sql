-- error on raw.review_events
-- An event is stored twice, so draft periods and requests may be wrong.
SELECT repository_id, number, event_id, count(*) AS rows
FROM raw.review_events
GROUP BY repository_id, number, event_id
HAVING count(*) > 1;
