-- issues: one row per issue of Jira that was ever read.
--
-- Status and category are those of today by the status's id; the issue's own word stands only where the site lists the id no more.
-- An issue that Jira no longer shows (deleted, or hidden) stays, with is_gone; one that moved to a project that is not selected
-- stays, without is_tracked. parent_key is today's key of the parent, or of the epic where a field of its own links it. epic_key
-- is that of the parent, or of a sub-task's parent's parent. sprint is the one that runs, else the one listed last;
-- sprint_ended_at when it was completed, or is to end.
CREATE TABLE IF NOT EXISTS metrics.issues (
    issue_id           BIGINT,
    issue_key          VARCHAR,
    project_id         BIGINT,
    project_key        VARCHAR,
    summary            VARCHAR,
    issue_type         VARCHAR,
    hierarchy_level    BIGINT,
    status             VARCHAR,
    status_category    VARCHAR,
    priority           VARCHAR,
    resolution         VARCHAR,
    assignee_id        VARCHAR,
    reporter_id        VARCHAR,
    parent_id          BIGINT,
    parent_key         VARCHAR,
    epic_key           VARCHAR,
    epic               VARCHAR,
    sprint             VARCHAR,
    sprint_id          BIGINT,
    sprint_state       VARCHAR,
    sprint_started_at  TIMESTAMP,
    sprint_ended_at    TIMESTAMP,
    story_points       DOUBLE,
    points_class       VARCHAR,
    labels             VARCHAR,
    components         VARCHAR,
    fix_versions       VARCHAR,
    due_on             DATE,
    created_at         TIMESTAMP,
    updated_at         TIMESTAMP,
    resolved_at        TIMESTAMP,
    started_at         TIMESTAMP,
    done_at            TIMESTAMP,
    is_gone            BOOLEAN,
    gone_at            TIMESTAMP,
    is_tracked         BOOLEAN,
    has_broken_changes BOOLEAN,
    url                VARCHAR
);

DELETE FROM metrics.issues;

INSERT INTO metrics.issues BY NAME
WITH parents AS (
    SELECT
        issue.issue_id,
        coalesce(parent.issue_id, issue.parent_id) AS parent_id,
        coalesce(parent.issue_key, issue.parent_key) AS parent_key
    FROM raw.jira_issues AS issue
    LEFT JOIN raw.jira_keys AS by_key ON issue.parent_id IS NULL AND by_key.issue_key = issue.parent_key
    LEFT JOIN raw.jira_issues AS parent ON parent.issue_id = coalesce(issue.parent_id, by_key.issue_id)
    WHERE issue.parent_id IS NOT NULL OR issue.parent_key IS NOT NULL
),
epics AS (
    SELECT
        issue.issue_id,
        CASE WHEN issue.hierarchy_level < 0 THEN higher.parent_key ELSE parents.parent_key END AS epic_key,
        CASE WHEN issue.hierarchy_level < 0 THEN higher.parent_id ELSE parents.parent_id END AS epic_id
    FROM raw.jira_issues AS issue
    JOIN parents USING (issue_id)
    LEFT JOIN parents AS higher ON higher.issue_id = parents.parent_id
    WHERE coalesce(issue.hierarchy_level, 0) < 1
),
listed_sprints AS (
    SELECT issue_id, unnest(sprint_ids) AS sprint_id, generate_subscripts(sprint_ids, 1) AS place
    FROM raw.jira_issues
    WHERE len(sprint_ids) > 0
),
sprints AS (
    SELECT
        issue_id,
        arg_max(
            {
                'id': sprint_id, 'name': name, 'state': state,
                'started_at': started_at, 'ended_at': coalesce(completed_at, ended_at)
            },
            {'runs': coalesce(state = 'active', false), 'place': place}
        ) AS sprint
    FROM listed_sprints
    JOIN raw.jira_sprints USING (sprint_id)
    GROUP BY issue_id
),
selected AS (
    SELECT DISTINCT project_id FROM meta.jira_projects WHERE is_tracked AND project_id IS NOT NULL
)
SELECT
    issue.issue_id, issue.issue_key, issue.project_id, issue.project_key, issue.summary, issue.issue_type, issue.hierarchy_level,
    state.status, state.status_category,
    issue.priority, issue.resolution, issue.assignee_id, issue.reporter_id,
    parents.parent_id, parents.parent_key, epic_key, epic.summary AS epic,
    sprint.name AS sprint, sprint.id AS sprint_id, sprint.state AS sprint_state,
    sprint.started_at AS sprint_started_at, sprint.ended_at AS sprint_ended_at,
    issue.story_points,
    CASE
        WHEN issue.story_points <= 1 THEN '0-1'
        WHEN issue.story_points <= 3 THEN '2-3'
        WHEN issue.story_points <= 5 THEN '4-5'
        WHEN issue.story_points <= 8 THEN '6-8'
        WHEN issue.story_points IS NOT NULL THEN 'over 8'
    END AS points_class,
    nullif(array_to_string(issue.labels, ', '), '') AS labels,
    nullif(array_to_string(issue.components, ', '), '') AS components,
    nullif(array_to_string(issue.fix_versions, ', '), '') AS fix_versions,
    issue.due_on, issue.created_at, issue.updated_at, issue.resolved_at,
    moments.started_at, moments.done_at,
    issue.gone_at IS NOT NULL AS is_gone, issue.gone_at,
    selected.project_id IS NOT NULL AS is_tracked,
    issue.has_broken_changes, issue.url
FROM raw.jira_issues AS issue
LEFT JOIN (FROM metrics.issue_states WHERE is_last) AS state USING (issue_id)
LEFT JOIN metrics.issue_moments AS moments USING (issue_id)
LEFT JOIN parents USING (issue_id)
LEFT JOIN epics USING (issue_id)
LEFT JOIN raw.jira_issues AS epic ON epic.issue_id = epic_id
LEFT JOIN sprints USING (issue_id)
LEFT JOIN selected ON selected.project_id = issue.project_id;
