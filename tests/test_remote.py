from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.lowlevel
from trio.testing import MockClock

from vidspec import download, journal
from vidspec.account import Account
from vidspec.errors import InDoubt, JournalError, MediaError, ProviderError, Refused, Unavailable
from vidspec.history import History
from vidspec.journal import Journal
from vidspec.lock import Record
from vidspec.project import open_lists
from vidspec.providers import siliconflow
from vidspec.remote import Remote, in_thread
from vidspec.state import IllegalMove
from vidspec.wire import Call, Progress, Reply

if TYPE_CHECKING:
    from vidspec.state import Flight
    from vidspec.take import Take
    from vidspec.wire import Sending, Talk

Shots = Callable[..., Path]
Step = Reply | Exception | float
"""What an exchange comes to: a reply, a failure of the way there, or seconds before the next of these."""

BASE = "https://api.example/v1"
ACCOUNT = Account(
    provider="siliconflow",
    base_url=BASE,
    key="sk-secret",
    max_in_flight=2,
    submits_per_minute=2,
    poll_interval=10,
    deadline=300,
    request_timeout=60,
)
RECORD = Record(shot="a", take=1, provider="siliconflow", model="Wan-AI/Wan2.2-T2V-A14B")


def nothing(done: int, of: int) -> None:
    """Nobody looks at how far it is."""


async def at_once(work: Callable[[], None]) -> None:
    """Work that takes no time: while a thread was busy, the virtual clock would leap."""
    await trio.lowlevel.checkpoint()
    work()


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, headers=named, body=json.dumps(value).encode())


ACCEPTED = reply({"requestId": "r1"}, x_siliconcloud_trace_id="ti_1")
QUEUED = reply({"status": "InQueue"})
RUNNING = reply({"status": "InProgress"})
DONE = reply({"status": "Succeed", "results": {"videos": [{"url": "https://cdn.example/1.mp4?sig=s"}], "seed": 7}})
FAILED = reply({"status": "Failed", "reason": "content policy"})
BUSY = reply({"message": "RPM limit reached", "data": None}, 429)
OVERLOADED = reply({"code": 50505, "message": "overloaded", "data": None}, 503)


@dataclass
class Way:
    """The way to a provider, and the provider behind it: a script of what each exchange comes to."""

    script: list[Step]
    calls: list[tuple[float, Call]] = field(default_factory=list)
    moves: list[str | None] = field(default_factory=list)
    path: Path | None = None

    def api(self, provider: str, base_url: str, key: str, request_timeout: float) -> Way:
        return self

    async def exchange(self, call: Call) -> Reply:
        self.calls.append((trio.current_time(), call))
        if self.path is not None:
            found = journal.read(self.path).get("a-t01")
            self.moves.append(found.move if found else None)
        if isinstance(step := self.script.pop(0), float):
            await trio.sleep(step)
            step = self.script.pop(0)
        assert not isinstance(step, float)
        if isinstance(step, Exception):
            raise step
        return step

    def times(self, purpose: str) -> list[float]:
        return [round(time, 3) for time, call in self.calls if call.purpose == purpose]


