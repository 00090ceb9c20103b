SELECT pr.*, names.repository
FROM warehouse.raw.pull_requests AS pr JOIN names USING (repository_id)
