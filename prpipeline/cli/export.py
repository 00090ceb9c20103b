"""The command ``export``."""

from __future__ import annotations

from pathlib import Path

import click

from prpipeline.cli.common import EXIT_FAILED, BadInput, echo_json


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "style",
    type=click.Choice(["parquet", "csv", "xlsx", "dbt", "superset"]),
    default="parquet",
    show_default=True,
    help="A file for each table; one Excel workbook; the sources.yml that describes them to dbt; a dashboard for Superset.",
)
@click.option("--tables", metavar="A,B", default="", help="Only these tables and views; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def export(folder: Path, style: str, tables: str, as_json: bool) -> None:
    """Write the published tables and views as files into a folder, all from the same moment.

    An earlier export in DIR is replaced as soon as the new one is whole. Where Excel cannot hold everything, what is
    cut is said, and the exit code is 1.

    \b
    Examples:
      prpipeline export tables
      prpipeline export ~/workbook --format xlsx --tables review_time_hours,review_queue
    """
    from prpipeline.app.basics import SAMPLE_DATA, load_settings
    from prpipeline.app.published import ExportError, Format
    from prpipeline.app.published import export as write

    wanted = [name for text in tables.split(",") if (name := text.strip())]
    try:
        done = write(load_settings().published_path, folder, Format(style), wanted)
    except ExportError as error:
        raise BadInput(str(error)) from None
    if as_json:
        content = {
            "folder": str(done.folder),
            "published_at": done.published_at,
            "is_sample_data": done.is_sample_data,
            "tables": dict(done.rows),
            "cut": list(done.cut),
        }
        echo_json(content)
    else:
        click.echo(str(done.folder))
        if done.is_sample_data:
            click.echo(SAMPLE_DATA, err=True)
    if done.cut:
        click.echo(f"Not everything fits. {' '.join(done.cut)} CSV and Parquet hold all.", err=True)
        raise SystemExit(EXIT_FAILED)


COMMANDS = (export,)
