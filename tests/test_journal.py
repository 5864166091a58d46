from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import journal
from vidspec.errors import JournalError
from vidspec.journal import Journal
from vidspec.lock import Cost, Lock, Output, Record
from vidspec.state import Flight, IllegalMove

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://api.example/v1"
OUTPUT = Output(
    path="renders/a.mp4", sha256="sha256:" + "0" * 64, bytes=7, width=16, height=16, fps=24.0, duration=5.0
)
SENT = Record(
    shot="s010",
    take=1,
    provider="siliconflow",
    model="m",
    fingerprint="sha256:" + "1" * 64,
    request={"mode": "text_to_video", "prompt": "Fähre – 渡し船\n\u2028"},
    defaulted=("duration",),
    seed=7,
    cost=Cost(amount=2.0, currency="cny"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "shots.jsonl"


def opened(path: Path, at: float = 1000.0) -> Journal:
    return Journal(path, now=lambda: at)


def intend(log: Journal, slate: str = "s010-t01") -> Flight:
    return log.intend(slate, SENT, output="renders/a.mp4", base_url=URL)


def written(path: Path) -> list[str]:
    """The lines of a journal; a text may hold characters that only Python takes for line breaks."""
    return path.read_text("utf-8").split("\n")[:-1]


RECORD = {"shot": "s010", "take": 1}


def full(slate: str, **changes: Any) -> str:
    """A line that names every place of an intent."""
    fields = {"slate": slate, "move": "intended", "since": 1, "output": "a.mp4", "base_url": URL, "record": RECORD}
    return json.dumps(fields | changes)


def a_whole_life(path: Path) -> None:
    """Two takes: one delivered after a refusal, one in doubt."""
    with opened(path) as log:
        intend(log)
        log.note("s010-t01", "refused", reason="too fast", blame="rate")
        intend(log)
        log.note("s010-t01", "accepted", request_id="r1", trace_id="t1")
        intend(log, "s020-t01")
        log.note("s010-t01", "queued")
        log.note("s010-t01", "running")
        log.note("s020-t01", "in_doubt", reason="no answer")
        log.note("s010-t01", "succeeded")
        log.note("s010-t01", "delivered", record=replace(SENT, output=OUTPUT, request_id="r1"))


def test_what_was_written_is_read_again(path: Path) -> None:
    a_whole_life(path)
    flights = journal.read(path)
    assert flights["s010-t01"] == Flight(
        slate="s010-t01",
        move="delivered",
        record=replace(SENT, output=OUTPUT, request_id="r1"),
        output="renders/a.mp4",
        base_url=URL,
        since=1000.0,
        request_id="r1",
        trace_id="t1",
    )
    assert flights["s020-t01"].doubtful
    assert flights["s020-t01"].reason == "no answer"


def test_where_there_is_no_journal_nothing_is_afloat(path: Path) -> None:
    assert journal.read(path) == {}


def test_a_new_run_writes_the_journal_small_and_loses_nothing(path: Path) -> None:
    a_whole_life(path)
    before = journal.read(path)
    with opened(path):
        pass
    assert journal.read(path) == before
    assert len(written(path)) == 1 + len(before)


def test_what_the_lockfile_knows_is_left_out_of_the_next_journal(path: Path) -> None:
    a_whole_life(path)
    log = opened(path)
    log.forget(["s010-t01"])
    with log:
        pass
    assert list(journal.read(path)) == ["s020-t01"]


def test_no_cut_leads_to_a_second_submit_and_none_loses_an_acceptance(path: Path) -> None:
    a_whole_life(path)
    data = path.read_bytes()
    lines = data.split(b"\n")
    accepted_at = sum(len(line) + 1 for line in lines[:5])
    assert b'"accepted"' in lines[4]
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        flights = journal.read(path)
        first = flights.get("s010-t01")
        if cut >= accepted_at:
            assert first is not None
            assert first.request_id == "r1"
            assert first.collectable or first.move == "delivered"
        with opened(path) as log:
            for slate, flight in flights.items():
                if flight.collectable or flight.doubtful:
                    with pytest.raises(IllegalMove):
                        intend(log, slate)
        assert journal.read(path) == flights


def test_a_torn_tail_is_taken_off_before_the_next_line_is_written(path: Path) -> None:
    a_whole_life(path)
    path.write_bytes(path.read_bytes() + b'{"slate":"s030-t01","mo')
    with opened(path) as log:
        intend(log, "s040-t01")
    assert list(journal.read(path)) == ["s010-t01", "s020-t01", "s040-t01"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, '{"vidspec_journal": 99}'),
        (1, "[]"),
        (2, "no JSON"),
        (2, '{"slate": "s010-t01"}'),
        (2, '{"slate":"s010-t01","move":"accepted","since":1}'),
        (2, '{"slate":"s010-t01","move":"teleported","since":1}'),
        (3, '{"slate":"s010-t01","move":"delivered","since":1}'),
        (3, "[" * 5000),
        (2, full("../../s010-t01")),
        (2, full("s010-t01", output="../a.mp4")),
        (2, full("s010-t01", output="/etc/a.mp4")),
        (2, full("s010-t01", record={**RECORD, "output": {**asdict(OUTPUT), "path": "a/../../b.mp4"}})),
    ],
    ids=["version", "no-head", "no-json", "no-move", "unknown-take", "no-such-move", "illegal-move", "deep",
         "slate outside", "output outside", "output anywhere", "clip outside"],
)  # fmt: skip
def test_a_journal_that_is_damaged_inside_stops_everything(path: Path, line: int, text: str) -> None:
    a_whole_life(path)
    lines = written(path)
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(JournalError, match=rf"shots\.jsonl is (damaged at line {line}|of version 99)"):
        opened(path)
    assert path.read_bytes() == before


