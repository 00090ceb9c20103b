"""Level 3's values: they fit the image and the other levels; and, where it is here, Dagster's official chart takes them.

PRPIPELINE_TEST_HELM_CHART names a folder with that chart: its schemas are then asked, and helm where that is installed.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from prpipeline_tests.deploy.conftest import DEPLOY

VALUES_FILE = DEPLOY / "level-3" / "values.yaml"
CHART = os.environ.get("PRPIPELINE_TEST_HELM_CHART", "")
with_chart = pytest.mark.skipif(
    not CHART, reason="PRPIPELINE_TEST_HELM_CHART names no folder with Dagster's chart"
)
SUBCHART = "dagster-user-deployments"
PROGRAMS = (f"{SUBCHART}-prpipeline", "daemon", "webserver")


@pytest.fixture
def values() -> dict[str, Any]:
    return dict(yaml.safe_load(VALUES_FILE.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def rendered() -> dict[tuple[str, str], Any]:
    """The chart's documents, by kind and name."""
    program = shutil.which("helm")
    if program is None:
        pytest.skip("no helm here")
    # Its schemas name others by an address; they have a test of their own.
    done = subprocess.run(
        [program, "template", "prpipeline", CHART, "-f", str(VALUES_FILE), "--skip-schema-validation"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents = [document for document in yaml.safe_load_all(done.stdout) if document]
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def pods(rendered: dict[tuple[str, str], Any]) -> dict[str, Any]:
    """The pod of each program."""
    found = {name: each for (kind, name), each in rendered.items() if kind == "Deployment"}
    return {
        program: found[f"prpipeline-dagster-{program.removeprefix('dagster-')}"]["spec"]["template"]["spec"]
        for program in PROGRAMS
    }


def test_pods_run_the_one_image_as_its_user_in_its_folder(values: dict[str, Any]) -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    user, group = map(int, re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)[0])
    assert f"DAGSTER_HOME={values['global']['dagsterHome']} " in text
    (code,) = values[SUBCHART]["deployments"]
    for program in (code, values["dagsterDaemon"], values["dagsterWebserver"]):
        assert program["image"] == code["image"]
        pod = program["podSecurityContext"]
        assert (pod["runAsNonRoot"], pod["runAsUser"], pod["fsGroup"]) == (True, user, group)
        assert program["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        assert program["livenessProbe"]
    assert values["runLauncher"]["config"]["k8sRunLauncher"]["securityContext"] == code["securityContext"]
    webserver = values["dagsterWebserver"]
    assert {webserver[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} == {
        webserver["service"]["port"]
    }


def test_dagster_is_configured_as_on_level_1(values: dict[str, Any]) -> None:
    level_1 = yaml.safe_load((DEPLOY / "level-1" / "dagster.yaml").read_text(encoding="utf-8"))
    assert values["postgresql"]["postgresqlScheme"] == level_1["storage"]["postgres"]["postgres_db"]["scheme"]
    daemon = values["dagsterDaemon"]
    ours = {
        "telemetry": values["telemetry"],
        "run_monitoring": daemon["runMonitoring"],
        "run_retries": daemon["runRetries"],
        "python_logs": values["pythonLogs"],
        "retention": {name: values["retention"][name] for name in ("sensor", "schedule")},
    } | values["additionalInstanceConfig"]
    assert in_snake_case(ours) == {name: level_1[name] for name in ours}


def in_snake_case(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    return {re.sub(r"([A-Z])", r"_\1", key).lower(): in_snake_case(each) for key, each in given.items()}


@with_chart
@pytest.mark.parametrize("part", ["", f"charts/{SUBCHART}"], ids=["chart", "subchart"])
def test_the_charts_schemas_take_the_values(part: str, values: dict[str, Any]) -> None:
    folder = Path(CHART) / part
    given = values[SUBCHART] | {"global": values["global"]} if part else values
    defaults = yaml.safe_load((folder / "values.yaml").read_text(encoding="utf-8"))
    schema = without_addresses(json.loads((folder / "values.schema.json").read_text(encoding="utf-8")))
    validators = importlib.import_module("jsonschema.validators")  # has no types
    validator = validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(merged(defaults, given))] == []
    wrong = merged(defaults, given) | {"imagePullSecrets": "none"}
    assert list(validator.iter_errors(wrong)), "the schema is one that refuses"


def merged(defaults: Any, given: Any) -> Any:
    """As Helm does it: maps are merged, all else is replaced."""
    if not isinstance(defaults, dict) or not isinstance(given, dict):
        return given
    return defaults | {key: merged(defaults.get(key), value) for key, value in given.items()}


def without_addresses(schema: Any) -> Any:
    """The schema without what it takes from Kubernetes' own, by an address."""
    if isinstance(schema, list):
        return [without_addresses(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if str(schema.get("$ref", "")).startswith("https:"):
        return {}
    return {key: without_addresses(value) for key, value in schema.items()}


@with_chart
def test_every_program_gets_the_image_and_answers_its_probes(rendered: dict[tuple[str, str], Any]) -> None:
    for name, pod in pods(rendered).items():
        (container,) = pod["containers"]
        assert container["image"] == "registry.example.com/prpipeline:1", name
        assert pod["securityContext"]["runAsNonRoot"], name
        ports = {port["containerPort"] for port in container.get("ports", [])}
        for probe in (container.get("readinessProbe"), container["livenessProbe"]):
            asked = (probe or {}).get("httpGet", {}).get("port")
            assert asked is None or asked in ports, name


@with_chart
def test_variables_secrets_and_volumes_reach_the_code_server_and_its_runs(
    rendered: dict[tuple[str, str], Any], values: dict[str, Any]
) -> None:
    (deployment,) = values[SUBCHART]["deployments"]
    (code,) = pods(rendered)[PROGRAMS[0]]["containers"]
    variables = {each["name"]: each.get("value") for each in code["env"]}
    of_runs = json.loads(variables["DAGSTER_CLI_API_GRPC_CONTAINER_CONTEXT"])["k8s"]
    assert {each["name"]: each["value"] for each in deployment["env"]}.items() <= variables.items()
    assert of_runs["env"] == deployment["env"]
    secrets = [each["name"] for each in deployment["envSecrets"]]
    assert [each["secretRef"]["name"] for each in code["envFrom"] if "secretRef" in each][:2] == secrets
    assert of_runs["env_secrets"] == secrets
    assert of_runs["resources"] == deployment["resources"]
    assert (
        of_runs["run_k8s_config"]["pod_spec_config"]["security_context"] == deployment["podSecurityContext"]
    )
    for part, of_run in (("volumes", "volumes"), ("volumeMounts", "volume_mounts")):
        assert of_runs[of_run] == deployment[part]
    claims = {
        each["persistentVolumeClaim"]["claimName"]
        for each in deployment["volumes"]
        if "persistentVolumeClaim" in each
    }
    assert {name for kind, name in rendered if kind == "PersistentVolumeClaim"} == claims


@with_chart
def test_dagsters_records_are_in_the_postgres_whose_password_is_ours(
    rendered: dict[tuple[str, str], Any],
) -> None:
    instance = yaml.safe_load(rendered["ConfigMap", "prpipeline-dagster-instance"]["data"]["dagster.yaml"])
    for part in ("run_storage", "event_log_storage", "schedule_storage"):
        database = instance[part]["config"]["postgres_db"]
        assert database["scheme"] == "postgresql+psycopg2"
        assert database["hostname"] == "postgres.example.com"
    launcher = instance["run_launcher"]
    assert launcher["class"] == "K8sRunLauncher"
    assert launcher["config"]["postgres_password_secret"] == "dagster-postgresql-secret"
    assert not [name for kind, name in rendered if kind == "Secret"], "the chart's own would replace it"
