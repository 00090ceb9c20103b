-- compat_origin: review_time_hours by the definition under which the name was first used.
--
-- The first submitted review of anyone at any time, less created_at, in hours rounded to 2 decimals: the author's own
-- reviews, bots', deleted accounts' and those after the merge count. The rule came with the name; there is no public version
-- of it to name here.

CREATE OR REPLACE VIEW compat_origin AS
SELECT repository, number, review_time_hours_any AS review_time_hours, pull_request_id, repository_id
FROM review_time_hours;