def test_a_journal_that_cannot_be_read_is_said_so(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalError, match=r"cannot read the journal .*: is a directory"):
        journal.read(path)


def test_a_full_disk_is_said_before_anything_is_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with opened(path) as log:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(
            JournalError, match=r"cannot write the journal .*: no space left on device; nothing was submitted$"
        ):
            intend(log)
        assert log.flights == {}


# --- disks that fail ---------------------------------------------------------------------------------------


def broken(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_an_intent_that_could_not_be_synced_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as log:
        intend(log)
        log.note("s010-t01", "refused", reason="too fast", blame="rate")
        before, lives = path.read_bytes(), dict(log.flights)
        with monkeypatch.context() as bad:
            bad.setattr(journal, "_SYNC", broken)
            with pytest.raises(JournalError, match="input/output error; nothing more is submitted"):
                intend(log)
        assert (path.read_bytes(), log.flights) == (before, lives)
        assert intend(log).doubtful
    assert journal.read(path)["s010-t01"].doubtful


def test_what_came_of_a_submit_stays_where_it_could_not_be_synced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is true, and may yet outlive the disk."""
    with opened(path) as log:
        intend(log)
        monkeypatch.setattr(journal, "_SYNC", broken)
        with pytest.raises(JournalError, match=r"nothing more is submitted$"):
            log.note("s010-t01", "accepted", request_id="r1")
    assert journal.read(path)["s010-t01"].request_id == "r1"


def test_a_run_that_only_collects_says_that_nothing_was_submitted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_whole_life(path)
    with opened(path) as log:
        log.note("s020-t01", "accepted", request_id="r2")
        monkeypatch.setattr(journal, "_SYNC", broken)
        with pytest.raises(JournalError, match=r"input/output error; nothing was submitted$"):
            log.note("s020-t01", "failed")


FORBIDDEN = """
import ctypes, errno, struct, sys
from pathlib import Path
from vidspec.errors import JournalError
from vidspec.journal import Journal
from vidspec.lock import Record

def forbid(*calls):
    steps = [(0x20, 0, 0, 0), *((0x15, len(calls) - at, 0, call) for at, call in enumerate(calls))]
    steps += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | errno.EIO)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    system = ctypes.CDLL(None)
    if system.prctl(38, 1, 0, 0, 0) or system.prctl(22, 2, program):
        sys.exit(99)

