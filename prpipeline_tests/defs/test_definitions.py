"""What the server loads: without a warning, under one name, described for people."""

from __future__ import annotations

import tomllib
import warnings
from pathlib import Path

import dagster as dg
import msgspec
import pytest
import yaml

from prpipeline.app import dagster_home
from prpipeline.definitions import build_definitions
from prpipeline.publish import dictionary
from prpipeline.settings import Settings, load, load_settings, project_root

PACKAGED = Path(dagster_home.__file__).with_name("workspace.yaml")


def read(path: Path) -> object:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_what_the_server_loads_is_loadable_without_a_warning(settings: Settings) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        definitions = build_definitions(settings)
        dg.Definitions.validate_loadable(definitions)
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    assert {spec.group_name for spec in specs.values()} == {"github", "metrics", "published"}
    for spec in specs.values():
        assert spec.description
        assert spec.kinds
        assert "dagster/code_references" in spec.metadata


def test_every_published_table_is_in_the_catalog(settings: Settings) -> None:
    specs = build_definitions(settings).resolve_all_asset_specs()
    in_catalog = [spec.metadata.get("dagster/table_name") for spec in specs]
    for table in dictionary.load().tables:
        assert in_catalog.count(f"prpipeline.main.{table.name}") == 1, table.name


def test_the_resource_shows_which_files_which_api_and_whose_credential(settings: Settings) -> None:
    resources = build_definitions(settings).resources or {}
    shown = resources["pipeline"].model_dump()
    assert shown == {
        "data_folder": str(settings.data_dir),
        "repositories_file": str(settings.repositories_file),
        "github_api": settings.github.api_url,
        "github_credentials": "GITHUB_TOKEN",
    }
    assert "sandbox-token" not in repr(resources)


def test_a_new_checkout_without_a_repositories_file_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRPIPELINE_REPOSITORIES", raising=False)
    monkeypatch.setenv("PRPIPELINE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(load, "project_root", lambda: tmp_path)
    opened = (build_definitions(load_settings()).resources or {})["pipeline"].open()
    assert opened.settings.repositories_file == tmp_path / "repositories.yaml"
    assert opened.tracking.tracked() == []


def test_two_tokens_and_none_are_named_and_not_shown() -> None:
    two = load_settings({"GITHUB_TOKEN": "first-token,second-token"})
    assert (build_definitions(two).resources or {})["pipeline"].github_credentials == "GITHUB_TOKEN, 2 tokens"
    none = load_settings({})
    assert "else none" in (build_definitions(none).resources or {})["pipeline"].github_credentials


def test_owners_are_those_of_the_repositories_file(settings: Settings) -> None:
    def owners(settings: Settings) -> set[tuple[str, ...]]:
        return {tuple(spec.owners) for spec in build_definitions(settings).resolve_all_asset_specs()}

    assert owners(settings) == {()}
    file = msgspec.structs.replace(settings.file, owners=("team:platform", "ann@example.com"))
    assert owners(msgspec.structs.replace(settings, file=file)) == {("team:platform", "ann@example.com")}


def test_sample_data_is_called_that() -> None:
    demo = build_definitions(load_settings({"PRPIPELINE_DEMO": "1"}))
    for spec in demo.resolve_all_asset_specs():
        assert (spec.description or "").startswith("Sample data")
        assert spec.tags["data"] == "sample"
    assert "sample data" in (demo.resources or {})["pipeline"].github_credentials


def test_the_code_location_has_one_name_whichever_command_starts_dagster() -> None:
    project = tomllib.loads((project_root() / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["dg"]["project"]["code_location_name"] == "prpipeline"
    expected = {
        "load_from": [
            {"python_module": {"module_name": "prpipeline.definitions", "location_name": "prpipeline"}}
        ]
    }
    assert read(project_root() / "workspace.yaml") == read(PACKAGED) == expected


def test_a_new_home_is_configured_as_the_checkout_is() -> None:
    checkout = read(project_root() / "dagster.yaml")
    assert isinstance(checkout, dict)
    for section, values in yaml.safe_load(dagster_home.DEFAULTS).items():
        assert checkout[section] == values
