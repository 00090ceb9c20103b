"""The next request is on its way while the last page is being written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from prpipeline.github.client import Client

T = TypeVar("T")


def prefetch(items: Iterator[T], client: Client) -> Iterator[T]:
    """The same items, each fetched in a second thread while its predecessor is used.

    Never more than one ahead, so memory stays flat and GitHub sees one request at a time. An exception
    comes where its item would have come. Whoever leaves early does not wait for what ``client`` is at: that
    may be an hour, till the end of a rate limit.
    """
    end, left_early = object(), False
    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as executor:
            coming = executor.submit(next, items, end)
            try:
                while (item := coming.result()) is not end:
                    coming = executor.submit(next, items, end)
                    yield item  # type: ignore[misc]  # the sentinel is gone by now
            except BaseException:
                if not coming.done():
                    client.stop()
                    left_early = True
                raise
    finally:
        if left_early:
            client.resume()
