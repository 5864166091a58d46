from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock

from vidspec import engine, journal, media
from vidspec.errors import InDoubt, JournalError, RenderError
from vidspec.events import Report, Tally
from vidspec.journal import Journal
from vidspec.ledger import SETTLE_EVERY, Ledger
from vidspec.lock import Lock, Record
from vidspec.project import open_lists, read_lock
from vidspec.run import Run
from vidspec.store import Store, file_digest, state_folder, whole
from vidspec.wire import Progress

if TYPE_CHECKING:
    from vidspec.events import Event
    from vidspec.planned import Planned
    from vidspec.remote import Tell
    from vidspec.state import Flight
    from vidspec.take import Take

Shots = Callable[..., Path]
Clip = Callable[[int], bytes]


@pytest.fixture(autouse=True)
def instant_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real thread would let the virtual clock leap while it works."""

    async def run_sync(work: Callable[[], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return work()

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@dataclass
class Film:
    """A project whose takes are made by a pretence: it takes a second each, or as long as it is told."""

    project: Path
    shots: Shots
    footage: Clip
    seconds: dict[str, float] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    garbage: set[str] = field(default_factory=set)
    slots: dict[str, int] = field(default_factory=lambda: {"animatic": 2})
    started: dict[str, float] = field(default_factory=dict)
    pictures: dict[str, Mapping[tuple[str, int], bytes]] = field(default_factory=dict)
    media: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    sent: dict[str, Take] = field(default_factory=dict)
    journal: Journal | None = None
    fetching: float = 0.0
    events: list[Event] = field(default_factory=list)
    seeds: list[tuple[int, int]] = field(default_factory=list)
    only: set[str] | None = None
    drafts: bool = False
    fail_fast: bool = False
    framing: float = 0.0
    listener: Callable[[Event], None] | None = None
    before: Callable[[], None] = lambda: None
    _running: int = 0
    most: int = 0

    @property
    def lock(self) -> Lock:
        return read_lock(self.project / "shots.lock")

    def record(self, slate: str) -> Record:
        record = self.lock.get(slate)
        assert record is not None
        return record

    @property
    def flights(self) -> Mapping[str, Flight]:
        return journal.read(self.project / ".vidspec/journal/shots.jsonl")

    def planned(self, slate: str) -> Planned:
        (opened,), _ = open_lists([self.project / "shots.yaml"], {})
        return next(one for one in opened.plan().takes if one.slate == slate)

    def output(self, slate: str) -> Path:
        return self.project / f"renders/{slate[:-4]}/{slate}.mp4"

    @property
    def store(self) -> Store:
        return Store(state_folder(self.project))

    async def frame(
        self, take: Take, pictures: Mapping[tuple[str, int], bytes], clip: Path, at: str | float
    ) -> bytes:
        await trio.sleep(self.framing)
        return media.frame(clip, at if isinstance(at, float) else "first" if at == "first" else "last")

    async def clip(self, take: Take, pictures: Mapping[tuple[str, int], bytes], part: Path, report: Report) -> None:
        self.before()
        self.started[take.slate] = trio.current_time()
        self.pictures[take.slate] = dict(pictures)
        self._running += 1
        self.most = max(self.most, self._running)
        _write(part, b"half a clip")
        try:
            await trio.sleep(self.seconds.get(take.slate, 1.0))
        finally:
            self._running -= 1
        report(1, 1)
        if take.slate in self.faults:
            raise self.faults[take.slate]
        about = repr((take.request.get("prompt"), take.seed, sorted(pictures.items())))
        number = zlib.crc32(about.encode()) % 250
        _write(part, b"RIFF" if take.slate in self.garbage else self.footage(number))

    def base_url(self, provider: str) -> str:
        return f"https://{provider}.example/v1"

    async def request(self, take: Take, record: Record, media: Mapping[tuple[str, int], str], tell: Tell) -> Flight:
        self.media[take.slate] = dict(media)
        self.sent[take.slate] = take
        assert self.journal is not None
        self.journal.intend(take.slate, record, output=take.output, base_url=self.base_url(take.provider))
        if isinstance(fault := self.faults.get(take.slate), InDoubt):
            self.journal.note(take.slate, "in_doubt", reason=fault.reason)
            raise fault
        flight = self.journal.note(take.slate, "accepted", request_id=f"id-{take.slate}", trace_id="trace")
        tell("submitted", take.slate, request_id=flight.request_id)
        return flight

    async def watch(self, flight: Flight, tell: Tell, report: Report, *, at_once: bool) -> Progress:
        assert self.journal is not None
        made = self.project / f"{flight.slate}.made"
        take = self.sent.get(flight.slate)
        if take is not None:
            await self.clip(take, {}, made, lambda done, of: None)
        else:
            _write(made, self.footage(7))
        self.journal.note(flight.slate, "succeeded")
        return Progress(phase="succeeded", word="done", link="https://cdn.example/x.mp4", seed_used=99)

    async def fetch(
        self,
        flight: Flight,
        progress: Progress,
        part: Path,
        look: Callable[[], None],
        tell: Tell,
        report: Report,
    ) -> None:
        await trio.sleep(self.fetching)
        (self.project / f"{flight.slate}.made").rename(part)
        look()

    def draw_seed(self, low: int, high: int) -> int:
        self.seeds.append((low, high))
        return 4711

    def render(self, entries: str | None = None, *, until: float = float("inf"), **head: Any) -> Tally:
        """Render the list on trio's virtual clock; `until` is when the run is cancelled."""
        if entries is not None:
            self.shots(entries, **head)
        (opened,), _ = open_lists([self.project / "shots.yaml"], {})
        plan = opened.plan()
        work = tuple(one for one in plan.work if self.only is None or one.slate in self.only)
        layout = read_lock(opened.lock_path).laid_out(
            (one.slate, one.take.shot, one.take.number) for one in plan.takes
        )
        given = Run(
            remote=self,
            journal=None,
            orphans=plan.orphans,
            project=self.project,
            plan=plan,
            work=work,
            stuck=tuple(one for one in plan.takes if one.action in ("failed", "decide", "blocked")),
            ledger=Ledger(layout, opened.lock_path, trio.current_time),
            store=self.store,
            listener=self.listener or self.events.append,
            slots={one.lane: self.slots.get(one.provider, 1) for one in work},
            drafts=self.drafts,
            fail_fast=self.fail_fast,
            maker=self,
            now=lambda: datetime(2026, 11, 20, 10, tzinfo=UTC),
            draw_seed=self.draw_seed,
        )
        tally = Tally()
        self.started.clear()
        self.events.clear()

        async def main() -> None:
            with trio.move_on_at(trio.current_time() + until):
                await engine.run(given, tally)

        with Journal(opened.site.journal) as self.journal:
            given = replace(given, journal=self.journal)
            trio.run(main, clock=MockClock(autojump_threshold=0))
        return tally

    def told(self, kind: str) -> list[tuple[float, str | None]]:
        return [(event.time, event.slate) for event in self.events if event.event == kind]