@dataclass
class Stage:
    """A take, a journal, and a script."""

    take: Take
    path: Path
    history: History
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def tell(self, kind: Any, slate: str, /, **details: Any) -> None:
        self.told.append((kind, details))

    def play(
        self, script: list[Step], work: Callable[[Remote], Any], account: Account = ACCOUNT
    ) -> tuple[Way, Any]:
        """Do some work with a provider that follows the script; no chance, virtual time."""
        way = Way(script, path=self.path)

        async def main() -> Any:
            with Journal(self.path, now=lambda: 1000.0 + trio.current_time()) as log:
                client: Any = way
                here = Remote(
                    {"siliconflow": account},
                    client=client,
                    journal=log,
                    history=self.history,
                    chance=lambda: 1.0,
                    beside=at_once,
                )
                return await work(here)

        return way, trio.run(main, clock=MockClock(autojump_threshold=0))

    def request(self, script: list[Step], account: Account = ACCOUNT) -> tuple[Way, Any]:
        return self.play(script, lambda here: here.request(self.take, RECORD, {}, self.tell), account)

    def watch(self, script: list[Step]) -> tuple[Way, Any]:
        async def work(here: Remote) -> Progress:
            flight = await here.request(self.take, RECORD, {}, self.tell)
            return await here.watch(flight, self.tell, nothing)

        return self.play([ACCEPTED, *script], work)

    def fetch(self, script: list[Step], part: Path, look: Callable[[], None] = lambda: None) -> tuple[Way, Any]:
        async def work(here: Remote) -> None:
            flight = await here.request(self.take, RECORD, {}, self.tell)
            progress = await here.watch(flight, self.tell, nothing)
            await here.fetch(flight, progress, part, look, self.tell, nothing)

        return self.play([ACCEPTED, DONE, *script], work)

    @property
    def flight(self) -> Flight:
        return journal.read(self.path)["a-t01"]


@pytest.fixture
def stage(shots: Shots, tmp_path: Path) -> Stage:
    wan = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'
    (opened,), _ = open_lists([shots("- {id: a, prompt: x}", defaults=wan)], {})
    return Stage(opened.takes[0], tmp_path / "journal.jsonl", History(tmp_path / "history.json"))


# --- the one submit ----------------------------------------------------------------------------------------


def test_the_intent_is_on_disk_when_the_submit_is_sent_and_the_acceptance_when_it_returns(stage: Stage) -> None:
    way, flight = stage.request([ACCEPTED])
    assert way.moves == ["intended"]
    assert (flight.move, flight.request_id, flight.trace_id) == ("accepted", "r1", "ti_1")
    assert stage.flight == flight
    assert stage.told == [("submitted", {"model": RECORD.model, "request_id": "r1"})]


@pytest.mark.parametrize(
    ("script", "times"),
    [
        ([BUSY, ACCEPTED], [0, 1]),
        ([BUSY, BUSY, BUSY, ACCEPTED], [0, 1, 3, 7]),
        ([reply({}, 429, retry_after="30"), ACCEPTED], [0, 30]),
        ([reply({}, 429, retry_after="0"), ACCEPTED], [0, 0.5]),
        ([OVERLOADED, ACCEPTED], [0, 1]),
        ([Unavailable("cannot connect", blame="address"), ACCEPTED], [0, 1]),
    ],
    ids=["429", "429s", "retry-after", "retry-after-0", "overloaded", "refused-connection"],
)
def test_a_definite_no_is_tried_again(stage: Stage, script: list[Step], times: list[float]) -> None:
    way, flight = stage.request(script)
    assert way.times("submit") == times
    assert flight.request_id == "r1"
    assert set(way.moves) == {"intended"}


@pytest.mark.parametrize(
    "lost",
    [
        InDoubt("submit: no answer within 60 s"),
        reply({"ok": True}),
        reply("Bad Gateway", 502),
        Reply(status=200, body=b"<html>hello</html>"),
        Reply(status=200, body=b""),
    ],
    ids=["timeout", "no-id", "502", "html", "empty"],
)
def test_a_lost_answer_is_in_doubt_and_never_sent_again(stage: Stage, lost: Step) -> None:
    with pytest.raises(InDoubt):
        stage.request([lost])
    assert stage.flight.move == "in_doubt"
    with pytest.raises(IllegalMove):
        stage.request([ACCEPTED])


@pytest.mark.parametrize(
    ("answer", "blame"),
    [
        (reply({"code": 20012, "message": "no such model", "data": None}, 400), "input"),
        (reply("Invalid token", 401), "key"),
        (Reply(status=302, headers={"location": "https://other.example/"}), "address"),
    ],
    ids=["input", "key", "redirect"],
)
def test_a_refusal_ends_the_take_and_is_written_down(stage: Stage, answer: Step, blame: str) -> None:
    with pytest.raises(Refused):
        stage.request([answer])
    assert (stage.flight.move, stage.flight.blame) == ("refused", blame)


