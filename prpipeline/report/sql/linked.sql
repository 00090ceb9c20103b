-- The pull requests that name an issue.
SELECT DISTINCT pull_request_id FROM pull_request_issues
