"""The retry loop, its budget and its waits, for any API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from prpipeline.github.protocol import TeamsDenied
from prpipeline.http.answer import Answer, reading
from prpipeline.http.attempts import Attempt, Attempts, Unsettled
from prpipeline.http.caller import Caller
from prpipeline.model import failures
from prpipeline.model.failures import (
    ApiFailure,
    BadCredentials,
    CursorRejected,
    FailureKind,
    LimitReached,
    MalformedAnswer,
    NetworkTrouble,
    ServerTrouble,
    Stopped,
    TooExpensive,
)
from prpipeline.model.usage import Allowance
from prpipeline.settings import SyncSettings

NOW = datetime(2026, 1, 5, 10, 0)


class NoClock:
    """Records waits instead of waiting."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []

    def sleep(self, seconds: float, stopped: threading.Event) -> None:
        self.sleeps.append(seconds)


def caller(attempts: int = 4, renew: Callable[[], bool] = lambda: False) -> Caller:
    return Caller("Jira", SyncSettings(attempts=attempts), NoClock(), renew)


class Asked:
    """A query whose first answers are these failures."""

    def __init__(self, *troubles: Exception) -> None:
        self._troubles = list(troubles)
        self.attempts: list[Attempt] = []

    def __call__(self, attempt: Attempt) -> str:
        self.attempts.append(attempt)
        if self._troubles:
            raise self._troubles.pop(0)
        return "answer"


def limit(seconds: float, *, secondary: bool = False) -> LimitReached:
    now = datetime.now(UTC).replace(tzinfo=None)
    return LimitReached("Slow down.", now + timedelta(seconds=seconds), secondary=secondary)


def test_every_kind_of_failure_uses_one_budget() -> None:
    troubles = [NetworkTrouble("n"), MalformedAnswer("m"), limit(5), TooExpensive("t"), ServerTrouble("s")]
    asked = Asked(*troubles)
    assert caller(6).ask("query", asked) == "answer"
    assert [a.number for a in asked.attempts] == [1, 2, 3, 4, 5, 6]
    assert [a.failure for a in asked.attempts] == [None, *troubles]
    assert [a.is_last for a in asked.attempts] == [False] * 5 + [True]
    asked = Asked(*troubles)
    with pytest.raises(TooExpensive):
        caller(4).ask("query", asked)
    assert len(asked.attempts) == 4


@pytest.mark.parametrize("failure", [CursorRejected("c"), BadCredentials("b"), failures.NotFound("n")])
def test_permanent_failures_are_raised_at_once(failure: ApiFailure) -> None:
    asked = Asked(failure)
    with pytest.raises(type(failure)):
        caller().ask("query", asked)
    assert len(asked.attempts) == 1


def test_a_credential_is_renewed_once() -> None:
    renewals: list[int] = []

    def renew() -> bool:
        renewals.append(1)
        return True

    asked = Asked(BadCredentials("old"))
    assert caller(4, renew).ask("query", asked) == "answer"
    with pytest.raises(BadCredentials, match="new"):
        caller(4, renew).ask("query", Asked(BadCredentials("old"), BadCredentials("new")))
    assert len(renewals) == 2


def test_a_known_outage_costs_the_next_query_one_request() -> None:
    ours = caller(4)
    with pytest.raises(NetworkTrouble):
        ours.ask("first", first := Asked(*[NetworkTrouble("n")] * 9))
    with pytest.raises(ServerTrouble):
        ours.ask("second", second := Asked(*[ServerTrouble("s")] * 9))
    assert (len(first.attempts), len(second.attempts)) == (4, 1)
    assert ours.ask("third", Asked()) == "answer"
    with pytest.raises(NetworkTrouble):
        ours.ask("fourth", fourth := Asked(*[NetworkTrouble("n")] * 9))
    assert len(fourth.attempts) == 4


def test_reading_again_shares_the_budget_of_the_first_reading() -> None:
    ours = caller(4)
    sent: list[str] = []

    def read(attempts: Attempts) -> str:
        def once(attempt: Attempt) -> None:
            sent.append("tail")
            if len(sent) == 1:
                raise MalformedAnswer("broken")

        ours.ask("tail", once, attempts)
        raise Unsettled("It changed while it was read.")

    with pytest.raises(MalformedAnswer, match="It changed"):
        ours.settled(read)
    assert len(sent) == 4


def test_limits_are_waited_for_and_secondary_ones_double() -> None:
    ours = caller(6)
    clock = ours.clock
    assert isinstance(clock, NoClock)
    ours.ask("query", Asked(limit(30), limit(60, secondary=True), limit(60, secondary=True)))
    assert [round(seconds, -1) for seconds in clock.sleeps] == [30, 120, 240]
    assert ours.usage.waited_seconds == sum(clock.sleeps)
    with pytest.raises(LimitReached, match="later than it may wait"):
        ours.ask("query", Asked(limit(3 * 3600)))


def test_a_stop_is_final() -> None:
    ours = caller()
    ours.stop()
    with pytest.raises(Stopped):
        ours.ask("query", Asked(NetworkTrouble("n")))


def test_messages_name_the_service() -> None:
    html = Answer("Jira", 200, {"content-type": "text/html; charset=utf-8"}, b"<html>", NOW)
    with pytest.raises(MalformedAnswer, match="Jira answered 200 with something that is not JSON"):
        html.json()
    with pytest.raises(MalformedAnswer, match="Jira's answer is not shaped"), reading("Jira"):
        raise KeyError("closed_at")


def test_the_reserve_is_kept_and_hours_are_counted() -> None:
    known = Allowance("core", 100, 30, NOW + timedelta(minutes=30), NOW, reserve_percent=10)
    assert known.spare == 20
    assert known.seconds_for(20) == 0
    assert known.seconds_for(21) == known.seconds_for(110) == 1800
    assert known.seconds_for(111) == 1800 + 3600
    assert Allowance("core", 100, 9, NOW, NOW, reserve_percent=10).spare == 0


def test_every_failure_has_a_kind() -> None:
    types = [t for t in vars(failures).values() if isinstance(t, type) and issubclass(t, ApiFailure)]
    assert {t.__name__ for t in types} == set(get_args(FailureKind))
    assert TeamsDenied("no teams").kind == "AccessDenied"
    assert NetworkTrouble("gone").kind == "NetworkTrouble"