@pytest.mark.parametrize(
    ("answer", "move"),
    [
        (reply({"id": "r7"}), "accepted"),
        (reply({"id": None}), "in_doubt"),
        (Unavailable("no answer"), "in_doubt"),
    ],
    ids=["found", "not-found", "no-answer"],
)
def test_a_lost_answer_is_looked_for_where_the_provider_offers_proof(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, answer: Step, move: str
) -> None:
    def find(sending: Sending) -> Talk[str | None]:
        looked = yield Call(purpose="poll", verb="GET", path=f"/find?prompt={sending.request['prompt']}")
        found: str | None = json.loads(looked.body)["id"]
        return found

    monkeypatch.setattr(siliconflow, "find", find, raising=False)
    with suppress(InDoubt):
        stage.request([InDoubt("submit: no answer within 60 s"), answer])
    assert stage.flight.move == move
    assert stage.flight.request_id == ("r7" if move == "accepted" else None)


def test_a_cancelled_run_still_hears_the_answer_of_the_submit_that_was_on_its_way(stage: Stage) -> None:
    async def work(here: Remote) -> None:
        with trio.move_on_after(1):
            await here.request(stage.take, RECORD, {}, stage.tell)

    way, _ = stage.play([30.0, ACCEPTED], work)
    assert len(way.calls) == 1
    assert stage.flight.request_id == "r1"


def test_a_run_that_is_cancelled_while_it_waits_for_its_turn_has_sent_nothing(stage: Stage) -> None:
    async def work(here: Remote) -> None:
        with trio.move_on_after(5):
            await here.request(stage.take, RECORD, {}, stage.tell)

    way, _ = stage.play([reply({}, 429, retry_after="30"), ACCEPTED], work)
    assert len(way.calls) == 1
    assert stage.flight.move == "refused"


def test_a_bad_key_closes_the_account_and_nothing_more_is_sent(stage: Stage) -> None:
    async def work(here: Remote) -> None:
        for _ in range(3):
            with pytest.raises(Refused, match="Invalid token"):
                await here.request(stage.take, RECORD, {}, stage.tell)

    way, _ = stage.play([reply("Invalid token", 401)], work)
    assert len(way.calls) == 1


@pytest.mark.parametrize(
    ("fault", "count"),
    [
        (Unavailable("cannot resolve the host", blame="address"), 4),
        (Unavailable("overloaded"), 8),
    ],
    ids=["unreachable", "outage"],
)
def test_trying_again_comes_to_an_end(stage: Stage, fault: Exception, count: int) -> None:
    with pytest.raises(ProviderError, match=str(fault)):
        stage.request([fault] * 20, _fast())
    assert len([kind for kind, _ in stage.told]) == count - 1


def test_where_nobody_answers_the_next_take_tries_only_once(stage: Stage) -> None:
    async def work(here: Remote) -> None:
        for _ in range(3):
            with pytest.raises(Unavailable):
                await here.request(stage.take, RECORD, {}, stage.tell)

    way, _ = stage.play([Unavailable("no such host", blame="address")] * 20, work, _fast())
    assert len(way.calls) == 4 + 1 + 1


def test_slowing_down_is_given_up_when_it_takes_longer_than_the_deadline(stage: Stage) -> None:
    with pytest.raises(ProviderError, match="RPM limit reached"):
        stage.request([BUSY] * 50)
    assert stage.flight.blame == "rate"


