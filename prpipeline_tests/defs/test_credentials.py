"""Runs that carry a credential by its name: who gets which, and that they use no other."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from msgspec.structs import replace

from prpipeline.defs.batches import CREDENTIAL_TAG, batches
from prpipeline.github.auth import Credential
from prpipeline.github.sources import credentials
from prpipeline.sandbox.github import Sandbox
from prpipeline.settings import ConfigurationError, GitHubSettings, Settings, load_settings
from prpipeline_tests.defs.test_schedules import evaluate
from prpipeline_tests.support.dagster_lab import DagsterLab

NAMES = {"PRPIPELINE_CREDENTIALS": "team-a, team-b"}


ELSEWHERE = {
    "module": "dagster._core.launcher.sync_in_memory_run_launcher",
    "class": "SyncInMemoryRunLauncher",
}


class CeleryRunLauncher:
    """Of that name, as dagster-celery's."""


def github(**environment: str) -> GitHubSettings:
    return load_settings(environment).github


def named(settings: Settings) -> Settings:
    return replace(settings, github=replace(settings.github, names=("team-a", "team-b")))


def tagged(
    settings: Settings, launcher: object, names: list[str]
) -> list[tuple[int, str | None, str | None]]:
    """Of each run: how many repositories, whose credential, which queue."""
    context: Any = SimpleNamespace(instance=SimpleNamespace(run_launcher=launcher))
    return [
        (len(batch), tags.get(CREDENTIAL_TAG), tags.get("dagster-celery/queue"))
        for batch, tags in batches(names, settings, context)
    ]


def test_runs_that_are_launched_elsewhere_share_out_the_credentials(settings: Settings) -> None:
    five = [f"a/{number}" for number in range(5)]
    both = named(settings)
    other = object()
    assert tagged(both, other, five) == [(3, "team-a", None), (2, "team-b", None)]
    assert tagged(both, CeleryRunLauncher(), five[:2]) == [
        (1, "team-a", "team-a"),
        (1, "team-b", "team-b"),
    ]
    assert tagged(both, CeleryRunLauncher(), []) == []
    small = replace(both, file=replace(both.file, sync=replace(both.sync, batch_size=2)))
    assert [each[1] for each in tagged(small, other, five)] == ["team-a", "team-b", "team-a"]
    # As ever: one run, all credentials.
    assert tagged(settings, other, five) == [(5, None, None)]
    assert tagged(both, dg.DefaultRunLauncher(), five) == [(5, None, None)]


def test_schedule_and_sensor_ask_for_such_runs(lab: DagsterLab) -> None:
    lab.pipeline.settings = named(lab.pipeline.settings)
    with dg.DagsterInstance.local_temp(overrides={"run_launcher": ELSEWHERE}) as lab.instance:
        lab.track("a/one", "a/two")
        schedule_and_sensor_ask_for_both(lab)


def schedule_and_sensor_ask_for_both(lab: DagsterLab) -> None:
    assert [request.tags[CREDENTIAL_TAG] for request in evaluate(lab, "daily_sync")] == ["team-a", "team-b"]
    asked = lab.tick().run_requests
    assert asked is not None
    assert [request.tags[CREDENTIAL_TAG] for request in asked] == ["team-a", "team-b"]


def test_a_tagged_run_uses_that_credential_and_no_other(
    lab: DagsterLab, github: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []
    of = load_settings(
        NAMES
        | {
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN": "another-token",
            "GITHUB_TOKEN_TEAM_A": "sandbox-token",
            "GITHUB_TOKEN_TEAM_B": "a-third-token",
        }
    ).github
    lab.pipeline.settings = replace(settings, github=of)
    lab.track("bulk/repository-1")

    def noted(settings: GitHubSettings) -> list[Credential]:
        found = credentials(settings)
        used.extend(each.name for each in found)
        return found

    monkeypatch.setattr("prpipeline.github.sources.credentials", noted)
    job = lab.definitions.resolve_job_def("sync")
    run = job.execute_in_process(instance=lab.instance, tags={CREDENTIAL_TAG: "team-a"})
    assert run.success
    assert set(used) == {"team-a"}
    run = job.execute_in_process(instance=lab.instance, tags={CREDENTIAL_TAG: "team-c"}, raise_on_error=False)
    (failure,) = run.filter_events(lambda event: event.is_step_failure)
    assert "is to use the credential 'team-c', which is not here" in str(failure.step_failure_data.error)


def test_named_credentials_are_tokens_or_apps_and_each_counts_once(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("-----BEGIN RSA PRIVATE KEY-----")
    of = github(
        **NAMES,
        GITHUB_TOKEN="plain,of-a",
        GITHUB_TOKEN_TEAM_A="of-a",
        GITHUB_APP_ID_TEAM_B="7",
        GITHUB_APP_PRIVATE_KEY_PATH_TEAM_B=str(tmp_path / "key.pem"),
        GITHUB_APP_INSTALLATION_ID_TEAM_B="12",
        GITHUB_TOKEN_TEAM_C="nobody-names-it",
    )
    assert [each.name for each in credentials(of)] == ["token 1", "team-a", "team-b"]
    assert [each.name for each in credentials(of.only("team-b"))] == ["team-b"]
    assert of.only("team-b").named[0].app is not None
    # Where its secret is not, a name may still be given to runs.
    assert github(**NAMES, GITHUB_TOKEN_TEAM_A="of-a").names == ("team-a", "team-b")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PRPIPELINE_CREDENTIALS": "ghp_SECRET"}, "holds what is no name"),
        ({"PRPIPELINE_CREDENTIALS": "a,a"}, "names a credential twice"),
        (NAMES | {"GITHUB_TOKEN_TEAM_A": "SECRET,other"}, "GITHUB_TOKEN_TEAM_A has to hold one token"),
        (NAMES | {"GITHUB_TOKEN_TEAM_A": "'SECRET'"}, "GITHUB_TOKEN_TEAM_A is in quotes"),
        (NAMES | {"GITHUB_APP_ID_TEAM_B": "7"}, "Of the credential team-b: GITHUB_APP_ID is set, but"),
    ],
)
def test_what_is_wrong_with_them_is_one_sentence_without_secrets(
    environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as raised:
        github(**environment)
    assert "SECRET" not in str(raised.value)
