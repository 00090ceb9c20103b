"""The part of a source that GraphQL and REST share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from prpipeline.github import fields
from prpipeline.github import rest_objects as objects
from prpipeline.github.auth import Anonymous
from prpipeline.github.client import Client
from prpipeline.http.answer import Answer
from prpipeline.http.values import text
from prpipeline.model.profiles import Profile, VerifiedEmails
from prpipeline.model.usage import Usage


class ClientSource:
    """The part of ``sync.source.Source`` that is the client's."""

    def __init__(self, client: Client, *, reads_bodies: bool = False) -> None:
        self.client = client
        self.reads_bodies = reads_bodies

    @property
    def name(self) -> str:
        return self.client.credential.name

    @property
    def address(self) -> str:
        return self.client.github.api_url

    @property
    def is_anonymous(self) -> bool:
        return isinstance(self.client.credential, Anonymous)

    @property
    def usage(self) -> Usage:
        return self.client.caller.usage

    def profile(self, login: str) -> Profile:
        """See ``sync.source.Source``. By REST, which tells a public e-mail address without any scope."""
        return self.client.get(f"/users/{quote(login)}", read=_profile)

    def verified_emails(self, organization: str, logins: Sequence[str]) -> VerifiedEmails:
        """None by REST, which does not tell them."""
        return VerifiedEmails({})

    def commit_email(self, repository: str, login: str, actor_id: int) -> str | None:
        """See ``sync.source.Source``."""

        def read(answer: Answer) -> str | None:
            for newest in answer.json():
                # Whoever has the commit's address on GitHub: nobody, or another one than was asked for.
                if (newest.get("author") or {}).get("id") == actor_id:
                    return text(newest["commit"]["author"].get("email")) or None
            return None

        path = f"/repos/{quote(repository)}/commits"
        return self.client.get(path, {"author": login, "per_page": 1}, read=read, repository=repository)

    def check_queries(self, repository: str | None = None) -> None:
        """Nothing to check by REST, which has had all that we ask for since before GitHub had reviews."""

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        self.client.caller.before_wait = note

    def stop(self) -> None:
        self.client.caller.stop()

    def close(self) -> None:
        self.client.caller.close()


def _profile(answer: Answer) -> Profile:
    body = objects.body_of(answer)
    return Profile(
        fields.integer(body, "id"), text(body.get("name")) or None, text(body.get("email")) or None
    )
