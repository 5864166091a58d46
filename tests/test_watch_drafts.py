"""Which drafts are wanting, and a few of them drawn."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from vidspec import studio
from vidspec.errors import Refusal, UsageError
from vidspec.events import Tally
from vidspec.planned import Afloat
from vidspec.project import open_lists, read_lock
from vidspec.site import Site
from vidspec.store import state_folder
from vidspec.watch.drafts import Drafts, draw, held, is_open, look_at

if TYPE_CHECKING:
    from vidspec.planned import Plan
    from vidspec.project import Opened

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]

CHAIN = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a, at: last}}
- {id: c, prompt: three, first_frame: {shot: b, at: last}}
- {id: d, prompt: four}
"""


def opened(path: Path) -> Opened:
    (found,), _ = open_lists([path], {}, offline=True)
    return found


def standing(film: Opened) -> tuple[Drafts, Plan]:
    lock, flights = film.read()
    real = film.plan(lock, Afloat(flights=flights))
    return look_at(film, real), real


def drafts(path: Path) -> Drafts:
    return standing(opened(path))[0]


def drawn(path: Path, *slates: str, shares: dict[str, float] | None = None) -> Tally:
    """Draw some drafts, and how it ended."""
    tally = Tally()
    told = (lambda _slate, _share: None) if shares is None else shares.__setitem__
    trio.run(_draw, opened(path), set(slates), tally, told, trio.Lock())
    return tally


async def _draw(
    film: Opened, slates: set[str], tally: Tally, told: Callable[[str, float], None], quiet: trio.Lock
) -> None:
    async with held(film, quiet) as intent:
        await draw(intent, slates, tally, told)


# --- what is wanting ---------------------------------------------------------------------------------------


def test_of_a_new_list_every_draft_is_wanting(shots: Shots) -> None:
    found = drafts(shots(CHAIN))
    assert list(found.wanting) == ["a-t01", "b-t01", "c-t01", "d-t01"]
    assert found.current == frozenset()


def test_a_draft_that_is_drawn_is_current_until_its_take_is_edited(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    drawn(path, "a-t01")
    found = drafts(path)
    assert found.current == {"a-t01"}
    assert set(found.wanting) == {"b-t01"}
    found = drafts(shots("- {id: a, prompt: other}\n- {id: b, prompt: two}"))
    assert (found.current, set(found.wanting)) == (frozenset(), {"a-t01", "b-t01"})


def test_a_draft_is_drawn_again_behind_one_that_is_another(shots: Shots) -> None:
    path = shots(CHAIN)
    drawn(path, "a-t01", "b-t01", "c-t01", "d-t01")
    assert not drafts(path).wanting
    found = drafts(shots(CHAIN.replace("one", "another")))
    assert set(found.wanting) == {"a-t01", "b-t01", "c-t01"}
    assert found.portion(1) == {"a-t01"}


def test_what_is_rendered_as_it_is_written_wants_no_draft_and_what_is_edited_since_does(
    shots: Shots, vidspec: Vidspec
) -> None:
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    assert vidspec("render", "shots.yaml").returncode == 0
    assert not drafts(path).wanting
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: other}\n- {id: c, prompt: new}")
    assert set(drafts(path).wanting) == {"b-t01", "c-t01"}


def test_an_edit_that_somebody_has_accepted_wants_no_draft(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots("- {id: a, prompt: other}")
    assert set(drafts(path).wanting) == {"a-t01"}
    assert vidspec("accept", "shots.yaml", "a").returncode == 0
    assert not drafts(path).wanting


def test_a_rendered_take_is_drawn_all_the_same_where_a_new_one_begins_with_its_frame(
    shots: Shots, vidspec: Vidspec
) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}")
    assert list(drafts(path).wanting) == ["a-t01", "b-t01"]
    drawn(path, "a-t01", "b-t01")
    found, real = standing(opened(path))
    assert found.current == {"a-t01", "b-t01"}
    assert [one.slate for one in real.takes if is_open(one)] == ["b-t01"]


