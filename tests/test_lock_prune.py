"""`vidspec lock prune`: what goes, what stays, what is said, and that nothing paid is lost."""

from __future__ import annotations

import io
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import journal
from vidspec.commands import lock_merge, lock_prune
from vidspec.console import Console
from vidspec.errors import LockError, Refusal, RenderError, ShotListError, UsageError
from vidspec.fingerprint import digest
from vidspec.hold import hold
from vidspec.journal import Journal
from vidspec.ledger import Ledger
from vidspec.lock import Cost, Lock, Output, Record
from vidspec.project import read_lock
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

    from vidspec.state import Move

LIST = Path("shots.yaml")
LOCK = Path("shots.lock")
JOURNAL = Path(".vidspec/journal/shots.jsonl")
URL = "https://api.example/v1"


def record(shot: str, number: int = 1, take: int = 1) -> Record:
    """A paid render of a take."""
    clip = digest(f"{shot}/{take}/{number}".encode())
    return Record(
        shot=shot,
        take=take,
        provider="siliconflow",
        model="Wan-AI/Wan2.2-T2V-A14B",
        fingerprint=clip,
        request={"mode": "text_to_video", "prompt": f"{shot} {number}"},
        request_id=f"r-{shot}-{number}",
        output=Output(path=f"renders/{shot}.mp4", sha256=clip, bytes=len(f"{shot}/{take}/{number}")),
        rendered_at=f"2026-11-20T10:0{number}:00Z",
        cost=Cost(amount=2.0, currency="cny", basis="unsure"),
    )


