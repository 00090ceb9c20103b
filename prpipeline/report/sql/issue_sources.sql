-- Whose keys are looked for, and where.
SELECT projects, sources FROM issue_links_weekly LIMIT 1
