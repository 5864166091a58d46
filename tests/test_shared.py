"""A shared store in a folder, how stores are named, and how a project brings in what others have kept."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vidspec.errors import UsageError, VidspecError
from vidspec.shared import Altered, SharedError, fetch_missing, is_digest, open_shared
from vidspec.shared.folder import FolderStore
from vidspec.shared.transfer import appearing, object_name
from vidspec.store import Store

if TYPE_CHECKING:
    from vidspec.shared import Shared

Clip = Callable[[int], bytes]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def files(folder: Path) -> list[str]:
    """Every file in a folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    path.mkdir()
    return path


@pytest.fixture
def shared(root: Path) -> FolderStore:
    return FolderStore(root)


@pytest.fixture
def given(tmp_path: Path, clip: Clip) -> Path:
    """A clip in a project."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(1))
    return path


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: what a full disk is like."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["{}", "file://{}", "file://localhost{}", "FILE://{}", "{}/", "~/store", "file://{}%2F"]
)
def test_a_folder_is_named_by_its_path_or_address(
    root: Path, clip: Clip, given: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root.parent))
    opened = open_shared(form.format(root))
    assert opened.name == str(root)
    assert opened.keep(given, digest(clip(1)))
    assert files(root) == [object_name(digest(clip(1)))]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("store", "`store` is no absolute path of a folder"),
        ("./store", "`./store` is no absolute path of a folder"),
        ("~nobody-of-that-name/store", "is no absolute path of a folder"),
        ("/no/such/folder", "there is no folder `/no/such/folder` to share clips in"),
        ("/dev/null", "there is no folder `/dev/null`"),
        ("/a\0b", "is no absolute path of a folder"),
        ("file://elsewhere/store", "names no folder of this machine"),
        ("file:///store?x=1", "names no folder of this machine"),
        ("file:store", "is no absolute path of a folder"),
        ("https://u:hunter2@clips.example.net/store", "`https:` is no kind of shared store"),
        ("gs://clips", "`gs:` is no kind of shared store"),
        ("", "is no absolute path of a folder"),
    ],
)
def test_what_names_no_store_is_refused_with_what_would(name: str, message: str) -> None:
    with pytest.raises(UsageError, match="help:") as raised:
        open_shared(name)
    assert message in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_folder_that_nobody_may_look_into_is_said(tmp_path: Path) -> None:
    with pytest.raises(SharedError, match=r"cannot look into the shared store .*: file name too long"):
        open_shared(f"{tmp_path}/{'x' * 300}")


def test_without_the_extra_a_bucket_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['obstore'] = None\n"
        "from vidspec.shared import open_shared\n"
        "try:\n    open_shared('s3://clips')\n"
        "except Exception as error:\n    sys.stdout.write(f'{type(error).__name__}: {error}')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert said.stdout == (
        "UsageError: a shared store in a bucket needs an extra\n    help: `pip install 'vidspec[s3]'`"
    )


def test_a_folder_needs_no_extra(root: Path) -> None:
    code = "import sys; sys.modules['obstore'] = None\nfrom vidspec.shared import open_shared\n"
    code += f"open_shared({str(root)!r})"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"sha256:{'0' * 64}", True),
        (f"sha256:{'0' * 63}", False),
        (f"sha256:{'0' * 64}\n", False),
        (f"sha256:{'A' * 64}", False),
        ("sha256:../../../../etc/passwd", False),
        ("https://clips.example.net/a.png", False),
        (None, False),
        (True, False),
    ],
)
def test_a_digest_is_told_from_all_else(text: object, wanted: bool) -> None:
    assert is_digest(text) is wanted
    if isinstance(text, str) and not wanted:
        with pytest.raises(SharedError, match="is no digest"):
            object_name(text)


# --- a folder ------------------------------------------------------------------------------------------------


def test_bytes_are_kept_by_their_digest_as_in_a_project_and_brought_back(
    shared: FolderStore, root: Path, given: Path, clip: Clip, tmp_path: Path
) -> None:
    name = digest(clip(1))
    assert not shared.has(name)
    assert not shared.bring(name, tmp_path / "deep/back.mp4")
    assert not (tmp_path / "deep").exists()
    assert shared.keep(given, name)
    assert shared.has(name)
    assert files(root) == [f"{name[7:9]}/{name[9:]}"]
    own = Store(tmp_path / "film")
    assert own.place(name).relative_to(own.place(name).parents[1]) == Path(object_name(name))
    assert shared.bring(name, tmp_path / "deep/back.mp4")
    assert files(tmp_path / "deep") == ["back.mp4"]
    assert (tmp_path / "deep/back.mp4").read_bytes() == clip(1)


def test_what_is_there_is_not_written_again(shared: FolderStore, given: Path, root: Path, clip: Clip) -> None:
    assert shared.keep(given, digest(clip(1)))
    place = root / object_name(digest(clip(1)))
    before = place.stat()
    assert not shared.keep(given, digest(clip(1)))
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_in_the_store_follows_what_is_outside_of_it(
    shared: FolderStore, given: Path, root: Path, clip: Clip, tmp_path: Path
) -> None:
    shared.keep(given, digest(clip(1)))
    given.write_bytes(b"overwritten in place")
    back = tmp_path / "back.mp4"
    shared.bring(digest(clip(1)), back)
    with back.open("r+b") as file:
        file.write(b"overwritten too")
    place = root / object_name(digest(clip(1)))
    assert place.read_bytes() == clip(1)
    assert place.stat().st_nlink == 1


def test_what_is_kept_is_read_only_and_what_is_brought_is_not(
    shared: FolderStore, given: Path, root: Path, clip: Clip, tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        shared.keep(given, digest(clip(1)))
        shared.bring(digest(clip(1)), tmp_path / "back.mp4")
    finally:
        os.umask(before)
    assert (root / object_name(digest(clip(1)))).stat().st_mode & 0o777 == 0o440
    assert (tmp_path / "back.mp4").stat().st_mode & 0o777 == 0o640


def test_a_file_with_other_bytes_is_not_kept(shared: FolderStore, given: Path, root: Path, clip: Clip) -> None:
    with pytest.raises(Altered, match=r"^`clip.mp4` does not hold the bytes of sha256:"):
        shared.keep(given, digest(clip(2)))
    assert files(root) == []
    assert not shared.has(digest(clip(2)))


def test_changed_bytes_in_the_store_are_not_brought(
    shared: FolderStore, given: Path, root: Path, clip: Clip, tmp_path: Path
) -> None:
    shared.keep(given, digest(clip(1)))
    place = root / object_name(digest(clip(1)))
    place.chmod(0o644)
    place.write_bytes(clip(2))
    target = tmp_path / "renders/a.mp4"
    target.parent.mkdir()
    target.write_bytes(b"what stands here")
    with pytest.raises(Altered, match="have been changed") as raised:
        shared.bring(digest(clip(1)), target)
    assert f"take `{object_name(digest(clip(1)))}` away" in str(raised.value)
    assert target.read_bytes() == b"what stands here"
    assert files(target.parent) == ["a.mp4"]


def test_a_link_at_the_target_is_replaced_not_written_through(
    shared: FolderStore, given: Path, clip: Clip, tmp_path: Path
) -> None:
    shared.keep(given, digest(clip(1)))
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "a.mp4").symlink_to(victim)
    shared.bring(digest(clip(1)), tmp_path / "a.mp4")
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "a.mp4").read_bytes() == clip(1)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "directory"])
def test_what_is_no_file_in_the_store_is_not_waited_for(
    shared: FolderStore, root: Path, clip: Clip, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    place = root / object_name(digest(clip(1)))
    place.parent.mkdir()
    make(place)
    assert not shared.has(digest(clip(1)))
    assert not shared.bring(digest(clip(1)), tmp_path / "back.mp4")


def test_a_store_that_is_full_keeps_nothing_and_says_so(
    shared: FolderStore, given: Path, root: Path, clip: Clip
) -> None:
    with files_at_most(1000), pytest.raises(SharedError) as raised:
        shared.keep(given, digest(clip(1)))
    assert str(raised.value) == f"cannot keep {digest(clip(1))} in the shared store `{root}`: file too large"
    assert raised.value.exit_code == 1
    assert files(root) == []
    assert shared.keep(given, digest(clip(1)))


def test_a_project_that_is_full_is_not_blamed_on_the_store(
    shared: FolderStore, given: Path, clip: Clip, tmp_path: Path
) -> None:
    shared.keep(given, digest(clip(1)))
    with files_at_most(1000), pytest.raises(OSError, match="File too large"):
        shared.bring(digest(clip(1)), tmp_path / "film/back.mp4")
    assert files(tmp_path / "film") == []


def test_a_drive_that_is_gone_is_said(shared: FolderStore, given: Path, root: Path, clip: Clip) -> None:
    root.rmdir()
    with pytest.raises(SharedError, match="no such file or directory"):
        shared.keep(given, digest(clip(1)))
    assert not root.exists()


def test_a_file_that_is_gone_is_not_blamed_on_the_store(shared: FolderStore, given: Path, clip: Clip) -> None:
    given.unlink()
    with pytest.raises(FileNotFoundError):
        shared.keep(given, digest(clip(1)))


def test_what_a_killed_run_has_left_goes_after_a_day(
    shared: FolderStore, given: Path, root: Path, clip: Clip
) -> None:
    place = root / object_name(digest(clip(1)))
    place.parent.mkdir()
    old, new = (place.with_name(f".{name}.part") for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    shared.keep(given, digest(clip(1)))
    assert sorted(path.name for path in place.parent.iterdir()) == sorted((".new.part", place.name))


def test_many_machines_may_keep_and_bring_the_same_at_once(shared: FolderStore, root: Path, tmp_path: Path) -> None:
    data = os.urandom(1_500_000)
    given = tmp_path / "clip.mp4"
    given.write_bytes(data)
    target = tmp_path / "film/back.mp4"
    faults: list[BaseException] = []

    def work() -> None:
        try:
            FolderStore(root).keep(given, digest(data))
            assert FolderStore(root).bring(digest(data), target)
            assert target.read_bytes() == data
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert files(root) == [object_name(digest(data))]
    assert files(tmp_path / "film") == ["back.mp4"]


def test_a_file_that_fails_on_the_way_never_appears(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"

    def fail() -> None:
        with appearing(target) as file:
            file.write(b"half")
            assert not target.exists()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["a" * 251 + ".mp4", "夜" * 83 + ".mp4"], ids=["latin", "chinese"])
def test_the_longest_name_that_a_file_can_have_can_be_brought(
    shared: FolderStore, given: Path, clip: Clip, tmp_path: Path, name: str
) -> None:
    shared.keep(given, digest(clip(1)))
    assert shared.bring(digest(clip(1)), tmp_path / "film" / name)
    assert files(tmp_path / "film") == [name]


# --- into a project -----------------------------------------------------------------------------------------


def test_what_is_missing_is_brought_into_the_store_of_the_project(
    shared: FolderStore, tmp_path: Path, clip: Clip
) -> None:
    store, digests = Store(tmp_path / "film"), []
    for number in range(6):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(clip(number))
        digests.append(digest(clip(number)))
        shared.keep(path, digests[-1])
    store.keep_bytes(clip(0))
    wanted = [*reversed(digests), digests[3], digest(b"nowhere"), "https://clips.example.net/a.png", "sha256:x"]
    assert fetch_missing(store, shared, wanted) == digests[:0:-1]
    assert all(store.place(one).read_bytes() == clip(number) for number, one in enumerate(digests))
    assert fetch_missing(store, shared, wanted) == []


def test_the_rest_is_brought_before_changed_bytes_are_complained_of(
    shared: FolderStore, root: Path, tmp_path: Path, clip: Clip
) -> None:
    store, digests = Store(tmp_path / "film"), []
    for number in range(6):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(clip(number))
        digests.append(digest(clip(number)))
        shared.keep(path, digests[-1])
    place = root / object_name(digests[0])
    place.chmod(0o644)
    place.write_bytes(b"rot")
    with pytest.raises(Altered, match=digests[0]):
        fetch_missing(store, shared, digests)
    assert [store.holds(one) for one in digests] == [False, True, True, True, True, True]


class Unreachable:
    """A store that nobody reaches; it counts who tries."""

    name = "s3://clips"

    def __init__(self) -> None:
        self.asked = 0

    def has(self, digest: str) -> bool:
        raise SharedError("cannot look into the shared store `s3://clips`: it cannot be reached")

    def bring(self, digest: str, target: Path) -> bool:
        self.asked += 1
        time.sleep(0.01)
        raise SharedError("cannot read from the shared store `s3://clips`: it cannot be reached")

    def keep(self, path: Path, digest: str) -> bool:
        return self.has(digest)


def test_a_store_that_cannot_be_reached_is_not_asked_for_everything(tmp_path: Path) -> None:
    unreachable = Unreachable()
    shared: Shared = unreachable
    with pytest.raises(SharedError, match="it cannot be reached"):
        fetch_missing(Store(tmp_path), shared, [digest(bytes([number])) for number in range(200)])
    assert unreachable.asked < 50
    assert files(tmp_path) == []


def test_a_shared_store_fails_with_an_exit_code_of_its_own() -> None:
    assert issubclass(SharedError, VidspecError)
    assert (SharedError("x").exit_code, Altered("x").exit_code) == (1, 1)
