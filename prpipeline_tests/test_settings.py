"""The repositories file: valid settings, the messages for invalid ones, and hidden secrets."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time
from pathlib import Path

import msgspec
import pytest

from prpipeline import metrics
from prpipeline.app.tracking import TrackingService
from prpipeline.model.repository import RepositoryName
from prpipeline.settings import (
    Calendar,
    ConfigurationError,
    GitHubSettings,
    MetricSettings,
    RepositoriesFile,
    SecretStr,
    TrackedOwner,
    TrackedRepository,
    load_settings,
    read_repositories_file,
)


def read(folder: Path, text: str) -> RepositoriesFile:
    (folder / "repositories.yaml").write_text(text, encoding="utf-8")
    return read_repositories_file(folder / "repositories.yaml", GitHubSettings())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("repositories: [a/b, A/B]", "the file: A/B is listed twice."),
        ("repositories: null", "repositories: write a list, not nothing."),
        ("repositories: a/b", "repositories: write a list, not text."),
        ("repositories: [a/b, null]", "[2]: write owner/name, or a mapping with a repository or an owner."),
        ("repositories: &a [*a]", "[1]: write owner/name, or a mapping with a repository or an owner."),
        ("repositories: [{team: x}]", "repositories[1].repository is missing; add it."),
        ("repositories: [a]", "repositories[1]: 'a' is not a repository name; write it as owner/name."),
        ("repositories: [{repository: 3}]", "repositories[1].repository: write text, not a whole number."),
        ("repositories: [{repository: a/b, days_back: 0}]", "[1].days_back: write a whole number >= 1."),
        (
            "repositories: [{owner: a b}]",
            "repositories[1]: 'a b' is not an owner; write an organisation's or",
        ),
        ('repositories: [{owner: "a\\n"}]', "'a\\n' is not an owner"),
        ("repositories: [{owner: a, repository: a/b}]", "repositories[1].repository is not a known setting"),
        ("repositories: [{owner: a, include: x*}]", "repositories[1].include: write a list, not text."),
        ("targets: {business: 0}", "targets.business: write a number > 0.0."),
        ("targets: {first_review: 8}", "targets.first_review is not a known setting"),
        ("sync: null", "sync: write a mapping, not nothing."),
        ("sync: {page_size: 101}", "sync.page_size: write a whole number <= 100."),
        ("sync: {page_size: true}", "sync.page_size: write a whole number, not true or false."),
        ("sync: {page_size: 2.5}", "sync.page_size: write a whole number, not a fraction."),
        ("sync: {page_size: '25'}", "sync.page_size: write a whole number, not text."),
        ("sync: {request_timeout_seconds: .nan}", "sync.request_timeout_seconds: write a number > 0.0."),
        ("schedule: {timezone: Foo}", "schedule: 'Foo' is not a time zone; write one like Europe/Berlin."),
        ("schedule: {enabled: 'off'}", "schedule.enabled: write true or false, not text."),
        (
            "jira: {projects: [ABC], links_from: [title, text]}",
            "jira.links_from[2]: write one of body, branch, title.",
        ),
        ("schedule: {reconcile_day: Sunday}", "reconcile_day: write one of monday, tuesday, wednesday, "),
        ("schedule: {time: noon}", "schedule.time: 'noon' is not a time of day; write one like 17:30."),
        ("schedule: {time: 24:00}", "schedule.time: '24:00' is not a time of day; write one like 17:30."),
        ("schedule: {time: 17:30Z}", "schedule.time: '17:30Z' is not a time of day; write one like 17:30."),
        ("schedule: {time: true}", "schedule.time: True is not a time of day; write one like 17:30."),
        ("schedule: {time: null}", "schedule.time: None is not a time of day; write one like 17:30."),
        ("metrics: {calendar: {start: 17:00}}", "metrics.calendar: the working day must start before it"),
        (
            "metrics: {calendar: {timezone: ../x}}",
            "metrics.calendar: '../x' is not a time zone; write one like",
        ),
        ("metrics: {calendar: {days: [monday, 7]}}", "metrics.calendar.days[2]: write text, not a whole"),
        ("metrics: {calendar: {holidays: [24.12.]}}", "holidays[1]: write a date like 2026-12-24."),
        (
            "metrics: {calendar: {holidays: [2026-12-24 08:00:00]}}",
            "metrics.calendar.holidays[1]: write a date like 2026-12-24, not a date with a time.",
        ),
        ("metrics: {ticket_prefixes: [ABC-1]}", "'ABC-1' begins no key of a ticket; write ABC for ABC-123."),
        ("metrics: {ticket_prefixes: [11]}", "metrics.ticket_prefixes[1]: write text, not a whole number."),
        ("metrics: {size_limits: {XS: 50}}", "metrics.size_limits: the limits must rise from XS to L."),
        ("metrics: {size_limits: {XL: 5}}", "metrics.size_limits.XL is not a known setting; remove it"),
        ("teams: [a]", "teams: write a mapping of names to teams."),
        ("teams: {a: [b]}", "teams.a: write a mapping, not a list."),
        ("teams: {a: {people: ann}}", "teams.a.people: write a list, not text."),
        ("teams: {a: {people: [3]}}", "teams.a.people[1]: write a login, or a mapping with a login."),
        ("teams: {a: {people: [{from: 2026-01-01}]}}", "teams.a.people[1].login is missing; add it."),
        ("teams: {a: {people: [{login: b, from: 3}]}}", "teams.a.people[1].from: write a date like"),
        ("teams: {a: {people: [{login: b, since: 3}]}}", "teams.a.people[1].since is not a known setting"),
        ("teams: {a: {people: [Ann Lee]}}", "teams.a.people[1]: 'Ann Lee' is not a login on GitHub; write"),
        ("teams: {a: {people: [b, B]}}", "teams.a: b is listed twice for the same days."),
        (
            "teams: {a: {people: [{login: b, from: 2026-02-01, until: 2026-01-31}]}}",
            "teams.a.people[1]: b leaves (until) before they come (from).",
        ),
        (
            "teams: {a: {repositories: [api]}}",
            "teams.a: 'api' is no pattern of repositories; write owner/name",
        ),
        ("teams: {a: {}, A: {}}", "teams: 'a' and 'A' differ in upper and lower case only; write one."),
        ("teams: {'': {}}", "a team has no name; write one before the colon."),
        ("owners: [ann]", "owners: 'ann' is neither an e-mail address nor a team like team:platform."),
        ("on: 3", "on is not a known setting; remove it or check its spelling."),
    ],
)
def test_mistakes_are_reported_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'repositories.yaml'}: ")
    assert sentence in said
    assert said.endswith(".")
    assert not said.endswith("..")
    assert "`" not in said


def test_valid_settings_are_read(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """
        repositories:
          - https://github.com/octo-org/widgets.git
          - {repository: octo-org/gears, days_back: 365, team: platform}
          - {owner: octo-labs, exclude: [secret-*], forks: yes}
        sync: {request_timeout_seconds: 5}
        schedule: {time: 17:30, reconcile_time: "05:15:30", reconcile_day: monday}
        metrics:
          bots: [ci]
          calendar: {start: 8:05, end: 17:30:15, days: [friday], holidays: [2026-12-24, "2026-12-25"]}
        """,
    )
    assert file.repositories == (
        TrackedRepository(repository="octo-org/widgets"),
        TrackedRepository(repository="octo-org/gears", days_back=365, team="platform"),
        TrackedOwner(owner="octo-labs", exclude=("secret-*",), forks=True),
    )
    assert file.sync.request_timeout_seconds == 5
    assert (file.schedule.time, file.schedule.reconcile_time) == (time(17, 30), time(5, 15, 30))
    assert file.metrics == MetricSettings(
        bots=("ci",),
        calendar=Calendar(
            start=time(8, 5),  # type: ignore[arg-type]
            end=time(17, 30, 15),  # type: ignore[arg-type]
            days=("friday",),
            holidays=(date(2026, 12, 24), date(2026, 12, 25)),
        ),
    )


@pytest.mark.parametrize("text", ["", "{}", "repositories: []"])
def test_missing_settings_have_defaults(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == RepositoriesFile()


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        RepositoriesFile().sync.page_size = 3  # type: ignore[misc]


def test_the_fingerprint_of_settings_is_stable() -> None:
    """A warehouse stores the fingerprint of its metrics; a different one would recompute all of them."""
    assert metrics.fingerprint(MetricSettings()).startswith("079c4b346883")
    calendar = Calendar(timezone="Europe/Berlin", days=("tuesday", "monday"), holidays=(date(2026, 12, 24),))
    assert metrics.fingerprint(MetricSettings(bots=("ci",), calendar=calendar)).startswith("d745e39067c7")


def test_a_secret_is_neither_shown_nor_written() -> None:
    settings = load_settings({"GITHUB_TOKEN": "t0ken-one,t0ken-two", "PRPIPELINE_DATA_DIR": "/data"})
    assert [token.get_secret_value() for token in settings.github.tokens] == ["t0ken-one", "t0ken-two"]
    (token, _) = settings.github.tokens
    for shown in (repr(settings), str(settings), repr(token), str(token), f"{token}", "%s" % token):  # noqa: UP031
        assert "t0ken" not in shown
    for write in (msgspec.to_builtins, msgspec.json.encode):
        with pytest.raises(TypeError, match="SecretStr"):
            write(settings.github)
    assert SecretStr("").get_secret_value() == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        pytest.param(["status"], marks=pytest.mark.slow),
        ["status", "--json"],
        ["sql", "SELECT 1"],
        ["explain", "a/b#1"],
    ],
)
def test_read_only_commands_start_quickly(tmp_path: Path, arguments: list[str]) -> None:
    """To import one of these takes longer than all of what the command does."""
    settings = load_settings({"PRPIPELINE_DATA_DIR": str(tmp_path)})
    TrackingService(settings).track([RepositoryName("octo", "app")], tracked_by="cli")
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "prpipeline", *arguments],
        env={"PRPIPELINE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert "prpipeline.cli" in imported
    assert imported.isdisjoint({"dagster", "pydantic", "pandas", "requests"})
    assert ("octo/app" in ended.stdout) == (arguments[0] == "status")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("'t0ken-that-is-long'", "is in quotes: remove them"),
        ('"t0ken-that-is-long"', "is in quotes: remove them"),
        ("“t0ken-that-is-long”", "is in quotes: remove them"),
        ("„t0ken-that-is-long“", "is in quotes: remove them"),
        ("«t0ken-that-is-long»", "is in quotes: remove them"),
        ("`t0ken-that-is-long`", "is in quotes: remove them"),
        ("'t0ken-that-is-long", "is in quotes: remove them"),
        ("fine-one,'t0ken-that-is-long'", "is in quotes: remove them"),
        ("'fine-one,t0ken-that-is-long'", "is in quotes: remove them"),
        ("token: t0ken-that-is-long", "begins with “token:”"),
        ("Bearer t0ken-that-is-long", "begins with “Bearer”"),
        ("Authorization: Bearer t0ken-that-is-long", "begins with “Authorization:”"),
        ("GITHUB_TOKEN=t0ken-that-is-long", "begins with “GITHUB_TOKEN=”"),
        ("t0ken-that\n-is-long", "holds white space"),
        ("t0ken-that -is-long", "holds white space"),
        ("t0ken-that-is-long\u200b", "holds white space or unprintable characters"),
    ],
)
@pytest.mark.parametrize("variable", ["GITHUB_TOKEN", "GH_TOKEN"])
def test_a_token_that_was_copied_with_something_is_named(variable: str, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_settings({variable: value})
    assert str(caught.value).startswith(variable)
    assert "is-long" not in str(caught.value)


@pytest.mark.parametrize(
    "value", [" t0ken-that-is-long\n", "token-that-is-long", "bearer-of-news,t0ken-that-is-long"]
)
def test_a_token_may_have_a_line_end_and_any_name(value: str) -> None:
    found = load_settings({"GITHUB_TOKEN": value}).github.tokens
    assert [t.get_secret_value() for t in found] == [v.strip() for v in value.split(",")]
