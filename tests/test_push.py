"""`vidspec push`: from one project into a shared store, and out of it into another."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vidspec.commands import push
from vidspec.console import Console
from vidspec.errors import UsageError
from vidspec.shared import Shared, SharedError, fetch_missing
from vidspec.shared.folder import FolderStore
from vidspec.store import Store

Clip = Callable[[int], bytes]
Run = Callable[..., tuple[int, list[str]]]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def short(data: bytes) -> str:
    return f"{digest(data)[:19]}…"


def record(shot: str, data: bytes, **about: Any) -> dict[str, Any]:
    """A rendered take, as it stands in a lockfile."""
    return {
        "shot": shot,
        "take": 1,
        "provider": "animatic",
        "model": "animatic",
        "fingerprint": digest(b""),
        "request": {"mode": "text_to_video", "prompt": "x", **about},
        "output": {"path": f"renders/{shot}-t01.mp4", "sha256": digest(data), "bytes": len(data)},
    }


@pytest.fixture
def film(project: Path, clip: Clip) -> Path:
    """Two takes with clips, one with a former clip that is kept; a frame that is kept; one take never rendered."""
    first, second = record("a", clip(1)), record("b", clip(2), first_frame=digest(b"frame"))
    former = record("a", clip(3))
    first["superseded"] = [{key: value for key, value in former.items() if key not in ("shot", "take")}]
    takes = {"a-t01": first, "b-t01": second, "c-t01": {"shot": "c", "take": 1}}
    (project / "shots.lock").write_text(json.dumps({"vidspec_lock": 1, "takes": takes}, indent=1) + "\n")
    (project / "renders").mkdir()
    for slate, number in (("a-t01", 1), ("b-t01", 2)):
        (project / f"renders/{slate}.mp4").write_bytes(clip(number))
    for data in (clip(3), b"frame"):
        Store(project / ".vidspec").keep_bytes(data)
    return project


@pytest.fixture
def shared(tmp_path: Path) -> FolderStore:
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def run(shared: FolderStore) -> Run:
    """Runs the command, and returns its exit code and lines."""

    def call(file: str = "shots.yaml", **options: Any) -> tuple[int, list[str]]:
        stream = io.StringIO()
        given: dict[str, Any] = {"variables": {}, "chosen": None, "left_out": None, "shared": shared}
        given |= {"superseded": False, "dry_run": False, "json": False, "quiet": False, **options}
        code = push.run(Path(file), console=Console(stream, colour=False), **given)
        return code, stream.getvalue().splitlines()

    return call


def test_clips_and_the_frames_they_were_made_from_are_pushed_once(
    film: Path, run: Run, shared: FolderStore, clip: Clip
) -> None:
    assert run() == (
        0,
        [
            f"pushed      clip of a-t01  {short(clip(1))}  1.5 kB",
            f"pushed      clip of b-t01  {short(clip(2))}  1.5 kB",
            f"pushed      picture of b-t01  {short(b'frame')}  0.0 kB",
            f"`{shared.name}`: 3 pushed",
        ],
    )
    assert run("shots.lock") == (0, [f"`{shared.name}`: 3 there"])
    assert not shared.has(digest(clip(3)))
    assert run(superseded=True, quiet=True) == (
        0,
        [f"pushed      former clip of a-t01  {short(clip(3))}  1.5 kB"][:0],
    )
    assert shared.has(digest(clip(3)))


def test_a_dry_run_pushes_nothing(film: Path, run: Run, shared: FolderStore, clip: Clip) -> None:
    code, lines = run(dry_run=True, superseded=True)
    assert code == 0
    assert lines[0] == f"to push     clip of a-t01  {short(clip(1))}  1.5 kB"
    assert lines[-1] == f"`{shared.name}`: 4 to push"
    assert not shared.has(digest(clip(1)))


def test_another_machine_brings_in_what_was_pushed(film: Path, run: Run, shared: FolderStore, clip: Clip) -> None:
    run(superseded=True)
    shutil.rmtree(film)
    store = Store(film / ".vidspec")
    wanted = [digest(clip(number)) for number in (1, 2, 3)]
    assert fetch_missing(store, shared, wanted) == wanted
    store.bring_back(wanted[0], film / "renders/a-t01.mp4")
    assert (film / "renders/a-t01.mp4").read_bytes() == clip(1)


def test_a_clip_that_is_nowhere_is_named_and_fails(film: Path, run: Run, shared: FolderStore, clip: Clip) -> None:
    (film / "renders/a-t01.mp4").unlink()
    (film / "renders/b-t01.mp4").write_bytes(b"others")
    failing = [
        f"missing     clip of a-t01  {short(clip(1))}  not found in the project",
        f"changed     clip of b-t01  {short(clip(2))}  what is in the project holds other bytes",
    ]
    assert run(quiet=True) == (1, failing)
    code, lines = run()
    assert (code, lines) == (1, [*failing, f"`{shared.name}`: 2 not found, 1 there"])


def test_a_clip_that_only_others_have_is_no_failure(film: Path, run: Run, shared: FolderStore) -> None:
    run()
    shutil.rmtree(film / "renders")
    assert run() == (0, [f"`{shared.name}`: 3 there"])


def test_a_picture_that_is_nowhere_is_named_and_does_not_fail(film: Path, run: Run, shared: FolderStore) -> None:
    shutil.rmtree(film / ".vidspec/objects")
    code, lines = run()
    assert code == 0
    assert lines[2:] == [
        f"missing     picture of b-t01  {short(b'frame')}  not found in the project",
        f"`{shared.name}`: 2 pushed, 1 not found",
    ]


def test_a_picture_is_found_where_the_list_has_it(
    film: Path, run: Run, shared: FolderStore, shots: Callable[..., Path], clip: Clip
) -> None:
    Image.new("RGB", (64, 36), (9, 9, 9)).save(film / "rain.png")
    picture = (film / "rain.png").read_bytes()
    takes = {"a-t01": record("a", clip(1), first_frame=digest(picture))}
    (film / "shots.lock").write_text(json.dumps({"vidspec_lock": 1, "takes": takes}, indent=1) + "\n")
    shots('- {id: a, prompt: x, first_frame: "{{ weather }}.png"}', "vars: {weather: fog}\n")
    Image.new("RGB", (64, 36)).save(film / "fog.png")
    assert run(quiet=True)[1] == [f"missing     picture of a-t01  {short(picture)}  not found in the project"]
    assert run(variables={"weather": "rain"})[1][-1] == f"`{shared.name}`: 1 there, 1 pushed"
    assert shared.has(digest(picture))


def test_the_json_says_what_became_of_everything(film: Path, run: Run, shared: FolderStore, clip: Clip) -> None:
    (film / "renders/a-t01.mp4").unlink()
    code, lines = run(json=True)
    value = json.loads("\n".join(lines))
    assert code == 1
    assert (value["vidspec_json"], value["ok"], value["store"]) == (1, False, shared.name)
    assert value["totals"] == {"missing": 1, "pushed": 2}
    assert value["objects"][:2] == [
        {"slate": "a-t01", "what": "clip", "sha256": digest(clip(1)), "state": "missing", "bytes": None},
        {"slate": "b-t01", "what": "clip", "sha256": digest(clip(2)), "state": "pushed", "bytes": len(clip(2))},
    ]
    (film / "renders/a-t01.mp4").write_bytes(clip(1))
    value = json.loads("\n".join(run(json=True, dry_run=True)[1]))
    assert (value["ok"], value["totals"]) == (True, {"to_push": 1, "there": 2})


def test_a_selection_pushes_nothing_else(film: Path, run: Run, shared: FolderStore, clip: Clip) -> None:
    assert run(chosen="b")[1][-1] == f"`{shared.name}`: 2 pushed"
    assert not shared.has(digest(clip(1)))
    assert run(chosen="c") == (0, [f"`{shared.name}`: nothing to push"])


def test_without_a_store_or_a_lockfile_the_input_is_wrong(film: Path, run: Run) -> None:
    with pytest.raises(UsageError, match="no shared store is named") as raised:
        run(shared=None)
    assert "VIDSPEC_STORE" in str(raised.value)
    (film / "shots.lock").unlink()
    with pytest.raises(UsageError, match="there is no lockfile"):
        run()


def test_a_store_that_cannot_be_written_ends_it(film: Path, run: Run, clip: Clip) -> None:
    class Full(FolderStore):
        def keep(self, path: Path, digest: str) -> bool:
            raise SharedError(f"cannot keep {digest} in the shared store `{self.name}`: no space left on device")

    full: Shared = Full(film)
    with pytest.raises(SharedError, match="no space left on device"):
        run(shared=full)
