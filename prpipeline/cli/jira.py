"""The commands ``jira …``: what a credential for Jira is good for, what may be selected, deletion; and ``people``, who is whom."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from prpipeline.cli.common import EXIT_BAD_INPUT, echo_json, open_pipeline


@click.group()
def jira() -> None:
    """Jira: test the credential, list projects to select, remove what is stored. 'prpipeline sync' reads them."""


@jira.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def connect(as_json: bool) -> None:
    """Test JIRA_URL and its credential: which kind of token it is, at which address it works, whose account it is.

    \b
    Example:
      JIRA_URL=https://your-site.atlassian.net JIRA_EMAIL=… JIRA_TOKEN=… prpipeline jira connect
    """
    from dataclasses import asdict

    from prpipeline.app.basics import load_settings
    from prpipeline.app.jira import connect_to

    settings = load_settings()
    found = connect_to(settings)
    account = found.account
    if as_json:
        echo_json(asdict(found))
    else:
        edition = "Jira Cloud" if found.edition == "cloud" else "Jira Data Center"
        click.echo(f"{found.site}: {edition} accepts the {found.credential}.")
        click.echo(
            f"Account: {account.display_name or 'without a name'} ({account.account_id}), time zone {account.time_zone or 'unknown'}."
        )
        click.echo(f"It may browse {found.projects:,} projects; 'prpipeline jira projects' lists them.")
        if not settings.uses_jira:
            click.echo(
                f"None is selected yet: list them in {settings.repositories_file} under jira.projects."
            )
    if not found.projects:
        click.echo("The account may browse no project; give it the permission Browse projects.", err=True)
    if not found.is_as_set:
        click.echo(
            f"The token has scopes, so it works only at the gateway: set JIRA_URL={found.url}", err=True
        )
    if not found.is_as_set or not found.projects:
        sys.exit(EXIT_BAD_INPUT)


@jira.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def projects(as_json: bool) -> None:
    """List the projects whose issues the account may browse, and which are selected."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.jira import opened

    settings = load_settings()
    source = opened(settings, impatient=True)
    try:
        source.account()  # a stranger would see an empty list
        found = sorted(source.projects(), key=lambda project: project.project_key)
    finally:
        source.close()
    entries = set(settings.jira_options.entries)
    rows = [
        {
            "project_id": project.project_id,
            "project_key": project.project_key,
            "name": project.name,
            "former_keys": list(project.former_keys),
            "is_selected": bool(
                entries
                & {
                    str(project.project_id),
                    project.project_key.upper(),
                    *(k.upper() for k in project.former_keys),
                }
            ),
        }
        for project in found
    ]
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        mark = "selected" if row["is_selected"] else ""
        line = f"{row['project_key']:<12} {row['project_id']:>10}  {mark:<8}  {row['name']}"
        click.echo("".join(c for c in line if c.isprintable()).rstrip())
    if not rows:
        click.echo("The account may browse no project; give it the permission Browse projects.", err=True)


@jira.command("delete-data")
@click.argument("projects", metavar="PROJECT...", nargs=-1, required=True)
def delete(projects: Sequence[str]) -> None:
    """Remove all rows of projects that are no longer selected, everywhere.

    Issues that are, or were, in another stored project stay.
    """
    from prpipeline.app.jira import delete_data

    pipeline = open_pipeline()
    pipeline.follow_jira()
    for label in delete_data(pipeline.settings, pipeline.warehouse, projects):
        click.echo(f"{label}: its rows are removed.")
    if pipeline.settings.published_path.exists():
        pipeline.publish_deletion()
        if not_uploaded := pipeline.upload(is_only=True):
            raise click.ClickException(not_uploaded)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def people(as_json: bool) -> None:
    """Show who of GitHub is who in Jira, how that was found out, and who could not be matched."""
    from dataclasses import asdict

    from prpipeline.app.people import matched_people, sentences

    found = matched_people(open_pipeline())
    if as_json:
        echo_json(asdict(found))
        return
    from prpipeline.cli.text_tables import people_table

    people_table(found.matched)
    for sentence in sentences(found):
        click.echo("".join(c for c in sentence if c.isprintable()))


COMMANDS = (jira, people)