@pytest.fixture
def film(project: Path, shots: Shots, clip: Clip) -> Film:
    return Film(project, shots, clip)


def shot(*names: str) -> str:
    return "\n".join(f"- {{id: {name}, prompt: {name}}}" for name in names)


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


CHAIN = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a, at: last}}
- {id: c, prompt: three}
- {id: d, prompt: four}
- {id: e, prompt: five}
"""


# --- when takes start ------------------------------------------------------------------------------------------


def test_takes_start_in_the_order_of_the_list_as_slots_come_free(film: Film) -> None:
    tally = film.render(shot("e", "d", "c", "b", "a"))
    assert film.started == {"e-t01": 0, "d-t01": 0, "c-t01": 1, "b-t01": 1, "a-t01": 2}
    assert film.most == 2
    assert tally.seconds == 3


def test_a_take_starts_the_moment_that_what_it_needs_is_there(film: Film) -> None:
    film.seconds = {"a-t01": 3.5}
    film.render(CHAIN)
    assert film.started == {"a-t01": 0, "c-t01": 0, "d-t01": 1, "e-t01": 2, "b-t01": 3.5}


def test_a_take_whose_needs_are_met_goes_before_later_ones(film: Film) -> None:
    film.slots = {"animatic": 1}
    film.render(CHAIN)
    assert film.started == {"a-t01": 0, "b-t01": 1, "c-t01": 2, "d-t01": 3, "e-t01": 4}


def test_a_slow_provider_holds_up_no_other(film: Film) -> None:
    film.slots = {"animatic": 1, "minimax": 1}
    film.seconds = {"m1-t01": 10, "m2-t01": 10}
    remote = "provider: minimax, model: MiniMax-Hailuo-02"
    entries = f"- {{id: m1, prompt: x, {remote}}}\n- {{id: m2, prompt: x, {remote}}}"
    film.render(
        f"{entries}\n- {{id: a, prompt: x, provider: animatic}}\n- {{id: b, prompt: x, provider: animatic}}",
        defaults="{}",
    )
    assert film.started == {"m1-t01": 0, "a-t01": 0, "b-t01": 1, "m2-t01": 10}


def test_more_slots_than_takes_are_no_trouble(film: Film) -> None:
    film.slots = {"animatic": 50}
    assert film.render(shot("a", "b")).seconds == 1


# --- what is written -------------------------------------------------------------------------------------------


def test_the_lockfile_is_written_at_the_start_then_now_and_then_and_at_the_end(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[float] = []

    def noting(target: Path) -> Any:
        written.append(trio.current_time())
        return whole(target)

    monkeypatch.setattr("vidspec.ledger.whole", noting)
    film.slots = {"animatic": 1}
    film.seconds = {f"s{number}-t01": 0.75 for number in range(9)}
    film.render(shot(*(f"s{number}" for number in range(9))))
    assert written == [0, 2.25, 4.5, 6.75]
    assert all(later - earlier >= SETTLE_EVERY for earlier, later in pairwise(written))
    film.render(shot("s0", "s9"))
    assert written[4:] == [0, 1]


def test_every_take_has_a_record_before_the_first_is_made(film: Film) -> None:
    film.render(shot("a", "b"), until=0.5)
    assert film.lock == Lock({"a-t01": Record(shot="a", take=1), "b-t01": Record(shot="b", take=1)})


def test_a_record_says_what_was_sent_and_what_came_back(film: Film, clip: Clip) -> None:
    film.render("- {id: a, prompt: one, seed: 5}")
    record = film.record("a-t01")
    data = film.output("a-t01").read_bytes()
    assert record.request == {
        "mode": "text_to_video", "prompt": "one", "size": "64x36", "duration": 0.2, "fps": 10,
    }  # fmt: skip
    assert (record.seed, record.seed_rule, record.rendered_at) == (5, "fixed", "2026-11-20T10:00:00Z")
    assert record.output is not None
    assert (record.output.bytes, record.output.width, record.output.height) == (len(data), 64, 36)
    assert (record.output.fps, record.output.duration, record.output.audio) == (10.0, 0.2, False)
    assert film.store.place(record.output.sha256).read_bytes() == data
    assert record.cost is not None
    assert (record.cost.amount, record.cost.currency) == (0, "usd")


def test_a_second_run_has_nothing_to_do(film: Film) -> None:
    film.render(CHAIN)
    text = (film.project / "shots.lock").read_bytes()
    assert film.render() == Tally()
    assert (film.project / "shots.lock").read_bytes() == text


def test_events_tell_of_each_take_what_happened(film: Film) -> None:
    film.render(CHAIN)
    assert film.events[0].event == "run_started"
    assert film.events[-1].value() == {
        "event": "run_finished", "time": 3.0, "rendered": 5, "restored": 0, "collected": 0, "kept": 0,
            "failed": 0, "blocked": 0, "in_doubt": 0, "accepted": 0, "cost": {},
            "stuck": {"failed": 0, "blocked": 0, "in_doubt": 0},
    }  # fmt: skip
    assert sorted(film.told("submitted")) == [
        (0, "a-t01"), (0, "c-t01"), (1, "b-t01"), (1, "d-t01"), (2, "e-t01"),
    ]  # fmt: skip
    assert sorted(film.told("downloaded")) == [
        (1, "a-t01"), (1, "c-t01"), (2, "b-t01"), (2, "d-t01"), (3, "e-t01"),
    ]  # fmt: skip


# --- frames ----------------------------------------------------------------------------------------------------


def test_a_take_gets_the_very_frame_that_it_asks_for(film: Film) -> None:
    film.render(CHAIN)
    frame = media.frame(film.output("a-t01"), "last")
    assert film.pictures["b-t01"] == {("first_frame", 0): frame}
    record, upstream = film.record("b-t01"), film.record("a-t01")
    assert record.request is not None
    assert record.frames is not None
    assert upstream.output is not None
    assert record.frames["first_frame"] == {
        "slate": "a-t01", "at": "last", "of": upstream.output.sha256, "sha256": record.request["first_frame"],
    }  # fmt: skip
    assert film.store.place(record.request["first_frame"]).read_bytes() == frame


def test_an_upstream_change_renders_what_needs_it_again_and_nothing_else(film: Film) -> None:
    film.render(CHAIN)
    tally = film.render(CHAIN.replace("one", "uno"))
    assert tally.rendered == ["a-t01", "b-t01"]


def test_an_upstream_made_anew_in_a_run_of_its_own_renders_its_dependants_in_the_next(film: Film) -> None:
    film.render(CHAIN)
    film.only = {"a-t01"}
    film.render(CHAIN.replace("one", "uno"))
    film.only = None
    assert film.render().rendered == ["b-t01"]


def test_an_upstream_lost_and_made_again_the_same_leaves_its_dependants_as_they_are(film: Film) -> None:
    film.render(CHAIN)
    before = film.record("b-t01")
    film.output("a-t01").unlink()
    shutil.rmtree(film.project / ".vidspec")
    tally = film.render()
    assert (tally.rendered, tally.kept) == (["a-t01"], ["b-t01"])
    assert film.record("b-t01") == before
    assert [event.value().get("state") for event in film.events if event.slate == "b-t01"] == ["kept"]


def test_an_upstream_that_is_restored_renders_nothing(film: Film) -> None:
    film.render(CHAIN)
    film.output("a-t01").unlink()
    tally = film.render()
    assert (tally.rendered, tally.restored, tally.kept) == ([], ["a-t01"], [])


def test_a_frame_is_taken_from_the_kept_clip_where_another_stands_at_its_place(film: Film) -> None:
    """The same size is enough for a plan, but not for a frame that is paid for."""
    film.only = {"a-t01"}
    film.render(CHAIN)
    good = film.output("a-t01").read_bytes()
    film.output("a-t01").write_bytes(bytes(len(good)))
    film.only = {"b-t01"}
    assert film.render().rendered == ["b-t01"]
    (film.project / "good.mp4").write_bytes(good)
    assert film.pictures["b-t01"] == {("first_frame", 0): media.frame(film.project / "good.mp4", "last")}


def test_without_the_clip_a_frame_is_not_taken_from_another(film: Film) -> None:
    film.only = {"a-t01"}
    film.render(CHAIN)
    film.output("a-t01").write_bytes(bytes(film.output("a-t01").stat().st_size))
    shutil.rmtree(film.project / ".vidspec")
    film.only = {"b-t01"}
    tally = film.render()
    assert tally.failed == {
        "b-t01": "the clip of `a-t01` is not the one that was rendered, and that one is not kept"
    }


def test_a_take_whose_need_is_not_selected_is_blocked(film: Film) -> None:
    film.only = {"b-t01", "c-t01"}
    tally = film.render(CHAIN)
    assert (tally.rendered, tally.blocked) == (["c-t01"], {"b-t01": "a-t01"})
    assert film.told("blocked") == [(0, "b-t01")]


# --- failures --------------------------------------------------------------------------------------------------

LONG = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three, first_frame: {shot: b}}
- {id: d, prompt: four}
"""


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), "no space left on device", id="disk full"),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied", "/etc/x"),
            "permission denied: /etc/x",
            id="permission",
        ),
    ],
)
def test_a_take_that_fails_stops_only_what_needs_it(film: Film, fault: Exception, reason: str) -> None:
    film.faults = {"a-t01": fault}
    tally = film.render(LONG)
    assert tally.failed == {"a-t01": reason}
    assert tally.blocked == {"b-t01": "a-t01", "c-t01": "a-t01"}
    assert tally.rendered == ["d-t01"]
    assert not parts(film.project)
    assert film.record("a-t01") == Record(shot="a", take=1)
    film.faults = {}
    assert film.render().rendered == ["a-t01", "b-t01", "c-t01"]


