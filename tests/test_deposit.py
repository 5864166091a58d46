"""What records name, where it is found in a project, and what comes of it in a shared store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vidspec.deposit import Deposit, Depositor, Wanted, wanted
from vidspec.lock import Output, Record
from vidspec.shared import SharedError
from vidspec.shared.folder import FolderStore
from vidspec.shared.transfer import object_name
from vidspec.store import Store

if TYPE_CHECKING:
    from pathlib import Path

Clip = Callable[[int], bytes]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def record(data: bytes, path: str = "renders/a.mp4", **about: Any) -> Record:
    output = Output(path=path, sha256=digest(data), bytes=len(data))
    return Record(shot="a", take=1, fingerprint=digest(b""), request=about, output=output)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    (path / "renders").mkdir(parents=True)
    return path


@pytest.fixture
def shared(tmp_path: Path) -> FolderStore:
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def put(film: Path, shared: FolderStore) -> Callable[..., Deposit]:
    """Puts one thing into the shared store."""

    def call(one: Wanted, *, dry_run: bool = False) -> Deposit:
        return Depositor(film, Store(film / ".vidspec"), shared, dry_run=dry_run).deposit(one)

    return call


# --- what is wanted -----------------------------------------------------------------------------------------


def test_clips_come_first_then_the_pictures_frames_and_sounds_that_stand_by_digest() -> None:
    first, second, third, sound = (digest(bytes([number])) for number in range(4))
    address = "https://clips.example.net/a.png"
    about: dict[str, Any] = {
        "prompt": first.replace("0", "1"),
        "first_frame": first,
        "last_frame": address,
        "references": [second, address, third],
        "audio": sound,
    }
    records = [("a-t01", record(b"clip", **about)), ("b-t01", record(b"other"))]
    found = wanted(records, {third: "c.png"}, superseded=False)
    assert [(one.slate, one.what, one.sha256, one.places) for one in found] == [
        ("a-t01", "clip", digest(b"clip"), ("renders/a.mp4",)),
        ("b-t01", "clip", digest(b"other"), ("renders/a.mp4",)),
        ("a-t01", "picture", first, ()),
        ("a-t01", "picture", sound, ()),
        ("a-t01", "picture", second, ()),
        ("a-t01", "picture", third, ("c.png",)),
    ]


def test_a_record_may_know_itself_where_its_pictures_stood() -> None:
    first, second = digest(b"1"), digest(b"2")
    one = replace(
        record(b"clip", first_frame=first, references=["https://clips.example.net/a.png", second]),
        pictures={"first_frame": "rain.png", "references.1": "fog.png", "last_frame": "gone.png"},
    )
    found = wanted([("a-t01", one)], {second: "moved.png"}, superseded=False)
    assert [one.places for one in found[1:]] == [("rain.png",), ("fog.png", "moved.png")]


@pytest.mark.parametrize("value", [True, False, None, 3, {"slate": "a-t01"}, "sha256:short"])
def test_what_is_no_digest_is_not_wanted(value: Any) -> None:
    one = record(b"clip", audio=value, first_frame=value, references=value)
    found = wanted([("a-t01", one)], {}, superseded=True)
    assert [one.what for one in found] == ["clip"]


def test_a_take_that_was_never_rendered_wants_nothing() -> None:
    assert wanted([("a-t01", Record(shot="a", take=1))], {}, superseded=True) == []


def test_former_clips_and_their_pictures_are_wanted_when_asked_for() -> None:
    former = record(b"former", "old/a.mp4", first_frame=digest(b"picture"))
    now = replace(record(b"clip"), superseded=(former, record(b"clip")))
    assert [one.what for one in wanted([("a-t01", now)], {}, superseded=False)] == ["clip"]
    found = wanted([("a-t01", now)], {}, superseded=True)
    assert [(one.what, one.sha256, one.places) for one in found] == [
        ("clip", digest(b"clip"), ("renders/a.mp4",)),
        ("former clip", digest(b"former"), ("old/a.mp4",)),
        ("picture", digest(b"picture"), ()),
    ]


def test_bytes_that_several_takes_name_are_wanted_once() -> None:
    records = [(f"{name}-t01", record(b"clip", first_frame=digest(b"picture"))) for name in "abc"]
    assert [(one.slate, one.what) for one in wanted(records, {}, superseded=True)] == [
        ("a-t01", "clip"),
        ("a-t01", "picture"),
    ]


# --- what comes of it ---------------------------------------------------------------------------------------


def clip_at(*places: str, data: bytes) -> Wanted:
    return Wanted(slate="a-t01", what="clip", sha256=digest(data), places=places)


def test_a_clip_is_found_where_it_stands_or_where_it_is_kept(
    put: Callable[..., Deposit], film: Path, shared: FolderStore, clip: Clip
) -> None:
    (film / "renders/a.mp4").write_bytes(clip(1))
    Store(film / ".vidspec").keep_bytes(clip(2))
    for data in (clip(1), clip(2)):
        one = clip_at("renders/a.mp4", data=data)
        assert put(one) == Deposit(wanted=one, state="pushed", size=len(data))
        assert put(one) == Deposit(wanted=one, state="there")
        assert shared.has(digest(data))


def test_a_dry_run_says_the_same_and_does_nothing(
    put: Callable[..., Deposit], film: Path, shared: FolderStore, clip: Clip, tmp_path: Path
) -> None:
    (film / "renders/a.mp4").write_bytes(clip(1))
    one = clip_at("renders/a.mp4", data=clip(1))
    assert put(one, dry_run=True) == Deposit(wanted=one, state="to_push", size=len(clip(1)))
    assert put(clip_at("renders/a.mp4", data=clip(2)), dry_run=True).state == "changed"
    assert put(clip_at("renders/b.mp4", data=clip(2)), dry_run=True).state == "missing"
    assert list((tmp_path / "store").iterdir()) == []
    put(one)
    assert put(one, dry_run=True).state == "there"


def test_damaged_kept_bytes_do_not_hide_the_clip_at_its_place(
    put: Callable[..., Deposit], film: Path, shared: FolderStore, clip: Clip
) -> None:
    (film / "renders/a.mp4").write_bytes(clip(1))
    store = Store(film / ".vidspec")
    store.keep_bytes(clip(1))
    store.place(digest(clip(1))).write_bytes(b"rot")
    assert put(clip_at("renders/a.mp4", data=clip(1))).state == "pushed"
    assert shared.bring(digest(clip(1)), film / "back.mp4")


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (lambda path: None, "missing"),
        (lambda path: path.write_bytes(b"others"), "changed"),
        (lambda path: path.mkdir(), "missing"),
        (os.mkfifo, "missing"),
        (lambda path: path.symlink_to(path.name), "missing"),
        (lambda path: path.symlink_to("/etc/hostname"), "missing"),
    ],
    ids=["nothing", "other-bytes", "directory", "pipe", "loop", "link-out"],
)
def test_what_cannot_be_pushed_is_lost_to_others(
    put: Callable[..., Deposit], film: Path, clip: Clip, make: Callable[[Path], None], state: str
) -> None:
    make(film / "renders/a.mp4")
    found = put(clip_at("renders/a.mp4", data=clip(1)))
    assert (found.state, found.size, found.is_lost) == (state, None, True)
    picture = replace(found.wanted, what="picture")
    assert not put(picture).is_lost


def test_nothing_outside_of_the_project_is_pushed(
    put: Callable[..., Deposit], film: Path, shared: FolderStore, clip: Clip, tmp_path: Path
) -> None:
    outside = tmp_path / "mine.png"
    outside.write_bytes(clip(1))
    (film / "in.png").symlink_to(outside)
    for path in ("../mine.png", str(outside), "in.png"):
        assert put(clip_at(path, data=clip(1))).state == "missing"
    assert not shared.has(digest(clip(1)))
    (film / "real.png").write_bytes(clip(1))
    (film / "alias.png").symlink_to("real.png")
    assert put(clip_at("alias.png", data=clip(1))).state == "pushed"


def test_a_file_that_cannot_be_read_is_said(put: Callable[..., Deposit], film: Path, clip: Clip) -> None:
    assert put(clip_at(f"{'x' * 300}.png", data=clip(1))).state == "unreadable"


def test_a_store_that_cannot_be_written_ends_it(
    put: Callable[..., Deposit], film: Path, clip: Clip, tmp_path: Path
) -> None:
    (film / "renders/a.mp4").write_bytes(clip(1))
    name = object_name(digest(clip(1)))
    (tmp_path / "store" / name.partition("/")[0]).write_bytes(b"a file where a folder is to be")
    with pytest.raises(SharedError, match="cannot keep sha256:"):
        put(clip_at("renders/a.mp4", data=clip(1)))
