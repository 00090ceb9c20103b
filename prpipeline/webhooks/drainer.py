"""For people without Dagster: runs ``prpipeline webhooks drain`` as a process of its own whenever something is due.

The receiver's process never opens the warehouse, and a drain that is killed or fails does not touch it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from prpipeline.model.deliveries import InboxError
from prpipeline.webhooks.inbox import Inbox
from prpipeline.webhooks.waiting import has_unpublished, waiting

_LOOK_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 15.0, 300.0  # seconds, after drains that failed
_GRACE_SECONDS = 30.0

log = logging.getLogger("prpipeline")


class Drainer:
    """``run`` until it is cancelled; a drain that is under way then is asked to end, and goes on the next time."""

    def __init__(self, folder: Path) -> None:
        self._inbox = Inbox(folder)

    async def run(self) -> None:
        pause = 0.0
        is_first = True
        try:
            while True:
                await asyncio.sleep(pause or _LOOK_SECONDS)
                if not await asyncio.to_thread(self._is_due, with_unpublished=is_first):
                    pause = 0.0
                    continue
                is_first = False
                failed = await self._drain()
                pause = min(_LONGEST_PAUSE, 2 * pause or _FIRST_PAUSE) if failed else 0.0
                if failed:
                    log.warning("The drain failed (exit code %d); the next one in %.0f s.", failed, pause)
        finally:
            self._inbox.close()

    def _is_due(self, *, with_unpublished: bool) -> bool:
        """Whether a drain would find anything; at the start, also what an earlier one did not come to publish."""
        try:
            now = datetime.now(UTC).replace(tzinfo=None)
            return bool(waiting(self._inbox, now, most=1).due) or (
                with_unpublished and has_unpublished(self._inbox)
            )
        except InboxError as error:
            log.warning("The inbox cannot be looked at: %s", error)
            return False

    async def _drain(self) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "prpipeline", "webhooks", "drain", stdin=asyncio.subprocess.DEVNULL
        )
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _GRACE_SECONDS)
                if process.returncode is None:
                    process.kill()
                    await process.wait()
