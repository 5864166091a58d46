"""Promises about money, broken on purpose: each test is a way in which a run might pay twice or lose what was paid.

The whole command line runs, against a provider that lives in this process and in virtual time.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest

from vidspec import clearance, events, journal, media, store
from vidspec.errors import InDoubt, JournalError, Unavailable
from vidspec.events import Event
from vidspec.journal import Journal
from vidspec.project import open_lists, read_lock
from vidspec.state import Flight

if TYPE_CHECKING:
    from conftest import Film, House, Step

    from vidspec.state import Move
    from vidspec.wire import Call, Reply

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]
Clip = Callable[[int], bytes]

BASE = "https://api.siliconflow.cn/v1"
HEAD = "providers:\n  siliconflow: {poll_interval: 10, submits_per_minute: 60, deadline: 300, max_in_flight: 2}\n"
WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'
DRAWN = "provider: animatic, model: null, resolution: null, aspect_ratio: null, size: 64x36, duration: 0.2, fps: 10"


ONE = "- {id: a, prompt: one}"
TWO = f"{ONE}\n- {{id: b, prompt: two}}"
THREE = f"{TWO}\n- {{id: c, prompt: three}}"


def test_the_provider_of_these_tests_does_what_one_does(film: Film, house: House) -> None:
    film.write(TWO)
    ended = film.render()
    assert (ended.returncode, house.sent) == (0, ["one", "two"]), ended.stderr
    assert film.render().stdout == "done: 2 takes kept\n"
    assert film.record("b-t01").request_id == "r2"


# --- lists that change while takes are under way -------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [DRAWN, "provider: minimax, model: MiniMax-Hailuo-02, resolution: 768p, aspect_ratio: null"],
    ids=["drawn here", "another provider"],
)
def test_a_take_under_way_is_collected_where_it_was_accepted_whatever_the_list_says_now(
    film: Film, house: House, other: str
) -> None:
    film.write(ONE)
    film.afloat("a-t01", "accepted")
    film.write(f"- {{id: a, prompt: one, {other}}}")
    ended = film.render()
    assert (ended.returncode, house.sent, house.asked) == (0, [], ["r900"]), ended.stdout + ended.stderr
    assert film.record("a-t01").provider == "siliconflow"
    assert film.planned() == {"a-t01": "render"}


def test_what_is_collected_waits_in_the_lane_of_the_provider_that_has_it(film: Film, house: House) -> None:
    film.write(TWO)
    film.afloat("a-t01", "accepted")
    film.write(f"- {{id: a, prompt: one, {DRAWN}}}\n- {{id: b, prompt: two}}")
    ended = film.render("--json")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {one["provider"] for one in events if one.get("slate") == "a-t01"} == {"siliconflow"}
    assert house.sent == ["two"]


# --- shots that are renamed ----------------------------------------------------------------------------------


def test_lock_mv_takes_along_what_is_under_way_and_nothing_is_sent_again(film: Film, house: House) -> None:
    film.write(TWO)
    house.submits = [Unavailable("reset", blame="address")] * 8
    film.afloat("a-t01", "running")
    assert film.render("--select", "b").returncode == 1
    film.write(TWO.replace("id: a", "id: z"))
    moved = film.vidspec("lock", "mv", "shots.yaml", "a", "z")
    assert (moved.returncode, moved.stdout) == (0, "moved  a-t01 → z-t01\n"), moved.stderr
    house.sent.clear()
    assert film.planned() == {"z-t01": "collect", "b-t01": "render"}
    ended = film.render("--select", "z")
    assert (ended.returncode, house.sent, house.asked) == (0, [], ["r900"]), ended.stderr
    assert film.record("z-t01").shot == "z"
    assert film.planned()["z-t01"] == "keep"


def test_lock_mv_takes_along_a_doubt(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "in_doubt")
    film.write(ONE.replace("id: a", "id: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.render().returncode == 1
    assert (film.planned(), house.sent) == ({"z-t01": "decide"}, [])


def test_lock_mv_takes_along_what_was_delivered_and_not_written_down(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write(ONE.replace("id: a", "id: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.planned() == {"z-t01": "restore"}
    assert film.render().returncode == 0
    assert list(read_lock(film.lock)) == ["z-t01"]
    assert len(house.sent) == 1


FROM_A = f"""
{ONE}
- {{id: b, prompt: two, model: Wan-AI/Wan2.2-I2V-A14B, first_frame: {{shot: a, at: last}}}}
"""


def test_a_take_under_way_that_was_made_from_a_renamed_shot_is_not_stale_when_it_comes(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    assert film.render("--select", "a").returncode == 0
    stuck: list[Step] = [house.reply({"status": "InProgress"})] * 40
    house.looks += stuck
    assert film.render().returncode == 1
    house.looks.clear()
    film.write(FROM_A.replace("id: a", "id: z").replace("shot: a", "shot: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.planned() == {"z-t01": "restore", "b-t01": "collect"}
    assert film.render().returncode == 0
    assert film.planned() == {"z-t01": "keep", "b-t01": "keep"}
    assert len(house.sent) == 2


def test_lock_mv_does_not_overwrite_what_is_under_way(film: Film) -> None:
    film.write(TWO)
    film.afloat("a-t01", "accepted", "r1")
    film.afloat("b-t01", "accepted", "r2")
    before = film.path.read_bytes()
    moved = film.vidspec("lock", "mv", "shots.yaml", "a", "b")
    assert (moved.returncode, moved.stdout) == (2, "")
    assert "`b-t01` is under way" in moved.stderr
    assert film.path.read_bytes() == before


def test_a_shot_that_was_renamed_while_under_way_is_recognised(film: Film) -> None:
    film.write(ONE)
    film.afloat("a-t01", "accepted")
    film.write(ONE.replace("id: a", "id: z"))
    hints = json.loads(film.vidspec("plan", "shots.yaml", "--json").stdout)["hints"]
    assert any("`vidspec lock mv FILE a z`" in hint for hint in hints)


@pytest.mark.parametrize(
    ("move", "said"),
    [("accepted", "a render of the whole list collects it"), ("in_doubt", "see whether the provider has it")],
)
def test_what_is_under_way_for_a_take_that_is_gone_is_not_hidden(film: Film, move: Move, said: str) -> None:
    film.write(TWO)
    film.afloat("b-t01", move)
    film.write(ONE)
    hints = json.loads(film.vidspec("plan", "shots.yaml", "--json").stdout)["hints"]
    assert any("`b-t01`" in hint and said in hint for hint in hints), hints


# --- `--resubmit` ---------------------------------------------------------------------------------------------


def test_the_same_command_again_collects_what_it_had_resubmitted(film: Film, house: House) -> None:
    """After a kill the arrow key and Return: what is under way may still be had, so nothing is sent."""
    film.write(ONE)
    film.afloat("a-t01", "accepted")
    ended = film.render("--resubmit", "a-t01")
    assert (ended.returncode, house.sent, house.asked) == (0, [], ["r900"]), ended.stdout


def test_what_could_not_be_collected_may_be_resubmitted(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "accepted")
    house.looks = [house.reply({"message": "gone"}, 404)]
    ended = film.render()
    assert ended.returncode == 1
    assert "HTTP 404: gone; `--resubmit a-t01` would pay for another (~2.00 cny)" in ended.stdout
    assert "accepted as r900, and not had last time: HTTP 404: gone" in film.vidspec("plan", "shots.yaml").stdout
    ended = film.render("--resubmit", "a-t01")
    assert (ended.returncode, house.sent) == (0, ["one"]), ended.stdout + ended.stderr


def test_what_was_accepted_elsewhere_may_be_resubmitted(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "running", base_url="https://other.example/v1")
    assert "it was accepted at https://other.example/v1" in film.render().stdout
    assert film.render("--resubmit", "a-t01").returncode == 0
    assert house.sent == ["one"]


def test_what_is_resubmitted_but_not_selected_is_not_given_up(film: Film, house: House) -> None:
    film.write(TWO)
    film.afloat("a-t01", "expired")
    ended = film.render("--resubmit", "a-t01", "--select", "b")
    assert ended.returncode == 2
    assert "`--resubmit a-t01`" in ended.stderr
    assert film.flights["a-t01"].collectable
    assert house.sent == []


def test_a_doubt_about_a_take_that_is_drawn_now_ends_when_a_person_says_so(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "in_doubt")
    film.write(f"- {{id: a, prompt: one, {DRAWN}}}")
    assert film.render("--resubmit", "a-t01").returncode == 0
    assert film.planned() == {"a-t01": "keep"}
    assert house.sent == []


# --- interrupts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM], ids=["twice", "then a polite kill"])
def test_whoever_interrupts_twice_leaves_at_once_and_loses_nothing(
    film: Film,
    house: House,
    second: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    film.write(TWO)
    house.interrupts = [signal.SIGINT, second]
    left: list[int] = []
    monkeypatch.setattr("vidspec.conduct.os._exit", left.append)
    film.render()
    assert left == [130]
    assert len(house.sent) == 2
    assert sorted(film.planned().values()) == ["collect", "collect"]
    assert film.render().returncode == 0
    assert len(house.sent) == 2


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the tests write to is left alone."""
    monkeypatch.setattr("vidspec.conduct.os.isatty", lambda _number: False)


