-- When the first pull request was opened, in seconds since 1970. A single row.
SELECT epoch(min(created_at))::BIGINT AS created FROM review_time_hours