def test_submits_keep_to_the_rate_and_the_wait_is_counted(stage: Stage) -> None:
    async def work(here: Remote) -> float:
        for _ in range(3):
            with pytest.raises(Refused):
                await here.request(stage.take, RECORD, {}, stage.tell)
        return here.limits["siliconflow"].waited

    no = reply({"code": 20012, "message": "bad", "data": None}, 400)
    way, waited = stage.play([no, no, no], work)
    assert way.times("submit") == [0, 0, 60.25]
    assert waited == 60.25


def test_nothing_is_sent_where_the_journal_cannot_be_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(here: Remote) -> None:
        def full(self: Journal, line: str, *, sync: bool) -> None:
            raise JournalError("disk full")

        monkeypatch.setattr(Journal, "_append", full)
        with pytest.raises(JournalError):
            await here.request(stage.take, RECORD, {}, stage.tell)

    way, _ = stage.play([ACCEPTED], work)
    assert way.calls == []


def test_an_acceptance_that_cannot_be_written_down_names_its_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal._append

    def full(self: Journal, line: str, *, sync: bool) -> None:
        if '"accepted"' in line:
            raise JournalError("disk full")
        append(self, line, sync=sync)

    monkeypatch.setattr(Journal, "_append", full)
    with pytest.raises(JournalError, match="`a-t01` was accepted as `r1`: keep this id"):
        stage.request([ACCEPTED])


# --- looking -----------------------------------------------------------------------------------------------


def test_looks_come_at_the_interval_and_each_new_state_is_told_once(stage: Stage) -> None:
    way, progress = stage.watch([QUEUED, QUEUED, RUNNING, RUNNING, DONE])
    assert way.times("poll") == [10, 20, 30, 40, 50]
    assert progress.seed_used == 7
    assert [details["state"] for kind, details in stage.told if kind == "state"] == [
        "queued",
        "running",
        "succeeded",
    ]
    assert stage.flight.move == "succeeded"


@pytest.mark.parametrize(
    "trouble",
    [BUSY, OVERLOADED, reply("x", 500), Unavailable("reset"), Reply(status=200, body=b"<html>"), reply([1, 2])],
    ids=["429", "503", "500", "reset", "html", "not-an-object"],
)
def test_a_look_that_fails_is_taken_again_and_nothing_is_submitted(stage: Stage, trouble: Step) -> None:
    way, _ = stage.watch([trouble, trouble, DONE])
    assert len(way.times("submit")) == 1
    assert way.times("poll") == [10, 11, 13]


def test_once_lengths_are_known_looks_come_when_a_clip_may_be_there(stage: Stage) -> None:
    for _ in range(40):
        stage.history.saw("siliconflow", RECORD.model or "", 100.0)
    way, _ = stage.watch([RUNNING, RUNNING, RUNNING, DONE])
    first, *later = way.times("poll")
    assert 75 < first < 100
    assert all(after - before <= 10 for before, after in pairwise([first, *later]))
    assert stage.history.lengths("siliconflow", RECORD.model or "").count == 41


def test_what_the_first_look_finds_took_nearly_as_long_as_until_then(stage: Stage) -> None:
    stage.watch([DONE])
    seen = stage.history.lengths("siliconflow", RECORD.model or "")
    assert seen.count == 1
    assert math.exp(seen.total) == pytest.approx(9.0)


def test_what_a_later_look_finds_came_between_it_and_the_one_before(stage: Stage) -> None:
    stage.watch([RUNNING, Unavailable("reset"), DONE])
    assert math.exp(stage.history.lengths("siliconflow", RECORD.model or "").total) == pytest.approx((10 + 21) / 2)


def test_a_request_of_an_earlier_run_is_looked_at_by_the_interval_whatever_is_known(stage: Stage) -> None:
    for _ in range(40):
        stage.history.saw("siliconflow", RECORD.model or "", 250.0)
    _, flight = stage.request([ACCEPTED])
    script: list[Step] = [RUNNING, RUNNING, RUNNING, DONE]
    way, _ = stage.play(script, lambda here: here.watch(flight, stage.tell, nothing, at_once=True))
    assert way.times("poll") == [0, 10, 20, 30]


