"""`vidspec lock merge`: files in, a file out, and what is said of them."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec import locktext
from vidspec.commands import lock_merge
from vidspec.console import Console
from vidspec.errors import LockError, Refusal, UsageError
from vidspec.fingerprint import digest
from vidspec.hold import hold
from vidspec.lock import Lock, Output, Record
from vidspec.store import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable


def render(shot: str, number: int) -> Record:
    """A render of take 1 of a shot."""
    clip = digest(f"{shot}/{number}".encode())
    return Record(
        shot=shot,
        take=1,
        provider="siliconflow",
        model="m",
        fingerprint=clip,
        request={"mode": "text_to_video", "prompt": "渡し船"},
        request_id=f"{shot}-{number}",
        output=Output(path=f"renders/{shot}.mp4", sha256=clip, bytes=number),
        rendered_at=f"2026-11-20T10:0{number}:00Z",
    )


def lock_of(**renders: int) -> Lock:
    """`a=0` is take 1 of that shot, never rendered; `a=2` its second render."""
    made = {shot: render(shot, number) if number else Record(shot=shot, take=1) for shot, number in renders.items()}
    return Lock({f"{shot}-t01": record for shot, record in made.items()})


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Lock | str], Path]:
    """Writes a lockfile, or any text, in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, what: Lock | str) -> Path:
        path = Path(name)
        path.write_text(locktext.dump(what) if isinstance(what, Lock) else what, encoding="utf-8")
        return path

    return write


