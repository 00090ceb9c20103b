-- error on metrics.issue_times
-- Hours of an issue are negative, or those in its statuses do not add up to its lead time.
SELECT issue_id, issue_key, lead_time_hours, cycle_time_hours, hours_new, hours_indeterminate, hours_done, hours_unknown
FROM metrics.issue_times
JOIN (SELECT issue_id, has_broken_changes FROM metrics.issues) USING (issue_id)
WHERE least(lead_time_hours, cycle_time_hours, lead_time_business_hours, cycle_time_business_hours, hours_new, hours_indeterminate,
        hours_done, hours_unknown) < 0
   OR lead_time_business_hours > lead_time_hours + 0.02 OR cycle_time_hours > lead_time_hours
   OR (NOT has_broken_changes
       AND abs(hours_new + hours_indeterminate + hours_done + hours_unknown - lead_time_hours) > 0.03);
