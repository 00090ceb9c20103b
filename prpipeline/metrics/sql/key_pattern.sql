-- What a key of a ticket is: one of these prefixes, a hyphen, and a number of up to nine digits that begins with none of 0, with
-- no letter of A to Z and no digit on either side: ABC-1 in feature/ABC-1, x_ABC-1, (ABC-1) and 修复ABC-1问题, not in XABC-1, ABC-01
-- or ABC-1x. RE2 cannot look ahead: all letters and digits that follow the hyphen are taken, and is_key refuses what is no number.
CREATE OR REPLACE MACRO metrics.key_pattern(prefixes) AS
    '(?:^|[^A-Za-z0-9])((?:' || array_to_string(prefixes, '|') || ')-[0-9][A-Za-z0-9]*)';

-- Whether what key_pattern found is a key.
CREATE OR REPLACE MACRO metrics.is_key(found) AS regexp_full_match(found, '.+-[1-9][0-9]{0,8}');
