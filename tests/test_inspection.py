"""Recorded clips against files: real clips, damaged ones, and whatever else may stand at their place."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import inspection
from vidspec.inspection import damage, inspect, kept
from vidspec.lock import Output, Record
from vidspec.store import Store

if TYPE_CHECKING:
    from pathlib import Path

PATH = "renders/a/a-t01.mp4"
Clip = Callable[[int], bytes]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the clip of the record stands, in a project of its own."""
    path = tmp_path / "film" / PATH
    path.parent.mkdir(parents=True)
    return path


def record(data: bytes, **about: Any) -> Record:
    output = Output(
        path=PATH,
        sha256=digest(data),
        bytes=len(data),
        width=64,
        height=36,
        fps=10.0,
        duration=0.2,
        audio=False,
    )
    request = {"mode": "text_to_video", **about}
    return Record(shot="a", take=1, provider="nebula", model="veo-3.0-generate-001", request=request, output=output)


def edited(record: Record, **facts: Any) -> Record:
    """The record with other facts about its clip."""
    assert record.output is not None
    return replace(record, output=replace(record.output, **facts))


def found(place: Path, record: Record) -> tuple[str, list[str]]:
    """The state of a take, and what is said of it."""
    finding = inspect(place.parents[2], "a-t01", record)
    return finding.state, [one.message for one in finding.problems]


def test_a_clip_as_it_was_recorded_and_asked_for_is_ok(place: Path, clip: Clip) -> None:
    place.write_bytes(clip(1))
    assert found(place, record(clip(1), size="64x36", duration=0.2, fps=10, audio=False)) == ("ok", [])


def test_a_file_that_is_gone_is_missing(place: Path, clip: Clip) -> None:
    assert found(place, record(clip(1))) == ("missing", [f"there is no file `{PATH}`"])
    place.parent.rmdir()
    place.parent.write_bytes(b"a file where a folder was")
    assert found(place, record(clip(1)))[0] == "missing"


def test_other_bytes_are_named_with_all_that_they_differ_in(place: Path, clip: Clip) -> None:
    place.write_bytes(clip(2) + bytes(8))
    state, messages = found(place, edited(record(clip(1)), fps=12.0))
    assert state == "changed"
    assert len(messages) == 3
    assert messages[0].startswith(f"`{PATH}` holds other bytes: {digest(clip(2) + bytes(8))[:19]}…")
    assert messages[1] == f"`{PATH}` is {len(clip(2)) + 8} bytes, recorded as {len(clip(1))}"
    assert messages[2] == "it has 10 frames a second, recorded as 12"


def test_one_flipped_bit_is_a_change(place: Path, clip: Clip) -> None:
    data = bytearray(clip(1))
    data[-1] ^= 1
    place.write_bytes(data)
    finding = inspect(place.parents[2], "a-t01", record(clip(1)))
    assert finding.state == "changed"
    assert "sha256" in {one.kind for one in finding.problems}
    assert "bytes" not in {one.kind for one in finding.problems}


def test_a_clip_cut_short_is_changed_and_no_clip(place: Path, clip: Clip) -> None:
    place.write_bytes(clip(1)[: len(clip(1)) // 2])
    finding = inspect(place.parents[2], "a-t01", record(clip(1)))
    assert finding.state == "changed"
    assert [one.kind for one in finding.problems] == ["sha256", "bytes", "no_clip"]
    assert str(place.parents[2]) not in finding.problems[2].message


def test_a_file_with_the_right_bytes_that_is_no_clip_is_unreadable(place: Path) -> None:
    place.write_bytes(b"no clip")
    assert found(place, record(b"no clip")) == ("unreadable", [f"`{PATH}` is not a clip that can be read"])


def test_a_file_that_cannot_be_opened_is_unreadable(place: Path, clip: Clip) -> None:
    place.symlink_to(place.name)  # nobody can, not even the administrator
    state, (message,) = found(place, record(clip(1)))
    assert state == "unreadable"
    assert message.startswith(f"cannot read `{PATH}`: too many levels of symbolic links")


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.mkdir(), "a directory"),
        (os.mkfifo, "a pipe"),
        (lambda path: path.symlink_to("/dev/null"), "outside"),
    ],
    ids=["directory", "pipe", "device"],
)
def test_what_is_no_file_is_not_opened(place: Path, clip: Clip, make: Callable[[Path], None], kind: str) -> None:
    make(place)
    state, (message,) = found(place, record(clip(1)))
    assert state == "changed"
    if kind == "outside":
        assert message == f"`{PATH}` leads out of the project folder, to `/dev/null`"
    else:
        assert message == f"`{PATH}` is {kind}, no file"


