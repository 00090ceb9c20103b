SELECT review.*, names.repository
FROM warehouse.raw.reviews AS review JOIN names USING (repository_id)
