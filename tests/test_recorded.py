"""A lockfile opened without its list, or with one that is in order, is wrong, or is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidspec.errors import JournalError, LockError, ShotListError, UsageError
from vidspec.journal import Journal
from vidspec.lock import Output, Record
from vidspec.recorded import Recorded

Shots = Callable[..., Path]

DIGEST = f"sha256:{'0' * 64}"


def record(shot: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A record as it stands in a lockfile."""
    return {
        "shot": shot,
        "take": number,
        "provider": "animatic",
        "model": "animatic",
        "fingerprint": DIGEST,
        "request": {"mode": "text_to_video", "prompt": "x"},
        "output": {"path": f"renders/{shot}-t{number:02d}.mp4", "sha256": DIGEST, "bytes": 4},
        **fields,
    }


@pytest.fixture
def lockfile(project: Path) -> Callable[..., Path]:
    """Writes a lockfile of such records, as an editor might have saved it."""

    def write(*records: dict[str, Any], name: str = "shots.lock") -> Path:
        takes = {f"{one['shot']}-t{one['take']:02d}": one for one in records}
        path = project / name
        path.write_text(json.dumps({"vidspec_lock": 1, "takes": takes}, indent=1) + "\n", encoding="utf-8")
        return path

    return write


def slates(recorded: Recorded, chosen: str | None = None, left_out: str | None = None) -> list[str]:
    return [slate for slate, _ in recorded.records(chosen, left_out)]


@pytest.mark.parametrize("name", ["shots.yaml", "shots.lock", "shots.yml", "shots"])
def test_the_list_or_the_lockfile_names_the_lockfile_and_the_list_need_not_be_there(
    lockfile: Callable[..., Path], project: Path, name: str
) -> None:
    lockfile(record("a"), record("b"))
    recorded = Recorded(project / name, {})
    assert slates(recorded) == ["a-t01", "b-t01"]
    assert recorded.opened is None
    assert recorded.project == project


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ""])
def test_the_list_of_a_lockfile_is_found_by_its_stem(
    shots: Shots, lockfile: Callable[..., Path], project: Path, suffix: str
) -> None:
    path = shots("- {id: a, prompt: x}", name=f"night.ferry{suffix}" if suffix else "night")
    lock = lockfile(record("a"), name="night.ferry.lock" if suffix else "night.lock")
    recorded = Recorded(lock, {})
    assert recorded.list_path == path
    assert recorded.opened is not None


def test_without_a_lockfile_it_is_said_that_nothing_was_rendered(shots: Shots) -> None:
    path = shots("- {id: a, prompt: x}")
    with pytest.raises(UsageError, match=r"^there is no lockfile `shots.lock`: nothing has been rendered yet$"):
        Recorded(path, {})


def test_a_lockfile_or_a_journal_that_cannot_be_read_is_said(lockfile: Callable[..., Path], project: Path) -> None:
    path = lockfile(record("a"))
    (project / ".vidspec/journal").mkdir(parents=True)
    (project / ".vidspec/journal/shots.jsonl").write_text("rot\nrot\n")
    with pytest.raises(JournalError):
        Recorded(path, {})
    path.write_text("takes: {}\n")
    with pytest.raises(LockError):
        Recorded(path, {})


@pytest.mark.parametrize(
    ("chosen", "left_out", "left"),
    [
        ("a", None, ["a-t01", "a-t02"]),
        ("a-t02 b", None, ["a-t02", "b-t01"]),
        ("?-t01", "c", ["a-t01", "b-t01", "d-t01"]),
        ("+b", None, ["a-t01", "b-t01"]),
        ("provider:nebula", None, ["c-t01"]),
        ("model:ani*", "a", ["b-t01"]),
        ("state:done", None, ["a-t01"]),
        ("state:changed", None, ["a-t02"]),
        ("state:missing", None, ["b-t01", "c-t01"]),
        ("state:new", None, ["d-t01"]),
        (None, "state:new state:missing", ["a-t01", "a-t02"]),
    ],
)
def test_a_lockfile_alone_can_be_selected_from(
    lockfile: Callable[..., Path], project: Path, chosen: str | None, left_out: str | None, left: list[str]
) -> None:
    frames = {"first_frame": {"slate": "a-t01", "at": "last", "of": DIGEST, "sha256": DIGEST}, "other": 3}
    path = lockfile(
        record("a"),
        record("a", 2),
        record("b", frames=frames),
        record("c", provider="nebula", model="veo-3.0-generate-001"),
        {"shot": "d", "take": 1},
    )
    (project / "renders").mkdir()
    (project / "renders/a-t01.mp4").write_bytes(b"clip")
    (project / "renders/a-t02.mp4").write_bytes(b"others")
    assert slates(Recorded(path, {}), chosen, left_out) == left