@pytest.mark.usefixtures("no_terminal")
def test_a_terminal_that_goes_leaves_no_doubt_behind(film: Film, house: House) -> None:
    film.write(ONE)
    house.interrupts = [signal.SIGHUP]
    ended = film.render()
    assert (ended.returncode, house.sent) == (130, ["one"])
    assert film.planned() == {"a-t01": "collect"}
    assert film.render().returncode == 0
    assert house.sent == ["one"]


@pytest.mark.usefixtures("no_terminal")
def test_a_run_that_is_to_outlive_its_terminal_does(film: Film, house: House) -> None:
    film.write(ONE)
    house.interrupts = [signal.SIGHUP]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        ended = film.render()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (ended.returncode, film.planned()) == (0, {"a-t01": "keep"})


# --- bugs -------------------------------------------------------------------------------------------------------


def test_a_bug_about_one_take_lets_the_others_be_fetched_and_sends_nothing_more(film: Film, house: House) -> None:
    """At every run it would else keep those behind it from being fetched, until nobody has them any more."""
    film.write(FOUR)
    film.afloat("c-t01", "accepted", "r900")
    film.afloat("d-t01", "accepted", "r901")
    house.looks = [house.reply({"status": "InProgress"}), lambda: 1 // 0]  # type: ignore[list-item, return-value]
    ended = film.vidspec("render", "shots.yaml", "--yes")
    assert (ended.returncode, house.sent) == (4, [])
    assert "bug: ZeroDivisionError" in ended.stderr
    assert sorted(film.planned().values()) == ["collect", "keep", "render", "render"]
    assert film.render().returncode == 0
    assert sorted(house.sent) == ["a", "b"]


@pytest.mark.parametrize("options", [("--fail-fast",), ()], ids=["fail fast", "a bug"])
def test_what_waits_for_its_turn_is_not_sent_where_nothing_more_is_to_be(
    film: Film, house: House, options: tuple[str, ...]
) -> None:
    film.write(FOUR, HEAD.replace("submits_per_minute: 60", "submits_per_minute: 1"))
    broken: Step = house.reply({"code": 20012, "message": "no", "data": None}, 400)
    house.submits = [broken if options else ZeroDivisionError()]
    ended = film.vidspec("render", "shots.yaml", "--yes", *options)
    assert (ended.returncode, house.sent) == (1 if options else 4, ["a"])
    doubts = [slate for slate, action in film.planned().items() if action == "decide"]
    assert doubts == ([] if options else ["a-t01"])


# --- the journal ------------------------------------------------------------------------------------------------


def test_what_follows_a_line_that_was_cut_by_a_full_disk_is_not_lost(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One take's intent does not fit any more; another's answer comes a moment later, and is paid for."""
    film.write(TWO)
    take = film.take("b-t01")
    film.afloat("a-t01", "intended")
    with Journal(film.path) as log:
        write = os.write
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:20]))

        def full(descriptor: int, data: bytes) -> int:
            monkeypatch.setattr(os, "write", no_space)
            return write(descriptor, data[:20])

        def no_space(descriptor: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(JournalError):
            log.intend("b-t01", film.sent(take), output=take.output, base_url=BASE)
        monkeypatch.setattr(os, "write", write)
        log.note("a-t01", "accepted", request_id="r1")
    assert film.flights["a-t01"].request_id == "r1"
    assert "b-t01" not in film.flights


def test_every_acceptance_that_cannot_be_written_down_names_its_id(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal._append

    def full(self: Journal, line: str, *, sync: bool) -> None:
        if '"accepted"' in line:
            raise JournalError("disk full")
        append(self, line, sync=sync)

    monkeypatch.setattr(Journal, "_append", full)
    house.seconds = 5.0
    film.write(TWO)
    ended = film.render()
    assert len(house.sent) == 2
    assert "`a-t01` was accepted as `r1`" in ended.stderr + ended.stdout
    assert "`b-t01` was accepted as `r2`" in ended.stderr + ended.stdout
    assert ended.returncode == 1


def test_a_journal_that_cannot_be_written_before_anything_is_sent_is_a_refusal(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Journal, line: str, *, sync: bool) -> None:
        raise JournalError("disk full")

    monkeypatch.setattr(Journal, "_append", full)
    film.write(ONE)
    assert (film.render().returncode, house.sent) == (3, [])


def test_a_journal_that_fills_up_after_something_was_sent_is_no_refusal(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 promises that nothing was submitted."""
    append = Journal._append

    def full(self: Journal, line: str, *, sync: bool) -> None:
        if '"delivered"' in line:
            raise JournalError("disk full")
        append(self, line, sync=sync)

    monkeypatch.setattr(Journal, "_append", full)
    film.write(ONE)
    assert (film.render().returncode, house.sent) == (1, ["one"])


def test_an_intent_that_could_not_be_synced_was_not_sent_and_is_no_doubt(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.write(ONE)
    with monkeypatch.context() as bad:
        bad.setattr(journal, "_SYNC", broken)
        ended = film.render()
    assert (ended.returncode, house.sent) == (3, [])
    assert (
        ended.stderr == "error: cannot write the journal shots.jsonl: input/output error; nothing was submitted\n"
    )
    assert film.planned() == {"a-t01": "render"}
    assert film.render().returncode == 0


def broken(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_journal_that_breaks_after_something_was_sent_says_so_and_what_becomes_of_it(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second submit comes a second after the first, which has been accepted by then."""
    film.write(TWO)
    sync = journal._SYNC

    def breaking(descriptor: int) -> None:
        if b'"b-t01","move":"intended"' in film.path.read_bytes():
            raise OSError(errno.EIO, "Input/output error")
        sync(descriptor)

    with monkeypatch.context() as bad:
        bad.setattr(journal, "_SYNC", breaking)
        house.seconds = 0.5
        house.looks = [house.reply({"status": "InProgress"})] * 40
        ended = film.render()
    assert (ended.returncode, house.sent) == (1, ["one"])
    assert ended.stderr.splitlines()[-2:] == [
        "error: cannot write the journal shots.jsonl: input/output error; nothing more is submitted",
        "    help: 1 take under way: its provider has it, and so has the journal",
    ]
    house.looks.clear()
    assert film.planned() == {"a-t01": "collect", "b-t01": "render"}
    assert film.render().returncode == 0
    assert house.sent == ["one", "two"]


def test_a_doubt_that_cannot_be_written_down_is_no_refusal(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 promises that nothing was submitted."""
    append = Journal._append

    def full(self: Journal, line: str, *, sync: bool) -> None:
        if '"in_doubt"' in line:
            raise JournalError("disk full")
        append(self, line, sync=sync)

    monkeypatch.setattr(Journal, "_append", full)
    house.submits = [InDoubt("no answer within 60 s")]
    film.write(ONE)
    ended = film.render("--json")
    assert (ended.returncode, house.sent) == (1, ["one"])
    assert json.loads(ended.stdout.splitlines()[-1])["in_doubt"] == 1
    assert film.planned() == {"a-t01": "decide"}


def test_an_id_that_was_not_written_down_is_said_where_the_lockfile_fails_too(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, whole = Journal._append, store.whole

    def full(self: Journal, line: str, *, sync: bool) -> None:
        if '"accepted"' in line and '"b-t01"' in line:
            raise JournalError("disk full")
        append(self, line, sync=sync)

    def fuller(target: Path) -> Any:
        if len(house.sent) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(target)

    monkeypatch.setattr(Journal, "_append", full)
    monkeypatch.setattr("vidspec.ledger.whole", fuller)
    film.write(TWO, HEAD.replace("max_in_flight: 2", "max_in_flight: 1"))
    ended = film.render()
    assert (ended.returncode, house.sent) == (1, ["one", "two"])
    assert "`b-t01` was accepted as `r2`: keep this id" in ended.stderr
    assert "cannot write the lockfile shots.lock: no space left on device" in ended.stderr


def test_a_clip_that_was_fetched_again_with_other_bytes_is_settled_from_the_journal(film: Film) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    record = film.record("a-t01")
    assert record.output is not None
    other = replace(record, output=replace(record.output, sha256="sha256:" + "5" * 64, bytes=5))
    with Journal(film.path) as log:
        log.adopt(
            Flight(
                slate="a-t01",
                move="accepted",
                record=record,
                output=record.output.path,
                base_url=BASE,
                since=1.0,
                request_id=record.request_id,
            )
        )
        log.note("a-t01", "succeeded")
        log.note("a-t01", "delivered", record=other)
    lock = read_lock(film.lock)
    journal.settle(lock, film.flights)
    settled = lock.get("a-t01")
    assert settled is not None
    assert settled.output == other.output
    assert [former.output for former in settled.superseded] == [record.output]


# --- clips that come ----------------------------------------------------------------------------------------------


def test_a_clip_of_a_take_that_is_gone_does_not_mix_with_one_that_goes_to_the_same_place(
    film: Film, house: House, clip: Clip
) -> None:
    film.write("- {id: a, prompt: one, output: ferry.mp4}")
    film.afloat("a-t01", "accepted")
    film.write("- {id: z, prompt: other, output: ferry.mp4}")
    house.fetching = 30.0
    ended = film.render()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    one, other = film.record("a-t01"), film.record("z-t01")
    assert one.output is not None
    assert other.output is not None
    assert one.output.path != other.output.path == "ferry.mp4"
    assert (film.project / "ferry.mp4").read_bytes() == clip(1)
    assert (film.project / one.output.path).read_bytes() == clip(900)
    assert film.planned() == {"z-t01": "keep"}


def test_a_clip_that_the_library_chokes_on_fails_its_own_take_alone(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = media.probe

    def choke(path: Path) -> media.Probe:
        if path.read_bytes() == b"choke":
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        return probe(path)

    monkeypatch.setattr(media, "probe", choke)
    film.write(TWO)
    house.links = [b"choke", house.clip(9), *([b"choke"] * 4)]
    ended = film.render()
    assert ended.returncode == 1, ended.stderr
    assert "1 take rendered, 1 take failed" in ended.stdout
    assert {slate for slate, flight in film.flights.items() if flight.collectable}
    again = film.render()
    assert (again.returncode, len(house.sent)) == (0, 2)


def test_what_came_and_cannot_be_read_is_kept_for_somebody_who_can(film: Film, house: House) -> None:
    film.write(ONE)
    house.links = [b"a clip of the day after tomorrow"] * 5
    ended = film.render()
    assert ended.returncode == 1
    assert "what came is kept as `.vidspec/unread/a-t01.mp4`" in ended.stdout
    assert (film.project / ".vidspec/unread/a-t01.mp4").read_bytes() == b"a clip of the day after tomorrow"
    assert not list(film.project.rglob("*.part"))
    assert film.planned() == {"a-t01": "collect"}
    assert film.render().returncode == 0
    assert house.sent == ["one"]


def test_a_clip_with_a_title_that_is_not_utf_8_is_a_clip_like_any_other(
    film: Film, house: House, tmp_path: Path
) -> None:
    path = tmp_path / "titled.mp4"
    path.write_bytes(house.clip(1))
    with av.open(str(path)) as given, av.open(str(tmp_path / "made.mp4"), "w") as made:
        made.metadata["title"] = "Last light"
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    data = (tmp_path / "made.mp4").read_bytes().replace(b"Last light", "Fährlicht!".encode("latin-1"))
    assert b"F\xe4hr" in data
    film.write(ONE)
    house.links = [data]
    ended = film.render()
    assert ended.returncode == 0, ended.stdout
    assert (film.project / film.take("a-t01").output).read_bytes() == data


def test_a_link_that_nobody_can_read_fails_its_own_take_alone(film: Film, house: House) -> None:
    """A redirect to `https://[`: whoever takes addresses apart finds that out by a ValueError."""
    film.write(TWO)
    house.links += [ValueError("Invalid IPv6 URL: https://[x?sig=s3cret")] * 4
    ended = film.render()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "s3cret" not in ended.stdout + ended.stderr


def test_a_data_address_is_one_in_capitals_too(film: Film, house: House) -> None:
    from base64 import b64encode

    link = "DATA:video/mp4;base64," + b64encode(house.clip(3)).decode()
    house.looks = [house.reply({"status": "Succeed", "results": {"videos": [{"url": link}]}})]
    house.links = [Unavailable("nobody asks for this")] * 9
    film.write(ONE)
    assert film.render().returncode == 0


def test_what_waited_and_turns_out_to_be_the_same_is_collected_and_not_paid_for_again(
    film: Film, house: House
) -> None:
    """All clips are gone; the first is drawn again, the same to the byte, and the second was made from it."""
    wan = "{id: b, prompt: two, model: Wan-AI/Wan2.2-I2V-A14B, first_frame: {shot: a, at: last}}"
    film.write(f"- {{id: a, prompt: one, {DRAWN}}}\n- {wan}")
    assert film.render().returncode == 0
    shutil.rmtree(film.project / "renders")
    shutil.rmtree(film.project / ".vidspec/objects")
    assert film.planned() == {"a-t01": "render", "b-t01": "collect"}
    assert film.planned("--with-dependants") == {"a-t01": "render", "b-t01": "wait"}
    ended = film.render("--with-dependants")
    assert (ended.returncode, len(house.sent)) == (0, 1), ended.stdout
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}


# --- what went wrong before ---------------------------------------------------------------------------------------


def test_a_good_clip_is_kept_where_a_second_one_was_refused(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    house.looks = [house.reply({"status": "Failed", "reason": "content policy"})]
    assert film.render("--resubmit", "a-t01").returncode == 1
    assert film.planned() == {"a-t01": "keep"}
    assert film.render().returncode == 0


def test_a_failed_take_is_sent_again_when_the_frame_that_it_begins_with_has_changed(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    house.looks = [
        house.reply({"status": "Succeed", "results": {"videos": [{"url": "https://cdn.example/r1"}]}}),
        house.reply({"status": "Failed", "reason": "content policy"}),
    ]
    assert film.render().returncode == 1
    assert film.planned() == {"a-t01": "keep", "b-t01": "failed"}
    film.write(FROM_A.replace("prompt: one", "prompt: uno"))
    assert film.planned() == {"a-t01": "render", "b-t01": "wait"}
    assert film.render("--select", "a").returncode == 0
    assert film.planned() == {"a-t01": "keep", "b-t01": "render"}


def test_what_has_failed_can_be_selected_and_tried_again(film: Film, house: House) -> None:
    film.write(TWO)
    house.looks = [house.reply({"status": "Failed", "reason": "content policy"})]
    assert film.render().returncode == 1
    ended = film.render("--select", "state:failed", "--retry-failed")
    assert ended.returncode == 0, ended.stderr
    assert len(house.sent) == 3


# --- limits, deadlines and accounts ----------------------------------------------------------------------------


def test_a_closed_account_is_said_at_once_and_not_at_the_rate_of_submits(film: Film, house: House) -> None:
    film.write("- {id: a, prompt: one, takes: 20}", HEAD.replace("submits_per_minute: 60", "submits_per_minute: 1"))
    house.submits = [house.reply("Invalid token", 401)]
    ended = film.render("--json")
    finished = json.loads(ended.stdout.splitlines()[-1])
    assert (finished["failed"], len(house.sent)) == (20, 1)
    assert finished["time"] < 5


@pytest.mark.parametrize("call", ["submit", "poll"])
def test_nobody_waits_longer_than_the_deadline_because_a_provider_says_so(
    film: Film, house: House, call: str
) -> None:
    busy = house.reply({"message": "come back tomorrow"}, 429, retry_after="86400")
    film.write("- {id: a, prompt: one, takes: 5}")
    house.submits, house.looks = ([busy], []) if call == "submit" else ([], [busy])
    ended = film.render("--json")
    finished = json.loads(ended.stdout.splitlines()[-1])
    assert ended.returncode == 1
    assert finished["time"] < 1000
    if call == "submit":
        assert len(house.sent) <= 2


def test_a_provider_that_is_busy_until_the_deadline_is_not_asked_for_ever(film: Film, house: House) -> None:
    film.write(ONE)
    house.looks = [house.reply({}, 429, retry_after="1000")] * 5
    with trio_deadline():
        ended = film.render("--json")
    assert ended.returncode == 1
    assert film.flights["a-t01"].move == "expired"
    assert len(house.asked) == 1


def test_a_take_is_looked_at_before_it_is_given_up(film: Film, house: House) -> None:
    film.write(ONE, HEAD.replace("deadline: 300", "deadline: 5"))
    ended = film.render()
    assert (ended.returncode, house.asked) == (0, ["r1"]), ended.stdout


class trio_deadline:  # noqa: N801
    """Ends the test where virtual time stands still."""

    def __enter__(self) -> None:
        def late(*_: Any) -> None:
            raise AssertionError("virtual time stands still")

        self._before = signal.signal(signal.SIGALRM, late)
        signal.alarm(5)

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, self._before)


def test_an_address_that_nobody_gives_any_more_is_said_and_is_no_bug(film: Film, house: House) -> None:
    """The shots of a house are gone from the list, and its `base_url` with them, with a take under way there."""
    leapx = (
        "- {id: b, prompt: two, provider: leapx, model: sora-2, resolution: null, aspect_ratio: null, seed: null}"
    )
    head = f"{HEAD}  leapx: {{base_url: https://leapx.example/v1}}\n"
    film.write(f"{ONE}\n{leapx}", head)
    film.afloat("b-t01", "accepted", base_url="https://leapx.example/v1")
    film.write(ONE)
    ended = film.render()
    assert ended.returncode == 2, ended.stderr
    assert "leapx" in ended.stderr
    assert "base_url" in ended.stderr


def test_a_run_that_leaves_out_what_is_gone_needs_no_account_for_it(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.write(f"{TWO}\n- {{id: c, prompt: three, {DRAWN}}}")
    film.afloat("b-t01", "accepted")
    film.write(f"{ONE}\n- {{id: c, prompt: three, {DRAWN}}}")
    monkeypatch.delenv("SILICONFLOW_API_KEY")
    ended = film.render("--exclude", "a")
    assert ended.returncode == 0, ended.stderr


def test_what_turns_out_to_be_needed_once_the_project_is_held_is_cleared_too(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run was at work until now, and has left something under way at a provider that was not needed."""
    film.write(f"{ONE}\n- {{id: c, prompt: three, {DRAWN}}}")
    assert film.render().returncode == 0
    (film.project / "renders/c/c-t01.mp4").unlink()
    house.sent.clear()
    accounts = clearance.accounts
    done: list[int] = []

    def clear(*given: Any) -> Any:
        if not done:
            done.append(1)
            film.afloat("a-t01", "accepted")
        return accounts(*given)

    monkeypatch.setattr(clearance, "accounts", clear)
    ended = film.render()
    assert (ended.returncode, house.asked[-1], house.sent) == (0, "r900", []), ended.stderr


# --- what is said ------------------------------------------------------------------------------------------


def test_events_can_be_written_whatever_the_stream_can_say() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    tell = events.json_lines(stream)
    tell(Event(event="failed", time=1.0, slate="a-t01", details={"reason": "余额不足 \udcff"}))
    stream.seek(0)
    assert json.loads(stream.read())["reason"] == "余额不足 \udcff"


def test_events_of_a_take_that_is_gone_name_its_provider(film: Film) -> None:
    film.write(TWO)
    film.afloat("b-t01", "accepted")
    film.write(ONE)
    told = [json.loads(line) for line in film.render("--json").stdout.splitlines()]
    assert {one.get("provider") for one in told if one.get("slate") == "b-t01"} == {"siliconflow"}


def test_a_line_counts_only_what_the_run_was_to_do(film: Film) -> None:
    film.write(TWO)
    film.afloat("b-t01", "accepted")
    film.write(ONE)
    lines = film.render().stderr.splitlines()
    assert any(line.startswith("[1/1] a-t01") for line in lines)
    assert not any("[2/1]" in line for line in lines), lines


def test_a_run_that_cannot_write_its_lockfile_still_says_that_it_is_over(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = store.whole

    def full(target: Path) -> Any:
        if house.sent:
            raise OSError(28, "No space left on device")
        return whole(target)

    monkeypatch.setattr("vidspec.ledger.whole", full)
    film.write(ONE)
    ended = film.render("--json")
    assert ended.returncode == 1
    assert "cannot write the lockfile shots.lock" in ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["event"] == "run_finished"
    assert film.planned() == {"a-t01": "keep"}


# --- death at every moment ------------------------------------------------------------------------------------


class Dead(BaseException):
    """The process is gone: nothing that it would still do is done."""


class Reaper:
    """Kills the process at its nth step that leaves a trace, and lets nothing leave a trace after that.

    A step is a line of the journal, a file that gets its name, or a call to the provider, which dies before it is
    heard or before it is answered. A line may be written by half.
    """

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch, at: int, *, half: bool) -> None:
        self.left, self.half = at, half
        self.write, self.replace, self.exchange = os.write, Path.replace, house.exchange
        monkeypatch.setattr(os, "write", self.written)
        monkeypatch.setattr(os, "ftruncate", lambda *_: self.step())
        monkeypatch.setattr(Path, "replace", _as_method(self.named))
        monkeypatch.setattr(house, "exchange", self.exchanged)

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Dead

    def written(self, descriptor: int, data: bytes) -> int:
        if self.left == 0 and self.half:
            self.write(descriptor, data[: len(data) // 2])
        self.step()
        return self.write(descriptor, data)

    def named(self, part: Path, target: Path) -> Path:
        self.step()
        return self.replace(part, target)

    async def exchanged(self, call: Call) -> Reply:
        self.step()
        answer = await self.exchange(call)
        self.step()
        return answer


def _as_method(work: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
    def called(part: Path, target: Path) -> Path:
        return work(part, target)

    return called


@pytest.mark.slow
@pytest.mark.parametrize("half", [False, True], ids=["between lines", "in a line"])
def test_whenever_a_run_dies_nothing_is_sent_twice_and_nothing_accepted_is_lost(
    film: Film, house: House, half: bool
) -> None:
    film.write(TWO)
    in_doubt: list[int] = []
    for at in range(200):
        with pytest.MonkeyPatch.context() as patch:
            reaper = Reaper(house, patch, at, half=half)
            with suppress(Dead, BaseExceptionGroup):
                film.render()
        known = {slate for slate, flight in film.flights.items() if flight.request_id}
        with pytest.MonkeyPatch.context() as patch:
            Reaper(house, patch, at * 7 % 19, half=half)
            with suppress(Dead, BaseExceptionGroup):
                film.render()
        film.render()
        doubts = film.as_it_must_be(house)
        assert not doubts & known, at
        if reaper.left > 0:
            break
        in_doubt += [at] * len(doubts)
        house.sent.clear()
        film.wipe()
    assert 15 < at < 199
    assert in_doubt


@pytest.mark.slow
@pytest.mark.parametrize("other", [False, True], ids=["then all of it", "then another shot first"])
def test_whenever_a_run_dies_an_old_clip_is_not_taken_for_a_new_one_that_is_as_long(
    film: Film, house: House, other: bool
) -> None:
    """A plan looks at sizes alone, so that none may lie where a run has died between journal and rename."""
    clip, died = house.clip, []
    house.clip = lambda number: clip(1) + (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
    for at in range(200):
        film.write(TWO)
        assert film.render("--select", "a").returncode == 0
        film.write(TWO.replace("prompt: one", "prompt: another"))
        with pytest.MonkeyPatch.context() as patch:
            reaper = Reaper(house, patch, at, half=False)
            with suppress(Dead, BaseExceptionGroup):
                film.render("--select", "a")
        died.append(at)
        if other:
            film.render("--select", "b")
        film.render()
        assert film.as_it_must_be(house) <= {"a-t01"}, at
        if reaper.left > 0:
            break
        house.sent.clear()
        film.wipe()
    assert 10 < len(died) < 199


# --- how much a run takes on -------------------------------------------------------------------------------------


FOUR = "\n".join(f"- {{id: {name}, prompt: {name}}}" for name in "abcd")


def test_at_most_so_many_takes_are_submitted_and_the_rest_is_left_for_later(film: Film, house: House) -> None:
    film.write(FOUR)
    ended = film.render("--max-takes", "3")
    assert (ended.returncode, sorted(house.sent)) == (0, ["a", "b", "c"])
    assert "left for later: 1 take, about 2.00 cny" in ended.stdout
    assert film.render("--max-takes", "3").returncode == 0
    assert house.sent[3:] == ["d"]


def test_what_needs_a_take_that_is_left_is_left_too_and_nothing_is_blocked(film: Film, house: House) -> None:
    frame = "model: Wan-AI/Wan2.2-I2V-A14B, first_frame: {shot: b, at: last}"
    film.write(f"- {{id: c, prompt: c, {frame}}}\n- {{id: a, prompt: a}}\n- {{id: b, prompt: b}}")
    ended = film.render("--max-takes", "1", "--exclude", "a")
    assert (ended.returncode, house.sent) == (0, ["b"])
    assert "left for later: 1 take" in ended.stdout
    assert "blocked" not in ended.stdout


def test_only_what_is_new_is_paid_for(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    film.write(TWO.replace("prompt: one", "prompt: another") + "\n- {id: z, prompt: new}")
    ended = film.render("--only-new")
    assert (ended.returncode, house.sent[2:]) == (0, ["new"])
    assert "left for later: 1 take" in ended.stdout
    assert film.planned()["a-t01"] == "render"


@pytest.mark.parametrize(
    ("cost", "code", "said"),
    [
        ("8cny", 0, ""),
        ("7.99cny", 3, "the plan may cost 8 cny; the `--max-cost` is 7.99 cny"),
        ("5usd", 3, "the plan may cost 8 cny, and the `--max-cost` names no cny"),
        ("much", 2, "`much` is no amount: write one like `5usd`"),
    ],
)
def test_a_plan_that_may_cost_more_than_is_asked_for_is_refused(
    film: Film, house: House, cost: str, code: int, said: str
) -> None:
    film.write(FOUR)
    ended = film.render("--max-cost", cost)
    assert ended.returncode == code
    assert said in ended.stderr
    assert len(house.sent) == (4 if code == 0 else 0)


def test_after_a_failure_nothing_more_is_begun_where_that_is_asked_for(film: Film, house: House) -> None:
    film.write(FOUR, HEAD.replace("max_in_flight: 2", "max_in_flight: 1"))
    house.submits = [house.reply({"code": 20012, "message": "no such thing", "data": None}, 400)]
    ended = film.render("--fail-fast")
    assert ended.returncode == 1
    assert house.sent == ["a"]
    assert film.render("--retry-failed").returncode == 0


def test_a_limit_of_the_account_holds_for_each_model_where_the_table_says_so(film: Film, house: House) -> None:
    film.write(FOUR)
    (opened,), _ = open_lists([film.project / "shots.yaml"], {})
    assert {one.lane for one in opened.plan().takes} == {"siliconflow Wan-AI/Wan2.2-T2V-A14B"}


# --- a person who knows better -----------------------------------------------------------------------------------


def test_a_take_in_doubt_is_adopted_by_its_id_and_collected_free(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "in_doubt", None)
    ended = film.vidspec("adopt", "shots.yaml", "a-t01", "r42")
    assert ended.returncode == 0
    assert ended.stdout == "a-t01: accepted by `siliconflow` as r42; the next render collects it, free\n"
    assert film.planned() == {"a-t01": "collect"}
    assert film.render().returncode == 0
    assert (house.sent, house.asked) == ([], ["r42"])
    assert film.record("a-t01").request_id == "r42"


@pytest.mark.parametrize(
    ("slate", "request_id", "message"),
    [
        ("a-t02", "r1", "`a-t02` is not in doubt"),
        ("b-t01", "r1", "`b-t01` is not in doubt"),
        ("a-t01", "", "the request id is empty"),
        ("a-t01", "r\n1", "no text that can be printed"),
        ("a-t01", "r" * 5000, "too long"),
    ],
    ids=["another-take", "no-take", "empty", "unprintable", "long"],
)
def test_what_cannot_be_adopted_is_exit_2_and_changes_nothing(
    film: Film, house: House, slate: str, request_id: str, message: str
) -> None:
    film.write(ONE)
    film.afloat("a-t01", "in_doubt", None)
    before = film.path.read_bytes()
    ended = film.vidspec("adopt", "shots.yaml", slate, request_id)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert film.path.read_bytes() == before


def test_a_list_that_was_renamed_without_its_journal_pays_for_nothing_again(film: Film, house: House) -> None:
    film.write(ONE)
    film.afloat("a-t01", "running")
    (film.project / "shots.yaml").rename(film.project / "film.yaml")
    ended = film.vidspec("render", "film.yaml", "--yes")
    assert (ended.returncode, house.sent) == (3, [])
    assert "`shots.jsonl` in `.vidspec/journal` knows of 1 take under way or in doubt" in ended.stderr
    film.path.rename(film.path.with_name("film.jsonl"))
    assert film.vidspec("render", "film.yaml", "--yes").returncode == 0
    assert (house.sent, house.asked) == ([], ["r900"])


def test_a_quiet_run_still_says_what_is_wrong(film: Film, house: House) -> None:
    film.write(f"{ONE}\n- {{id: b, prompt: two, {DRAWN}}}")
    house.submits = [house.reply({"code": 20012, "message": "no such thing", "data": None}, 400)]
    ended = film.render("--quiet")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "a-t01: HTTP 400: no such thing" in ended.stderr
    assert "b-t01" not in ended.stderr
