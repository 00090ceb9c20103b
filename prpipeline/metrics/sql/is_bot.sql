-- Whether an account is a bot: GitHub says so, its login ends in [bot], or it is on the configured list, in any case.
CREATE OR REPLACE MACRO metrics.is_bot(login, of_type_bot, bots) AS
    of_type_bot
    OR coalesce(CASE WHEN ends_with(login, ']') THEN ends_with(lower(login), '[bot]') END, false)
    OR coalesce(CASE WHEN len(bots) > 0 THEN list_contains(bots, lower(login)) END, false);
