"""The commands ``warehouse copy`` and ``warehouse tidy``."""

from __future__ import annotations

import click


@click.group()
def warehouse() -> None:
    """Move the warehouse between a file and a lake, back it up, or tidy a lake."""


@warehouse.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--lake-data",
    envvar="PRPIPELINE_LAKE_DATA",
    default="",
    help="The folder or s3://… of the lake's rows, where FROM or TO is one; by default PRPIPELINE_LAKE_DATA.",
)
def copy(source: str, target: str, lake_data: str) -> None:
    """Copy the whole warehouse to a place where none is yet.

    Places are written as in PRPIPELINE_WAREHOUSE. Nothing is left behind if anything fails, and the copy is compared
    with its source. Passwords belong into PGPASSWORD or ~/.pgpass, not on the command line.

    \b
    Examples:
      prpipeline warehouse copy data/warehouse.duckdb 'ducklake:postgres:host=db dbname=lake user=prpipeline'
      prpipeline warehouse copy 'ducklake:postgres:host=db dbname=lake user=prpipeline' backup/warehouse.duckdb
    """
    from prpipeline.app.basics import load_settings
    from prpipeline.app.stores import copy_warehouse

    done = copy_warehouse(load_settings(), source, target, lake_data)
    click.echo(f"{done.rows:,} rows of {done.tables} tables are copied.")


@warehouse.command("tidy")
def tidy() -> None:
    """Merge a lake's small files, and remove what no reader of the last two days needs; a file needs none of it.

    \b
    Example:
      prpipeline warehouse tidy
    """
    from prpipeline.app.basics import load_settings
    from prpipeline.app.stores import tidy_warehouse

    click.echo(tidy_warehouse(load_settings()))


COMMANDS = (warehouse,)