def test_a_socket_is_no_file(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # its name must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.mp4")
        short = replace(record(clip(1)), output=Output(path="s.mp4", sha256=digest(b""), bytes=0))
        assert inspect(tmp_path, "a-t01", short).problems[0].message == "`s.mp4` is a socket, no file"


def test_a_link_inside_the_project_is_followed_and_one_out_of_it_is_not(place: Path, clip: Clip) -> None:
    (place.parent / "real.mp4").write_bytes(clip(1))
    place.symlink_to("real.mp4")
    assert found(place, record(clip(1))) == ("ok", [])
    place.unlink()
    place.symlink_to("gone.mp4")
    assert found(place, record(clip(1))) == ("missing", [f"`{PATH}` is a link to nothing"])
    place.unlink()
    outside = place.parents[3] / "same.mp4"
    outside.write_bytes(clip(1))
    place.symlink_to(outside)
    state, (message,) = found(place, record(clip(1)))
    assert state == "changed"
    assert message.startswith(f"`{PATH}` leads out of the project folder")


def test_a_folder_on_the_way_that_leads_out_is_said_too(place: Path, clip: Clip, tmp_path: Path) -> None:
    place.parent.rmdir()
    far = tmp_path / "far"
    far.mkdir()
    (far / place.name).write_bytes(clip(1))
    place.parent.symlink_to(far)
    assert found(place, record(clip(1)))[0] == "changed"


def test_a_project_that_is_itself_reached_by_a_link_is_no_way_out(place: Path, clip: Clip, tmp_path: Path) -> None:
    place.write_bytes(clip(1))
    (tmp_path / "short").symlink_to(place.parents[2])
    assert inspect(tmp_path / "short", "a-t01", record(clip(1))).state == "ok"


def test_what_was_delivered_otherwise_than_asked_is_a_mismatch_even_where_the_file_is_gone(
    place: Path, clip: Clip
) -> None:
    asked = record(clip(1), size="1280x720", audio=True)
    words = ["it is 64x36, not 1280x720", "it has no sound, and sound was asked for"]
    state, messages = found(place, asked)
    assert (state, messages[1:]) == ("missing", words)
    place.write_bytes(clip(1))
    assert found(place, asked) == ("mismatch", words)


@pytest.mark.parametrize(
    ("provider", "model", "mode"),
    [
        ("nobody", "veo-3.0-generate-001", "text_to_video"),
        ("nebula", "veo-9", "text_to_video"),
        ("nebula", "veo-3.0-generate-001", "telepathy"),
        (None, None, None),
    ],
)
def test_a_model_that_no_table_knows_is_compared_all_the_same(
    place: Path, clip: Clip, provider: str | None, model: str | None, mode: str | None
) -> None:
    place.write_bytes(clip(1))
    asked = replace(record(clip(1), size="1280x720"), provider=provider, model=model)
    request = {**(asked.request or {}), "mode": mode}
    assert found(place, replace(asked, request=request))[0] == "mismatch"


def test_facts_that_were_edited_in_the_lockfile_are_a_mismatch(place: Path, clip: Clip) -> None:
    place.write_bytes(clip(1))
    finding = inspect(place.parents[2], "a-t01", edited(record(clip(1)), bytes=7, width=640, audio=True))
    assert finding.state == "mismatch"
    assert [(one.kind, one.expected, one.found) for one in finding.problems] == [
        ("bytes", 7, len(clip(1))),
        ("size", "640x36", "64x36"),
        ("audio", True, False),
    ]


def test_a_large_file_is_read_block_by_block(place: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "BLOCK", 100)
    place.write_bytes(clip(1))
    assert found(place, record(clip(1))) == ("ok", [])


def test_a_path_from_a_lockfile_cannot_speak_to_the_terminal(place: Path, clip: Clip) -> None:
    output = Output(path="\033]0;x.mp4", sha256=digest(clip(1)), bytes=1)
    _, (message,) = found(place, replace(record(clip(1)), output=output))
    assert message == "there is no file `\\x1b]0;x.mp4`"


# --- what is kept ------------------------------------------------------------------------------------------


def test_kept_bytes_are_held_against_their_names(tmp_path: Path, clip: Clip) -> None:
    store = Store(tmp_path)
    digests = sorted(store.keep_bytes(clip(number)) for number in range(3))
    for name in ("00/short", "junk", f"00/.{'0' * 62}.part"):
        path = store.place(digests[0]).parents[1] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"none of ours")
    assert [name for name, _ in kept(store)] == digests
    assert [damage(*one) for one in kept(store)] == [None, None, None]
    store.place(digests[0]).write_bytes(b"rot")
    store.place(digests[1]).unlink()
    store.place(digests[1]).mkdir()
    store.place(digests[2]).unlink()
    store.place(digests[2]).symlink_to(store.place(digests[2]))
    told = [one for one in (damage(*each) for each in kept(store)) if one is not None]
    assert [(one.sha256, one.found) for one in told] == [
        (digests[0], digest(b"rot")),
        (digests[1], None),
        (digests[2], None),
    ]
    assert [one.message.partition(":")[0] for one in told] == [
        "it holds other bytes",
        "it is a directory, no file",
        "cannot be read",
    ]


def test_where_nothing_was_ever_kept_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert kept(Store(tmp_path)) == []
