from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from vidspec.errors import MediaError
from vidspec.store import Store, clear_parts, file_digest, state_folder, whole

if TYPE_CHECKING:
    from pathlib import Path


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state")


def test_bytes_are_kept_by_their_digest_and_brought_back(store: Store, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    assert not store.holds(digest(b"clip"))
    assert store.keep(clip) == digest(b"clip") == store.keep_bytes(b"clip")
    clip.unlink()
    store.bring_back(digest(b"clip"), tmp_path / "deep/down/back.mp4")
    assert (tmp_path / "deep/down/back.mp4").read_bytes() == b"clip"
    assert store.holds(digest(b"clip"))


def test_kept_bytes_do_not_follow_the_file_they_were_kept_from(store: Store, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    kept = store.keep(clip)
    clip.write_bytes(b"other")
    assert store.place(kept).read_bytes() == b"clip"
    store.bring_back(kept, clip)
    clip.write_bytes(b"other")
    assert store.place(kept).read_bytes() == b"clip"


@pytest.mark.parametrize("way", ["keep", "keep_bytes"])
def test_damaged_bytes_are_made_good_when_the_same_are_kept_again(store: Store, tmp_path: Path, way: str) -> None:
    kept = store.keep_bytes(b"clip")
    store.place(kept).write_bytes(b"rot!")
    if way == "keep":
        (tmp_path / "clip.mp4").write_bytes(b"clip")
        store.keep(tmp_path / "clip.mp4")
    else:
        store.keep_bytes(b"clip")
    assert store.place(kept).read_bytes() == b"clip"


def test_damaged_bytes_are_not_brought_back(store: Store, tmp_path: Path) -> None:
    kept = store.keep_bytes(b"clip")
    store.place(kept).write_bytes(b"rot!")
    target = tmp_path / "back.mp4"
    target.write_bytes(b"what stands here")
    with pytest.raises(MediaError, match="have been changed"):
        store.bring_back(kept, target)
    assert target.read_bytes() == b"what stands here"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"before")

    def fail() -> None:
        with whole(target) as part:
            part.write_bytes(b"half")
            assert target.read_bytes() == b"before"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"before"
    with whole(target) as part:
        part.write_bytes(b"after")
        assert target.read_bytes() == b"before"
    assert target.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_the_block_does_not_write_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 251 + ".mp4", "夜" * 83 + ".mp4"], ids=["latin", "chinese"])
def test_the_longest_name_that_a_file_can_have_can_be_written(tmp_path: Path, name: str) -> None:
    with whole(tmp_path / name) as part:
        part.write_bytes(b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_link_that_lies_in_wait_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with whole(tmp_path / "a.mp4") as part:
        part.write_bytes(b"x")
        name = part.name
    (tmp_path / name).symlink_to(victim)
    with whole(tmp_path / "a.mp4") as part:
        part.write_bytes(b"y")
    assert victim.read_text() == "mine"


def test_an_output_that_is_a_link_is_replaced_not_written_through(tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.write_bytes(b"far")
    (tmp_path / "a.mp4").symlink_to(far)
    with whole(tmp_path / "a.mp4") as part:
        part.write_bytes(b"x")
    assert far.read_bytes() == b"far"
    assert (tmp_path / "a.mp4").read_bytes() == b"x"


def test_the_state_folder_ignores_itself_and_says_whose_it_is(tmp_path: Path) -> None:
    folder = state_folder(tmp_path)
    assert (folder / ".gitignore").read_text() == "*\n"
    assert "belongs to vidspec" in (folder / "README").read_text()
    (folder / "README").write_text("a note of mine")
    assert state_folder(tmp_path) == folder
    assert (folder / "README").read_text() == "a note of mine"


def test_parts_go_wherever_they_are_and_nothing_else_does(tmp_path: Path) -> None:
    stays = ("history.json", "drafts/a.part", "objects/ab/.hidden", "journal/.part")
    for name in (*stays, ".history.json.part", "drafts/.a-t01.mp4.part", "rehearsal/objects/ab/.cd.part"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".folder.part").mkdir()
    clear_parts(tmp_path)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(stays)
    clear_parts(tmp_path / "nowhere")


def test_half_a_kept_clip_goes_only_when_nobody_writes_it_any_more(tmp_path: Path) -> None:
    left, fresh = (tmp_path / f"objects/ab/.{name}.part" for name in ("left", "fresh"))
    left.parent.mkdir(parents=True)
    for one in (left, fresh):
        one.write_text("x")
    os.utime(left, (time.time() - 3600, time.time() - 3600))
    clear_parts(tmp_path)
    assert (left.exists(), fresh.exists()) == (False, True)


def test_a_digest_is_of_the_bytes(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(data)
    assert file_digest(tmp_path / "a") == digest(data)


def test_long_names_that_begin_alike_have_parts_of_their_own(tmp_path: Path) -> None:
    names = [f"{'渡' * 70}-{number}.mp4" for number in range(2)]
    with whole(tmp_path / names[0]) as one, whole(tmp_path / names[1]) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert [(tmp_path / name).read_bytes() for name in names] == [b"one", b"other"]