def test_what_an_earlier_run_had_accepted_teaches_nothing(stage: Stage) -> None:
    _, flight = stage.request([ACCEPTED])
    stage.play([DONE], lambda here: here.watch(flight, stage.tell, nothing, at_once=True))
    assert stage.history.lengths("siliconflow", RECORD.model or "").count == 0


def test_an_unknown_state_is_looked_at_again_and_told_once(stage: Stage) -> None:
    strange = reply({"status": "Pondering"})
    stage.watch([strange, strange, strange, DONE])
    assert [d for kind, d in stage.told if d.get("state") == "unknown"] == [
        {"state": "unknown", "word": "Pondering"}
    ]


def test_what_takes_too_long_is_left_to_the_next_run(stage: Stage) -> None:
    with pytest.raises(ProviderError, match="not there after 300 s; the next run looks again, free"):
        stage.watch([RUNNING] * 100)
    assert stage.flight.move == "expired"
    assert stage.flight.collectable


def test_a_failure_at_the_provider_is_written_down_with_its_reason(stage: Stage) -> None:
    with pytest.raises(ProviderError, match="content policy"):
        stage.watch([RUNNING, FAILED])
    assert (stage.flight.move, stage.flight.reason) == ("failed", "content policy")


def test_a_request_that_cannot_be_asked_about_stays_collectable(stage: Stage) -> None:
    with pytest.raises(Refused, match="Invalid token"):
        stage.watch([reply("Invalid token", 401)])
    assert stage.flight.collectable


def test_a_request_is_never_looked_for_at_another_address(stage: Stage) -> None:
    _, flight = stage.request([ACCEPTED])
    other = Account(**{**_fields(), "base_url": "http://127.0.0.1:8807/siliconflow/v1"})
    with pytest.raises(Refused, match=r"it was accepted at https://api\.example/v1, and this run speaks to http"):
        stage.play([DONE], lambda here: here.watch(flight, stage.tell, nothing), other)


def test_a_request_of_an_earlier_run_is_looked_at_at_once(stage: Stage) -> None:
    _, flight = stage.request([ACCEPTED])
    way, _ = stage.play([DONE], lambda here: here.watch(flight, stage.tell, nothing, at_once=True))
    assert way.times("poll") == [0]


# --- fetching ----------------------------------------------------------------------------------------------


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Step | None]]:
    """What each download comes to: None for a clip, or a failure."""
    script: list[Step | None] = []

    async def fetch(client: Any, url: str, part: Path, **given: Any) -> int:
        await trio.lowlevel.checkpoint()
        step = script.pop(0)
        if isinstance(step, Exception):
            raise step
        part.write_bytes(b"clip of " + url.encode())  # noqa: ASYNC240
        return 1

    monkeypatch.setattr(download, "fetch", fetch)
    yield script
    assert script == []


def test_a_clip_is_fetched_and_looked_at(stage: Stage, links: list[Step | None], tmp_path: Path) -> None:
    links += [None]
    looked: list[bytes] = []
    part = tmp_path / "part"
    stage.fetch([], part, lambda: looked.append(part.read_bytes()))
    assert looked == [b"clip of https://cdn.example/1.mp4?sig=s"]


def in_real_time(stage: Stage, part: Path, look: Callable[[], None], *, clips: int = 1) -> None:
    """Fetch the same clip at once to some places, in real time; `part` is the first of them."""
    _, flight = stage.request([ACCEPTED])
    way: Any = Way([])
    found = Progress(phase="succeeded", word="Succeed", link="https://cdn.example/1.mp4")
    stage.play([DONE], lambda here: here.watch(flight, stage.tell, nothing, at_once=True))

    async def main() -> None:
        with Journal(stage.path) as log:
            here = Remote(
                {"siliconflow": ACCOUNT},
                client=way,
                journal=log,
                history=stage.history,
                chance=lambda: 1.0,
                beside=in_thread,
            )
            async with trio.open_nursery() as nursery:
                for number in range(clips):
                    place = part.with_name(f"{part.name}{number or ''}")
                    nursery.start_soon(here.fetch, flight, found, place, look, stage.tell, nothing)

    trio.run(main)


