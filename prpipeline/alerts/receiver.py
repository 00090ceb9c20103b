"""Sends a message to one target, by apprise. No secret leaves this module but on the wire."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

from prpipeline.model.alerts import Level, Message
from prpipeline.model.redaction import RedactingFilter, hold, redact
from prpipeline.settings import AlertTarget, SecretStr

# Those of apprise and of the HTTP client below it, which logs whole addresses.
_LOGGERS = ("apprise", "urllib3.connectionpool")

_PART = re.compile(r"[/@:?&=#,\s]+")
_TOKEN = re.compile(r"[A-Z0-9]")  # words such as "services" stand in addresses, too
_HOST = re.compile(r"([a-z0-9-]+\.)+[a-z0-9-]+")
_ADDRESS = re.compile(r"(localhost|[0-9]+(\.[0-9]+){3})(:[0-9]+)?")  # which other messages name, too


class NotSent(Exception):
    """The target did not accept the message; the message is one sentence, without secrets."""


class Receiver:
    """One target. Raises NotSent if its address cannot be used."""

    def __init__(self, name: str, target: AlertTarget, secrets: Mapping[str, SecretStr]) -> None:
        self._name = name
        try:
            address = target.address(secrets)
        except KeyError as missing:
            raise NotSent(f"Alerts to {name}: {missing.args[0]} is not set in the environment.") from None
        _hold([address, *(secrets[variable].get_secret_value() for variable in target.variables)])
        try:
            import apprise
        except ImportError:
            raise NotSent(
                f"Alerts to {name}: to send them, install prpipeline[alerts]: pip install 'prpipeline[alerts]'."
            ) from None
        # No event loop, no files and no plugins of other folders.
        asset = apprise.AppriseAsset(
            app_id="prpipeline", app_desc="prpipeline", async_mode=False, secure_logging=True
        )
        with _quietly():
            service = apprise.Apprise.instantiate(address, asset=asset)
        if service is None:
            raise NotSent(f"Alerts to {name}: apprise does not understand its address; see docs/alerts.md.")
        if "overflow=" not in address:
            service.overflow_mode = (
                apprise.OverflowMode.SPLIT
            )  # else a long digest is refused by some services
        self._apprise = apprise.Apprise(asset=asset)
        self._apprise.add(service)

    def send(self, message: Message) -> None:
        """Send it, and wait until it is accepted. Raises NotSent."""
        from apprise import NotifyFormat, NotifyType

        kinds: dict[Level, NotifyType] = {
            "failure": NotifyType.FAILURE,
            "success": NotifyType.SUCCESS,
            "info": NotifyType.INFO,
        }
        with _quietly() as said:
            is_sent = self._apprise.notify(
                body=message.body,
                title=message.title,
                notify_type=kinds[message.level],
                body_format=NotifyFormat.TEXT,
            )
        if not is_sent:
            why = " ".join(dict.fromkeys(said)) or "It gave no reason."
            raise NotSent(f"Alerts to {self._name}: not accepted, and kept for the next time. {why}")


def _hold(secrets: list[str]) -> None:
    """Redact these from now on, also in parts and decoded, as services take addresses apart."""
    for secret in secrets:
        parts = [part for part in _PART.split(secret) if _TOKEN.search(part) and not _HOST.fullmatch(part)]
        for text in (secret, *parts):
            if _ADDRESS.fullmatch(text):
                continue
            hold(text)
            hold(unquote(text))


class _Said(logging.Handler):
    """Keeps the warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(redact(" ".join(record.getMessage().split()))[:300])


@contextmanager
def _quietly() -> Iterator[list[str]]:
    """What the libraries warn of; in the block nothing of theirs gets into logs, as they know no secrets of ours."""
    said = _Said()
    before = [(logger, logger.propagate) for logger in map(logging.getLogger, _LOGGERS)]
    for logger, _ in before:
        if not any(isinstance(each, RedactingFilter) for each in logger.filters):
            logger.addFilter(RedactingFilter())  # for handlers that somebody gave to the logger itself
        logger.propagate = False
        logger.addHandler(said)
    try:
        yield said.sentences
    finally:
        for logger, propagated in before:
            logger.propagate = propagated
            logger.removeHandler(said)
