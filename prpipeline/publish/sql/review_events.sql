SELECT
    event.* REPLACE (CASE WHEN NOT event.subject_is_team THEN event.subject_id END AS subject_id),
    names.repository
FROM warehouse.raw.review_events AS event JOIN names USING (repository_id)