def test_a_clip_is_looked_at_in_a_thread_and_only_one_at_a_time(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [None] * 3
    spans: list[tuple[float, float]] = []
    threads: set[bool] = set()

    def look() -> None:
        began = time.monotonic()
        threads.add(threading.current_thread() is threading.main_thread())
        time.sleep(0.02)
        spans.append((began, time.monotonic()))

    in_real_time(stage, tmp_path / "part", look, clips=3)
    assert threads == {False}
    assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))


def test_everything_else_goes_on_while_a_clip_is_looked_at(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [None]
    done = threading.Event()

    def look() -> None:
        trio.from_thread.run_sync(done.set)
        assert done.wait(10)

    in_real_time(stage, tmp_path / "part", look)


def test_what_is_wrong_with_a_clip_is_told_out_of_the_thread(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [None]

    def look() -> None:
        raise OSError("no space left on device")

    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="no space left")):
        in_real_time(stage, tmp_path / "part", look)


def test_a_clock_that_leaps_stands_still_while_a_clip_is_looked_at(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [None]
    times: list[float] = []

    def look() -> None:
        times.append(trio.current_time())
        time.sleep(0.02)
        times.append(trio.current_time())

    stage.fetch([], tmp_path / "part", look)
    assert times == [10.0, 10.0]


def test_a_download_that_breaks_is_fetched_again_and_never_submitted_again(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [Unavailable("the connection broke"), Unavailable("an HTML page instead of a clip"), None]
    way, _ = stage.fetch([], tmp_path / "part")
    assert len(way.times("submit")) == 1
    assert len([1 for kind, d in stage.told if kind == "retry" and d["call"] == "download"]) == 2


def test_a_damaged_clip_is_fetched_again(stage: Stage, links: list[Step | None], tmp_path: Path) -> None:
    links += [None, None]
    faults: list[Exception] = [MediaError("it is cut short")]

    def look() -> None:
        if faults:
            raise faults.pop()

    stage.fetch([], tmp_path / "part", look)


def test_a_clip_that_stays_damaged_is_given_up_and_stays_collectable(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [None] * 5

    def look() -> None:
        raise MediaError("it is cut short")

    with pytest.raises(MediaError):
        stage.fetch([], tmp_path / "part", look)
    assert stage.flight.collectable


def test_a_link_that_has_died_is_asked_for_again(stage: Stage, links: list[Step | None], tmp_path: Path) -> None:
    links += [Refused("the link has expired", blame="lost"), None]
    new = reply({"status": "Succeed", "results": {"videos": [{"url": "https://cdn.example/new.mp4"}]}})
    part = tmp_path / "part"
    way, _ = stage.fetch([new], part)
    assert part.read_bytes() == b"clip of https://cdn.example/new.mp4"
    assert len(way.times("submit")) == 1


def test_a_link_that_stays_dead_is_given_up_and_never_generated_anew(
    stage: Stage, links: list[Step | None], tmp_path: Path
) -> None:
    links += [Refused("the link has expired", blame="lost")] * 3
    with pytest.raises(Refused, match="expired"):
        stage.fetch([DONE, DONE], tmp_path / "part")
    assert stage.flight.collectable


def test_an_account_does_not_show_its_key() -> None:
    assert "sk-secret" not in repr(ACCOUNT)


def _fields() -> dict[str, Any]:
    return {name: getattr(ACCOUNT, name) for name in ACCOUNT.__dataclass_fields__}


def _fast() -> Account:
    """An account whose rate stops nobody."""
    return Account(**{**_fields(), "submits_per_minute": 1000})
