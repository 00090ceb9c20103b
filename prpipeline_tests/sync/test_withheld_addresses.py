"""Organisations that withhold the addresses that they verified: remembered and said, and mended by the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prpipeline.app.people import withheld
from prpipeline.sandbox.github import Credential, Fault, Sandbox
from prpipeline.sandbox.messages import Request
from prpipeline.sync.profiles import read_profiles
from prpipeline.warehouse import jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline_tests.support.sync_lab import SyncLab, small_world

SIGN_ON = "The organisation requires single sign-on; authorise the token for it on GitHub"
MEANWHILE = "until then people are matched by the other means."


class People(SyncLab):
    """A sync lab with a project of Jira selected, that reads people."""

    def read(self) -> int:
        """How many requests it took."""
        before = len(self.server.requests)
        read_profiles(self.sources, self.warehouse)
        return len(self.server.requests) - before

    def verified(self) -> set[str]:
        with self.warehouse.transaction() as connection:
            rows = connection.execute(
                "SELECT login FROM raw.github_emails JOIN raw.actor_logins USING (actor_id) WHERE kind = 'verified'"
            ).fetchall()
        return {login for (login,) in rows}

    def make_due(self, days: int = 31) -> None:
        """So many days pass."""
        with self.warehouse.transaction() as connection:
            connection.execute(f"UPDATE raw.github_profiles SET read_at = read_at - INTERVAL {days} DAY")

    def said(self) -> list[str]:
        return withheld(self.warehouse)


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(7, ["octo/app", "moon/app"])) as server:
        for login in ("dev-1", "dev-2", "grace"):
            server.world.actor(login).verified_emails = {"octo": [f"{login}@example.com"]}
        yield server


@pytest.fixture
def people(server: Sandbox, tmp_path: Path) -> People:
    lab = People(server.world, server, tmp_path, synced=True)
    with lab.warehouse.transaction() as connection:
        jira_projects.follow(connection, ["ABC"], utc_now())
    return lab


def protect(people: People, *organizations: str) -> None:
    """The token is not authorised for their single sign-on."""
    people.server.credentials["sandbox-token"].sso_organizations = organizations


def test_a_refusal_is_remembered_until_an_answer_is_whole(people: People) -> None:
    """And then who was read meanwhile is read again at once."""
    protect(people, "octo")
    people.read()
    (sentence,) = people.said()
    assert sentence.startswith(f"GitHub withholds e-mail addresses that were verified by octo: {SIGN_ON}")
    assert sentence.endswith(MEANWHILE)
    assert people.verified() == set()
    assert people.read() == 1, "nobody is due: it is only asked whether it still is so"
    assert people.said() == [sentence]
    protect(people)
    assert people.read() > 5
    assert people.said() == []
    assert people.verified() == {"dev-1", "dev-2", "grace"}
    assert people.read() == 0


def test_organisations_that_refuse_for_the_same_reason_share_a_sentence(people: People) -> None:
    protect(people, "octo", "moon")
    people.read()
    (sentence,) = people.said()
    assert "verified by moon, octo: " in sentence
    assert people.read() == 1, "one of them is asked again by each sync"
    people.world.actor("octo").kind = "User"  # of which nothing is withheld
    people.make_due()
    people.read()
    (sentence,) = people.said()
    assert "verified by moon: " in sentence


def test_what_a_partial_answer_gives_is_kept_and_the_rest_counts_as_refused(people: People) -> None:
    fault = Fault("forbidden_users", times=None, match=lambda r: b'"octo"' in r.body and asks(r))
    people.server.faults.add(fault)
    people.read()
    given = people.verified()
    assert given
    assert given < {"dev-1", "dev-2", "grace"}
    assert ["verified by octo: " in sentence for sentence in people.said()] == [True]
    assert people.read() == 1, "whose addresses were refused is asked for again, and nobody else"
    assert len(people.said()) == 1
    people.server.faults.clear()
    people.read()
    assert people.said() == []
    assert people.verified() == {"dev-1", "dev-2", "grace"}


def asks(request: Request) -> bool:
    return b"VerifiedEmails" in request.body


def test_addresses_that_are_known_stay_while_they_are_withheld(people: People) -> None:
    people.read()
    protect(people, "octo")
    people.make_due()
    people.read()
    assert len(people.said()) == 1
    assert people.verified() == {"dev-1", "dev-2", "grace"}
    people.world.actor("grace").verified_emails = {}
    protect(people)
    people.read()
    assert people.verified() == {"dev-1", "dev-2"}, "a whole answer says who has none any more"


@pytest.mark.parametrize(
    ("kind", "scopes", "says"),
    [
        ("classic", ("repo",), "The token lacks the scope read:org"),
        ("fine-grained", (), "The token lacks the permission “Members: read”; grant it"),
    ],
)
def test_what_the_token_lacks_is_said(people: People, kind: str, scopes: tuple[str, ...], says: str) -> None:
    credential = people.server.credentials["sandbox-token"]
    credential.kind, credential.scopes, credential.missing_permissions = kind, scopes, ("members",)
    people.read()
    (sentence,) = people.said()
    assert f"verified by moon, octo: {says}" in sentence
    assert sentence.endswith(MEANWHILE)


def test_another_credential_reads_what_the_first_is_refused(people: People, tmp_path: Path) -> None:
    """Two of a member, after one that lacks the sign-on: one of them is enough."""
    protect(people, "octo")
    people.read()
    assert len(people.said()) == 1
    for token in ("second-token", "third-token"):
        people.server.add_token(Credential(token))
    both = People(people.world, people.server, tmp_path, tokens="sandbox-token,second-token,third-token")
    before = len(both.server.requests)
    both.read()
    asked = [request for request in both.server.requests[before:] if asks(request)]
    assert len(asked) == 2 + 3, (
        "if it is granted, then of octo by the first and the second, and of moon by the first"
    )
    assert both.said() == []
    assert both.verified() == {"dev-1", "dev-2", "grace"}
    both.server.credentials["second-token"].sso_organizations = ("octo",)
    both.server.credentials["third-token"].scopes = ("repo",)
    both.make_due()
    both.read()
    (sentence,) = both.said()
    assert SIGN_ON in sentence, "why the first is refused is said"
    assert both.verified() == {"dev-1", "dev-2", "grace"}


@pytest.mark.parametrize(
    "trouble",
    [Fault("status", status=502, times=None, match=asks), Fault("reset", times=None, match=asks)],
    ids=["status", "reset"],
)
def test_trouble_is_no_refusal_and_ends_none(people: People, trouble: Fault) -> None:
    people.server.faults.add(trouble)
    people.read()
    assert people.said() == []
    people.server.faults.clear()
    protect(people, "octo")
    people.make_due()
    people.read()
    people.server.faults.add(trouble)
    for _ in range(2):  # it is asked again for octo's alone, then for those of all who are due
        people.read()
        assert len(people.said()) == 1
        people.make_due()


def test_who_was_read_while_github_was_overloaded_is_read_again_on_the_next_day(people: People) -> None:
    people.server.faults.add(Fault("status", status=502, times=None, match=asks))
    people.read()
    people.server.faults.clear()
    assert people.verified() == set()
    assert people.read() == 0, "what is too much for GitHub today is not asked by each sync"
    people.make_due(days=1)
    people.read()
    assert people.verified() == {"dev-1", "dev-2", "grace"}
    people.make_due(days=1)
    assert people.read() == 0


def test_a_token_that_is_refused_says_nothing_of_organisations(people: People) -> None:
    people.server.credentials.clear()
    people.read()
    assert people.said() == []


def test_an_owner_whose_repositories_are_tracked_no_more_is_not_named(people: People) -> None:
    protect(people, "octo")
    people.read()
    with people.warehouse.transaction() as connection:
        connection.execute("UPDATE meta.repositories SET is_tracked = repository LIKE 'moon/%'")
    assert people.said() == []
    assert people.read() == 0


def test_a_warehouse_from_before_there_were_refusals(people: People) -> None:
    with people.warehouse.transaction() as connection:
        connection.execute("DROP TABLE meta.github_email_refusals")
    assert people.said() == []
    with people.warehouse.transaction() as connection:  # as each sync does first
        jira_projects.follow(connection, ["ABC"], utc_now())
    protect(people, "octo")
    people.read()
    assert len(people.said()) == 1


def test_a_kill_before_the_commit_leaves_nothing(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals and people are one transaction."""
    protect(people, "octo")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("prpipeline.warehouse.jira_projects.touch_all", killed)
        with pytest.raises(KeyboardInterrupt):
            people.read()
    assert people.said() == []
    people.read()
    assert len(people.said()) == 1


def test_without_a_project_of_jira_nobody_is_asked(people: People) -> None:
    protect(people, "octo")
    with people.warehouse.transaction() as connection:
        jira_projects.follow(connection, [], utc_now())
    assert people.read() == 0
    assert people.said() == []
