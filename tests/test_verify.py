"""`vidspec verify`: a project of real clips, with everything that may have happened to them."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidspec.commands import verify
from vidspec.console import Console
from vidspec.errors import UsageError
from vidspec.store import Store

Clip = Callable[[int], bytes]
Run = Callable[..., tuple[int, list[str]]]
Film = Callable[..., Path]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def film(project: Path) -> Film:
    """Renders takes as a provider would have: clips at their places, and a lockfile. None is never rendered."""

    def render(*, asked: dict[str, dict[str, Any]] | None = None, **clips: bytes | None) -> Path:
        takes: dict[str, dict[str, Any]] = {}
        for shot, data in clips.items():
            slate = f"{shot}-t01"
            takes[slate] = {"shot": shot, "take": 1}
            if data is None:
                continue
            path = project / f"renders/{slate}.mp4"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            facts = {"width": 64, "height": 36, "fps": 10.0, "duration": 0.2, "audio": False}
            takes[slate] |= {
                "provider": "nebula",
                "model": "veo-3.0-generate-001",
                "fingerprint": digest(b""),
                "request": {"mode": "text_to_video", "prompt": "x", **(asked or {}).get(shot, {})},
                "output": {"path": f"renders/{slate}.mp4", "sha256": digest(data), "bytes": len(data), **facts},
            }
        text = json.dumps({"vidspec_lock": 1, "takes": takes}, indent=1)
        (project / "shots.lock").write_text(f"{text}\n")
        return project

    return render


@pytest.fixture
def run() -> Run:
    """Runs the command, and returns its exit code and lines."""

    def call(file: str = "shots.yaml", **options: Any) -> tuple[int, list[str]]:
        stream = io.StringIO()
        given: dict[str, Any] = {"variables": {}, "chosen": None, "left_out": None}
        given |= {"kept": False, "json": False, "quiet": False, **options}
        code = verify.run(Path(file), console=Console(stream, colour=False), **given)
        return code, stream.getvalue().splitlines()

    return call


def test_a_project_in_order_is_one_line(film: Film, run: Run, clip: Clip) -> None:
    film(a=clip(1), b=clip(2), c=None)
    assert run() == (0, ["2 clips: 2 ok; 1 take not rendered"])
    assert run("shots.lock") == (0, ["2 clips: 2 ok; 1 take not rendered"])
    assert run(quiet=True) == (0, [])


@pytest.fixture
def spoilt(film: Film, clip: Clip) -> Path:
    """A take of every state."""
    asked = {"d": {"size": "1280x720", "audio": True}}
    project = film(a=clip(1), b=clip(2), c=clip(3), d=clip(4), e=b"no clip", f=None, asked=asked)
    (project / "renders/b-t01.mp4").unlink()
    (project / "renders/c-t01.mp4").write_bytes(clip(1)[:1000])
    return project


def test_every_mismatch_is_a_line_by_slate_with_what_is_to_be_done(spoilt: Path, run: Run, clip: Clip) -> None:
    code, lines = run()
    short = f"{digest(clip(1)[:1000])[:19]}…, recorded as {digest(clip(3))[:19]}…"
    again = "`vidspec render shots.yaml --resubmit SLATE`"
    assert code == 1
    assert lines == [
        "missing     b-t01  there is no file `renders/b-t01.mp4`",
        f"changed     c-t01  `renders/c-t01.mp4` holds other bytes: {short}",
        f"changed     c-t01  `renders/c-t01.mp4` is 1000 bytes, recorded as {len(clip(3))}",
        "changed     c-t01  `renders/c-t01.mp4` is cut short: it holds 0 of its 2 frames",
        "mismatch    d-t01  it is 64x36, not 1280x720",
        "mismatch    d-t01  it has no sound, and sound was asked for",
        "unreadable  e-t01  `renders/e-t01.mp4` is not a clip that can be read",
        "    help: `vidspec restore shots.yaml` brings back what is missing or changed, without paying",
        f"    help: a clip that came otherwise than asked is paid and stays; {again} pays for another",
        "5 clips: 1 ok, 1 missing, 1 changed, 1 mismatch, 1 unreadable; 1 take not rendered",
    ]
    assert run(quiet=True) == (1, lines[:7])


def test_the_json_says_the_same_with_what_was_expected_and_found(spoilt: Path, run: Run, clip: Clip) -> None:
    code, lines = run(json=True)
    value = json.loads("\n".join(lines))
    assert (code, value["vidspec_json"], value["ok"]) == (1, 1, False)
    totals = {"ok": 1, "missing": 1, "changed": 1, "mismatch": 1, "unreadable": 1, "not_rendered": 1}
    assert value["totals"] == totals
    takes = {take["slate"]: take for take in value["takes"]}
    assert list(takes) == ["a-t01", "b-t01", "c-t01", "d-t01", "e-t01"]
    assert takes["a-t01"] == {"slate": "a-t01", "state": "ok", "problems": []}
    assert takes["d-t01"]["problems"][0] == {
        "kind": "asked_size",
        "expected": "1280x720",
        "found": "64x36",
        "message": "it is 64x36, not 1280x720",
    }
    (first, second, third) = takes["c-t01"]["problems"]
    assert (first["kind"], first["expected"]) == ("sha256", digest(clip(3)))
    assert (second["kind"], second["found"]) == ("bytes", 1000)
    assert third["kind"] == "no_clip"
    assert "kept" not in value


def test_a_selection_looks_at_nothing_else(spoilt: Path, run: Run) -> None:
    assert run(chosen="a f") == (0, ["1 clip: 1 ok; 1 take not rendered"])
    assert run(left_out="?-t01,b c d e") == (0, ["1 clip: 1 ok; 1 take not rendered"])
    assert run(chosen="state:missing")[0] == 1
    with pytest.raises(UsageError, match="matches nothing"):
        run(chosen="z")


def test_where_nothing_was_rendered_nothing_is_wrong(film: Film, run: Run) -> None:
    film(a=None, b=None)
    assert run() == (0, ["0 clips; 2 takes not rendered"])
    film()
    assert run() == (0, ["0 clips"])


def test_without_a_lockfile_the_input_is_wrong(project: Path, run: Run) -> None:
    with pytest.raises(UsageError, match=r"there is no lockfile `shots\.lock`") as raised:
        run()
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("edit", ["removed", "broken"])
def test_takes_that_the_list_no_longer_has_are_verified_all_the_same(
    film: Film, shots: Callable[..., Path], run: Run, clip: Clip, edit: str
) -> None:
    project = film(a=clip(1), b=clip(2))
    shots("- {id: a, prompt: x}" if edit == "removed" else "- {id: a, prompt: x, durration: 2}")
    (project / "renders/b-t01.mp4").unlink()
    code, lines = run()
    assert (code, lines[0]) == (1, "missing     b-t01  there is no file `renders/b-t01.mp4`".replace("     ", "  "))


def test_a_lockfile_that_was_edited_is_told_from_a_clip_that_was(film: Film, run: Run, clip: Clip) -> None:
    project = film(a=clip(1))
    lock = project / "shots.lock"
    lock.write_text(lock.read_text().replace('"width": 64', '"width": 65'))
    assert run() == (
        1,
        [
            "mismatch  a-t01  it is 64x36, recorded as 65x36",
            "    help: the lockfile contradicts the very bytes that it names: it was edited, or merged wrongly",
            "1 clip: 1 mismatch",
        ],
    )


def test_a_file_that_may_not_be_read_says_so(film: Film, run: Run, clip: Clip) -> None:
    path = film(a=clip(1)) / "renders/a-t01.mp4"
    path.unlink()
    path.symlink_to(path.name)
    code, lines = run()
    assert code == 1
    assert lines[0].startswith("unreadable  a-t01  cannot read `renders/a-t01.mp4`: ")
    assert lines[1] == "    help: let the files be read by who runs this"


def test_what_a_render_has_made_and_recorded_is_in_order_until_somebody_writes_into_it(
    shots: Callable[..., Path], vidspec: Callable[..., Any], project: Path, run: Run
) -> None:
    shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two, first_frame: {shot: a}}")
    assert vidspec("render", "shots.yaml").returncode == 0
    (project / "shots.yaml").unlink()
    assert run(kept=True)[1][-1].startswith("3 clips: 3 ok; ")
    with (project / "renders/b/b-t01.mp4").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    code, lines = run(chosen="+b")
    assert (code, lines[0].split()[:2], lines[-1]) == (1, ["changed", "b-t01"], "2 clips: 1 ok, 1 changed")


# --- what is kept -------------------------------------------------------------------------------------------


@pytest.fixture
def kept(film: Film, clip: Clip) -> Store:
    """A project with a former clip, a present one, and one that nobody knows, all of them kept."""
    project = film(a=clip(1))
    path = project / "shots.lock"
    value = json.loads(path.read_text())
    take = value["takes"]["a-t01"]
    former = {key: take[key] for key in ("provider", "model", "fingerprint", "request")}
    former["output"] = {"path": "renders/a-t01.mp4", "sha256": digest(clip(2)), "bytes": len(clip(2))}
    take["superseded"] = [former]
    path.write_text(json.dumps(value, indent=1) + "\n")
    store = Store(project / ".vidspec")
    for number in (1, 2, 3):
        store.keep_bytes(clip(number))
    return store


def test_kept_bytes_are_looked_at_when_asked_for(kept: Store, run: Run, clip: Clip) -> None:
    assert run(kept=True) == (0, ["1 clip: 1 ok; 3 kept, 0 of them damaged"])
    for number in (2, 3):
        kept.place(digest(clip(number))).write_bytes(b"rot")
    assert run() == (0, ["1 clip: 1 ok"])
    code, lines = run(kept=True)
    rot = f"it holds other bytes: {digest(b'rot')[:19]}…"
    assert code == 1
    assert sorted(lines[:2]) == sorted(
        [
            f"damaged  {digest(clip(2))[:19]}…  kept, a former clip of a-t01: {rot}",
            f"damaged  {digest(clip(3))[:19]}…  kept, of no record: {rot}",
        ]
    )
    assert lines[2:] == [
        "    help: take damaged bytes out of `.vidspec/objects`: nothing can be brought back from them",
        "1 clip: 1 ok; 3 kept, 2 of them damaged",
    ]


def test_damaged_bytes_are_in_the_json(kept: Store, run: Run, clip: Clip) -> None:
    kept.place(digest(clip(2))).write_bytes(b"rot")
    code, lines = run(kept=True, json=True)
    value = json.loads("\n".join(lines))
    assert (code, value["ok"], value["totals"]) == (1, False, {"ok": 1})
    message = f"it holds other bytes: {digest(b'rot')[:19]}…"
    damaged = [{"sha256": digest(clip(2)), "found": digest(b"rot"), "message": message}]
    assert value["kept"] == {"looked_at": 3, "damaged": damaged}


def test_a_project_that_has_never_kept_anything_has_nothing_damaged(film: Film, run: Run, clip: Clip) -> None:
    film(a=clip(1))
    assert run(kept=True) == (0, ["1 clip: 1 ok; 0 kept, 0 of them damaged"])
    assert not Path(".vidspec").exists()


# --- on a terminal ------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("number", "options", "told"),
    [(32, {}, True), (31, {}, False), (32, {"quiet": True}, False), (32, {"json": True}, False)],
    ids=["many", "few", "quiet", "json"],
)
def test_a_terminal_is_told_how_far_a_large_set_is(
    film: Film,
    run: Run,
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    options: dict[str, bool],
    told: bool,
) -> None:
    film(**{f"s{index:03d}": clip(1) for index in range(number)})
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run(**options)[0] == 0
    assert terminal.getvalue().startswith("\r1 of 32 files\r2 of 32 files") is told
    assert terminal.getvalue().endswith("\r\033[2K") is told
    assert bool(terminal.getvalue()) is told
