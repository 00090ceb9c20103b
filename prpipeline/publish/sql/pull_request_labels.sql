SELECT label.*, names.repository
FROM warehouse.raw.pull_request_labels AS label JOIN names USING (repository_id)
