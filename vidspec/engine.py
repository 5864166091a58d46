"""The nursery: every take of a plan made as soon as it may be, and settled as soon as it is there.

A take is made at a temporary path, looked at, kept by digest and renamed; then the lockfile says so. Whatever
stood at its place before is kept. One take that fails stops only what needs it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import trio

from vidspec import budget, landing, studio
from vidspec.check import drawn_seeds
from vidspec.delivered import mismatches
from vidspec.difference import as_recorded, differences
from vidspec.errors import InDoubt, JournalError, MediaError, ProviderError, RenderError, VidspecError
from vidspec.events import Event, Tally
from vidspec.ingredients import Pantry
from vidspec.outputs import same
from vidspec.providers import table
from vidspec.schedule import Job, Schedule, chains_first
from vidspec.state import Flight
from vidspec.store import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from vidspec.events import Kind, Report
    from vidspec.ingredients import Ingredients
    from vidspec.lock import Output, Record
    from vidspec.planned import Planned
    from vidspec.run import Run
    from vidspec.take import Take

Ending = Literal["rendered", "restored", "collected", "kept"]

_UNSAID = "it was sent, and what came of it could not be written down"


async def run(given: Run, tally: Tally) -> None:
    """Make every take of `given.work`, and note in `tally` how each ended, also when it is cancelled. It leaves
    whole clips, a true lockfile, and no temporary file.

    Raises:
        RenderError: the lockfile cannot be written.
        JournalError: the journal cannot be written; nothing more may be submitted then.
    """
    await _Engine(given, tally).run()


class _Engine:
    def __init__(self, given: Run, tally: Tally) -> None:
        self._given = given
        self._planned = {planned.slate: planned for planned in given.plan.takes}
        jobs = (Job(one.slate, one.lane, _needs(one, is_free=self._is_free(one))) for one in given.work)
        at_once = {one.slate for one in given.work if one.action == "collect"}
        there = {one.slate for one in given.plan.takes if one.action == "keep"}
        self._schedule = Schedule(chains_first(jobs, at_once), there)
        self._places = {same(planned.take.output) for planned in given.plan.takes}
        self._pantry = Pantry(
            project=given.project,
            store=given.store,
            lock=lambda: given.ledger.lock,
            take_of={one.slate: one.take for one in given.plan.takes},
            frame=given.maker.frame,
        )
        self._tally = tally
        tally.standing = given.standing
        kept = {one.slate for one in given.work if one.action == "restore"}
        flights = given.journal.flights if given.journal else {}
        self._left_alone = {slate for slate in kept if slate in flights and flights[slate].is_live}
        self._started = trio.current_time()
        self._ready = {one.slate: self._started for one in given.work}
        self._changed = trio.Condition()
        self._unsent: set[trio.CancelScope] = set()
        self._bugs: list[Exception] = []

    async def run(self) -> None:
        self._tell("run_started", takes=len(self._given.work))
        for planned in self._given.stuck:
            self._tell_stuck(planned)
        try:
            await self._make()
        except BaseException as error:
            self._close(error)
            raise
        self._close()

    async def _make(self) -> None:
        """All of the work. A bug about one take is raised when what the others have cost has been fetched."""
        self._given.ledger.write()
        for slate, needed in self._schedule.unreachable().items():
            self._block(slate, needed)
        async with trio.open_nursery() as nursery:
            for orphan in self._given.orphans:
                nursery.start_soon(self._orphan, orphan)
            for lane in self._schedule.lanes():
                for _ in range(max(1, self._given.slots.get(lane, 1))):
                    nursery.start_soon(self._work, lane, nursery)
        if self._bugs:
            raise ExceptionGroup("bugs", self._bugs)

    def _close(self, before: BaseException | None = None) -> None:
        """Write down how it ended; where that fails too, what went wrong `before` is said all the same."""
        self._tally.seconds = trio.current_time() - self._started
        for flight in self._flights():
            if flight.doubtful and flight.slate not in self._tally.in_doubt:
                self._doubt(flight.slate, _UNSAID)
        self._tally.under_way = [flight.slate for flight in self._flights() if flight.collectable]
        try:
            self._given.ledger.write()
        except RenderError as error:
            if before is None:
                raise
            raise BaseExceptionGroup("a run, and its lockfile", [before, error]) from error
        finally:
            self._tell("run_finished", **self._tally.value(), cost=self._spent())

    def _spent(self) -> dict[str, float]:
        """What was accepted in this run costs, by currency, as far as it is known."""
        return budget.totals(self._planned[slate].cost for slate in self._tally.accepted)

    def _flights(self) -> list[Flight]:
        """The present lives of the takes of this run, but for what was under way before and is not its business."""
        flights = self._given.journal.flights.values() if self._given.journal else ()
        ours = {one.slate for one in self._given.work} | {one.slate for one in self._given.orphans}
        ours -= self._left_alone
        return [flight for flight in flights if flight.slate in ours]

    def _tell(self, kind: Kind, slate: str | None = None, /, **details: Any) -> None:
        """Tell whoever listens. One who has gone away, or whose stream is closed or cannot say it, stops no run."""
        planned = self._planned.get(slate or "")
        flight = self._given.journal.flights.get(slate or "") if self._given.journal else None
        event = Event(
            event=kind,
            time=trio.current_time() - self._started,
            slate=slate,
            provider=planned.provider if planned else flight.record.provider if flight else None,
            request_id=details.pop("request_id", None) or (flight.request_id if flight else None),
            details=details,
        )
        with suppress(OSError, ValueError):
            self._given.listener(event)

    def _tell_stuck(self, planned: Planned) -> None:
        """Tell how a take stands that a person has to do something about before a run can."""
        self._tally.stuck[planned.slate] = planned.state
        known = {name: getattr(planned.flight, name, None) for name in ("request_id", "blame")}
        present = {name: value for name, value in known.items() if value is not None}
        self._tell("state", planned.slate, state=planned.state, reason="; ".join(planned.reasons), **present)

    async def _work(self, lane: str, nursery: trio.Nursery) -> None:
        """One slot of a lane: take the next job that may start, until the lane has none."""
        while True:
            async with self._changed:
                while self._is_over() or (slate := self._schedule.take(lane)) is None:
                    if self._is_over() or not self._schedule.is_open(lane):
                        return
                    await self._changed.wait()
            waited = trio.current_time() - self._ready[slate]
            provider = self._planned[slate].provider
            self._tally.queued[provider] = self._tally.queued.get(provider, 0.0) + waited
            released = trio.Event()
            nursery.start_soon(self._one, self._planned[slate], released)
            await released.wait()

    def _is_over(self) -> bool:
        """Whether nothing more is begun, because something went wrong and that is enough."""
        return bool(self._bugs) or (self._given.fail_fast and self._tally.wrong)

    async def _one(self, planned: Planned, released: trio.Event) -> None:
        """Bring one take about; `released` is set when its provider has no more to do with it."""
        try:
            ending = await self._guarded(planned.slate, self._bring_about, planned, released)
            if ending is not None:
                if ending == "kept":
                    self._tell("state", planned.slate, state="kept")
                getattr(self._tally, ending).append(planned.slate)
                now = trio.current_time()
                self._ready.update(dict.fromkeys(self._schedule.finished(planned.slate), now))
        finally:
            released.set()
        async with self._changed:
            self._changed.notify_all()

    async def _guarded(self, slate: str, work: Callable[..., Any], *given: Any) -> Any:
        """What some work returns; None where it failed, which is told and stops only what needs it."""
        try:
            return await work(*given)
        except (RenderError, JournalError):
            raise
        except InDoubt as error:
            self._doubt(slate, error.reason)
        except VidspecError as error:
            self._fail(slate, str(error), getattr(error, "blame", None))
        except OSError as error:
            self._fail(slate, landing.reason_of(error, self._given.project))
        except Exception as error:  # noqa: BLE001  (raised when the run ends)
            self._bugs.append(error)
            self._fail(slate, f"a bug: {type(error).__name__}")
        if slate in self._planned:
            for dependant in self._schedule.failed(slate):
                self._block(dependant, slate)
        if self._is_over():
            for scope in self._unsent:
                scope.cancel()
        return None

    def _doubt(self, slate: str, reason: str) -> None:
        self._tally.failed.pop(slate, None)
        self._tally.in_doubt[slate] = reason
        self._tell("in_doubt", slate, reason=reason)

    def _fail(self, slate: str, reason: str, blame: str | None = None) -> None:
        self._tally.failed[slate] = reason
        if blame is not None:
            self._tally.blames[slate] = blame
        self._tell("failed", slate, reason=reason, blame=blame)

    def _block(self, slate: str, needed: str) -> None:
        self._tally.blocked[slate] = needed
        self._tell("blocked", slate, reason=f"needs {needed}")

    # --- one take --------------------------------------------------------------------------------------------

    async def _bring_about(self, planned: Planned, released: trio.Event) -> Ending | None:
        """Get the clip of one take to its place, the cheapest way there is; None where it was not begun."""
        if planned.action == "collect":
            self._tell("state", planned.slate, state="begun")
            await self._collect(self._flight(planned), released, at_once=True)
            return "collected"
        if planned.action == "restore":
            if ending := await self._had_again(planned, released):
                return ending
            if not self._is_free(planned):
                raise MediaError("the clip that was to be brought back is kept no more, or damaged")
        found = await self._pantry.gather(planned.take, sent=not self._is_free(planned))
        for note in found.notes:
            self._tell("state", planned.slate, state="fitted", reason=note)
        take = replace(planned.take, request=found.request)
        record = planned.record
        if record is not None and record.rendered:
            take = as_recorded(take, record)
            as_before = (planned.action == "wait" or planned.changes) and not differences(take, record)
            if as_before and (ending := await self._had(planned, record, released)):
                self._name_frames(planned.slate, found)
                return ending
        take = self._with_seed(take)
        if not self._is_free(planned):
            return await self._send(take, found, released)
        await self._draw(planned, take, found)
        return "rendered"

    async def _had(self, planned: Planned, record: Record, released: trio.Event) -> Ending | None:
        """What waited and would be sent as before: it is there, or kept, or its provider may still have it."""
        size = landing.size_of(self._given.project / planned.take.output)
        if size == (record.output and record.output.bytes):
            return "kept"
        return await self._had_again(planned, released)

    def _name_frames(self, slate: str, found: Ingredients) -> None:
        """Write down whose the frames are, where they are the same as those that a clip was made from."""
        record = self._given.ledger.lock.get(slate)
        if record is not None and (record.frames or {}) != found.frames:
            self._given.ledger.settle(slate, replace(record, frames=found.frames or None))

    async def _had_again(self, planned: Planned, released: trio.Event) -> Ending | None:
        """Have a recorded clip once more: from what is kept, else from its provider. None where nobody has it."""
        if self._bring_back(planned):
            return "restored"
        known = planned.record.request_id if planned.record else None
        if known is None or self._is_free(planned) or not self._given.may_ask(planned):
            return None
        await self._collect(self._flight(planned), released, at_once=True)
        return "collected"

    def _bring_back(self, planned: Planned) -> bool:
        """Put a kept clip at its place again. False where it is not kept, or damaged."""
        record, path = planned.record, planned.take.output
        if record is None or record.output is None:
            return False
        try:
            if not landing.bring_back(self._given.store, self._given.project, record.output, path):
                return False
        except MediaError:
            return False
        self._given.ledger.settle(planned.slate, replace(record, output=replace(record.output, path=path)))
        self._tell("downloaded", planned.slate, restored=True, path=path, bytes=record.output.bytes)
        return True

    def _is_free(self, planned: Planned) -> bool:
        return self._given.drafts or studio.is_local(planned.take.provider)

    def _with_seed(self, take: Take) -> Take:
        if take.seed is not None or take.seed_rule != "random":
            return take
        rule = table(take.provider).models[take.model].capabilities[take.mode].seed
        return take if rule is None else replace(take, seed=self._given.draw_seed(*drawn_seeds(rule)))

    def _report(self, slate: str) -> Report:
        return lambda done, of: self._given.on_progress(slate, done / of if of else 0.0)

    async def _draw(self, planned: Planned, take: Take, found: Ingredients) -> None:
        """Make a clip here, beside its place, and put it there."""
        target = self._given.project / take.output
        self._tell("submitted", take.slate, model=take.model)
        with whole(target) as part:
            await self._given.maker.clip(take, found.pictures, part, self._report(take.slate))
            output = landing.landed(self._given.store, part, take.output)
            landing.keep_what_stands(self._given.store, target)
        record = replace(self._record(take, found), output=output, rendered_at=self._moment())
        self._settle(take.slate, record, planned.record)

    async def _send(self, take: Take, found: Ingredients, released: trio.Event) -> Ending | None:
        """Have a provider make the clip, and fetch it; None where the run was over before it was sent."""
        flight: Flight | None = None
        if self._is_over():
            return None
        with trio.CancelScope() as scope:
            self._unsent.add(scope)
            try:
                flight = await self._requested(take, self._record(take, found), found)
            finally:
                self._unsent.discard(scope)
        if flight is None:
            return None
        self._tally.accepted.append(take.slate)
        await self._collect(flight, released, at_once=False)
        return "rendered"

    async def _requested(self, take: Take, record: Record, found: Ingredients) -> Flight:
        """Have a take accepted; its price is held before it is sent, and given back where nothing was made."""
        assert self._given.remote is not None
        purse = self._given.purse
        if purse is not None:
            purse.hold(take.slate, record.cost)
        try:
            return await self._given.remote.request(take, record, found.media, self._tell)
        except ProviderError as error:
            if purse is not None and not isinstance(error, InDoubt):
                purse.give_back(take.slate)
            raise

    def _flight(self, planned: Planned) -> Flight:
        """The request under way for a take; or, where only the lockfile knows of it, the one that made its clip."""
        self._check_speaks_to(planned.provider)
        assert self._given.journal is not None
        if planned.flight is not None:
            return planned.flight
        assert planned.record is not None
        return self._given.journal.adopt(
            Flight(
                slate=planned.slate,
                move="accepted",
                record=planned.record.as_sent(),
                output=planned.take.output,
                base_url="",
                since=self._given.now().timestamp(),
                request_id=planned.record.request_id,
                trace_id=planned.record.trace_id,
            )
        )

    async def _orphan(self, flight: Flight) -> None:
        """Collect what was accepted for a take that the list no longer has: it is paid for."""
        if await self._guarded(flight.slate, self._collect_orphan, flight):
            self._tally.collected.append(flight.slate)

    def _check_speaks_to(self, provider: str) -> None:
        """Raise ProviderError for a provider that this run has no account of."""
        if not self._given.speaks_to(provider):
            raise ProviderError(f"`{provider}` cannot be asked for it without a key", blame="key")

    async def _collect_orphan(self, flight: Flight) -> bool:
        self._check_speaks_to(flight.record.provider or "")
        await self._collect(flight, trio.Event(), at_once=True)
        return True

    async def _collect(self, flight: Flight, released: trio.Event, *, at_once: bool) -> None:
        """Wait for an accepted take, fetch its clip, and put it at its place: journal, then file, then lockfile."""
        remote, journal = self._given.remote, self._given.journal
        assert remote is not None
        assert journal is not None
        report = self._report(flight.slate)
        progress = await remote.watch(flight, self._tell, report, at_once=at_once)
        released.set()
        planned = self._planned.get(flight.slate)
        path = planned.take.output if planned else landing.place_left(flight, self._places)
        target = self._given.project / path
        with whole(target) as part:
            found: list[Output] = []
            with landing.set_aside(self._given.project, part, flight.slate):
                await remote.fetch(
                    flight,
                    progress,
                    part,
                    lambda: found.append(landing.landed(self._given.store, part, path)),
                    self._tell,
                    report,
                )
            record = replace(
                flight.record,
                output=found[-1],
                request_id=flight.request_id,
                trace_id=flight.trace_id,
                seed_used=progress.seed_used,
                rendered_at=self._moment(),
            )
            landing.make_way(self._given.store, target, found[-1])
            journal.note(flight.slate, "delivered", record=record)
            landing.keep_what_stands(self._given.store, target)
        self._compare(flight.slate, record)
        self._settle(flight.slate, record, self._given.ledger.lock.get(flight.slate), collected=at_once)

    def _compare(self, slate: str, record: Record) -> None:
        """Note where a clip is not what was asked for; it is paid, and kept all the same."""
        planned = self._planned.get(slate)
        if planned is not None and record.output is not None and planned.take.model == record.model:
            rules = table(planned.take.provider).models[planned.take.model].capabilities[planned.take.mode]
            request = {key: value for key, value in (record.request or {}).items() if key not in self._given.untold}
            if found := list(mismatches(request, record.output, rules)):
                self._tally.amiss[slate] = "; ".join(found)

    def _settle(self, slate: str, record: Record, former: Record | None, *, collected: bool = False) -> None:
        output = record.output
        assert output is not None
        if former is not None and former.output is not None and landing.is_again(former, record):
            self._tally.again[slate] = former.output.sha256 == output.sha256
        self._given.ledger.settle(slate, record.in_place_of(landing.former_of(former, record)))
        more: dict[str, Any] = {"amiss": self._tally.amiss[slate]} if slate in self._tally.amiss else {}
        more |= {"collected": True} if collected else {}
        self._tell("downloaded", slate, path=output.path, bytes=output.bytes, seconds=output.duration, **more)

    def _moment(self) -> str:
        return f"{self._given.now():%Y-%m-%dT%H:%M:%SZ}"

    def _record(self, take: Take, found: Ingredients) -> Record:
        """The record to be of a take: all of it but what comes back."""
        capabilities = table(take.provider).models[take.model]
        return found.record(take, None if self._given.drafts else budget.cost(capabilities, take.facts))


def _needs(planned: Planned, *, is_free: bool) -> tuple[str, ...]:
    """What must be there first: nothing for a clip that is under way, or kept and paid for."""
    had = planned.action == "collect" or (planned.action == "restore" and not is_free)
    return () if had else planned.take.needs
