"""Review times in the browser: a Streamlit app in one file, to be used as it is or changed.

pip install streamlit duckdb
streamlit run docs/review_times_app.py

It reads data/published/prpipeline.duckdb (PRPIPELINE_DATA_DIR names another folder than data). Each release is opened
for its queries only, so that pages show a new one within half a minute, and publishing is never in the way.
"""

import os
from pathlib import Path

import altair as alt
import duckdb
import pandas as pd
import streamlit as st

PUBLISHED = Path(os.environ.get("PRPIPELINE_DATA_DIR", "data")) / "published" / "prpipeline.duckdb"
CLOCKS = {
    "since opened": "review_time_hours",
    "since ready": "pickup_time_hours",
    "in business hours": "review_time_business_hours",
}
FEW = 5  # numbers of fewer pull requests than this are faded: they say little
COLOURS = [
    "#3b82d6",
    "#e07a2f",
    "#23a06f",
    "#b065d8",
    "#c79a00",
    "#d9527a",
    "#1fa3b5",
    "#8a8f98",
]  # on white and on black


@st.cache_data(max_entries=200, show_spinner=False)
def rows(release: str, sql: str, parameters: dict | None = None) -> pd.DataFrame:
    """What a query gives, computed once a release. A release is a folder of its own: its path never gets other data."""
    settings = {"enable_external_access": "false", "lock_configuration": "true"}
    with duckdb.connect(release, read_only=True, config=settings) as connection:
        return connection.execute(sql, parameters or {}).df()


@st.fragment(run_every=20)
def watch(shown: str) -> None:
    """Draws the page again when the link leads to a newer release than the one shown."""
    if os.path.realpath(PUBLISHED) != shown:
        st.rerun()


st.set_page_config("Review times", ":material/rate_review:", layout="wide")
if not PUBLISHED.exists():
    st.error(
        f"{PUBLISHED} does not exist yet: run 'prpipeline sync', or start the app in the folder that has it."
    )
    st.stop()
RELEASE = os.path.realpath(PUBLISHED)  # one release for the whole page
watch(RELEASE)

status = rows(RELEASE, "FROM pipeline_status").iloc[0]
st.title("How long do pull requests wait for review?")
st.caption(f"As of {status.as_of:%Y-%m-%d %H:%M} UTC, {status.repositories} repositories")
if status.is_sample_data:
    st.warning("This is the demo's sample data.", icon=":material/science:")
if status.repositories_failed:
    st.warning(
        f"{status.repositories_failed} repositories could not be synced: 'prpipeline status' says why."
    )

# What is asked for. It stands in the address, so that a view can be sent.
repositories = rows(RELEASE, "SELECT repository, team FROM repositories ORDER BY repository")
teams = sorted(repositories.team.dropna().unique())
with st.container(horizontal=True, vertical_alignment="bottom"):
    weeks = st.selectbox(
        "Opened in the last",
        [4, 12, 26, 52, 104],
        1,
        lambda n: f"{n} weeks",
        key="weeks",
        bind="query-params",
    )
    clock = st.selectbox("Hours", list(CLOCKS), key="clock", bind="query-params")
    by = st.selectbox("By", ["repository", *(["team"] if teams else [])], key="by")
    chosen_teams = st.multiselect("Teams", teams, placeholder="All teams") if teams else []
    offered = repositories[repositories.team.isin(chosen_teams)] if chosen_teams else repositories
    chosen = st.multiselect("Repositories", list(offered.repository), placeholder="All repositories")
asked = {"repositories": chosen or list(offered.repository), "weeks": int(weeks)}
HOURS = CLOCKS[clock]
# This period, and the one of the same length before. All are pull requests that aggregates count: those of people.
COUNTED = f"""
    WITH counted AS (
        SELECT *, coalesce({by}, 'no team') AS name, {HOURS} AS waited, created_at >= as_of - to_weeks($weeks) AS is_now
        FROM review_time_hours CROSS JOIN (SELECT as_of FROM pipeline_status)
        WHERE is_counted AND list_contains($repositories, repository) AND created_at >= as_of - to_weeks(2 * $weeks)
    )
"""

totals = rows(RELEASE, COUNTED + """
    SELECT
        count(*) FILTER (is_now) AS opened,
        median(waited) FILTER (is_now) AS hours,
        CASE WHEN least(count(waited) FILTER (is_now), count(waited) FILTER (NOT is_now)) >= $few
            THEN hours - median(waited) FILTER (NOT is_now) END AS change,
        avg(merged_without_review::INT) FILTER (is_now AND state = 'merged') AS unreviewed
    FROM counted
    """, asked | {"few": FEW}).iloc[0]  # fmt: skip
queue = rows(RELEASE, """
    SELECT waiting_hours / 24 AS days, repository, team, number, title, author_login,
           coalesce(requested_reviewers, 'nobody') AS asked, url
    FROM review_queue WHERE list_contains($repositories, repository) AND NOT is_bot_author ORDER BY place
    """, {"repositories": asked["repositories"]})  # fmt: skip
