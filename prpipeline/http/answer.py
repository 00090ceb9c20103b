"""One HTTP answer, and what any API's headers say: its clock, its links, when to ask again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from prpipeline.model.failures import MalformedAnswer, MalformedRecord, RequestRejected

_NO_CLOCK = timedelta(days=36_500)  # clocks may be wrong by years; what is further away is no time at all


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; header names in lower case."""

    service: str  # who answered, as messages call it
    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime  # our clock, naive UTC

    @property
    def server_time(self) -> datetime:
        """The server's clock, naive UTC; ours where the header is missing or nonsense."""
        moment = _moment(self.headers.get("date", ""))
        return moment if moment and abs(moment - self.received_at) < _NO_CLOCK else self.received_at

    @property
    def read_at(self) -> datetime:
        """When the content was true, at the latest: the earlier of both clocks, because either may be wrong.

        A watermark too early costs another look, one too late loses what changes until then.
        """
        return min(self.server_time, self.received_at)

    @property
    def retry_after(self) -> datetime | None:
        """When to ask again by ``Retry-After`` (seconds or a date, RFC 9110, 10.2.3); None where it makes no sense."""
        value = self.headers.get("retry-after", "")
        if re.fullmatch(r"[0-9]{1,7}", value):
            return self.server_time + timedelta(seconds=int(value))
        moment = _moment(value)
        return moment if moment and timedelta() < moment - self.server_time < _NO_CLOCK else None

    @property
    def next_page(self) -> str | None:
        """The address of the next page by the Link header."""
        return self._links().get("next")

    @property
    def last_page(self) -> int | None:
        """The number of the last page by the Link header; None where it does not say."""
        query = parse_qs(urlsplit(self._links().get("last", "")).query)
        number = query.get("page", [""])[0]
        return int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None

    def redirect_target(self, address: str) -> str:
        """Where a redirect from ``address`` leads. Raises RequestRejected where that is no address."""
        try:
            return urljoin(address, self.headers.get("location", ""))
        except ValueError:
            raise RequestRejected(f"{self.service} redirects to something that is no address.") from None

    def json(self) -> Any:
        """The body as JSON. Raises MalformedAnswer."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type").split(";")[0]
            raise MalformedAnswer(
                f"{self.service} answered {self.status} with something that is not JSON ({kind}, "
                f"{len(self.body)} bytes)."
            ) from None

    def _links(self) -> dict[str, str]:
        found = re.findall(r'<([^<>]*)>[^<]*?;\s*rel="?(\w+)"?', self.headers.get("link", ""))
        return {relation: address for address, relation in found}


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port: only there may a token go."""
    try:
        return _origin(one) == _origin(other)
    except ValueError:  # not an address
        return False


def host_of(address: str) -> str:
    """The host of an address, for messages; it may be none at all."""
    try:
        return urlsplit(address).hostname or "no host"
    except ValueError:
        return "no address"


@contextmanager
def reading(service: str) -> Iterator[None]:
    """Around code that takes an answer apart: content of another shape than promised raises MalformedAnswer."""
    try:
        yield
    except MalformedRecord as error:
        raise MalformedAnswer(f"{service}'s answer cannot be right: {error}.") from None
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise MalformedAnswer(f"{service}'s answer is not shaped as its schema promises.") from error


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _moment(text: str) -> datetime | None:
    """A header's date, naive UTC; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
