from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from vidspec import landing
from vidspec.errors import MediaError
from vidspec.lock import Output, Record
from vidspec.outputs import same
from vidspec.state import Flight
from vidspec.store import Store, file_digest, whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / ".vidspec")


def output(path: Path) -> Output:
    return Output(path=path.name, sha256=file_digest(path), bytes=path.stat().st_size)


def flight(slate: str, path: str) -> Flight:
    record = Record(shot=slate.partition("-")[0], take=1)
    return Flight(slate=slate, move="accepted", record=record, output=path, base_url="x", since=0.0)


@pytest.mark.parametrize(
    ("stands", "stays"),
    [(b"new", True), (b"old", False), (b"older", True), (None, False)],
    ids=["the same", "another as long", "another", "nothing"],
)
def test_only_a_clip_that_could_be_taken_for_the_new_one_makes_way(
    store: Store, tmp_path: Path, stands: bytes | None, stays: bool
) -> None:
    target, new = tmp_path / "a.mp4", tmp_path / "new.mp4"
    new.write_bytes(b"new")
    if stands is not None:
        target.write_bytes(stands)
        kept = file_digest(target)
    landing.make_way(store, target, output(new))
    assert target.exists() == stays
    if stands is not None and not stays:
        assert store.place(kept).read_bytes() == stands


def test_a_clip_that_cannot_be_kept_makes_no_way(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("a.mp4", "new.mp4"):
        (tmp_path / name).write_text(name[:1])
    monkeypatch.setattr(Store, "keep", full)
    with pytest.raises(OSError, match="No space"):
        landing.make_way(store, tmp_path / "a.mp4", output(tmp_path / "new.mp4"))
    assert (tmp_path / "a.mp4").read_text() == "a"


def test_every_clip_of_a_take_that_is_gone_finds_a_place_of_its_own() -> None:
    """On a file system that does not tell capitals, these are all one file."""
    taken = {same("renders/ab/ab-t01.mp4")}
    names = ("ab-t01", "aB-t01", "Ab-t01", "AB-t01")
    found = [landing.place_left(flight(name, f"renders/{name[:2]}/{name}.mp4"), taken) for name in names]
    assert found == [
        ".vidspec/gone/ab-t01.mp4",
        ".vidspec/gone/2/aB-t01.mp4",
        ".vidspec/gone/3/Ab-t01.mp4",
        ".vidspec/gone/4/AB-t01.mp4",
    ]


def test_what_cannot_be_read_is_set_aside_and_said_where(tmp_path: Path) -> None:
    def fetch() -> None:
        with whole(tmp_path / "a.mp4") as part, landing.set_aside(tmp_path, part, "a-t01"):
            part.write_bytes(b"bytes")
            raise MediaError("no clip")

    with pytest.raises(MediaError, match=r"^no clip; what came is kept as `\.vidspec/unread/a-t01\.mp4`$"):
        fetch()
    assert (tmp_path / ".vidspec/unread/a-t01.mp4").read_bytes() == b"bytes"
    assert not (tmp_path / "a.mp4").exists()


def test_nothing_at_all_is_not_set_aside(tmp_path: Path) -> None:
    (tmp_path / "part").touch()
    with pytest.raises(MediaError, match=r"^no clip$"), landing.set_aside(tmp_path, tmp_path / "part", "a-t01"):
        raise MediaError("no clip")
    assert not (tmp_path / ".vidspec").exists()


def test_where_it_cannot_be_set_aside_what_is_wrong_is_said_alone(tmp_path: Path) -> None:
    for name in (".vidspec", "part"):
        (tmp_path / name).write_text("a file")
    with pytest.raises(MediaError, match=r"^no clip$"), landing.set_aside(tmp_path, tmp_path / "part", "a-t01"):
        raise MediaError("no clip")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (OSError(9, "Bad file descriptor", 7), "bad file descriptor"),
        (PermissionError(13, "Permission denied", "/etc/x"), "permission denied: /etc/x"),
        (PermissionError(13, "Permission denied", b"/film/a.mp4"), "permission denied: a.mp4"),
        (OSError(18, "Invalid cross-device link", "/film/.a.part", None, "/film/b/a.mp4"),
         "invalid cross-device link: b/a.mp4"),
    ],
    ids=["no file", "a descriptor", "outside", "bytes", "two files"],
)  # fmt: skip
def test_a_reason_names_the_file_where_there_is_one(error: OSError, said: str, tmp_path: Path) -> None:
    assert landing.reason_of(error, tmp_path.__class__("/film")) == said