def test_bytes_that_are_no_clip_never_get_to_the_output(film: Film) -> None:
    film.render(shot("a"))
    before = film.output("a-t01").read_bytes()
    film.garbage = {"a-t01"}
    tally = film.render("- {id: a, prompt: new}")
    assert "not a clip" in tally.failed["a-t01"]
    assert film.output("a-t01").read_bytes() == before
    assert not parts(film.project)
    assert film.record("a-t01").superseded == ()


@pytest.mark.parametrize("place", ["renders/a/a-t01.mp4", "renders/a", "renders"])
def test_an_output_that_cannot_be_written_fails_alone(film: Film, place: str) -> None:
    blocked = film.project / place
    if place.endswith(".mp4"):
        blocked.mkdir(parents=True)
        (blocked / "diary.txt").write_text("mine")
    else:
        blocked.parent.mkdir(parents=True, exist_ok=True)
        blocked.write_text("mine")
    tally = film.render(f"{shot('a')}\n- {{id: b, prompt: b, output: elsewhere.mp4}}")
    assert list(tally.failed) == ["a-t01"]
    assert "renders" in tally.failed["a-t01"]
    assert tally.rendered == ["b-t01"]
    assert blocked.read_text() == "mine" if blocked.is_file() else (blocked / "diary.txt").read_text() == "mine"
    assert not parts(film.project)


