-- Half days of the calendar, each with the working seconds that came before it (since some fixed moment) and its at most
-- two working intervals, by their starts (seconds since 1970) and lengths.
CREATE OR REPLACE MACRO metrics.half_days(
    half_day, worked_before, first_start, first_length, second_start, second_length
) AS TABLE
    SELECT
        unnest(half_day) AS half_day,
        unnest(worked_before) AS worked_before,
        unnest(first_start) AS first_start,
        unnest(first_length) AS first_length,
        unnest(second_start) AS second_start,
        unnest(second_length) AS second_length;

-- Which half day a moment is in.
CREATE OR REPLACE MACRO metrics.half_day_of(moment) AS epoch(moment)::BIGINT // 43200;

-- Working seconds up to a moment in this half day: those before it, and what has passed of its two intervals.
CREATE OR REPLACE MACRO metrics.worked_until(half, moment) AS
    half.worked_before
    + greatest(0, least(epoch(moment)::BIGINT - half.first_start, half.first_length))
    + greatest(0, least(epoch(moment)::BIGINT - half.second_start, half.second_length));