with st.container(horizontal=True):
    st.metric(
        f"Median hours to the first review, {clock}",
        "–" if pd.isna(totals.hours) else f"{totals.hours:,.1f}",
        None if pd.isna(totals.change) else f"{totals.change:+,.1f} against the {weeks} weeks before",
        delta_color="inverse",
        border=True,
    )
    st.metric("Pull requests opened by people", f"{int(totals.opened):,}", border=True)
    st.metric("Waiting for their first review now", f"{len(queue):,}", border=True)
    st.metric(
        "Merged without a review",
        "–" if pd.isna(totals.unreviewed) else f"{totals.unreviewed:.0%}",
        border=True,
    )

st.subheader(f"Median hours to the first review, by week and {by}")
weekly = rows(RELEASE, COUNTED + """
    SELECT created_week AS week, name, count(waited) AS n, median(waited) AS hours
    FROM counted
    WHERE is_now AND name IN (
        SELECT name FROM counted WHERE is_now GROUP BY name ORDER BY count(waited) DESC, name LIMIT $most
    )
    GROUP BY ALL HAVING n > 0 ORDER BY ALL
    """, asked | {"most": len(COLOURS)})  # fmt: skip
if weekly.empty:
    st.info("No pull request of this period has a review.")
else:
    over_time = alt.Chart(weekly).encode(
        alt.X("week:T", title=None, axis=alt.Axis(format="%d %b")),
        alt.Y("hours:Q", title="hours"),
        alt.Color(
            "name:N",
            title=None,
            scale=alt.Scale(range=COLOURS),
            legend=alt.Legend(orient="bottom", columns=2, labelLimit=165),
        ),
        tooltip=[
            alt.Tooltip("name", title=by),
            alt.Tooltip("week:T", title="week of"),
            alt.Tooltip("hours", format=",.1f", title="median hours"),
            alt.Tooltip("n", title="pull requests"),
        ],
    )
    points = over_time.mark_circle(size=70).encode(
        opacity=alt.condition(f"datum.n < {FEW}", alt.value(0.35), alt.value(1))
    )
    st.altair_chart(over_time.mark_line(opacity=0.8) + points, height=400)
    shown = (
        f" The {len(COLOURS)} with the most reviewed ones are shown."
        if weekly.name.nunique() == len(COLOURS)
        else ""
    )
    st.caption(f"Faint points are medians of fewer than {FEW} pull requests.{shown}")

left, right = st.columns(2, gap="large")
with left:
    st.subheader(f"Which {'repositories' if by == 'repository' else 'teams'} got slower?")
    compared = rows(RELEASE, COUNTED + """
        SELECT
            name,
            count(waited) FILTER (is_now) AS reviewed,
            median(waited) FILTER (is_now) AS hours,
            quantile_cont(waited, 0.9) FILTER (is_now) AS p90,
            median(waited) FILTER (NOT is_now) AS before,
            CASE WHEN reviewed >= $few AND count(waited) FILTER (NOT is_now) >= $few THEN hours - before END AS change
        FROM counted GROUP BY ALL ORDER BY change DESC NULLS LAST, name
        """, asked | {"few": FEW})  # fmt: skip
    st.dataframe(
        compared,
        hide_index=True,
        column_config={
            "name": st.column_config.TextColumn(by),
            "reviewed": st.column_config.NumberColumn("reviewed", format="localized"),
            "hours": st.column_config.NumberColumn("median", format="%.1f"),
            "p90": st.column_config.NumberColumn("90 % within", format="%.1f"),
            "before": st.column_config.NumberColumn("median before", format="%.1f"),
            "change": st.column_config.NumberColumn("change", format="%+.1f"),
        },
    )
    st.caption(f"Hours. A change needs {FEW} reviewed pull requests in both periods.")
with right:
    st.subheader("Who reviews?")
    reviewers = rows(RELEASE, """
        SELECT coalesce(reviewer_login, 'deleted accounts') AS reviewer, sum(verdicts)::BIGINT AS verdicts,
               sum(requests)::BIGINT AS asked, sum(requests_unanswered)::BIGINT AS unanswered
        FROM reviewer_weekly CROSS JOIN (SELECT as_of FROM pipeline_status)
        WHERE list_contains($repositories, repository) AND week >= as_of - to_weeks($weeks)
        GROUP BY ALL HAVING sum(verdicts) > 0 ORDER BY verdicts DESC, reviewer LIMIT 15
        """, asked)  # fmt: skip
    bars = alt.Chart(reviewers).encode(
        alt.X("verdicts:Q", title="approvals and requests for changes"),
        alt.Y("reviewer:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=["reviewer", "verdicts", alt.Tooltip("asked", title="asked to review"), "unanswered"],
    )
    st.altair_chart(bars.mark_bar(), height=max(120, 28 * len(reviewers) + 50))

st.subheader("What waits for its first review now?")
if queue.empty:
    st.success("Nothing waits.", icon=":material/check:")
else:
    st.dataframe(
        queue,
        hide_index=True,
        column_order=["days", "repository", *(["team"] if teams else []), "url", "title", "author_login", "asked"],
        column_config={
            "days": st.column_config.NumberColumn("days", format="%.1f", width="small"),
            "url": st.column_config.LinkColumn("pull request", display_text=r"/(\d+)$", width="small"),
            "title": st.column_config.TextColumn("title", width="large"),
            "author_login": st.column_config.TextColumn("author"),
            "asked": st.column_config.TextColumn("asked to review"),
        },
    )  # fmt: skip
