from __future__ import annotations

import errno
import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Literal

import pytest
from PIL import Image, ImageChops, ImageStat

from vidspec import locktext
from vidspec.errors import MediaError
from vidspec.lock import Cost
from vidspec.media import frame, probe
from vidspec.project import read_lock
from vidspec.store import Store, file_digest

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

TWO = "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}"
SLOW = "{provider: animatic, size: 640x360, duration: 2, fps: 24}"
MANY = "\n".join(f"- {{id: s{number}, prompt: shot {number}}}" for number in range(6))


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Another process that runs the command line."""
    command = [sys.executable, "-m", "vidspec", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, **{"stdout": pipe, "stderr": pipe, "text": True, **options})


def finished(*arguments: str, **options: Any) -> CompletedProcess[str]:
    with start(*arguments, **options) as process:
        out, err = process.communicate(timeout=60)
    return CompletedProcess(arguments, process.returncode, out, err)


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wait_for(process: subprocess.Popen[str], event: str) -> None:
    """Read events until one of this kind has happened."""
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == event:
            return
    pytest.fail(f"the run ended before an event {event}")


# --- what a run leaves behind ------------------------------------------------------------------------------------


def test_a_render_draws_what_is_missing_and_a_second_one_nothing(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots(TWO)
    first = vidspec("render", "shots.yaml")
    assert first.returncode == 0
    assert first.stdout.startswith("done: 2 takes rendered in ")
    assert [line.split()[1:3] for line in first.stderr.splitlines()] == [
        ["a-t01", "rendered"],
        ["b-t01", "rendered"],
    ]
    before = contents(project)
    second = vidspec("render", "shots.yaml")
    assert (second.returncode, second.stdout, second.stderr) == (0, "done: 2 takes kept\n", "")
    assert contents(project) == before


def test_clips_are_as_asked_and_as_recorded(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots(TWO)
    vidspec("render", "shots.yaml")
    for slate, record in read_lock(project / "shots.lock").items():
        assert record.output is not None
        path = project / record.output.path
        assert path == project / f"renders/{slate[0]}/{slate}.mp4"
        assert (file_digest(path), path.stat().st_size) == (record.output.sha256, record.output.bytes)
        found = probe(path)
        assert (found.width, found.height, found.fps, found.frames) == (64, 36, 10, 2)


def test_records_follow_the_order_of_the_list_and_removed_shots_stay(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: 1a}\n- {id: b, prompt: 1b}\n- {id: c, prompt: 1c}")
    vidspec("render", "shots.yaml")
    shots("- {id: new, prompt: 1d, takes: 2}\n- {id: c, prompt: 1c}\n- {id: a, prompt: 1a}")
    assert vidspec("render", "shots.yaml", "--select", "a").returncode == 0
    lock = read_lock(project / "shots.lock")
    assert list(lock) == ["new-t01", "new-t02", "c-t01", "a-t01", "b-t01"]
    assert [record.rendered for _, record in lock.items()] == [False, False, True, True, True]
    assert (project / "renders/b/b-t01.mp4").exists()


def test_variables_of_the_command_line_are_recorded_with_the_take(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: 'the {{ weather }}'}", "vars: {weather: rain}\n")
    assert vidspec("render", "shots.yaml", "--var", "weather=夜 fog\u2028").returncode == 0
    record = read_lock(project / "shots.lock").get("a-t01")
    assert record is not None
    assert record.vars == {"weather": "夜 fog\u2028"}
    out = vidspec("plan", "shots.yaml", "--json").stdout
    assert json.loads(out)["takes"][0]["reasons"] == ["prompt: the 夜 fog → the rain"]
    assert vidspec("plan", "shots.yaml", "--detailed-exitcode", "--var", "weather=夜 fog\u2028").returncode == 0


def test_a_clip_that_was_moved_by_hand_is_recorded_at_its_new_place(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: x}")
    vidspec("render", "shots.yaml")
    (project / "renders/a/a-t01.mp4").rename(project / "a.mp4")
    shots("- {id: a, prompt: x, output: a.mp4}")
    assert vidspec("render", "shots.yaml").stdout == "done: 1 take kept\n"
    record = read_lock(project / "shots.lock").get("a-t01")
    assert record is not None
    assert record.output is not None
    assert record.output.path == "a.mp4"


def test_lists_in_one_folder_share_it_without_losing_each_others_clips(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: one}", name="one.yaml")
    shots("- {id: a, prompt: two}", name="two.yaml")
    vidspec("render", "one.yaml")
    data = (project / "renders/a/a-t01.mp4").read_bytes()
    vidspec("render", "two.yaml")
    assert (project / "renders/a/a-t01.mp4").read_bytes() != data
    assert vidspec("render", "one.yaml").stdout.startswith("done: 1 take restored")
    assert (project / "renders/a/a-t01.mp4").read_bytes() == data


# --- drafts ------------------------------------------------------------------------------------------------------

REMOTE = """
- {id: a, prompt: one, provider: minimax, model: MiniMax-Hailuo-02, duration: 6, resolution: 512p,
   first_frame: a.png}
