"""The nursery: every take of a plan made as soon as it may be, and settled as soon as it is there.

A take is made at a temporary path, looked at, synced and renamed; then the lockfile says so. Whatever stood at
its place before is kept by digest. One take that fails stops only what needs it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import trio

from vidspec import budget, media, studio
from vidspec.check import drawn_seeds
from vidspec.errors import MediaError, RenderError, VidspecError
from vidspec.events import Event, Tally
from vidspec.fingerprint import digest as digest_of
from vidspec.fingerprint import fingerprint
from vidspec.lock import Output, Record
from vidspec.plan import as_recorded, differences, frame_key, frame_source, with_frame
from vidspec.providers import table
from vidspec.schedule import Job, Schedule
from vidspec.store import file_digest, whole

if TYPE_CHECKING:
    from vidspec.events import Kind, Listener
    from vidspec.ledger import Ledger
    from vidspec.plan import Plan, Planned
    from vidspec.store import Store
    from vidspec.studio import Pictures
    from vidspec.take import Take

Report = Callable[[int, int], None]
"""Told how far a clip is: done, of how much."""

Ending = Literal["rendered", "restored", "kept"]


class Maker(Protocol):
    """Whoever makes clips, and knows how to take a frame from one of them."""

    async def clip(self, take: Take, pictures: Pictures, part: Path, report: Report) -> None:
        """Make a take's clip at a path."""

    async def frame(self, take: Take, pictures: Pictures, clip: Path, at: str | float) -> bytes:
        """A frame (`first`, `last`, or a time in seconds) of a take's clip as a PNG, for another take to use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run needs, given.

    `plan` holds all takes of the list, `work` those of them that are to be made. With `drafts` every take is
    drawn here, free, whichever provider it is meant for.
    """

    project: Path
    plan: Plan
    work: tuple[Planned, ...]
    ledger: Ledger
    store: Store
    listener: Listener
    slots: Mapping[str, int]
    maker: Maker
    drafts: bool = False
    on_progress: Callable[[str, float], None] = lambda _slate, _share: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    draw_seed: Callable[[int, int], int] = lambda low, high: low + secrets.randbelow(high - low + 1)


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
        self._planned = {planned.slate: planned for planned in given.plan.takes}
        there = {planned.slate for planned in given.plan.takes if planned.action == "keep"}
        self._schedule = Schedule((Job(one.slate, one.take.provider, one.take.needs) for one in given.work), there)
        self._frames: dict[tuple[str, str | float], str] = {}
        self._tally = tally
        self._started = trio.current_time()
        self._changed = trio.Condition()

    async def run(self) -> None:
        self._tell("run_started", takes=len(self._given.work))
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
        """Tell whoever listens. One who has gone away, such as the reader of a pipe, stops no run."""
        planned = self._planned.get(slate or "")
        event = Event(
            event=kind,
            time=trio.current_time() - self._started,
            slate=slate,
            provider=planned.take.provider if planned else None,
            details=details,
        )
        with suppress(OSError):
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
        try:
            ending = await self._bring_about(planned)
        except RenderError:
            raise
        except VidspecError as error:
            self._fail(slate, str(error))
            return
        except OSError as error:
            self._fail(slate, self._reason(error))
            return
        if ending == "kept":
            self._tell("state", slate, state="kept")
        getattr(self._tally, ending).append(slate)
        self._schedule.finished(slate)

    def _reason(self, error: OSError) -> str:
        """What the system says, and of which file."""
        reason = (error.strerror or str(error)).lower()
        place = error.filename2 or error.filename
        if place is None:
            return reason
        path = Path(os.fsdecode(place))
        inside = path.is_relative_to(self._given.project)
        return f"{reason}: {path.relative_to(self._given.project) if inside else path}"

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
        if planned.action == "restore":
            if self._bring_back(planned):
                return "restored"
            if not self._is_free(planned):
                raise MediaError("the clip that was to be brought back is kept no more")
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
        """Put a kept clip at its place again. False where it is not kept, or damaged and may be drawn again."""
        record, path = planned.record, planned.take.output
        if record is None or record.output is None or not self._kept(record.output):
            return False
        target = self._given.project / path
        self._keep_what_stands(target)
        try:
            self._given.store.bring_back(record.output.sha256, target)
        except MediaError:
            if self._is_free(planned):
                return False
            raise
        self._given.ledger.settle(planned.slate, replace(record, output=replace(record.output, path=path)))
        self._tell("downloaded", planned.slate, restored=True, path=path, bytes=record.output.bytes)
        return True

    def _is_free(self, planned: Planned) -> bool:
        return self._given.drafts or studio.is_local(planned.take.provider)

    def _kept(self, output: Output) -> bool:
        """Whether a clip's bytes are kept, after a look at the place where they stood when they were recorded."""
        store, former = self._given.store, self._given.project / output.path
        if not store.holds(output.sha256) and _has_digest(former, output.sha256):
            store.keep(former, output.sha256)
        return store.holds(output.sha256)

    def _with_seed(self, take: Take) -> Take:
        if take.seed is not None or take.seed_rule != "random":
            return take
        rule = table(take.provider).models[take.model].capabilities[take.mode].seed
        return take if rule is None else replace(take, seed=self._given.draw_seed(*drawn_seeds(rule)))

    async def _render(self, slate: str, take: Take, pictures: Pictures, target: Path) -> Output:
        """Make the clip beside its place, look at it, and put it there."""

        def report(done: int, of: int) -> None:
            self._given.on_progress(slate, done / of if of else 0.0)

        self._tell("submitted", slate, model=take.model)
        with whole(target) as part:
            await self._given.maker.clip(take, pictures, part, report)
            probe = media.probe(part)
            size = part.stat().st_size
            digest = self._given.store.keep(part)
            self._keep_what_stands(target)
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
            if given.path is not None:
                data = (self._given.project / given.path).read_bytes()
                if digest_of(data) != given.digest:
                    raise MediaError(f"`{given.path}` was changed while the run went on")
                if given.setting != "audio":
                    pictures[given.setting, given.index] = data
            elif given.frame is not None:
                source, clip = self._source(given.frame.slate)
                digest = source.sha256
                if given.frame.at is not None:
                    digest = await self._frame(given.frame.slate, clip, given.frame.at)
                    pictures[given.setting, given.index] = self._given.store.place(digest).read_bytes()
                request = with_frame(request, given, digest)
                frames[frame_key(given)] = {**frame_source(given, source), "sha256": digest}
        return pictures, request, frames

    def _source(self, slate: str) -> tuple[Output, Path]:
        """The clip that a take was recorded with, and where its very bytes are: at its place, else kept."""
        record = self._given.ledger.lock.get(slate)
        if record is None or record.output is None:
            raise MediaError(f"`{slate}` has no clip to take a frame from")
        digest = record.output.sha256
        for path in (self._given.project / self._planned[slate].take.output, self._given.store.place(digest)):
            if _has_digest(path, digest):
                return record.output, path
        raise MediaError(f"the clip of `{slate}` is not the one that was rendered, and that one is not kept")

    async def _frame(self, slate: str, clip: Path, at: str | float) -> str:
        """The digest of a frame of a finished take, taken once in a run and kept."""
        found = self._frames.get((slate, at))
        if found is None:
            take, record = self._planned[slate].take, self._given.ledger.lock.get(slate)
            made = as_recorded(take, record) if record else take
            pictures, _, _ = await self._pictures(made)
            data = await self._given.maker.frame(made, pictures, clip, at)
            found = self._frames[slate, at] = self._given.store.keep_bytes(data)
        return found

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
            cost=None if self._given.drafts else budget.cost(table(take.provider).models[take.model], take.facts),
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


def _has_digest(path: Path, digest: str) -> bool:
    """Whether a file is there, with exactly these bytes."""
    try:
        return file_digest(path) == digest
    except OSError:
        return False


class Drawer:
    """Makes clips by drawing them: in threads, as many at once as there are cores, stopped with the run."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._cores = trio.CapacityLimiter(max(1, os.cpu_count() or 1))

    async def clip(self, take: Take, pictures: Pictures, part: Path, report: Report) -> None:
        """Draw a take."""

        def progress(done: int, of: int) -> None:
            trio.from_thread.check_cancelled()
            report(done, of)

        def draw() -> None:
            studio.draw(take, pictures, part, title=self._title, progress=progress)

        await trio.to_thread.run_sync(draw, limiter=self._cores)

    async def frame(self, take: Take, pictures: Pictures, clip: Path, at: str | float) -> bytes:  # noqa: ARG002
        """Draw the frame anew without the lettering, which would stand in the next clip as if it were scenery."""
        return await trio.to_thread.run_sync(studio.frame, take, pictures, at, limiter=self._cores)
