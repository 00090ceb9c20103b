-- people_accounts: one row per account of Jira that is a person's on GitHub.
--
-- method says how they were matched: map (jira.people in the repositories file), e-mail (the public one on GitHub, equal to that which
-- Jira shows), name (the same in any case and with any spaces, and no other person and no other account has it: is_weak). What
-- fits several is not matched; prpipeline people lists that. Somebody may have several accounts, and several logins one.
CREATE OR REPLACE VIEW metrics.people_accounts AS
SELECT person_id, login, account_id, display_name, method, is_weak
FROM metrics.people_candidates
WHERE is_clear;
