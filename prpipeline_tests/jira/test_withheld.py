"""Where people look, they read that GitHub withholds verified addresses, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prpipeline.sandbox.github import Sandbox
from prpipeline_tests.support.shell import Shell
from prpipeline_tests.support.sync_lab import quiet_world


@pytest.fixture
def github() -> Iterator[Sandbox]:
    """Of its own, for its token changes."""
    with Sandbox(quiet_world(3)) as server:
        yield server


def test_people_and_doctor_say_which_organisation_withholds_addresses(shell: Shell, github: Sandbox) -> None:
    credential = github.credentials[shell.environment["GITHUB_TOKEN"]]
    credential.scopes = ("repo",)
    shell.read("octo/app")
    said = "GitHub withholds e-mail addresses that were verified by octo: The token lacks the scope read:org"
    assert said in shell.run("doctor").stdout
    people = shell.run("people")
    assert people.returncode == 0
    assert said in people.stdout
    (withheld,) = shell.json("people", "--json")["withheld"]
    assert (withheld["organization"], "read:org" in withheld["reason"]) == ("octo", True)
    del credential.scopes
    shell.read("octo/app")
    assert "withholds" not in shell.run("doctor").stdout + shell.run("people").stdout
    (shell.folder / "repositories.yaml").write_text("repositories: []\n")
    credential.scopes = ("repo",)
    shell.read("octo/app")
    assert "withholds" not in shell.run("doctor").stdout