@pytest.mark.parametrize("expression", ["tag:night", "+tag:night", "a scene:pier", "a,scene:pier", "'tag:a b'"])
def test_what_only_the_list_knows_cannot_be_selected_without_one(
    lockfile: Callable[..., Path], expression: str
) -> None:
    recorded = Recorded(lockfile(record("a")), {})
    with pytest.raises(UsageError, match="stands in the list alone") as raised:
        recorded.records(expression, None)
    assert "vidspec validate" in str(raised.value)
    with pytest.raises(UsageError, match="stands in the list alone"):
        recorded.records(None, expression)


def test_a_list_that_is_in_order_lends_its_tags_scenes_and_states(
    shots: Shots, lockfile: Callable[..., Path]
) -> None:
    path = shots("- {id: a, prompt: x, tags: [night]}\n- {id: b, prompt: y, scene: pier}\n- {id: c, prompt: z}")
    lockfile(record("a"), record("b"), record("gone"))
    recorded = Recorded(path, {})
    assert slates(recorded, "tag:night") == ["a-t01"]
    assert slates(recorded, "scene:pier") == ["b-t01"]
    assert slates(recorded, "state:stale") == ["a-t01", "b-t01"]
    assert slates(recorded, "state:missing") == ["gone-t01"]
    with pytest.raises(UsageError, match="matches nothing"):
        recorded.records("c", None)


def test_a_selection_that_matches_nothing_names_the_nearest(lockfile: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="the nearest is `harbour`"):
        Recorded(lockfile(record("harbour")), {}).records("harbor", None)


def test_a_list_that_is_wrong_is_no_reason_to_stop_unless_variables_are_given_for_it(
    shots: Shots, lockfile: Callable[..., Path]
) -> None:
    path = shots("- {id: a, prompt: x, durration: 2}", "vars: {weather: fog}\n")
    lockfile(record("a"))
    recorded = Recorded(path, {})
    assert recorded.opened is None
    assert slates(recorded, "a") == ["a-t01"]
    with pytest.raises(ShotListError):
        Recorded(path, {"weather": "rain"})


def test_a_variable_that_nothing_names_is_refused(shots: Shots, lockfile: Callable[..., Path]) -> None:
    path = shots("- {id: a, prompt: x}")
    lockfile(record("a"))
    with pytest.raises(UsageError, match="`--var weather=…` is used by nothing"):
        Recorded(path, {"weather": "rain"})


def test_what_was_delivered_and_not_written_down_yet_counts(lockfile: Callable[..., Path], project: Path) -> None:
    path = lockfile(record("a"))
    output = Output(path="renders/a-t01.mp4", sha256=f"sha256:{'1' * 64}", bytes=7)
    request = {"mode": "text_to_video"}
    sent = Record(shot="a", take=1, provider="nebula", model="sora-2", fingerprint=DIGEST, request=request)
    (project / ".vidspec/journal").mkdir(parents=True)
    with Journal(project / ".vidspec/journal/shots.jsonl") as log:
        log.intend("a-t01", sent, output=output.path, base_url="https://api.example.net")
        log.note("a-t01", "accepted", request_id="r1")
        log.note("a-t01", "succeeded")
        delivered = Record(
            shot="a",
            take=1,
            provider="nebula",
            model="sora-2",
            fingerprint=DIGEST,
            request=request,
            request_id="r1",
            output=output,
        )
        log.note("a-t01", "delivered", record=delivered)
    ((_, found),) = Recorded(path, {}).records(None, None)
    assert found.output == output
    assert [one.output and one.output.bytes for one in found.superseded] == [4]