@pytest.mark.parametrize("change", ["deleted", "changed"])
def test_a_picture_that_goes_after_it_was_checked_fails_alone(film: Film, change: str) -> None:
    from PIL import Image

    picture = film.project / "a.png"
    Image.new("RGB", (64, 36)).save(picture)
    film.slots = {"animatic": 1}

    def meddle() -> None:
        picture.unlink(missing_ok=True)
        if change == "changed":
            picture.write_bytes(b"another")

    film.before = meddle
    tally = film.render(f"{shot('a')}\n- {{id: b, prompt: b, first_frame: a.png}}\n{shot('c')}")
    assert tally.rendered == ["a-t01", "c-t01"]
    assert "a.png" in tally.failed["b-t01"]


def test_a_lockfile_that_cannot_be_written_ends_the_run_and_keeps_the_clips(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.seconds = {"a-t01": 3, "b-t01": 9}

    def full(target: Path) -> Any:
        if trio.current_time() > 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(target)

    monkeypatch.setattr("vidspec.ledger.whole", full)
    with pytest.raises((RenderError, ExceptionGroup)) as raised:
        film.render(shot("a", "b"))
    error: BaseException = raised.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert str(error) == "cannot write the lockfile shots.lock: no space left on device"
    assert film.output("a-t01").exists()
    assert not parts(film.project)


def test_a_bug_about_one_take_lets_the_others_end_and_begins_nothing_more(film: Film) -> None:
    film.slots = {"animatic": 2}
    film.seconds = {"b-t01": 5}
    film.faults = {"a-t01": ZeroDivisionError()}
    with pytest.raises(ExceptionGroup) as raised:
        film.render(shot("a", "b", "c"))
    assert film.record("b-t01").rendered
    assert set(film.started) == {"a-t01", "b-t01"}
    assert raised.group_contains(ZeroDivisionError)
    assert film.events[-1].value()["failed"] == 1
    assert [event.details["reason"] for event in film.events if event.event == "failed"] == [
        "a bug: ZeroDivisionError"
    ]


def test_a_lockfile_that_cannot_be_written_does_not_hide_what_went_wrong_before(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.faults = {"a-t01": JournalError("this must be known")}

    def full(target: Path) -> Any:
        if trio.current_time() > 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(target)

    monkeypatch.setattr("vidspec.ledger.whole", full)
    film.seconds = {"b-t01": 0.5}
    with pytest.raises(ExceptionGroup) as raised:
        film.render(shot("a", "b"))
    assert raised.group_contains(JournalError, match="this must be known")
    assert raised.group_contains(RenderError, match="cannot write the lockfile")


def test_a_bug_ends_the_run_and_what_was_finished_is_recorded(film: Film) -> None:
    film.faults = {"c-t01": ZeroDivisionError()}
    with pytest.raises(ExceptionGroup):
        film.render(shot("a", "b", "c", "d"))
    assert film.record("a-t01").rendered
    assert film.record("b-t01").rendered
    assert not parts(film.project)


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        ValueError("I/O operation on closed file"),
        UnicodeEncodeError("ascii", "夜", 0, 1, "ordinal not in range"),
    ],
    ids=["gone", "closed", "cannot say it"],
)
def test_a_listener_who_has_gone_away_stops_nothing(film: Film, error: Exception) -> None:
    def gone(event: Event) -> None:
        raise error

    film.listener = gone
    tally = film.render(shot("a", "b"))
    assert (sorted(tally.rendered), tally.failed) == (["a-t01", "b-t01"], {})
    assert film.record("b-t01").rendered


