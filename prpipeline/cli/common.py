"""What the commands share: exit codes, errors, and how values are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from prpipeline.app.basics import RepositoryName, Settings
    from prpipeline.app.pipeline import Pipeline

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # as shells have it


class BadInput(click.ClickException):
    """Something that the user has to change; nothing was done."""

    exit_code = EXIT_BAD_INPUT


class Interrupted(click.ClickException):
    """Ctrl-C was pressed, or the process was asked to end."""

    exit_code = EXIT_INTERRUPTED


def parse_names(texts: Sequence[str], settings: Settings) -> list[RepositoryName]:
    """Each repository once, of names and addresses on GitHub. Raises InvalidRepositoryName."""
    names: dict[str, RepositoryName] = {}
    for text in texts:
        name = settings.github.repository(text)
        names.setdefault(name.key, name)
    return list(names.values())


def open_pipeline() -> Pipeline:
    """The pipeline on the settings of the environment."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.pipeline import Pipeline

    return Pipeline(load_settings())


def published_path(settings: Settings) -> str | None:
    """The published file; None while there is none."""
    path = settings.published_path
    return str(path) if path.exists() else None


def published_to(settings: Settings) -> dict[str, Any]:
    """For JSON: how far publishing to the bucket has come; nothing where there is none."""
    if settings.publish_to is None:
        return {}
    from prpipeline.app.elsewhere import last_upload

    last = last_upload(settings)
    assert last is not None
    return {
        "published_to": {"to": last.to, "release": last.release, "uploaded_at": last.at, "error": last.error}
    }


def published_to_in_words(settings: Settings) -> str:
    from prpipeline.app.elsewhere import in_words, last_upload

    last = last_upload(settings)
    assert last is not None
    return in_words(last)


def as_people_count(name: str) -> list[str | int]:
    """The key that sorts names without case, and repo-2 before repo-10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name.lower())]


def echo_for_scripts(text: str) -> None:
    """Print CSV or JSON, which is UTF-8 whatever the terminal's encoding is."""
    click.echo(text.encode("utf-8", errors="replace"))


def isoformat(value: Any) -> str:
    """A value that JSON does not know, as text; times are UTC."""
    return f"{value.replace(tzinfo=None).isoformat()}Z" if isinstance(value, datetime) else str(value)


def echo_json(content: Any) -> None:
    """Print JSON for scripts."""
    import json

    echo_for_scripts(json.dumps(content, default=isoformat))