@pytest.fixture
def lock(shots: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a list of the shots a and b, and a lockfile of other takes beside it; returns the project folder."""

    def write(*records: Record) -> Path:
        path = shots("- {id: a, prompt: x}\n- {id: b, prompt: y, skip: true}")
        Ledger(Lock({f"{one.shot}-t{one.take:02d}": one for one in records}), LOCK).write()
        return path.parent

    return write


def under_way(slate: str, sent: Record, *moves: Move, request_id: str = "n4q0") -> None:
    """Have the journal know of a submit, and of what came of it."""
    bare = replace(sent, output=None, rendered_at=None, request_id=None)
    with Journal(JOURNAL, now=lambda: 1000.0) as log:
        log.intend(slate, bare, output=f"renders/{slate}.mp4", base_url=URL)
        for move in moves:
            changes = {"request_id": request_id} if move == "accepted" else {}
            if move == "delivered":
                log.note(slate, move, record=replace(sent, request_id=request_id))
            else:
                log.note(slate, move, **changes)


def prune(*given_up: str, dry_run: bool = False, quiet: bool = False, code: int = 0) -> str:
    """What the command prints."""
    stream = io.StringIO()
    console = Console(stream, colour=False)
    options = {"dry_run": dry_run, "quiet": quiet, "console": console}
    assert lock_prune.run(LIST, variables={}, given_up=given_up, **options) == code  # type: ignore[arg-type]
    return stream.getvalue()


def slates() -> list[str]:
    """The takes of the lockfile."""
    return list(read_lock(LOCK))


def aside() -> Lock:
    """What was put aside, in one file."""
    (path,) = Path(".vidspec/pruned").iterdir()
    return read_lock(path)


# --- what goes, and what stays ---------------------------------------------------------------------------------


def test_records_of_takes_that_are_gone_go_and_all_others_stay_as_they_are(lock: Callable[..., Path]) -> None:
    kept = record("a"), record("b")
    gone = replace(record("z", 2), superseded=(record("z"),))
    lock(gone, kept[0], record("a", take=2), Record(shot="y", take=1), kept[1])

    said = prune()

    assert read_lock(LOCK) == Lock({"a-t01": kept[0], "b-t01": kept[1]})
    assert dict(aside().items()) == {
        "z-t01": gone, "a-t02": record("a", take=2), "y-t01": Record(shot="y", take=1)
    }  # fmt: skip
    assert [line.split()[:2] for line in said.splitlines()[:3]] == [
        ["pruned", "z-t01"], ["pruned", "a-t02"], ["pruned", "y-t01"],
    ]  # fmt: skip
    assert not JOURNAL.parent.exists()


def test_what_a_later_release_has_written_stays_in_both_files(lock: Callable[..., Path]) -> None:
    lock(record("z"))
    note = '    take: 1\n    note: "good"\n'
    newer = LOCK.read_text().replace("vidspec_lock: 1\n", 'vidspec_lock: 1.4\nmood: "blue"\n')
    LOCK.write_text(newer.replace("    take: 1\n", note))
    prune()
    assert LOCK.read_text() == 'vidspec_lock: 1.4\nmood: "blue"\ntakes: {}\n'
    (path,) = Path(".vidspec/pruned").iterdir()
    assert path.read_text() == newer.replace('mood: "blue"\n', "").replace("    take: 1\n", note)


def test_takes_of_a_skipped_shot_are_not_gone(lock: Callable[..., Path]) -> None:
    lock(record("b"))
    assert prune() == "nothing to prune: the list has every take of the lockfile\n"
    assert slates() == ["b-t01"]


def test_where_there_is_nothing_to_prune_no_trace_is_left(lock: Callable[..., Path]) -> None:
    folder = lock(record("a"))
    before = LOCK.stat().st_mtime_ns
    prune()
    assert LOCK.stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == ["shots.lock", "shots.yaml"]


def test_a_dry_run_says_the_same_and_does_nothing(lock: Callable[..., Path]) -> None:
    folder = lock(record("a"), record("z"))
    before = LOCK.read_bytes()
    said = prune(dry_run=True)
    assert said.splitlines()[-1] == "nothing was done: `--dry-run`"
    assert LOCK.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["shots.lock", "shots.yaml"]
    done = prune().splitlines()
    assert done[:2] == [
        "pruned  z-t01  ~2.00 cny  rendered 2026-11-20; its clip is not on this machine",
        "1 take pruned, which had cost about 2.00 cny",
    ]
    assert said.splitlines()[:-1] == [line.replace("pruned", "to prune") for line in done[:2]]


def test_quiet_prints_nothing(lock: Callable[..., Path]) -> None:
    lock(record("z"))
    assert prune(quiet=True) == ""
    assert slates() == []


def test_a_shot_that_looks_renamed_stays_until_it_is_moved_or_rendered_anew(
    shots: Callable[..., Path], vidspec: Callable[..., CompletedProcess[str]]
) -> None:
    shots("- {id: a, prompt: one, takes: 2}")
    assert vidspec("render", "shots.yaml").returncode == 0
    shots("- {id: z, prompt: one, takes: 2}")
    assert "`vidspec lock mv FILE a z`" in prune(code=1)
    assert slates() == ["a-t01", "a-t02"]
    shots("- {id: z, prompt: another, takes: 2}")
    prune()
    assert slates() == []


# --- what is said ----------------------------------------------------------------------------------------------


def test_what_goes_is_said_with_what_it_had_cost(lock: Callable[..., Path]) -> None:
    drawn = replace(record("y"), provider="animatic", request_id=None, cost=Cost(amount=0.0, currency="usd"))
    lock(
        replace(record("z", 2), superseded=(record("z"),)),
        drawn,
        replace(record("x"), cost=None),
        Record(shot="w", take=1),
    )
    said = prune().splitlines()
    assert said[:4] == [
        "pruned  z-t01  ~2.00 cny  rendered 2026-11-20, 1 former render under it; its clip is not on this machine",
        "pruned  y-t01       free  rendered 2026-11-20; its clip is not on this machine",
        "pruned  x-t01    unknown  rendered 2026-11-20; its clip is not on this machine",
        "pruned  w-t01             never rendered",
    ]
    assert said[4] == "4 takes pruned, which had cost about 4.00 cny and 1 take of unknown price"


def test_takes_that_were_never_rendered_leave_nothing_to_put_aside(lock: Callable[..., Path]) -> None:
    lock(record("a"), Record(shot="w", take=1))
    assert prune().splitlines()[1:] == ["1 take pruned, which had cost nothing"]
    assert not Path(".vidspec/pruned").exists()


# --- nothing paid is lost --------------------------------------------------------------------------------------


def test_what_was_pruned_comes_back_by_the_command_that_is_printed(lock: Callable[..., Path]) -> None:
    gone = replace(record("z", 2), superseded=(record("z"),))
    lock(record("a"), gone)
    before = read_lock(LOCK)
    command = shlex.split(prune().splitlines()[-1])
    assert command[:3] == ["vidspec", "lock", "merge"]
    a, b, _, out = map(Path, command[3:])
    assert lock_merge.run(a, b, base=None, out=out, quiet=False, console=Console(io.StringIO())) == 0
    assert read_lock(LOCK) == before


def test_pruning_twice_in_a_second_writes_two_files(lock: Callable[..., Path]) -> None:
    for shot in ("x", "y", "z"):
        lock(record(shot))
        prune()
    found = [read_lock(path) for path in Path(".vidspec/pruned").iterdir()]
    assert sorted(slate for one in found for slate in one) == ["x-t01", "y-t01", "z-t01"]


@pytest.mark.parametrize("where", ["at its place", "among the kept ones", "nowhere", "replaced by another"])
def test_a_clip_that_is_here_is_kept_by_its_digest(lock: Callable[..., Path], where: str) -> None:
    folder = lock(record("z"))
    clip = b"another" if where == "replaced by another" else b"z/1/1"
    kept = folder / ".vidspec/objects" / digest(b"z/1/1")[7:9] / digest(b"z/1/1")[9:]
    place = {"among the kept ones": kept, "nowhere": folder / "elsewhere"}.get(where, folder / "renders/z.mp4")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(clip)
    is_here = where in ("at its place", "among the kept ones")

    said = prune()

    assert ("its clip is kept" in said) == is_here
    assert kept.exists() == is_here
    assert place.read_bytes() == clip


def test_a_delivery_that_nobody_had_the_time_to_write_down_is_put_aside_too(lock: Callable[..., Path]) -> None:
    lock(record("a"))
    under_way("z-t01", record("z"), "accepted", "succeeded", "delivered")
    prune()
    assert dict(aside().items()) == {"z-t01": replace(record("z"), request_id="n4q0")}
    assert slates() == ["a-t01"]
    assert journal.read(JOURNAL) == {}
    assert prune().startswith("nothing to prune")


@pytest.mark.parametrize("cut_at", ["journal", "lockfile"])
def test_where_it_is_cut_off_the_same_command_goes_on_and_nothing_is_lost(
    lock: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, cut_at: str
) -> None:
    lock(record("a"))
    under_way("z-t01", record("z"), "accepted", "succeeded", "delivered")

    def cut(*_given: object) -> None:
        raise RenderError("cut off")

    with monkeypatch.context() as patched:
        if cut_at == "journal":
            patched.setattr(Journal, "_rewrite", cut)
        else:
            write = Ledger.write
            patched.setattr(Ledger, "write", lambda self: cut() if self._path == LOCK else write(self))
        with pytest.raises(RenderError):
            prune()
    prune()

    assert slates() == ["a-t01"]
    kept = [dict(read_lock(path).items()) for path in Path(".vidspec/pruned").iterdir()]
    assert {"z-t01": replace(record("z"), request_id="n4q0")} in kept


# --- what is under way, or in doubt ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        pytest.param(["accepted"], "accepted as `n4q0`: a render of the whole list collects it", id="accepted"),
        pytest.param(["accepted", "expired"], "accepted as `n4q0`", id="expired"),
        pytest.param([], "in doubt: `vidspec adopt` where `siliconflow` has it", id="intended"),
        pytest.param(["in_doubt"], "in doubt: `vidspec adopt` where `siliconflow` has it", id="in doubt"),
    ],
)
@pytest.mark.parametrize("recorded", [True, False], ids=["rendered before", "never rendered"])
def test_what_a_provider_may_still_have_stays_until_it_is_given_up(
    lock: Callable[..., Path], moves: list[Move], said: str, recorded: bool
) -> None:
    lock(record("a"), *([record("z")] if recorded else []))
    under_way("z-t01", record("z", 2), *moves)
    before = slates()

    told = prune(code=1)
    assert told.startswith("stays  z-t01")
    assert said in told
    assert "--give-up z-t01" in told
    assert slates() == before

    told = prune("z-t01")
    assert told.startswith("gave up  z-t01")
    assert slates() == ["a-t01"]
    flight = journal.read(JOURNAL)["z-t01"]
    assert (flight.move, flight.collectable, flight.doubtful) == ("decided", False, False)
    assert flight.record.request == {"mode": "text_to_video", "prompt": "z 2"}
    assert prune().startswith("nothing to prune")


@pytest.mark.parametrize("moves", [["refused"], ["accepted", "failed"]], ids=["refused", "failed"])
def test_what_came_to_nothing_keeps_no_record_back(lock: Callable[..., Path], moves: list[Move]) -> None:
    lock(record("a"), record("z"))
    under_way("z-t01", record("z"), *moves)
    prune()
    assert slates() == ["a-t01"]


@pytest.mark.parametrize(
    ("slate", "said"),
    [
        pytest.param("a-t01", "the list has `a-t01`\n    help: `vidspec adopt` where", id="in the list"),
        pytest.param("b-t01", "nothing of `b-t01` is under way or in doubt, or its", id="skipped"),
        pytest.param("y-t01", "nothing of `y-t01` is under way or in doubt", id="at rest"),
        pytest.param("zz-t01", "the journal has no `zz-t01`\n    help: the nearest is `z-t01`", id="mistyped"),
    ],
)
def test_what_cannot_be_given_up_is_one_clear_message_and_nothing_is_done(
    lock: Callable[..., Path], slate: str, said: str
) -> None:
    lock(record("a"), record("b"), record("y"))
    under_way("a-t01", record("a"), "in_doubt")
    under_way("b-t01", record("b"), "in_doubt")
    under_way("z-t01", record("z"), "in_doubt")
    before = LOCK.read_bytes(), JOURNAL.read_bytes()
    with pytest.raises(UsageError, match=f"^`--give-up {slate}`: ") as raised:
        prune(slate)
    assert said in str(raised.value)
    assert (LOCK.read_bytes(), JOURNAL.read_bytes()) == before


def test_a_doubt_about_a_take_of_a_list_without_a_lockfile_can_be_given_up(lock: Callable[..., Path]) -> None:
    lock()
    LOCK.unlink()
    under_way("z-t01", record("z"), "in_doubt")
    assert prune("z-t01").startswith("gave up  z-t01")
    assert not LOCK.exists()


# --- what is wrong ---------------------------------------------------------------------------------------------


def test_without_lockfile_and_journal_there_is_nothing_to_prune(lock: Callable[..., Path]) -> None:
    folder = lock()
    LOCK.unlink()
    with pytest.raises(UsageError, match=r"^there is no lockfile shots\.lock beside the list$"):
        prune()
    assert [path.name for path in folder.iterdir()] == ["shots.yaml"]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        pytest.param("shots.yaml", "vidspec: 1\nshots: [{id: a, promt: x}]\n", ShotListError, id="the list"),
        pytest.param("shots.lock", "vidspec_lock: 1\n", LockError, id="the lockfile"),
    ],
)
def test_what_cannot_be_read_stops_it_before_anything_is_done(
    lock: Callable[..., Path], name: str, text: str, error: type[Exception]
) -> None:
    folder = lock(record("z"))
    (folder / name).write_text(text)
    with pytest.raises(error):
        prune()
    assert not (folder / ".vidspec").exists()


def test_a_project_that_a_run_holds_is_left_alone(lock: Callable[..., Path]) -> None:
    folder = lock(record("z"))
    with hold(state_folder(folder)), pytest.raises(Refusal, match="another run holds this project"):
        prune()
    assert slates() == ["z-t01"]


def test_clips_and_frames_of_a_render_that_goes_come_back_free_when_its_shot_does(
    shots: Callable[..., Path], vidspec: Callable[..., CompletedProcess[str]]
) -> None:
    both = "- {id: a, prompt: one}\n- {id: b, prompt: two}"
    folder = shots(both).parent
    assert vidspec("render", "shots.yaml").returncode == 0
    clip = (folder / "renders/b/b-t01.mp4").read_bytes()
    shots("- {id: a, prompt: one}")
    command = shlex.split(prune().splitlines()[-1])
    shutil.rmtree(folder / "renders/b")
    shots(both)
    a, b, _, out = map(Path, command[3:])
    lock_merge.run(a, b, base=None, out=out, quiet=True, console=Console(io.StringIO()))
    assert vidspec("render", "shots.yaml").stdout.startswith("done: 1 take restored, 1 take kept")
    assert (folder / "renders/b/b-t01.mp4").read_bytes() == clip