- {id: b, prompt: two, provider: animatic, size: 64x36, duration: 0.2, fps: 10, first_frame: {shot: a}}
"""


def test_a_draft_touches_neither_the_outputs_nor_the_lockfile(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots(TWO)
    vidspec("render", "shots.yaml")
    before = {name: data for name, data in contents(project).items() if not name.startswith(".vidspec")}
    shots(TWO.replace("one", "uno"))
    assert vidspec("render", "shots.yaml", "--draft").returncode == 0
    after = {name: data for name, data in contents(project).items() if not name.startswith(".vidspec")}
    assert {**after, "shots.yaml": b""} == {**before, "shots.yaml": b""}
    drafts = project / ".vidspec/drafts"
    assert sorted(path.name for path in drafts.glob("*.mp4")) == ["a-t01.mp4", "b-t01.mp4"]
    assert vidspec("render", "shots.yaml", "--draft").stdout == "done: 2 takes kept\n"


@pytest.mark.slow
def test_a_draft_draws_what_other_providers_would_make(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    Image.new("RGB", (912, 512), (90, 0, 0)).save(project / "a.png")
    shots(REMOTE, defaults="{}")
    ended = vidspec("render", "shots.yaml", "--draft")
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in project.rglob("*.mp4")) == ["a-t01.mp4", "b-t01.mp4"]
    assert not (project / "shots.lock").exists()


# --- refusals ----------------------------------------------------------------------------------------------------


def test_a_missing_key_is_one_message_and_leaves_no_trace(
    shots: Shots, vidspec: Vidspec, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
    Image.new("RGB", (912, 512), (90, 0, 0)).save(project / "a.png")
    shots(REMOTE, defaults="{}")
    before = contents(project)
    ended = vidspec("render", "shots.yaml", "--yes")
    assert (ended.returncode, ended.stdout) == (2, "")
    message = [line for line in ended.stderr.splitlines() if "warning" not in line and "crop" not in line]
    assert message == [
        "error: `MINIMAX_API_KEY` is not set",
        "    help: it holds the key of `minimax`",
        "nothing was submitted",
    ]
    assert contents(project) == before


def test_what_is_not_selected_is_not_refused(shots: Shots, vidspec: Vidspec) -> None:
    shots(
        "- {id: near, prompt: one, provider: animatic, size: 64x36, duration: 0.2, fps: 10}\n"
        "- {id: far, prompt: two, provider: nebula, model: sora-2}",
        "budget: {eur: 1}\n",
        defaults="{}",
    )
    assert vidspec("render", "shots.yaml", "--select", "near").returncode == 0


def test_a_plan_over_budget_is_exit_3_and_leaves_no_trace(
    shots: Shots, vidspec: Vidspec, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidspec.budget.cost", lambda *_: Cost(amount=3, currency="usd"))
    shots(TWO, "budget: {usd: 4}\n")
    before = contents(project)
    ended = vidspec("render", "shots.yaml")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "error: the plan may cost 6 usd; the budget is 4 usd; nothing was submitted\n"
    assert contents(project) == before
    assert vidspec("render", "shots.yaml", "--select", "a").returncode == 0
    assert vidspec("render", "shots.yaml").returncode == 0
    assert vidspec("render", "shots.yaml", "--draft").returncode == 0


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="cut short"),
        pytest.param(lambda text: text.replace("vidspec_lock: 1", "vidspec_lock: 9"), id="of a later version"),
        pytest.param(lambda text: f"<<<<<<< ours\n{text}", id="in conflict"),
        pytest.param(lambda text: text.replace("bytes: ", "bytes: many "), id="bytes that are none"),
        pytest.param(lambda text: text.replace("renders/a/", "../../"), id="outside"),
        pytest.param(lambda text: text.replace("renders/a/", "/etc/"), id="absolute"),
        pytest.param(lambda text: "", id="empty"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "render", "status"])
def test_a_lockfile_that_cannot_be_trusted_stops_everything_and_is_left_as_it_is(
    shots: Shots, vidspec: Vidspec, project: Path, command: str, damage: Callable[[str], str]
) -> None:
    shots(TWO)
    vidspec("render", "shots.yaml")
    lock = project / "shots.lock"
    lock.write_text(damage(lock.read_text()))
    (project / "renders/a/a-t01.mp4").unlink()
    before = contents(project)
    ended = vidspec(command, "shots.yaml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert contents(project) == before


def test_an_output_outside_is_neither_read_nor_replaced(
    shots: Shots, vidspec: Vidspec, project: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim.mp4"
    shots(TWO)
    vidspec("render", "shots.yaml")
    shutil.move(project / "renders/a/a-t01.mp4", victim)
    data = victim.read_bytes()
    lock = project / "shots.lock"
    record = read_lock(lock).get("a-t01")
    assert record is not None
    assert record.output is not None
    bent = read_lock(lock)
    bent.put("a-t01", replace(record, output=replace(record.output, path="../victim.mp4")))
    lock.write_text(locktext.dump(bent))
    assert vidspec("render", "shots.yaml").returncode == 2
    assert victim.read_bytes() == data


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param(".vidspec", lambda path: path.write_text("mine"), id="a file for the folder"),
        pytest.param(".vidspec/run.lock", lambda path: path.mkdir(parents=True), id="a folder for the lock"),
        pytest.param(".vidspec/drafts", lambda path: (path.parent.mkdir(), path.write_text("")), id="drafts"),
    ],
)
def test_a_state_folder_that_is_none_is_one_line(
    shots: Shots, vidspec: Vidspec, project: Path, name: str, make: Callable[[Path], object]
) -> None:
    shots(TWO)
    make(project / name)
    ended = vidspec("render", "shots.yaml", "--draft")
    assert ended.returncode == 2
    assert re.fullmatch(r"error: cannot (write in|hold) the project folder: .*\n", ended.stderr)


# --- failures ----------------------------------------------------------------------------------------------------


def test_a_take_that_fails_is_named_with_its_reason_and_what_it_blocks(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    (project / "renders/a/a-t01.mp4").mkdir(parents=True)
    shots(f"{TWO}\n- {{id: c, prompt: three}}")
    ended = vidspec("render", "shots.yaml")
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[:3] == [
        "failed    a-t01: is a directory: renders/a/a-t01.mp4",
        "blocked   b-t01: needs a-t01",
        "not done: 1 take rendered, 1 take failed, 1 take blocked",
    ]
    (project / "renders/a/a-t01.mp4").rmdir()
    assert vidspec("render", "shots.yaml").returncode == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device"),
        (MediaError("the picture is damaged"), "the picture is damaged"),
    ],
    ids=["disk full", "damaged"],
)
def test_a_drawing_that_fails_is_exit_1_and_the_same_command_completes(
    shots: Shots, vidspec: Vidspec, project: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, reason: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise fault

    shots(TWO)
    with monkeypatch.context() as patched:
        patched.setattr("vidspec.studio.draw", fail)
        ended = vidspec("render", "shots.yaml", "--json")
    assert ended.returncode == 1
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(one["slate"], one["reason"]) for one in events if one["event"] == "failed"] == [("a-t01", reason)]
    assert [one["slate"] for one in events if one["event"] == "blocked"] == ["b-t01"]
    assert not parts(project)
    assert vidspec("render", "shots.yaml").returncode == 0


def test_a_lockfile_that_cannot_be_written_is_one_line(
    shots: Shots, vidspec: Vidspec, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vidspec.ledger.whole", full)
    shots(TWO)
    ended = vidspec("render", "shots.yaml")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: cannot write the lockfile shots.lock: no space left on device\n"


def test_a_bug_in_a_take_is_exit_4_and_what_was_finished_is_recorded(
    shots: Shots, vidspec: Vidspec, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidspec import studio

    original = studio.draw

    def fail(take: Any, *given: Any, **named: Any) -> None:
        if take.slate == "b-t01":
            raise ZeroDivisionError
        original(take, *given, **named)

    monkeypatch.setattr(studio, "draw", fail)
    shots(TWO)
    ended = vidspec("render", "shots.yaml", "--quiet")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert re.fullmatch(r"bug: ZeroDivisionError; see \S+\n", ended.stderr)
    report = Path(ended.stderr.rpartition("; see ")[2].strip())
    assert report.parent == project / ".vidspec"
    assert "ZeroDivisionError" in report.read_text()
    record = read_lock(project / "shots.lock").get("a-t01")
    assert record is not None
    assert record.rendered
    assert not parts(project)


# --- what is said ------------------------------------------------------------------------------------------------


def test_events_are_json_lines_and_nothing_else_is_on_stdout(shots: Shots, vidspec: Vidspec) -> None:
    shots(TWO)
    ended = vidspec("render", "shots.yaml", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(one["event"], one.get("slate")) for one in events] == [
        ("run_started", None),
        ("submitted", "a-t01"),
        ("downloaded", "a-t01"),
        ("submitted", "b-t01"),
        ("downloaded", "b-t01"),
        ("run_finished", None),
    ]
    times = [one["time"] for one in events]
    assert times == sorted(times)
    assert times[0] == 0
    for one in events[1:-1]:
        assert one["provider"] == "animatic"
    assert {key: events[-1][key] for key in ("rendered", "restored", "kept", "failed", "blocked")} == {
        "rendered": 2, "restored": 0, "kept": 0, "failed": 0, "blocked": 0,
    }  # fmt: skip
    again = [json.loads(line) for line in vidspec("render", "shots.yaml", "--json").stdout.splitlines()]
    assert [one["event"] for one in again] == ["run_started", "run_finished"]


def test_quiet_says_nothing_where_nothing_is_wrong(shots: Shots, vidspec: Vidspec) -> None:
    shots(TWO)
    ended = vidspec("render", "shots.yaml", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_wrong_list_is_exit_2_with_every_diagnostic_on_stderr(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: x, durration: 1}\n- {id: b, prompt: x, fps: 999}")
    ended = vidspec("render", "shots.yaml", "--json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.findall(r"^shots\.yaml:(\d+):\d+: error\[E\d+\]:", ended.stderr, re.MULTILINE) == ["4", "5"]
    assert [path.name for path in project.iterdir()] == ["shots.yaml"]


# --- real processes ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_of_two_runs_at_once_the_second_is_refused_and_told_of_the_first(shots: Shots, project: Path) -> None:
    shots(MANY, defaults=SLOW)
    with start("render", "shots.yaml", "--json") as first:
        wait_for(first, "submitted")
        second = finished("render", "shots.yaml")
        assert (second.returncode, second.stdout) == (3, "")
        assert re.fullmatch(rf"error: another run holds this project: process {first.pid} on \S+\n", second.stderr)
        assert finished("plan", "shots.yaml").returncode == 0
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_in_order_and_the_same_command_completes_it(
    shots: Shots, project: Path, number: signal.Signals
) -> None:
    shots(MANY, defaults=SLOW)
    with start("render", "shots.yaml", "--json") as process:
        wait_for(process, "downloaded")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    done = json.loads(out.splitlines()[-1])
    assert done["event"] == "run_finished"
    assert 1 <= done["rendered"] < 6
    assert not parts(project)
    lock = read_lock(project / "shots.lock")
    finished_takes = {slate for slate, record in lock.items() if record.rendered}
    assert len(lock) == 6
    assert {path.stem for path in project.glob("renders/*/*.mp4")} == finished_takes
    assert len(finished_takes) == done["rendered"]
    ended = finished("render", "shots.yaml")
    assert ended.returncode == 0
    assert f"{6 - len(finished_takes)} takes rendered, {len(finished_takes)} take" in ended.stdout


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(shots: Shots, project: Path) -> None:
    shots(MANY, defaults=SLOW)
    with start("render", "shots.yaml") as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert re.match(r"interrupted: \d takes? rendered; the same command goes on from here\n", out)
    assert "Traceback" not in err


@pytest.mark.slow
def test_after_a_kill_the_same_command_completes_with_whole_clips_only(shots: Shots, project: Path) -> None:
    shots(MANY, defaults=SLOW)
    with start("render", "shots.yaml", "--json") as process:
        wait_for(process, "downloaded")
        process.kill()
    assert parts(project), "the kill came too late to leave anything half done"
    assert finished("status", "shots.yaml").returncode == 0
    ended = finished("render", "shots.yaml")
    assert ended.returncode == 0, ended.stderr
    assert not parts(project)
    lock = read_lock(project / "shots.lock")
    assert all(record.rendered for _, record in lock.items())
    for path in project.glob("renders/*/*.mp4"):
        assert probe(path).frames == 48


@pytest.mark.slow
def test_a_reader_who_leaves_early_loses_no_work(shots: Shots, project: Path) -> None:
    shots(TWO)
    command = f"{sys.executable} -m vidspec render shots.yaml --json | true; test ${{PIPESTATUS[0]}} -eq 0"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(record.rendered for _, record in read_lock(project / "shots.lock").items())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["render shots.yaml", "render shots.yaml --draft"])
def test_a_terminal_that_is_gone_loses_no_work(shots: Shots, project: Path, command: str) -> None:
    shots(TWO)
    with start(*command.split()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        assert process.wait(timeout=60) == 0
    lock = project / ("shots.lock" if "--draft" not in command else ".vidspec/drafts/shots.lock")
    assert all(record.rendered for _, record in read_lock(lock).items())


# --- folders that may not be written -----------------------------------------------------------------------------


LIST = "vidspec: 1\ndefaults: {provider: animatic, size: 64x36, duration: 0.2, fps: 10}\nshots:\n"


@pytest.mark.slow
def test_a_read_only_project_can_be_looked_at_and_not_rendered(foreign: Path, as_user: Vidspec) -> None:
    (foreign / "shots.yaml").write_text(f"{LIST}  - {{id: a, prompt: x}}\n")
    foreign.chmod(0o555)
    for command in ("validate", "plan", "status"):
        assert as_user(command, "shots.yaml").returncode == 0
    ended = as_user("render", "shots.yaml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: cannot write in the project folder: permission denied\n"
    assert [path.name for path in foreign.iterdir()] == ["shots.yaml"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("locked", "code", "message"),
    [
        ("renders", 1, "failed    a-t01: permission denied: renders/a"),
        (".", 1, "error: cannot write the lockfile shots.lock: permission denied"),
        ("shots.yaml", 2, "cannot read `shots.yaml`: permission denied"),
        ("shots.lock", 2, "error: cannot read the lockfile shots.lock: permission denied"),
        ("a.png", 2, "permission denied"),
        (".vidspec/run.lock", 2, "error: cannot hold the project folder: permission denied"),
        (".vidspec/objects", 1, "failed    a-t01: permission denied: .vidspec/objects/"),
    ],
)
def test_what_may_not_be_read_or_written_is_said_without_a_traceback(
    foreign: Path, as_user: Vidspec, locked: str, code: int, message: str
) -> None:
    (foreign / "shots.yaml").write_text(
        f"{LIST}  - {{id: a, prompt: x}}\n  - {{id: b, prompt: x, first_frame: a.png, output: b.mp4}}\n"
    )
    Image.new("RGB", (64, 36)).save(foreign / "a.png")
    (foreign / "shots.lock").write_text("vidspec_lock: 1\ntakes: {}\n")
    for name in ("renders", ".vidspec", ".vidspec/objects"):
        (foreign / name).mkdir()
    for name in (".vidspec/README", ".vidspec/run.lock"):
        (foreign / name).write_text("")
    for path in (foreign, *foreign.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    (foreign / locked).chmod(0o555 if (foreign / locked).is_dir() else 0)
    ended = as_user("render", "shots.yaml")
    assert ended.returncode == code, ended.stderr
    assert message in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert "bug" not in ended.stderr
    assert not parts(foreign)


# --- chains of drawings ------------------------------------------------------------------------------------------


def test_a_frame_of_a_drawing_carries_none_of_its_lettering_into_the_next(
    shots: Shots, project: Path, vidspec: Vidspec
) -> None:
    entries = (
        "- {id: a, prompt: a very long prompt that is written all over the picture, duration: 1}\n"
        "- {id: b, prompt: two, first_frame: {shot: a, at: last}, duration: 1}\n"
        "- {id: c, prompt: three, first_frame: {shot: b, at: 0.5}, duration: 1}\n"
    )
    shots(entries, defaults="{provider: animatic, size: 640x360, fps: 4}")
    assert vidspec("render", "shots.yaml").returncode == 0

    lock, store = read_lock(project / "shots.lock"), Store(project / ".vidspec")
    moments: dict[tuple[str, str], Literal["last"] | float] = {("b-t01", "a"): "last", ("c-t01", "b"): 0.5}
    for (slate, upstream), at in moments.items():
        record = lock.get(slate)
        assert record
        assert record.request
        taken = Image.open(store.place(record.request["first_frame"])).convert("RGB")
        clip = project / f"renders/{upstream}/{upstream}-t01.mp4"
        lettered = Image.open(io.BytesIO(frame(clip, at))).convert("RGB")
        difference = ImageChops.difference(taken, lettered).convert("L")
        assert ImageStat.Stat(difference.crop((0, 220, 640, 360))).mean[0] > 4, "the lettering is below"
        assert ImageStat.Stat(difference.crop((0, 60, 640, 180))).mean[0] < 4, "the picture is the same"


def test_a_frame_is_drawn_once_for_all_that_need_it_and_a_later_run_draws_the_same(
    shots: Shots, project: Path, vidspec: Vidspec
) -> None:
    chain = "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}\n"
    shots(chain)
    assert vidspec("render", "shots.yaml").returncode == 0
    shots(f"{chain}- {{id: c, prompt: three, first_frame: {{shot: a, at: last}}}}\n")
    assert vidspec("render", "shots.yaml").returncode == 0

    b, c = (read_lock(project / "shots.lock").get(slate) for slate in ("b-t01", "c-t01"))
    frames = {record.request["first_frame"] for record in (b, c) if record and record.request}
    assert len(frames) == 1


def test_a_draft_needs_no_account_in_order(shots: Shots, project: Path, vidspec: Vidspec) -> None:
    shots("- {id: a, provider: yutoai, model: wanx2.1-t2v-turbo, prompt: a fox}", defaults="{size: 832x480}")

    assert "E412" in vidspec("render", "shots.yaml").stderr
    assert vidspec("render", "shots.yaml", "--draft").returncode == 0
    assert probe(project / ".vidspec/drafts/a-t01.mp4").width == 832
