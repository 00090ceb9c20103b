"""A dashboard for Apache Superset, as the zip that its *Import dashboard* takes, with the published file's path filled in.

What it shows is in dashboard.yaml; this module adds what Superset wants to know besides: ids, columns, the layout's tree.
The format is that of Superset's own exports (version 1.0.0).
"""

from __future__ import annotations

import io
import json
import os
import uuid
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from prpipeline.publish import dictionary

VERSION = "1.0.0"
_SETTINGS = "access_mode=read_only&enable_external_access=false&lock_configuration=true"
_NAMESPACE = uuid.UUID("4c3a8a0e-8d0f-5b57-9f7b-0c6f6f1d3f5e")


def write(target: Path, database: Path) -> Path:
    """Write the zip to ``target``, whole or not at all; ``database`` is the published file as Superset's server sees it.

    The path is kept as it is given (made absolute, links not followed): the link is what leads to the newest release.
    Raises OSError.
    """
    content = _zipped(_files(Path(os.path.abspath(database))))
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return target


def _files(database: Path) -> dict[str, Any]:
    """The content of the zip's files by their names."""
    spec = yaml.safe_load(resources.files(__package__).joinpath("dashboard.yaml").read_text(encoding="utf-8"))
    ids = _Ids(database)
    files: dict[str, Any] = {
        "metadata.yaml": {"version": VERSION, "type": "Dashboard"},
        "databases/prpipeline.yaml": {
            "database_name": f"prpipeline {database}",
            "sqlalchemy_uri": f"duckdb:///{database}?{_SETTINGS}",
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "cache_timeout": 300,  # where Superset has a cache; without this, charts are up to a day old
            "extra": {},
            "uuid": ids.of("database"),
            "version": VERSION,
        },
    }
    datasets = {table: _dataset(table, shown, ids) for table, shown in spec["datasets"].items()}
    files |= {f"datasets/prpipeline/{table}.yaml": dataset for table, dataset in datasets.items()}
    rows = [
        [
            (chart, _chart(chart, spec["kinds"][chart["kind"]], datasets[chart["dataset"]], ids))
            for chart in row
        ]
        for row in spec["rows"]
    ]
    charts = [chart for row in rows for _, chart in row]
    files |= {f"charts/{number:02}.yaml": chart for number, chart in enumerate(charts, start=1)}
    files["dashboards/prpipeline.yaml"] = {
        "dashboard_title": spec["title"],
        "description": None,
        "css": "",
        "slug": None,
        "uuid": ids.of("dashboard"),
        "position": _layout(spec["title"], rows),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "native_filter_configuration": [
                _filter(one, next(iter(datasets.values())), ids) for one in spec["filters"]
            ],
        },
        "published": True,
        "version": VERSION,
    }
    return files


class _Ids:
    """Ids that are the same for the same file and content, so that importing again adds nothing.

    What changed gets another id, because Superset replaces no dataset and no chart that it has, only the dashboard.
    """

    def __init__(self, database: Path) -> None:
        self._namespace = uuid.uuid5(_NAMESPACE, str(database))

    def of(self, kind: str, content: object = None) -> str:
        return str(uuid.uuid5(self._namespace, f"{kind} {json.dumps(content, sort_keys=True)}"))


def _dataset(table: str, shown: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    """A table with all its columns and what the dictionary says of them."""
    described = dictionary.load().table(table)
    columns = [
        {
            "column_name": column.name,
            "type": column.type,
            "is_dttm": column.type in ("DATE", "TIMESTAMP"),
            "is_active": True,
            "groupby": True,
            "filterable": True,
            "description": column.description,
        }
        for column in described.columns
    ]
    metrics = [
        {"metric_name": name, "expression": expression, "verbose_name": title, "d3format": number_format}
        for name, (expression, title, number_format) in shown.get("metrics", {}).items()
    ]
    dataset = {
        "table_name": table,
        "main_dttm_col": shown.get("time"),
        "description": described.comment,
        "schema": "main",
        "catalog": None,
        "sql": None,
        "filter_select_enabled": True,
        "columns": columns,
        "metrics": metrics,
        "database_uuid": ids.of("database"),
        "version": VERSION,
    }
    return dataset | {"uuid": ids.of("dataset", dataset)}


def _chart(shown: dict[str, Any], kind: dict[str, Any], dataset: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    range_filter = {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": dataset["main_dttm_col"],
        "operator": "TEMPORAL_RANGE",
        "comparator": "No filter",  # until the dashboard's time range takes its place
    }
    filters = [range_filter] if dataset["main_dttm_col"] else []
    chart = {
        "slice_name": shown["name"],
        "viz_type": shown["kind"],
        "params": kind | shown["params"] | {"viz_type": shown["kind"], "adhoc_filters": filters},
        "query_context": None,
        "dataset_uuid": dataset["uuid"],
        "version": VERSION,
    }
    return chart | {"uuid": ids.of("chart", chart)}


def _layout(title: str, rows: list[list[tuple[dict[str, Any], dict[str, Any]]]]) -> dict[str, Any]:
    """The tree of rows and charts, as Superset keeps it: each part by its id, with those above it."""
    above = ["ROOT_ID", "GRID_ID"]
    names = [f"ROW-{number}" for number in range(1, len(rows) + 1)]
    parts: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"id": "ROOT_ID", "type": "ROOT", "children": ["GRID_ID"]},
        "GRID_ID": {"id": "GRID_ID", "type": "GRID", "children": names, "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": title}},
    }
    for name, row in zip(names, rows, strict=True):
        for shown, chart in row:
            parts[f"CHART-{chart['uuid']}"] = {
                "id": f"CHART-{chart['uuid']}",
                "type": "CHART",
                "children": [],
                "parents": [*above, name],
                "meta": {
                    "uuid": chart["uuid"],
                    "chartId": len(parts),  # any number of its own: Superset puts its own in its place
                    "sliceName": chart["slice_name"],
                    "width": shown["width"],
                    "height": shown["height"],
                },
            }
        parts[name] = {
            "id": name,
            "type": "ROW",
            "children": [f"CHART-{chart['uuid']}" for _, chart in row],
            "parents": above,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return parts


def _filter(one: dict[str, Any], dataset: dict[str, Any], ids: _Ids) -> dict[str, Any]:
    """A filter of the whole dashboard. Superset offers a column's values from one dataset, and filters all by its name."""
    target: dict[str, Any] = {}
    if column := one.get("column"):
        target = {"column": {"name": column}, "datasetUuid": dataset["uuid"]}
    mask: dict[str, Any] = {"extraFormData": {}, "filterState": {}, "ownState": {}}
    if default := one.get("default"):
        mask |= {"extraFormData": {"time_range": default}, "filterState": {"value": default}}
    return {
        "id": f"NATIVE_FILTER-{ids.of('filter', one['name'])}",
        "name": one["name"],
        "filterType": one["kind"],
        "type": "NATIVE_FILTER",
        "description": "",
        "targets": [target],
        "defaultDataMask": mask,
        "controlValues": {"multiSelect": True, "enableEmptyFilter": False, "searchAllOptions": True},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
    }


def _zipped(files: dict[str, Any]) -> bytes:
    """Superset expects all files in one folder of any name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed time makes the same dashboard the same bytes.
            entry = zipfile.ZipInfo(f"prpipeline/{name}", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return buffer.getvalue()