def merged(a: Path, b: Path, out: Path, base: Path | None = None, *, quiet: bool = False) -> str:
    """What a merge prints on stdout."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert lock_merge.run(a, b, base=base, out=out, quiet=quiet, console=Console(stream, colour=False)) == 0
    stream.flush()
    return stream.buffer.getvalue().decode()


def test_two_lockfiles_are_merged_into_a_third(
    written: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = written("a.lock", lock_of(a=1, b=0)), written("b.lock", lock_of(a=0, b=1))
    before = a.read_bytes(), b.read_bytes()
    assert merged(a, b, Path("c.lock")) == ""
    assert locktext.read(Path("c.lock")) == lock_of(a=1, b=1)
    assert (a.read_bytes(), b.read_bytes()) == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("out", ["a.lock", "b.lock", "o.lock"])
def test_the_merged_lockfile_may_take_the_place_of_any_of_them(written: Callable[..., Path], out: str) -> None:
    a, b, base = (written(name, lock) for name, lock in (
        ("a.lock", lock_of(a=1)), ("b.lock", lock_of(b=0, a=1)), ("o.lock", lock_of(a=1, c=1)),
    ))  # fmt: skip
    merged(a, b, Path(out), base)
    assert locktext.read(Path(out)) == lock_of(b=0, a=1)
    assert sorted(path.name for path in Path().iterdir()) == ["a.lock", "b.lock", "o.lock"]


def test_a_base_decides_what_was_removed_and_an_empty_one_is_none(written: Callable[..., Path]) -> None:
    a, b, base = written("a.lock", lock_of(a=1)), written("b.lock", lock_of(a=1, b=1)), written("o.lock", "")
    merged(a, b, Path("c.lock"), base)
    assert locktext.read(Path("c.lock")) == lock_of(a=1, b=1)
    merged(a, b, Path("c.lock"), b)
    assert locktext.read(Path("c.lock")) == lock_of(a=1)


def test_a_dash_writes_to_stdout_whatever_its_encoding(written: Callable[..., Path]) -> None:
    a, b = written("a.lock", lock_of(a=1)), written("b.lock", lock_of(b=1))
    assert merged(a, b, Path("-")) == locktext.dump(lock_of(a=1, b=1))
    assert sorted(path.name for path in Path().iterdir()) == ["a.lock", "b.lock"]


@pytest.mark.parametrize("quiet", [False, True])
def test_what_was_decided_is_said_on_stderr(
    written: Callable[..., Path], capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    a, b = written("a.lock", lock_of(a=1)), written("b.lock", lock_of(a=2))
    merged(a, b, Path("c.lock"), quiet=quiet)
    said = (
        "merged  `a-t01` was rendered on both sides: the record is `a-2` of 2026-11-20T10:02:00Z; "
        "kept under it: `a-1` of 2026-11-20T10:01:00Z\n"
    )
    assert capsys.readouterr().err == ("" if quiet else said)


def test_a_lockfile_of_a_later_release_is_merged_with_a_warning(
    written: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    newer = locktext.dump(lock_of(a=1)).replace("vidspec_lock: 1\n", "vidspec_lock: 1.7\n")
    merged(written("a.lock", newer), written("b.lock", lock_of(b=1)), Path("c.lock"))
    assert capsys.readouterr().err.startswith("warning: a.lock:1:15: the lockfile is of version 1.7")
    assert Path("c.lock").read_text().startswith("vidspec_lock: 1.7\n")


@pytest.mark.parametrize("role", ["a", "b", "base"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, "there is no file `bad.lock`; nothing was written", id="missing"),
        pytest.param("vidspec_lock: 9\ntakes: {}\n", "of version 9", id="a later version"),
        pytest.param("vidspec_lock: 1\n<<<<<<< ours\n", "bad.lock:2:1: .* marks of a merge conflict", id="marks"),
        pytest.param("version = 1\n", "the file must be a mapping", id="of another program"),
    ],
)
def test_what_is_no_lockfile_is_one_clear_message_and_nothing_is_written(
    written: Callable[..., Path], role: str, text: str | None, said: str
) -> None:
    good = written("good.lock", lock_of(a=1))
    out = written("out.lock", "mine")
    bad = Path("bad.lock") if text is None else written("bad.lock", text)
    files = {"a": good, "b": good, "base": good, role: bad}
    with pytest.raises((UsageError, LockError), match=said) as raised:
        merged(files["a"], files["b"], out, files["base"])
    assert raised.value.exit_code == 2
    assert out.read_text() == "mine"


def test_an_empty_lockfile_is_none_but_for_the_base(written: Callable[..., Path]) -> None:
    with pytest.raises(LockError, match="empty"):
        merged(written("a.lock", ""), written("b.lock", lock_of(a=1)), Path("c.lock"))
    assert not Path("c.lock").exists()


def test_a_place_that_cannot_be_written_is_one_clear_message(written: Callable[..., Path]) -> None:
    a = written("a.lock", lock_of(a=1))
    Path("folder").mkdir()
    with pytest.raises(UsageError, match="cannot write `folder`: is a directory"):
        merged(a, a, Path("folder"))


def test_the_lockfile_of_a_project_is_not_written_while_a_run_holds_it(written: Callable[..., Path]) -> None:
    a, b = written("shots.lock", lock_of(a=1)), written("b.lock", lock_of(b=1))
    with hold(state_folder(Path())):
        with pytest.raises(Refusal, match="another run holds this project"):
            merged(a, b, a)
        merged(a, b, Path(".merge_file_1"))
    merged(a, b, a)
    assert locktext.read(a) == lock_of(a=1, b=1) == locktext.read(Path(".merge_file_1"))


@pytest.mark.parametrize("good", [True, False])
def test_what_another_command_writes_can_be_merged(written: Callable[..., Path], good: bool) -> None:
    os.mkfifo("pipe")
    data = locktext.dump(lock_of(a=1)).encode() if good else b"\xff"
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(data))
    writer.start()
    if good:
        merged(Path("pipe"), written("b.lock", lock_of(b=1)), Path("c.lock"))
        assert locktext.read(Path("c.lock")) == lock_of(a=1, b=1)
    else:
        with pytest.raises(LockError, match="`pipe` is not UTF-8 text"):
            merged(Path("pipe"), written("b.lock", lock_of(b=1)), Path("c.lock"))
    writer.join()
