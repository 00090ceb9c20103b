"""The files in deploy/ are what their programs take, as far as those are here; and they fit what the code reads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from prpipeline.app.dagster_home import DEFAULTS
from prpipeline.defs.batches import CREDENTIAL_TAG
from prpipeline.settings import load_settings
from prpipeline_tests.deploy.conftest import DEPLOY

SECRETS = {
    "DAGSTER_PG_PASSWORD": "a",
    "GITHUB_TOKEN": "b",
    "PRPIPELINE_LAKE_DATA": "s3://bucket/prefix",
    "AWS_ACCESS_KEY_ID": "c",
    "AWS_SECRET_ACCESS_KEY": "d",
    "GITHUB_TOKEN_TEAM_A": "e",
    "GITHUB_TOKEN_TEAM_B": "f",
}
COMPOSE = {
    "level-1": ["level-1/compose.yaml"],
    "level-2": ["level-1/compose.yaml", "level-2/compose.yaml"],
    "celery": ["level-1/compose.yaml", "level-2/compose.yaml", "level-2/compose.celery.yaml"],
}


def read(*parts: str) -> Any:
    return yaml.safe_load(DEPLOY.joinpath(*parts).read_text(encoding="utf-8"))


def linted(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"no {program} here")
    return subprocess.run(
        [found, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("file", sorted(p.relative_to(DEPLOY) for p in DEPLOY.rglob("*.yaml")), ids=str)
def test_each_yaml_file_can_be_read(file: Path) -> None:
    assert isinstance(read(str(file)), dict)
    rules = "{extends: relaxed, rules: {line-length: {max: 130}}}"
    done = linted("yamllint", "--strict", "-d", rules, str(DEPLOY / file))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("level", COMPOSE)
def test_compose_takes_its_files_and_asks_for_missing_secrets(level: str) -> None:
    files = [argument for part in COMPOSE[level] for argument in ("-f", str(DEPLOY / part))]
    compose = ["docker-compose"]
    if shutil.which("docker-compose") is None and linted("docker", "compose", "version").returncode == 0:
        compose = ["docker", "compose"]
    assert linted(*compose, *files, "config", "-q", **SECRETS).returncode == 0
    for secret in SECRETS:
        if any(f"${{{secret}:?" in (DEPLOY / part).read_text(encoding="utf-8") for part in COMPOSE[level]):
            missing = linted(*compose, *files, "config", "-q", **SECRETS | {secret: ""})
            assert missing.returncode != 0
            assert "set it in .env" in missing.stderr


def test_the_image_is_built_as_linters_have_it() -> None:
    done = linted("hadolint", str(DEPLOY / "Dockerfile"))
    assert done.returncode == 0, done.stdout


def test_the_image_runs_as_a_numbered_user_that_is_not_root_and_is_looked_after() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "-slim" in text
    for copied in re.findall(r"^COPY ((?:[\w./-]+ )+)\S+$", text, re.MULTILINE):
        assert all((DEPLOY.parent / source).exists() for source in copied.split()), copied


@pytest.mark.parametrize("unit", sorted(p.name for p in DEPLOY.glob("systemd/*.service")))
def test_systemd_takes_its_units(unit: str) -> None:
    done = linted("systemd-analyze", "verify", "--man=no", *map(str, DEPLOY.glob("systemd/*.service")))
    said = [
        line
        for line in done.stderr.splitlines()
        # Only what is not installed on this machine.
        if unit in line and "is not executable" not in line
    ]
    assert said == []


def test_records_are_kept_in_postgres_and_all_else_is_as_without_it() -> None:
    level_1 = read("level-1", "dagster.yaml")
    usual = yaml.safe_load(DEFAULTS)
    assert set(level_1.pop("storage")) == {"postgres"}
    level_1.pop("retention")
    level_1["concurrency"]["runs"]["max_concurrent_runs"] = 2  # several hosts may do more
    assert level_1 == usual


def test_with_celery_only_the_launcher_and_the_limits_are_others() -> None:
    level_1, level_2 = read("level-1", "dagster.yaml"), read("level-2", "dagster.yaml")
    assert level_2.pop("run_launcher")["class"] == "CeleryRunLauncher"
    assert level_2["concurrency"]["runs"].pop("tag_concurrency_limits") == [
        {"key": CREDENTIAL_TAG, "limit": 1, "value": {"applyLimitPerUniqueValue": True}}
    ]
    for each in (level_1, level_2):
        del each["concurrency"]["runs"]["max_concurrent_runs"], each["run_monitoring"]["max_runtime_seconds"]
    assert level_1 == level_2


def test_each_worker_has_its_credential_and_no_other_and_a_queue_of_that_name() -> None:
    services = read("level-2", "compose.celery.yaml")["services"]
    of_lake = read("level-2", "compose.yaml")["services"]["code"]["environment"]
    names = services["code"]["environment"]["PRPIPELINE_CREDENTIALS"].split(",")
    assert [name for name in services if name.startswith("worker-")] == [f"worker-{name}" for name in names]
    for queue, service in [("prpipeline", "publisher"), *((name, f"worker-{name}") for name in names)]:
        environment = services[service]["environment"]
        assert services[service]["command"][services[service]["command"].index("-q") + 1] == queue
        assert of_lake.items() <= environment.items()
        own = {name.upper().replace("-", "_") for name in names if name == queue}
        assert {name for name, value in environment.items() if name.startswith("GITHUB") and value} == {
            f"GITHUB_TOKEN_{name}" for name in own
        }


def test_the_image_has_what_its_files_name() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"'\.\[([a-z0-9,]+)\]'", text)
    assert found
    extras = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(found[1].split(",")) <= set(extras["optional-dependencies"])
    assert {"celery", "kubernetes", "lake", "postgres", "s3"} <= set(found[1].split(","))


def test_every_service_gets_the_variables_that_dagster_yaml_names() -> None:
    text = (DEPLOY / "level-1" / "dagster.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\{env: (\w+)\}", text))
    compose = read("level-1", "compose.yaml")["services"]
    example = (DEPLOY / "systemd" / "environment.example").read_text(encoding="utf-8")
    for service in ("code", "daemon", "webserver"):
        assert named <= compose[service]["environment"].keys()
    assert named <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


def test_the_settings_take_what_the_files_set() -> None:
    (helm,) = read("level-3", "values.yaml")["dagster-user-deployments"]["deployments"]
    of_helm = {each["name"]: each["value"] for each in helm["env"]}
    for part in (read("level-2", "compose.yaml")["services"]["code"]["environment"], of_helm):
        given = {name: value for name, value in part.items() if name.startswith("PRPIPELINE_W")}
        settings = load_settings({**given, "PRPIPELINE_LAKE_DATA": "s3://bucket/prefix"})
        assert settings.warehouse.is_lake
        assert settings.warehouse.data == "s3://bucket/prefix/"
