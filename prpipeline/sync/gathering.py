"""Answers that are written together, where the store says that a transaction is dear.

On a lake a transaction costs nearly as much for one page as for twenty. What waits to be written is lost with its
process and read again, so it waits half a minute at most, and is written before a longer wait for a limit begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from prpipeline.model.failures import ApiFailure

LONGEST_SECONDS = 30.0

T = TypeVar("T")


class Waiting(Protocol):
    """A source that says when it is going to wait."""

    def before_waits(self, note: Callable[[float], None] | None) -> None:
        """Call ``note`` with the seconds before each wait, from now on; None: call nothing."""


class Gathered(Generic[T]):
    """Answers in the order of reading. ``write`` writes some of them in one transaction, ``rows`` counts one's."""

    def __init__(
        self,
        write: Callable[[Sequence[T]], None],
        rows: Callable[[T], int],
        enough: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._rows_of, self._enough, self._clock = write, rows, enough, clock
        self._waiting: list[T] = []
        self._rows = 0
        self._since = 0.0
        self._failure: Exception | None = None

    def add(self, answer: T) -> None:
        """Write it, now or with those that follow. Raises what ``write`` does."""
        self._raise_failure()
        if not self._waiting:
            self._since = self._clock()
        self._waiting.append(answer)
        self._rows += max(1, self._rows_of(answer))
        if self._rows >= self._enough or self._clock() - self._since >= LONGEST_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises what ``write`` does; then all before the first answer that fails is written."""
        self._raise_failure()
        waiting, self._waiting, self._rows = self._waiting, [], 0
        if not waiting:
            return
        try:
            self._write(waiting)
        except ApiFailure:
            if len(waiting) == 1:
                raise
            for answer in waiting:
                self._write([answer])

    def before_wait(self, seconds: float) -> None:
        """Write what would else wait too long. A failure is raised by the next call of the others: a source is waiting."""
        if self._waiting and self._clock() - self._since + seconds >= LONGEST_SECONDS:
            try:
                self.flush()
            except Exception as failure:  # noqa: BLE001 - raised by the next call
                self._failure = failure

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


@contextmanager
def gathered(
    source: Waiting, enough: int, write: Callable[[Sequence[T]], None], rows: Callable[[T], int]
) -> Iterator[Gathered[T]]:
    """All that is added in the block is written at its end, also where reading failed; ``enough`` rows at once at most.

    Not where the process is to end: an interrupt is not kept waiting.
    """
    answers = Gathered(write, rows, enough)
    source.before_waits(answers.before_wait)
    try:
        yield answers
    except Exception:
        answers.flush()
        raise
    else:
        answers.flush()
    finally:
        source.before_waits(None)