# --- interruptions ---------------------------------------------------------------------------------------------


def test_a_cancelled_run_leaves_what_is_whole_and_the_next_goes_on_from_there(film: Film) -> None:
    tally = film.render(shot("a", "b", "c", "d", "e"), until=1.5)
    assert sorted(tally.rendered) == ["a-t01", "b-t01"]
    assert film.told("run_finished") == [(1.5, None)]
    assert [slate for slate, record in film.lock.items() if record.rendered] == ["a-t01", "b-t01"]
    assert not parts(film.project)
    assert sorted(film.render().rendered) == ["c-t01", "d-t01", "e-t01"]


def test_what_a_killed_run_has_left_behind_is_written_over(film: Film) -> None:
    left = film.output("a-t01").with_name(".a-t01.mp4.part")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a clip, and much more of it" * 9999)
    assert film.render(shot("a")).rendered == ["a-t01"]
    assert not parts(film.project)


def test_a_link_under_the_temporary_name_is_not_written_through(film: Film, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    left = film.output("a-t01").with_name(".a-t01.mp4.part")
    left.parent.mkdir(parents=True)
    left.symlink_to(victim)
    assert film.render(shot("a")).rendered == ["a-t01"]
    assert victim.read_text() == "mine"


# --- what was there before ---------------------------------------------------------------------------------------


def test_rendering_anew_keeps_the_former_record_and_its_bytes(film: Film) -> None:
    film.render("- {id: a, prompt: one}")
    first, data = film.record("a-t01"), film.output("a-t01").read_bytes()
    film.render("- {id: a, prompt: two}")
    film.render("- {id: a, prompt: three}")
    record = film.record("a-t01")
    assert [old.request and old.request["prompt"] for old in record.superseded] == ["two", "one"]
    assert record.superseded[1] == first
    assert first.output is not None
    assert film.store.place(first.output.sha256).read_bytes() == data


def test_an_edit_undone_costs_nothing(film: Film) -> None:
    film.render("- {id: a, prompt: one}")
    data = film.output("a-t01").read_bytes()
    film.render("- {id: a, prompt: two}")
    tally = film.render("- {id: a, prompt: one}")
    assert (tally.restored, film.started) == (["a-t01"], {})
    assert film.output("a-t01").read_bytes() == data
    record = film.record("a-t01")
    assert record.request is not None
    assert record.request["prompt"] == "one"
    assert [old.request and old.request["prompt"] for old in record.superseded] == ["two"]
    assert film.render() == Tally()
    assert film.render("- {id: a, prompt: two}").restored == ["a-t01"]


def test_the_same_bytes_again_supersede_nothing(film: Film) -> None:
    film.render(shot("a"))
    film.output("a-t01").unlink()
    shutil.rmtree(film.project / ".vidspec")
    assert film.render().rendered == ["a-t01"]
    assert film.record("a-t01").superseded == ()


def test_a_foreign_file_at_the_place_of_an_output_is_kept(film: Film) -> None:
    place = film.output("a-t01")
    place.parent.mkdir(parents=True)
    place.write_bytes(b"somebody's wedding")
    digest = file_digest(place)
    film.render(shot("a"))
    assert film.store.place(digest).read_bytes() == b"somebody's wedding"
    place.write_bytes(b"another wedding")
    digest = file_digest(place)
    assert film.render().restored == ["a-t01"]
    assert film.store.place(digest).read_bytes() == b"another wedding"


def test_writing_into_an_output_does_not_write_into_what_is_kept(film: Film) -> None:
    film.render(shot("a"))
    data = film.output("a-t01").read_bytes()
    with film.output("a-t01").open("r+b") as file:  # as `cp` does, and editors of tags
        file.write(b"scribble")
        file.truncate(100)
    assert film.render().restored == ["a-t01"]
    assert film.output("a-t01").read_bytes() == data


def test_an_output_that_is_a_link_is_kept_as_what_it_leads_to(film: Film, tmp_path: Path) -> None:
    film.render(shot("a"))
    far = tmp_path / "far.mp4"
    shutil.move(film.output("a-t01"), far)
    film.output("a-t01").symlink_to(os.path.relpath(far, film.output("a-t01").parent))
    shutil.rmtree(film.project / ".vidspec")
    digest = file_digest(far)
    film.render("- {id: a, prompt: new}")
    assert file_digest(film.store.place(digest)) == digest
    assert file_digest(far) == digest
    assert not film.output("a-t01").is_symlink()


def test_a_missing_output_is_brought_back_free(film: Film) -> None:
    film.render(shot("a", "b"))
    data = film.output("a-t01").read_bytes()
    shutil.rmtree(film.project / "renders")
    tally = film.render()
    assert sorted(tally.restored) == ["a-t01", "b-t01"]
    assert film.output("a-t01").read_bytes() == data
    assert film.started == {}
    assert film.told("submitted") == []


def test_an_output_with_a_new_name_is_brought_from_its_old_place(film: Film) -> None:
    film.render(shot("a"))
    data = film.output("a-t01").read_bytes()
    shutil.rmtree(film.project / ".vidspec")
    tally = film.render("- {id: a, prompt: a, output: new.mp4}")
    assert (tally.restored, film.started) == (["a-t01"], {})
    assert (film.project / "new.mp4").read_bytes() == data
    assert film.output("a-t01").read_bytes() == data
    output = film.record("a-t01").output
    assert output is not None
    assert output.path == "new.mp4"


def test_another_clip_at_the_old_place_is_not_taken_for_the_take(film: Film) -> None:
    film.render(shot("a"))
    film.output("a-t01").write_bytes(bytes(film.output("a-t01").stat().st_size))
    shutil.rmtree(film.project / ".vidspec")
    assert film.render("- {id: a, prompt: a, output: new.mp4}").rendered == ["a-t01"]
    assert media.probe(film.project / "new.mp4").frames == 2


def test_a_kept_clip_that_is_damaged_is_drawn_again_and_made_good(film: Film) -> None:
    film.render(shot("a"))
    data, digest = film.output("a-t01").read_bytes(), file_digest(film.output("a-t01"))
    film.store.place(digest).write_bytes(b"rot")
    film.output("a-t01").unlink()
    assert film.render().rendered == ["a-t01"]
    assert film.output("a-t01").read_bytes() == film.store.place(digest).read_bytes() == data


def test_a_kept_clip_that_is_damaged_is_not_paid_for_again(film: Film) -> None:
    remote = "- {id: a, prompt: x, provider: minimax, model: MiniMax-Hailuo-02}"
    film.slots = {"minimax": 1}
    film.render(remote, defaults="{}")
    film.store.place(file_digest(film.output("a-t01"))).write_bytes(b"rot")
    film.output("a-t01").unlink()
    film.sent.clear()
    tally = film.render()
    assert (tally.collected, tally.failed, film.sent) == (["a-t01"], {}, {})
    assert film.planned("a-t01").action == "keep"


def test_a_damaged_clip_that_nobody_can_be_asked_for_is_not_paid_for_again(film: Film) -> None:
    remote = "- {id: a, prompt: x, provider: minimax, model: MiniMax-Hailuo-02}"
    film.slots = {"minimax": 1}
    film.render(remote, defaults="{}")
    lock = film.lock
    lock.put("a-t01", replace(film.record("a-t01"), request_id=None))
    Ledger(lock, film.project / "shots.lock").write()
    (film.project / ".vidspec/journal/shots.jsonl").unlink()
    film.store.place(file_digest(film.output("a-t01"))).write_bytes(b"rot")
    film.output("a-t01").unlink()
    film.sent.clear()
    tally = film.render()
    assert tally.failed == {"a-t01": "the clip that was to be brought back is kept no more, or damaged"}
    assert film.sent == {}


def test_what_was_to_be_brought_back_free_is_not_paid_for_when_it_is_gone(film: Film) -> None:
    remote = "- {id: a, prompt: x, provider: minimax, model: MiniMax-Hailuo-02%s}"
    film.slots = {"minimax": 1}
    film.render(remote % "", defaults="{}")
    film.output("a-t01").write_bytes(bytes(film.output("a-t01").stat().st_size))
    shutil.rmtree(film.project / ".vidspec")
    film.sent.clear()
    tally = film.render(remote % ", output: new.mp4", defaults="{}")
    assert (tally.collected, tally.failed, film.sent) == (["a-t01"], {}, {})
    assert (film.project / "new.mp4").stat().st_size > 100


def test_a_draft_is_free_and_drawn_again_where_it_is_damaged(film: Film) -> None:
    film.slots, film.drafts = {"minimax": 1}, True
    film.render("- {id: a, prompt: x, provider: minimax, model: MiniMax-Hailuo-02}", defaults="{}")
    assert film.record("a-t01").cost is None
    film.store.place(file_digest(film.output("a-t01"))).write_bytes(b"rot")
    film.output("a-t01").unlink()
    assert film.render().rendered == ["a-t01"]


def test_a_clip_that_stands_at_its_place_is_kept_anew_where_its_kept_bytes_are_damaged(film: Film) -> None:
    film.render("- {id: a, prompt: one}")
    data, digest = film.output("a-t01").read_bytes(), file_digest(film.output("a-t01"))
    film.store.place(digest).write_bytes(b"rot")
    film.render("- {id: a, prompt: two}")
    assert film.store.place(digest).read_bytes() == data


def test_a_clip_is_kept_before_it_is_put_at_its_place(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a full disk would leave a paid clip that the lockfile knows nothing of, to be replaced later."""
    film.render("- {id: a, prompt: one}")
    before = film.output("a-t01").read_bytes()

    def full(*_: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Store, "keep", full)
    assert film.render("- {id: a, prompt: two}").failed == {"a-t01": "no space left on device"}
    assert film.output("a-t01").read_bytes() == before


# --- seeds -----------------------------------------------------------------------------------------------------


def test_a_random_seed_is_drawn_once_and_then_locked(film: Film) -> None:
    film.render("- {id: a, prompt: one, seed: random}")
    record = film.record("a-t01")
    assert (record.seed, record.seed_rule, film.seeds) == (4711, "random", [(0, 2147483647)])
    assert film.render() == Tally()
    film.render("- {id: a, prompt: two, seed: random}")
    assert film.record("a-t01").seed == 4711
    assert len(film.seeds) == 1


def test_each_take_of_a_shot_draws_its_own(film: Film) -> None:
    film.render("- {id: a, prompt: one, seed: random, takes: 3}")
    assert len(film.seeds) == 3


# --- lockfiles that lie ------------------------------------------------------------------------------------------


def test_a_record_with_the_path_of_another_file_neither_reads_nor_touches_it(film: Film) -> None:
    film.only = {"a-t01"}
    film.render(CHAIN)
    other = film.project / "other.mp4"
    other.write_bytes(b"mine")
    record = film.record("a-t01")
    assert record.output is not None
    bent = film.lock
    bent.put("a-t01", replace(record, output=replace(record.output, path="other.mp4")))
    from vidspec import locktext

    (film.project / "shots.lock").write_text(locktext.dump(bent))
    film.only = None
    tally = film.render()
    assert "b-t01" in tally.rendered
    assert other.read_bytes() == b"mine"


# --- takes that a provider makes ---------------------------------------------------------------------------

WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'
PAID = "- {id: a, prompt: one}\n- {id: b, prompt: two}\n- {id: c, prompt: three}"
FROM_A = """
- {id: a, prompt: one}
- {id: b, prompt: two, model: Wan-AI/Wan2.2-I2V-A14B, first_frame: {shot: a, at: last}}
"""


def test_a_paid_take_is_recorded_with_what_came_back(film: Film) -> None:
    tally = film.render(PAID, defaults=WAN)
    record = film.record("a-t01")
    assert (record.request_id, record.trace_id, record.seed_used) == ("id-a-t01", "trace", 99)
    assert record.cost is not None
    assert record.cost.currency == "cny"
    assert tally.accepted == ["a-t01", "b-t01", "c-t01"]
    assert film.flights["a-t01"].move == "delivered"
    assert film.render().value()["rendered"] == 0


def test_a_slot_is_free_again_when_the_provider_is_done_and_not_only_when_the_clip_is_fetched(film: Film) -> None:
    film.slots = {"siliconflow": 1}
    film.fetching = 100.0
    film.render(PAID, defaults=WAN)
    assert film.started == {"a-t01": 0.0, "b-t01": 1.0, "c-t01": 2.0}
    assert [time for time, _ in film.told("downloaded")] == [101.0, 102.0, 103.0]


def test_what_waits_for_a_free_place_is_counted(film: Film) -> None:
    film.slots = {"siliconflow": 1}
    assert film.render(PAID, defaults=WAN).queued == {"siliconflow": 0.0 + 1.0 + 2.0}


def test_a_frame_of_a_delivered_clip_is_sent_as_a_picture_and_recorded_by_digest(film: Film) -> None:
    film.render(FROM_A, defaults=WAN)
    sent = film.media["b-t01"]["first_frame", 0]
    assert sent.startswith("data:image/png;base64,")
    record = film.record("b-t01")
    assert record.frames is not None
    assert record.request is not None
    assert record.request["first_frame"] == record.frames["first_frame"]["sha256"]


def test_a_take_in_doubt_is_never_sent_again_by_itself(film: Film) -> None:
    film.faults = {"b-t01": InDoubt("no answer within 60 s")}
    tally = film.render(PAID, defaults=WAN)
    assert tally.in_doubt == {"b-t01": "no answer within 60 s"}
    assert tally.wrong
    film.faults = {}
    film.sent.clear()
    film.render()
    assert film.sent == {}
    assert film.planned("b-t01").action == "decide"


STUCK = FROM_A + "- {id: c, prompt: three}"


def test_a_run_begins_with_what_is_stuck(film: Film) -> None:
    film.faults = {"a-t01": InDoubt("no answer")}
    film.render(STUCK, defaults=WAN)
    film.faults = {}
    film.output("c-t01").unlink()
    tally = film.render()
    told = [event.value() for event in film.events[:4]]
    assert told[1:3] == [
        {
            "event": "state",
            "time": 0.0,
            "slate": "a-t01",
            "provider": "siliconflow",
            "state": "in_doubt",
            "reason": "sent to siliconflow, and the answer was lost",
        },
        {
            "event": "state",
            "time": 0.0,
            "slate": "b-t01",
            "provider": "siliconflow",
            "state": "blocked",
            "reason": "needs a-t01",
        },
    ]
    assert [one["event"] for one in told] == ["run_started", "state", "state", "downloaded"]
    assert film.events[-1].value()["stuck"] == {"failed": 0, "blocked": 1, "in_doubt": 1}
    assert not tally.wrong


def test_what_has_failed_before_says_whose_turn_it_is(film: Film) -> None:
    film.render("- {id: a, prompt: one}", defaults=WAN, until=0.5)
    with Journal(film.project / ".vidspec/journal/shots.jsonl") as log:
        log.note("a-t01", "failed", reason="content policy", blame="moderation")
    film.render()
    (stuck,) = (event.value() for event in film.events if event.event == "state")
    assert {key: stuck.get(key) for key in ("slate", "state", "reason", "blame", "request_id")} == {
        "slate": "a-t01",
        "state": "failed",
        "reason": "content policy",
        "blame": "moderation",
        "request_id": "id-a-t01",
    }


def test_a_doubt_that_could_not_be_written_down_is_told_all_the_same(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Journal.note

    def full(self: Journal, slate: str, move: Any, **changes: Any) -> Flight:
        if move == "in_doubt":
            raise JournalError("disk full")
        return note(self, slate, move, **changes)

    monkeypatch.setattr(Journal, "note", full)
    film.faults = {"a-t01": InDoubt("no answer")}
    with pytest.raises(ExceptionGroup):
        film.render("- {id: a, prompt: one}", defaults=WAN)
    assert film.events[-1].value()["in_doubt"] == 1
    assert [slate for _, slate in film.told("in_doubt")] == ["a-t01"]


def test_what_is_being_made_ready_is_not_sent_when_the_run_is_over(film: Film) -> None:
    film.only = {"a-t01"}
    film.render(FROM_A + "- {id: c, prompt: three}", defaults=WAN)
    film.sent.clear()
    film.only, film.fail_fast, film.framing = None, True, 1.0
    film.slots = {"siliconflow": 2}
    film.faults = {"c-t01": InDoubt("no answer")}
    tally = film.render()
    assert list(film.sent) == ["c-t01"]
    assert (list(tally.in_doubt), tally.failed, tally.rendered) == (["c-t01"], {}, [])


def test_what_a_killed_run_had_accepted_is_collected_and_not_sent_again(film: Film) -> None:
    film.slots = {"siliconflow": 3}
    film.render(PAID, defaults=WAN, until=0.5)
    assert {flight.move for flight in film.flights.values()} == {"accepted"}
    assert film.planned("a-t01").action == "collect"
    film.sent.clear()
    tally = film.render()
    assert film.sent == {}
    assert sorted(tally.collected) == ["a-t01", "b-t01", "c-t01"]
    assert film.record("a-t01").request_id == "id-a-t01"


def test_what_was_accepted_for_a_take_that_is_gone_from_the_list_is_collected_all_the_same(film: Film) -> None:
    film.slots = {"siliconflow": 3}
    film.render(PAID, defaults=WAN, until=0.5)
    film.sent.clear()
    tally = film.render(PAID.replace("id: b", "id: z"), defaults=WAN)
    assert "b-t01" in tally.collected
    assert list(film.sent) == ["z-t01"]
    assert film.record("b-t01").output is not None


def test_a_clip_that_was_kept_but_not_written_down_is_settled_from_the_journal(film: Film) -> None:
    film.render(PAID, defaults=WAN)
    (film.project / "shots.lock").unlink()
    film.sent.clear()
    (opened,), _ = open_lists([film.project / "shots.yaml"], {})
    assert [one.action for one in opened.plan().takes] == ["keep", "keep", "keep"]


def test_a_paid_clip_that_is_gone_for_good_is_asked_for_again_by_its_id(film: Film) -> None:
    film.render(PAID, defaults=WAN)
    film.output("a-t01").unlink()
    shutil.rmtree(film.project / ".vidspec/objects")
    assert film.planned("a-t01").action == "collect"
    film.sent.clear()
    tally = film.render()
    assert film.sent == {}
    assert tally.collected == ["a-t01"]
    assert film.record("a-t01").request_id == "id-a-t01"


def test_a_take_that_was_edited_while_under_way_is_collected_first_and_stale_afterwards(film: Film) -> None:
    film.render(FROM_A, defaults=WAN, until=0.5)
    film.sent.clear()
    film.render(FROM_A.replace("prompt: one", "prompt: another"), defaults=WAN)
    assert film.sent == {}
    assert film.record("a-t01").request is not None
    assert film.planned("a-t01").action == "render"
    assert film.planned("b-t01").action == "wait"
