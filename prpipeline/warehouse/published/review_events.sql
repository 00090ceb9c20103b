SELECT event.*, names.repository
FROM warehouse.raw.review_events AS event JOIN names USING (repository_id)
