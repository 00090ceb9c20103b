"""Answers of Jira as records: times, texts, points, sprints, parents, people, of both editions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from prpipeline.jira import custom_fields, mapping
from prpipeline.jira.custom_fields import CustomFields
from prpipeline.model.failures import MalformedRecord
from prpipeline.settings import JiraOptions

CUSTOM = CustomFields(("customfield_1", "customfield_2"), "customfield_3", "customfield_4")
OLD_SPRINT = (
    "com.atlassian.greenhopper.service.sprint.Sprint@1a2b[id=7,rapidViewId=3,state=CLOSED,name=A, b=c,"
    "startDate=2020-06-12T08:38:51.882+0800,endDate=<null>,completeDate=<null>,sequence=7]"
)


def body(**fields: Any) -> dict[str, Any]:
    content = {
        "summary": "S",
        "status": {"id": "1", "name": "新建", "statusCategory": {"key": "new", "name": "新建"}},
        "issuetype": {"id": "2", "name": "故事", "subtask": False, "hierarchyLevel": 0},
        "project": {"id": "10003", "key": "EE"},
        "created": "2021-01-25T11:09:27.985+0800",
        "updated": "2021-01-25T11:09:27.985+0800",
        **fields,
    }
    return {"id": "10063", "key": "EE-1", "fields": {k: v for k, v in content.items() if v != "absent"}}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-01-25T11:09:27.985+0800", datetime(2021, 1, 25, 3, 9, 27, 985_000)),
        ("2021-01-25T11:09:27.985+0000", datetime(2021, 1, 25, 11, 9, 27, 985_000)),
        ("2021-01-25T11:09:27.985-0330", datetime(2021, 1, 25, 14, 39, 27, 985_000)),
        ("2021-01-25T11:09:27.985Z", datetime(2021, 1, 25, 11, 9, 27, 985_000)),
        ("2021-01-25T11:09:27+0800", datetime(2021, 1, 25, 3, 9, 27)),
    ],
)
def test_times_are_utc_to_the_millisecond(text: str, moment: datetime) -> None:
    assert mapping.issue(body(updated=text), CUSTOM, "").updated_at == moment


@pytest.mark.parametrize("nonsense", [None, "absent", "", "yesterday", 5, "0001-01-01T00:00:00.000+0000"])
def test_an_issue_without_its_time_is_none(nonsense: object) -> None:
    with pytest.raises(MalformedRecord):
        mapping.issue(body(created=nonsense), CUSTOM, "")


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"customfield_1": 0}, "story_points", 0.0),
        ({"customfield_1": 0.5}, "story_points", 0.5),
        ({"customfield_1": "3"}, "story_points", 3.0),
        ({"customfield_1": None, "customfield_2": 8}, "story_points", 8.0),
        ({"customfield_1": 5, "customfield_2": 8}, "story_points", 5.0),
        ({"customfield_1": "many"}, "story_points", None),
        ({"customfield_1": True}, "story_points", None),
        ({}, "story_points", None),
        ({"customfield_3": None}, "sprint_ids", ()),
        ({"customfield_3": [{"id": 7}, {"id": 8}, {"id": 9}]}, "sprint_ids", (7, 8, 9)),
        ({"customfield_3": [OLD_SPRINT]}, "sprint_ids", (7,)),
        ({"parent": {"id": "5", "key": "EE-5"}, "customfield_4": "EE-6"}, "parent_key", "EE-5"),
        ({"parent": {"id": "5", "key": "EE-5"}}, "parent_id", 5),
        ({"customfield_4": "EE-6"}, "parent_key", "EE-6"),
        ({}, "parent_key", None),
        ({"summary": "a\0b"}, "summary", "ab"),
        ({"summary": "\u200bx"}, "summary", "\u200bx"),
        ({"summary": "\ud83d!"}, "summary", "?!"),
        ({"summary": "x" * 32_767}, "summary", "x" * 32_767),
        ({"summary": None}, "summary", ""),
        (
            {"status": {"id": "1", "name": "N", "statusCategory": {"key": "undefined"}}},
            "status_category",
            None,
        ),
        ({"status": {"id": "1", "name": "N"}}, "status_category", None),
        ({"priority": None}, "priority", None),
        ({"priority": {"id": "3", "name": "Medium"}}, "priority_id", "3"),
        ({"assignee": None}, "assignee_id", None),
        ({"assignee": {"accountId": "5e1", "displayName": "P"}}, "assignee_id", "5e1"),
        ({"assignee": {"key": "JIRAUSER1", "name": "p", "displayName": "P"}}, "assignee_id", "JIRAUSER1"),
        ({"issuetype": {"id": "2", "name": "Sub-task", "subtask": True}}, "hierarchy_level", -1),
        ({"labels": ["a", None, "b"]}, "labels", ("a", "b")),
        ({"fixVersions": [{"name": "v1"}, {}]}, "fix_versions", ("v1",)),
    ],
)
def test_fields(fields: dict[str, Any], field: str, value: object) -> None:
    assert getattr(mapping.issue(body(**fields), CUSTOM, ""), field) == value


def test_a_sprint_of_an_old_data_center_has_its_name_and_state() -> None:
    (sprint,) = mapping.issue(body(customfield_3=[OLD_SPRINT]), CUSTOM, "").sprints
    assert (sprint.name, sprint.state, sprint.started_at) == (
        "A, b=c",
        "closed",
        datetime(2020, 6, 12, 0, 38, 51, 882_000),
    )


def entry(number: int, *items: dict[str, Any], at: str = "2021-01-26T00:00:00.000+0000") -> dict[str, Any]:
    return {"id": str(number), "created": at, "items": list(items)}


def step(before: str, after: str) -> dict[str, Any]:
    return {"field": "status", "from": before, "fromString": "x", "to": after, "toString": "y"}


@pytest.mark.parametrize(
    ("steps", "is_broken"),
    [
        ([], False),
        ([("3", "1")], False),
        ([("2", "3"), ("3", "1")], False),
        ([("2", "3"), ("4", "1")], True),
        ([("2", "3")], True),
    ],
)
def test_whether_changes_lead_to_the_status(steps: list[tuple[str, str]], is_broken: bool) -> None:
    histories = [entry(number, step(*each)) for number, each in enumerate(steps, 9)]
    found = mapping.with_changes(mapping.issue(body(), CUSTOM, ""), reversed(histories), CUSTOM)
    assert found.has_broken_changes is is_broken


def test_changes_are_in_order_once_and_without_texts_of_people() -> None:
    same = entry(
        10,
        {"field": "description", "from": "secret", "to": "text"},
        step("2", "3"),
        {"field": "Key", "fromString": "A-1", "toString": "EE-1"},
    )
    histories = [entry(9, step("4", "2")), same, same, entry(100, step("3", "1"))]
    found = mapping.with_changes(mapping.issue(body(), CUSTOM, ""), histories, CUSTOM)
    assert [(c.change_key, c.field) for c in found.changes or ()] == [
        ("9/0", "status"),
        ("10/1", "status"),
        ("10/2", "key"),
        ("100/0", "status"),
    ]
    assert "secret" not in repr(found)


FIELDS: list[dict[str, Any]] = [
    {
        "id": "customfield_1",
        "name": "Estimación",
        "schema": {"custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
    },
    {
        "id": "customfield_2",
        "name": "Story Points",
        "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"},
    },
    {
        "id": "customfield_5",
        "name": "Budget",
        "schema": {"custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"},
    },
    {"id": "customfield_3", "name": "冲刺", "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
    {
        "id": "customfield_4",
        "name": "Epic Link",
        "schema": {"custom": "com.pyxis.greenhopper.jira:gh-epic-link"},
    },
    {"id": "summary", "name": "Summary", "schema": {"type": "string"}},
    {"id": "thumbnail", "name": "Images"},
]


def test_custom_fields_are_found_by_their_kind() -> None:
    assert custom_fields.find(FIELDS, JiraOptions()) == CUSTOM
    assert custom_fields.find(FIELDS, JiraOptions(points_fields=("customfield_9",))).points == (
        "customfield_9",
    )
    assert custom_fields.find([], JiraOptions()) == CustomFields()
