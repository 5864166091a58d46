"""The nursery: every take of a plan made as soon as it may be, and settled as soon as it is there.

A take is made at a temporary path, looked at, synced and renamed; then the lockfile says so. Whatever stood at
its place before is kept by digest. One take that fails stops only what needs it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import trio

from vidspec import budget, media, studio
from vidspec.check import drawn_seeds
from vidspec.errors import MediaError, RenderError, VidspecError
from vidspec.events import Event
from vidspec.fingerprint import fingerprint
from vidspec.lock import Output, Record
from vidspec.plan import as_recorded, differences, frame_key, frame_source, with_frame
from vidspec.providers import table
from vidspec.schedule import Job, Schedule
from vidspec.store import file_digest, whole

if TYPE_CHECKING:
    from vidspec.events import Kind, Listener
    from vidspec.ledger import Ledger
    from vidspec.plan import Planned
    from vidspec.store import Store
    from vidspec.take import Input, Take

Pictures = Mapping[tuple[str, int], bytes]
Report = Callable[[int, int], None]
Make = Callable[["Take", Pictures, Path, Report], Awaitable[None]]
"""Makes a take's clip at a path; tells how far it is (done, of how much)."""

Ending = Literal["rendered", "restored", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run needs, given."""

    project: Path
    work: tuple[Planned, ...]
    there: frozenset[str]
    ledger: Ledger
    store: Store
    listener: Listener
    slots: Mapping[str, int]
    title: str = ""
    make: Make | None = None
    on_progress: Callable[[str, float], None] = lambda _slate, _share: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw_seed: Callable[[int, int], int] = lambda low, high: low + secrets.randbelow(high - low + 1)


@dataclass(slots=True)
class Tally:
    """How the takes of a run ended, by slate."""

    rendered: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def value(self) -> dict[str, Any]:
        """The totals of `run_finished`."""
        return {
            "rendered": len(self.rendered),
            "restored": len(self.restored),
            "kept": len(self.kept),
            "failed": len(self.failed),
            "blocked": len(self.blocked),
        }


async def run(given: Run, tally: Tally) -> None:
    """Make every take of `given.work`, and note in `tally` how each ended, also when it is cancelled.

    It leaves whole clips, a true lockfile, and no temporary file.

    Raises:
        RenderError: the lockfile cannot be written.
    """
    await _Engine(given, tally).run()


class _Engine:
    def __init__(self, given: Run, tally: Tally) -> None:
        self._given = given
        self._make = given.make or draw_with(given.title)
        self._planned = {planned.slate: planned for planned in given.work}
        self._schedule = Schedule(
            (Job(one.slate, one.take.provider, one.take.needs) for one in given.work), set(given.there)
        )
        self._tally = tally
        self._started = trio.current_time()
        self._changed = trio.Condition()

    async def run(self) -> None:
        self._tell("run_started", takes=len(self._planned))
        self._given.ledger.write()
        try:
            for slate, needed in self._schedule.unreachable().items():
                self._block(slate, needed)
            async with trio.open_nursery() as nursery:
                for lane in self._schedule.lanes():
                    for _ in range(max(1, self._given.slots.get(lane, 1))):
                        nursery.start_soon(self._work, lane)
        finally:
            self._given.ledger.write()
            self._tally.seconds = trio.current_time() - self._started
            self._tell("run_finished", **self._tally.value())

    def _tell(self, kind: Kind, slate: str | None = None, **details: Any) -> None:
        planned = self._planned.get(slate or "")
        event = Event(
            event=kind,
            time=trio.current_time() - self._started,
            slate=slate,
            provider=planned.take.provider if planned else None,
            details=details,
        )
        self._given.listener(event)

    async def _work(self, lane: str) -> None:
        """One slot of a lane: take the next job that may start, until the lane has none."""
        while True:
            async with self._changed:
                while (slate := self._schedule.take(lane)) is None:
                    if not self._schedule.is_open(lane):
                        return
                    await self._changed.wait()
            await self._one(self._planned[slate])
            async with self._changed:
                self._changed.notify_all()

    async def _one(self, planned: Planned) -> None:
        slate = planned.slate
        self._tell("submitted", slate, model=planned.take.model, action=planned.action)
        try:
            ending = await self._bring_about(planned)
        except (VidspecError, OSError) as error:
            if isinstance(error, RenderError):
                raise
            self._fail(slate, _reason(error))
            return
        getattr(self._tally, ending).append(slate)
        self._schedule.finished(slate)

    def _fail(self, slate: str, reason: str) -> None:
        self._tally.failed[slate] = reason
        self._tell("failed", slate, reason=reason)
        for dependant in self._schedule.failed(slate):
            self._block(dependant, slate)

    def _block(self, slate: str, needed: str) -> None:
        self._tally.blocked[slate] = needed
        self._tell("blocked", slate, reason=f"needs {needed}")

    async def _bring_about(self, planned: Planned) -> Ending:
        """Get the clip of one take to its place, the cheapest way there is."""
        if planned.action == "restore" and self._bring_back(planned):
            return "restored"
        pictures, request, frames = await self._pictures(planned.take)
        take = replace(planned.take, request=request)
        record = planned.record
        if record is not None and record.rendered:
            take = as_recorded(take, record)
            if planned.action == "wait" and not differences(take, record):
                if _size(self._given.project / take.output) == (record.output and record.output.bytes):
                    return "kept"
                if self._bring_back(planned):
                    return "restored"
        take = self._with_seed(take)
        output = await self._render(planned.slate, take, pictures, self._given.project / take.output)
        new = self._record(take, output, frames)
        self._given.ledger.settle(planned.slate, new.superseding(_former(record, new)))
        return "rendered"

    def _bring_back(self, planned: Planned) -> bool:
        """Put a kept clip at its place again. False where it must, and may, be made again: drawing is free."""
        record, path = planned.record, planned.take.output
        if record is None or record.output is None or not self._given.store.holds(record.output.sha256):
            return False
        target = self._given.project / path
        self._keep_what_stands(target)
        try:
            self._given.store.bring_back(record.output.sha256, target)
        except MediaError:
            if studio.is_local(planned.take.provider):
                return False
            raise
        self._given.ledger.settle(planned.slate, replace(record, output=replace(record.output, path=path)))
        self._tell("downloaded", planned.slate, restored=True, path=path, bytes=record.output.bytes)
        return True

    def _with_seed(self, take: Take) -> Take:
        if take.seed is not None or take.seed_rule != "random":
            return take
        rule = table(take.provider).models[take.model].capabilities[take.mode].seed
        return take if rule is None else replace(take, seed=self._given.draw_seed(*drawn_seeds(rule)))

    async def _render(self, slate: str, take: Take, pictures: Pictures, target: Path) -> Output:
        """Make the clip beside its place, look at it, and put it there."""

        def report(done: int, of: int) -> None:
            self._given.on_progress(slate, done / of if of else 0.0)

        with whole(target) as part:
            await self._make(take, pictures, part, report)
            probe = media.probe(part)
            digest = file_digest(part)
            size = part.stat().st_size
            self._keep_what_stands(target)
        self._given.store.keep(target, digest)
        self._tell("downloaded", slate, path=take.output, bytes=size, seconds=probe.duration)
        return Output(
            path=take.output,
            sha256=digest,
            bytes=size,
            width=probe.width,
            height=probe.height,
            fps=round(probe.fps, 3),
            duration=round(probe.duration, 3),
            audio=probe.audio,
        )

    def _keep_what_stands(self, target: Path) -> None:
        """Whatever is about to be replaced is kept first, whoever made it."""
        if target.is_file():
            self._given.store.keep(target)

    async def _pictures(self, take: Take) -> tuple[dict[tuple[str, int], bytes], dict[str, Any], dict[str, Any]]:
        """The bytes of every picture, the request with frames by digest, and where those frames are from."""
        pictures: dict[tuple[str, int], bytes] = {}
        request, frames = dict(take.request), dict[str, Any]()
        for given in take.inputs:
            if given.path is not None and given.setting != "audio":
                pictures[given.setting, given.index] = (self._given.project / given.path).read_bytes()
            elif given.frame is not None:
                source = self._source(given)
                if given.frame.at is not None:
                    data = await self._frame(given, source)
                    pictures[given.setting, given.index] = data
                    digest = self._given.store.keep_bytes(data)
                    request = with_frame(request, given, digest)
                    frames[frame_key(given)] = {**frame_source(given, source), "sha256": digest}
                else:
                    request = with_frame(request, given, source.sha256)
                    frames[frame_key(given)] = {**frame_source(given, source), "sha256": source.sha256}
        return pictures, request, frames

    def _source(self, given: Input) -> Output:
        assert given.frame is not None
        record = self._given.ledger.lock.get(given.frame.slate)
        if record is None or record.output is None:
            raise MediaError(f"`{given.frame.slate}` has no clip to take a frame from")
        return record.output

    async def _frame(self, given: Input, source: Output) -> bytes:
        assert given.frame is not None
        at = given.frame.at
        path = self._given.project / source.path
        moment: Literal["first", "last"] | float = at if isinstance(at, float | int) else "last"
        if at == "first":
            moment = "first"
        return await trio.to_thread.run_sync(lambda: media.frame(path, moment))

    def _record(self, take: Take, output: Output, frames: Mapping[str, Any]) -> Record:
        return Record(
            shot=take.shot,
            take=take.number,
            provider=take.provider,
            model=take.model,
            fingerprint=fingerprint(
                provider=take.provider, model=take.model, request=take.request, seed=take.seed, take=take.number
            ),
            request=dict(take.request),
            defaulted=tuple(key for key in take.request if key in take.defaulted),
            seed=take.seed,
            seed_rule=None if take.seed_rule == "none" else take.seed_rule,
            frames=dict(frames) or None,
            vars=dict(take.variables) or None,
            output=output,
            rendered_at=f"{self._given.now():%Y-%m-%dT%H:%M:%SZ}",
            cost=budget.cost(table(take.provider).models[take.model], take.request),
        )


def _former(record: Record | None, new: Record) -> Record | None:
    """The record to keep under a new one: none where the same bytes came out again."""
    if record is None or record.output is None or new.output is None:
        return record
    if record.output.sha256 == new.output.sha256 and record.fingerprint == new.fingerprint:
        return replace(record, output=None)
    return record


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)


def draw_with(title: str) -> Make:
    """A `Make` that draws: in threads, as many at once as there are slots, stopped when the run is cancelled."""

    async def make(take: Take, pictures: Pictures, part: Path, report: Report) -> None:
        def progress(done: int, of: int) -> None:
            trio.from_thread.check_cancelled()
            report(done, of)

        def draw() -> None:
            studio.draw(take, pictures, part, title=title, progress=progress)

        await trio.to_thread.run_sync(draw, limiter=limiter)

    limiter = trio.CapacityLimiter(max(1, os.cpu_count() or 1))
    return make
