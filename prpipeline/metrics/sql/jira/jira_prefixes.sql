-- The prefixes of keys that may be links: the present and former keys of selected projects, as the repositories file and as
-- Jira have them, and those of old keys of issues that have come into a selected project.
SELECT prefix
FROM (
    SELECT unnest(list_concat([project_key, entry], coalesce(former_keys, []))) AS prefix
    FROM meta.jira_projects
    WHERE is_tracked
    UNION
    SELECT regexp_replace(old_key.issue_key, '-[0-9]+$', '')
    FROM raw.jira_keys AS old_key
    JOIN raw.jira_issues USING (issue_id)
    JOIN meta.jira_projects USING (project_id)
    WHERE is_tracked
)
WHERE regexp_full_match(prefix, '[\p{L}][\p{L}\p{Nd}_]*')
ORDER BY prefix;