def test_a_damaged_lockfile_of_drafts_hides_nothing(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    drawn(path, "a-t01")
    Site.drafts(path).lock.write_text("<<<<<<<\n")
    assert set(drafts(path).wanting) == {"a-t01"}


# --- portions ----------------------------------------------------------------------------------------------


def test_a_portion_holds_what_its_takes_need_and_those_that_matter_first(shots: Shots) -> None:
    found = drafts(shots(CHAIN))
    assert found.portion(1) == {"a-t01"}
    assert found.portion(1, first={"d-t01"}) == {"d-t01"}
    assert found.portion(1, first={"c-t01"}) == {"a-t01", "b-t01", "c-t01"}
    assert found.portion(2, first={"d-t01"}) == {"d-t01", "a-t01"}
    assert found.portion(99) == set(found.wanting)


def test_what_stands_behind_a_take_that_is_left_out_is_left_out_too(shots: Shots) -> None:
    found = drafts(shots(CHAIN))
    assert set(found.without({"b-t01"}).wanting) == {"a-t01", "d-t01"}
    assert set(found.without({"a-t01"}).wanting) == {"d-t01"}
    assert set(found.without(()).wanting) == set(found.wanting)


# --- drawing -----------------------------------------------------------------------------------------------


def test_only_what_is_asked_for_is_drawn_and_written_in_the_state_folder_alone(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    shares: dict[str, float] = {}
    tally = drawn(path, "a-t02", shares=shares)
    assert tally.rendered == ["a-t02"]
    assert shares == {"a-t02": 1.0}
    assert [one.name for one in (project / ".vidspec/drafts").glob("*.mp4")] == ["a-t02.mp4"]
    assert {one.name for one in project.iterdir()} == {"shots.yaml", ".vidspec"}


def test_no_key_is_read_and_no_provider_asked_also_where_the_list_is_for_providers(
    shots: Shots, clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing may be asked for")

    monkeypatch.setattr("vidspec.http.open_client", forbidden)
    monkeypatch.setattr("vidspec.account.key", forbidden)
    monkeypatch.setattr("vidspec.clearance.accounts", forbidden)
    monkeypatch.setattr("vidspec.clearance.consent", forbidden)
    entry = "{id: a, provider: minimax, model: MiniMax-Hailuo-02, resolution: 768p, duration: 6, prompt: x}"
    monkeypatch.setattr(studio, "draw", lambda _take, _pictures, path, **_: path.write_bytes(clip(1)))
    path = shots(f"- {entry}", "budget: {usd: 0}\n", defaults="{}")
    assert drawn(path, "a-t01").rendered == ["a-t01"]


def test_the_real_lockfile_and_journal_are_left_alone(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml").returncode == 0
    before = hashlib.sha256((project / "shots.lock").read_bytes()).hexdigest()
    clip = (project / "renders/a/a-t01.mp4").read_bytes()
    drawn(shots("- {id: a, prompt: other}"), "a-t01")
    assert hashlib.sha256((project / "shots.lock").read_bytes()).hexdigest() == before
    assert (project / "renders/a/a-t01.mp4").read_bytes() == clip
    assert not (project / ".vidspec/journal").exists()


@contextmanager
def taken(project: Path) -> Iterator[None]:
    """Another process's hold, as this one sees it."""
    path = state_folder(project) / "run.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, b"process 7 on somewhere\n")
        yield
    finally:
        os.close(descriptor)


def test_where_another_run_holds_the_project_nothing_is_drawn_and_nothing_is_left(
    shots: Shots, project: Path
) -> None:
    path = shots("- {id: a, prompt: one}")
    with taken(project), pytest.raises(Refusal, match="another run holds this project: process 7 on somewhere"):
        drawn(path, "a-t01")
    assert not list(project.rglob("*.mp4"))
    assert drawn(path, "a-t01").rendered == ["a-t01"]


def test_the_project_is_free_again_when_the_drawing_is_broken_off(
    shots: Shots, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shots("- {id: a, prompt: one}")
    begun = trio.Event()
    real = studio.draw

    def slowly(*given: Any, progress: Callable[[int, int], None], **named: Any) -> None:
        trio.from_thread.run_sync(begun.set)
        for _ in range(1000):
            trio.from_thread.run(trio.sleep, 0.01)
            progress(1, 1000)

    monkeypatch.setattr(studio, "draw", slowly)
    tally = Tally()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            film, quiet = opened(path), trio.Lock()
            nursery.start_soon(_draw, film, {"a-t01"}, tally, lambda _slate, _share: None, quiet)
            with trio.fail_after(10):
                await begun.wait()
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert tally.rendered == []
    assert [one for one in project.rglob("*") if one.name.endswith(".part")] == []
    monkeypatch.setattr(studio, "draw", real)
    assert drawn(path, "a-t01").rendered == ["a-t01"]
    assert "a-t01" in read_lock(Site.drafts(path).lock)


def test_a_take_that_cannot_be_drawn_is_told_and_stops_only_what_needs_it(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shots(CHAIN)
    real = studio.draw

    def picky(take: Any, *given: Any, **named: Any) -> None:
        if take.slate == "a-t01":
            raise OSError(28, "No space left on device")
        real(take, *given, **named)

    monkeypatch.setattr(studio, "draw", picky)
    tally = drawn(path, "a-t01", "b-t01", "d-t01")
    assert tally.rendered == ["d-t01"]
    assert tally.failed == {"a-t01": "no space left on device"}
    assert tally.blocked == {"b-t01": "a-t01"}


def test_a_project_that_may_only_be_read_is_one_line(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_project: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("vidspec.production.state_folder", refused)
    with pytest.raises(UsageError, match="cannot write in the project folder: permission denied"):
        drawn(shots("- {id: a, prompt: one}"), "a-t01")


def test_nobody_may_write_what_is_not_whole_while_the_project_is_taken(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one}")
    quiet = trio.Lock()

    async def main() -> None:
        film = opened(path)
        async with trio.open_nursery() as nursery:
            await quiet.acquire()
            nursery.start_soon(_draw, film, {"a-t01"}, Tally(), lambda _slate, _share: None, quiet)
            await trio.testing.wait_all_tasks_blocked(0.05)
            part = state_folder(project) / ".poster.part"
            part.write_text("half")
            assert not (project / ".vidspec/run.lock").exists()
            assert part.exists()
            part.unlink()
            quiet.release()

    trio.run(main)
    assert (project / ".vidspec/drafts/a-t01.mp4").exists()