with Journal(Path(sys.argv[1])) as log:
    forbid(*map(int, sys.argv[2:]))
    try:
        log.intend("a-t01", Record(shot="a", take=1), output="a.mp4", base_url="x")
    except JournalError as error:
        sys.exit(str(error))
"""
"""Writes an intent where the kernel answers some system calls with an input/output error."""

CALLS = {"x86_64": (75, 77), "aarch64": (83, 46)}
"""The numbers of `fdatasync` and `ftruncate` by machine."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forbidden", "left", "said"),
    [
        (1, {}, "input/output error; nothing was submitted\n"),
        (
            2,
            {"a-t01": "intended"},
            "nothing was submitted; `a-t01` was not sent, and will be in doubt all the same\n",
        ),
    ],
    ids=["it can be taken back", "nor can it be taken back"],
)
def test_an_intent_on_a_disk_that_really_fails(path: Path, forbidden: int, left: dict[str, str], said: str) -> None:
    if sys.platform != "linux" or platform.machine() not in CALLS:
        pytest.skip("the numbers of system calls are not known here")
    calls = map(str, CALLS[platform.machine()][:forbidden])
    command = [sys.executable, "-c", FORBIDDEN, str(path), *calls]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode == 99:
        pytest.skip("system calls cannot be forbidden here")
    assert ended.stderr.endswith(said)
    assert {slate: flight.move for slate, flight in journal.read(path).items()} == left


# --- lines -------------------------------------------------------------------------------------------------


def test_every_line_is_synced_but_those_that_only_report(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []

    def sync(_descriptor: int) -> None:
        synced.append(json.loads(written(path)[-1])["move"])

    monkeypatch.setattr(journal, "_SYNC", sync)
    a_whole_life(path)
    assert synced == [
        "intended",
        "refused",
        "intended",
        "accepted",
        "intended",
        "in_doubt",
        "delivered",
    ]


def test_it_holds_no_key_and_no_link(path: Path) -> None:
    a_whole_life(path)
    fields: set[str] = set()
    for line in written(path)[1:]:
        fields |= set(json.loads(line))
    assert fields == {
        "slate",
        "move",
        "since",
        "reason",
        "blame",
        "request_id",
        "trace_id",
        "output",
        "base_url",
        "record",
    }


def test_a_request_from_elsewhere_goes_on_as_accepted(path: Path) -> None:
    known = Flight(
        slate="s010-t01", move="accepted", record=SENT, output="a.mp4", base_url=URL, since=5.0, request_id="r9"
    )
    with opened(path) as log:
        log.adopt(known)
    assert journal.read(path) == {"s010-t01": known}


def test_a_delivery_that_nobody_wrote_down_is_settled_with_the_former_record_under_it(path: Path) -> None:
    a_whole_life(path)
    old = replace(SENT, request_id="r0", output=replace(OUTPUT, bytes=3))
    lock = Lock({"s010-t01": old})
    assert journal.settle(lock, journal.read(path)) == ["s010-t01"]
    record = lock.get("s010-t01")
    assert record is not None
    assert record.request_id == "r1"
    assert record.superseded == (old,)
    assert journal.settle(lock, journal.read(path)) == []
    assert lock.get("s010-t01") == record


def test_a_delivery_that_was_superseded_since_is_not_settled_again(path: Path) -> None:
    a_whole_life(path)
    newer: Any = replace(SENT, request_id="r2", output=OUTPUT)
    lock = Lock({"s010-t01": newer.superseding(replace(SENT, request_id="r1", output=OUTPUT))})
    before = lock.get("s010-t01")
    journal.settle(lock, journal.read(path))
    assert lock.get("s010-t01") == before
