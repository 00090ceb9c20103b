"""Canaries: these fail on a Dagster that changed the private API which prpipeline uses, see ARCHITECTURE.md.

The list is complete: test_nothing_else_private_is_imported says so.
"""

import ast
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.events import AssetMaterializationPlannedData
from dagster_shared.error import SerializableErrorInfo

import prpipeline
from prpipeline.defs.plain_failure import PlainFailure

PRIVATE = {
    ("defs/events.py", "dagster._core.events", "AssetMaterializationPlannedData"),
    ("defs/plain_failure.py", "dagster._core.errors", "DagsterUserCodeProcessError"),
    ("defs/plain_failure.py", "dagster_shared.error", "SerializableErrorInfo"),
}
PARTITIONS = dg.DynamicPartitionsDefinition(name="names")


@dg.asset(partitions_def=PARTITIONS)
def planned(context: dg.AssetExecutionContext) -> None:
    event = dg.DagsterEvent.build_asset_materialization_planned_event(
        context.run.job_name,
        context.op_execution_context.op_handle.name,
        AssetMaterializationPlannedData(dg.AssetKey("planned"), partition="a"),
    )
    context.instance.report_dagster_event(event, context.run.run_id)
    raise PlainFailure("A sentence.", {"why": dg.MetadataValue.md("| why |")})


def imported_names(folder: Path) -> set[tuple[str, str, str]]:
    found = set()
    for file in folder.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "dagster" in text else ():
            modules = (
                [(node.module, alias.name) for alias in node.names]
                if isinstance(node, ast.ImportFrom) and node.module
                else [(alias.name, "") for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for module, name in modules:
                if module.startswith(("dagster._", "dagster_shared")) or (
                    module == "dagster" and name.startswith("_")
                ):
                    found.add((file.relative_to(folder).as_posix(), module, name))
    return found


def test_nothing_else_private_is_imported() -> None:
    assert imported_names(Path(prpipeline.__file__).parent) == PRIVATE


def test_a_planned_partition_that_fails_shows_as_failed_and_its_failure_as_one_sentence() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("names", ["a", "b"])
        job = dg.Definitions(assets=[planned]).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        (event,) = result.filter_events(lambda event: event.is_step_failure)
        assert event.step_failure_data.error == SerializableErrorInfo("A sentence.", stack=[], cls_name=None)
        assert event.step_failure_data.error_display_string.strip() == "A sentence."
        assert event.step_failure_data.user_failure_data is not None
        assert "why" in event.step_failure_data.user_failure_data.metadata
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            status = instance.get_status_by_partition(dg.AssetKey("planned"), ["a", "b"], PARTITIONS)
        assert status == {"a": dg.AssetPartitionStatus.FAILED, "b": None}


def test_the_error_that_hides_its_stack_takes_what_we_give_it() -> None:
    shown = SerializableErrorInfo("A sentence.", stack=[], cls_name=None)
    error = DagsterUserCodeProcessError("A sentence.", user_code_process_error_infos=[shown])  # type: ignore[no-untyped-call]
    assert error.user_code_process_error_infos == [shown]
