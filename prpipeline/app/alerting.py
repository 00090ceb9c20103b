"""Alerts and digests of a data folder: put on their way in the warehouse, then sent until their target accepts them.

First the record and what targets know move in one transaction, then messages are sent outside of it: a receiver that is
down delays them, and holds nobody up. A process that is killed between sending and noting it sends once more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from prpipeline.alerts import periods
from prpipeline.alerts.changes import Changes, compare
from prpipeline.alerts.conditions import Condition, conditions
from prpipeline.alerts.digest import UnknownTeam as UnknownTeam
from prpipeline.alerts.digest import digest
from prpipeline.alerts.receiver import NotSent, Receiver
from prpipeline.app import silence, unrecorded
from prpipeline.app.schedule_times import sync_period
from prpipeline.model.alerts import ConditionKind, Message
from prpipeline.model.sql import Connection
from prpipeline.publish.reader import is_sample_data, open_published
from prpipeline.settings import AlertTarget
from prpipeline.settings.alerts import Kind
from prpipeline.warehouse import WarehouseError, alerts, jira_projects
from prpipeline.warehouse.database import utc_now
from prpipeline.warehouse.tracking import all_tracked

if TYPE_CHECKING:
    from prpipeline.app.pipeline import Pipeline

_PATIENCE_SECONDS = 30.0  # another process sends at this moment

EVERYTHING = AlertTarget(url="PREVIEW")
"""Stands for targets where none is named yet, to show what would be sent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many messages each target accepted; and a sentence for each that did not."""

    sent: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """What was sent, for people."""
        if not self.sent:
            return "Nothing was sent."
        return (
            "Sent: "
            + ", ".join(
                f"{number} {'message' if number == 1 else 'messages'} to {name}"
                for name, number in self.sent.items()
            )
            + "."
        )


class Alerting:
    """What there is to tell about a data folder, and the telling."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._settings = pipeline.settings.alerts

    @property
    def is_on(self) -> bool:
        """Whether anything is ever sent: a target is named, and this is not the demo."""
        return bool(self._settings.targets) and not self._pipeline.settings.is_demo

    # ── alerts ───────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, *, kept: Collection[ConditionKind] = ()) -> None:
        """Put on its way what targets have not been told of what is wrong or well again, but for the kinds in ``kept``.

        Raises WarehouseError.
        """
        if not self.is_on or not self._pipeline.warehouse.exists():
            return
        with self._pipeline.warehouse.transaction() as connection:
            alerts.forget_others(connection, list(self._settings.targets))
            now = utc_now()
            for name in unrecorded.readable_again(self._pipeline.settings.data_dir):
                if name in self._settings.targets:
                    alerts.tell(connection, name, unrecorded.READABLE, now)
            for name, changes in self._changes(connection, now, kept):
                wrong = [each.told for each in changes.wrong]
                alerts.tell(connection, name, changes.message(), now, wrong=wrong, over=changes.over)

    def tell_unrecorded(self, error: WarehouseError) -> Delivery:
        """Tell targets that the warehouse cannot be used, where what was told would be on record; once per cause."""
        done = Delivery()
        if not self.is_on:
            return done
        for name, target in unrecorded.not_told(self._pipeline.settings, error):
            try:
                Receiver(name, target, self._pipeline.settings.alert_secrets).send(unrecorded.message(error))
                unrecorded.note(self._pipeline.settings.data_dir, name, error)
                done.sent[name] = 1
            except NotSent as refused:
                done.refused.append(str(refused))
        return done

    def preview(self) -> dict[str, Message]:
        """What targets have not been told, by target; sends and changes nothing. Raises WarehouseError."""
        if self._pipeline.settings.is_demo or not self._pipeline.warehouse.exists():
            return {}
        with self._pipeline.warehouse.transaction() as connection:
            found = [(name, changes.message()) for name, changes in self._changes(connection, utc_now(), ())]
        return {name: message for name, message in found if message is not None}

    def _changes(
        self, connection: Connection, now: datetime, kept: Collection[ConditionKind]
    ) -> Iterator[tuple[str, Changes]]:
        tracked = [row for row in all_tracked(connection) if row.tracked_by != "demo"]
        unannounced = silence.unannounced(connection, self._pipeline.settings, tracked)
        troubles = alerts.troubles(connection)
        is_sample = jira_projects.holds_samples(connection)
        projects = [] if is_sample else jira_projects.selected(connection)
        current = list(conditions(tracked, troubles, self._stale_after(), now, unannounced, projects))
        for name, target in self._targets("alerts"):
            mine = {row.tracked_as for row in tracked if not target.teams or row.team in target.teams}
            mine |= {project.entry for project in projects}
            told = alerts.told(connection, name)
            yield (
                name,
                compare([each for each in current if _is_for(each, target)], told, tracked=mine, kept=kept),
            )

    def _stale_after(self) -> timedelta | None:
        if self._settings.stale_after_hours is not None:
            return timedelta(hours=self._settings.stale_after_hours)
        period = sync_period(self._pipeline.settings.schedule)
        return period and 2 * period

    # ── digests ──────────────────────────────────────────────────────────────────────────────────────

    def prepare_digests(
        self, *, team: str | None = None, again: bool = False, only_due: bool = False
    ) -> list[str]:
        """Put this day's or week's digests on their way, each once unless ``again``; the names of their targets.

        With ``only_due`` from their time on. Nothing where the published file has sample data, or with ``only_due``
        where there is none yet. Raises WarehouseError, UnknownTeam.
        """
        now = datetime.now(UTC)
        if not self.is_on or (only_due and not self._is_due(now)):
            return []
        if team is not None:
            self._composed([team], is_asked=True)  # is it known, even if nobody gets it?
        period = periods.period(self._settings.digest, now)
        with self._pipeline.warehouse.transaction() as connection:
            wanted = [
                (name, about)
                for name, about in self._digests(team)
                if again or not alerts.has_digest(connection, name, about or "", period)
            ]
        if not wanted:
            return []
        messages = self._composed(dict.fromkeys(about for _, about in wanted), is_asked=team is not None)
        with self._pipeline.warehouse.transaction() as connection:
            prepared = [
                (name, about)
                for name, about in wanted
                if about in messages
                and (again or not alerts.has_digest(connection, name, about or "", period))
            ]
            for name, about in prepared:
                alerts.tell_digest(connection, name, about or "", period, messages[about], utc_now())
        return list(dict.fromkeys(name for name, _ in prepared))

    def preview_digests(self, *, team: str | None = None) -> list[Message]:
        """The digests that targets get, each once; sends and changes nothing. Raises WarehouseError, UnknownTeam."""
        teams = [team] if team else dict.fromkeys(about for _, about in self._digests(team))
        return list(self._composed(teams, is_asked=team is not None, with_samples=True).values())

    def why_no_digest(self, team: str | None) -> str:
        """A sentence for who asked for digests of which none was sent."""
        if not any(self._digests(team)):
            return "Nothing was sent: no target in the repositories file gets this digest."
        if self._pipeline.tracking.holds_samples():
            return "Nothing was sent: what is published are the sample data of the demo."
        return "Nothing was sent: the digest of this day or week was sent before; --again sends it once more."

    def _is_due(self, now: datetime) -> bool:
        return periods.is_due(self._settings.digest, now) and self._pipeline.settings.published_path.exists()

    def _digests(self, team: str | None) -> Iterator[tuple[str, str | None]]:
        """Each target with the teams, None for all repositories, whose digest it gets."""
        for name, target in self._targets("digest"):
            if team is None:
                yield from ((name, each) for each in target.teams or (None,))
            elif not target.teams or team in target.teams:
                yield name, team

    def _composed(
        self, teams: Iterable[str | None], *, is_asked: bool, with_samples: bool = False
    ) -> dict[str | None, Message]:
        """The digest of each of these teams; one that the file names by mistake says so in its own."""
        found: dict[str | None, Message] = {}
        with open_published(self._pipeline.settings.published_path) as connection:
            if is_sample_data(connection) and not with_samples:
                return found
            for team in teams:
                try:
                    found[team] = digest(connection, team, self._pipeline.settings.file.digest_target_hours)
                except UnknownTeam as error:
                    if is_asked:
                        raise
                    found[team] = Message("info", f"Reviews of {team}", str(error))
        return found

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────

    def deliver(self) -> Delivery:
        """Send what is on its way, in order; what a target does not accept stays for the next time.

        Sends nothing where another process is at it. Raises WarehouseError.
        """
        done = Delivery()
        warehouse = self._pipeline.warehouse
        if not self.is_on or not warehouse.exists():
            return done
        lock = FileLock(warehouse.store.folder / "alerts.lock")
        try:
            with lock.acquire(timeout=_PATIENCE_SECONDS):
                with warehouse.transaction() as connection:
                    waiting = alerts.waiting(connection)
                for name in self._settings.targets:
                    if name in waiting:
                        self._deliver_to(name, done)
        except Timeout:
            done.refused.append("Another process is sending alerts; what is left is sent the next time.")
        return done

    def _deliver_to(self, name: str, done: Delivery) -> None:
        warehouse = self._pipeline.warehouse
        try:
            receiver = Receiver(name, self._settings.target(name), self._pipeline.settings.alert_secrets)
            while True:
                with warehouse.transaction() as connection:
                    following = alerts.next_message(connection, name)
                if following is None:
                    return
                receiver.send(following.message)
                with warehouse.transaction() as connection:
                    alerts.accepted(connection, following.message_id, utc_now())
                done.sent[name] = done.sent.get(name, 0) + 1
        except NotSent as error:
            done.refused.append(str(error))

    def _targets(self, kind: Kind) -> Iterator[tuple[str, AlertTarget]]:
        if self._settings.targets:
            yield from self._settings.that_send(kind)
        else:
            yield "nobody yet", EVERYTHING


def _is_for(condition: Condition, target: AlertTarget) -> bool:
    """Whether it is about more than a team's repositories, or about one of the target's teams."""
    is_of_one = condition.told.kind in {"sync", "freshness", "webhooks"}
    return not target.teams or not is_of_one or condition.team in target.teams
