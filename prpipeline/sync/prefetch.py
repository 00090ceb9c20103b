"""The next request is on its way while the last page is being written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from prpipeline.github.client import Client

T = TypeVar("T")

# Pages that may wait to be written: what is not written when the machine is killed has to be read again.
_AHEAD = 1


def prefetch(items: Iterator[T], client: Client) -> Iterator[list[T]]:
    """The same items in the same order, those that are there already together; fetched in a second thread meanwhile.

    When GitHub is slow that is one at a time; when writing is, several share its costs. GitHub sees one request at
    a time. An exception comes after the items before it. Whoever leaves early does not wait for what ``client`` is
    at: that may be an hour, till the end of a rate limit.
    """
    fetching = _Fetching(items)
    thread = threading.Thread(target=fetching.run, name="fetch", daemon=True)
    thread.start()
    left_early = False
    try:
        while some := fetching.take():
            yield some
    except BaseException:
        left_early = fetching.leave()
        if left_early:
            client.stop()
        raise
    finally:
        thread.join()
        if left_early:
            client.resume()


class _Fetching(Generic[T]):
    """What is fetched and not yet taken."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ready: list[T] = []
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._is_asking = True
        self._is_over = False
        self._is_left = False

    def run(self) -> None:
        failure = None
        try:
            while self._wait_for_room():
                item = next(self._items)
                with self._changed:
                    self._ready.append(item)
                    self._changed.notify_all()
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            failure = error
        with self._changed:
            self._failure, self._is_over, self._is_asking = failure, True, False
            self._changed.notify_all()

    def take(self) -> list[T]:
        """All that is there, at least one; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._is_over)
            if not self._ready and self._failure is not None:
                raise self._failure
            some, self._ready = self._ready, []
            self._changed.notify_all()
            return some

    def leave(self) -> bool:
        """Ask for nothing more; whether something is being asked for right now."""
        with self._changed:
            self._is_left = True
            self._changed.notify_all()
            return self._is_asking

    def _wait_for_room(self) -> bool:
        with self._changed:
            self._is_asking = False
            self._changed.wait_for(lambda: len(self._ready) < _AHEAD or self._is_left)
            self._is_asking = not self._is_left
            return self._is_asking
