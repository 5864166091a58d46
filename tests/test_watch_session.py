"""A list that is watched: real files, real saves, real sockets; how long is waited between looks is set shorter."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image

from vidspec import studio
from vidspec.errors import ShotListError, UsageError, VidspecError
from vidspec.store import state_folder
from vidspec.watch import Moment, Session, artist, lookout, session

if TYPE_CHECKING:
    from vidspec.take import Take

Shots = Callable[..., Path]
TWO = "- {id: a, prompt: one}\n- {id: b, prompt: two}"
PATIENCE = 20.0
GLANCE = 0.1
"""Seconds after which is looked again: of what threads do, or what was there only for a moment, nobody tells."""

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that waits a while waits less."""
    monkeypatch.setattr(lookout, "EVERY", 0.02)
    monkeypatch.setattr(lookout, "REST", 0.02)
    monkeypatch.setattr(lookout, "RECORDS_EVERY", 0.1)
    monkeypatch.setattr(artist, "AGAIN_EVERY", 0.05)
    monkeypatch.setattr(artist, "TELL_EVERY", 0.02)
    monkeypatch.setattr(artist, "AT_ONCE", 0.0)
    monkeypatch.setattr(session, "PRINT_EVERY", 0.02)


class Studio:
    """Draws by handing out one clip, and notes what; takes named in `slow` wait until they are let go."""

    def __init__(self, clip: bytes) -> None:
        self._clip = clip
        self.drawn: list[str] = []
        self.begun: list[str] = []
        self.slow: set[str] = set()
        self.broken: dict[str, Exception] = {}
        self.go = threading.Event()

    def draw(
        self, take: Take, pictures: Any, path: Path, *, title: str, progress: Callable[[int, int], None]
    ) -> None:
        words = f"{take.slate}: {take.request['prompt']}"
        self.begun.append(words)
        while take.slate in self.slow and not self.go.wait(0.01):
            progress(1, 4)
        if take.slate in self.broken:
            raise self.broken[take.slate]
        path.write_bytes(self._clip + words.encode())
        progress(4, 4)
        self.drawn.append(words)


@pytest.fixture
def drawing(clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    made = Studio(clip(1))
    monkeypatch.setattr(studio, "draw", made.draw)
    yield made
    made.go.set()


class Watched:
    """A session that is going on, as its page and its terminal have it."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.address = ""
        self.state: dict[str, Any] = {}
        self.past: list[dict[str, Any]] = []
        self._changed = trio.Event()

    def hear(self, moment: Moment) -> None:
        self.moments.append(moment)
        self._wake()

    def told(self, state: dict[str, Any]) -> None:
        self.state = state
        self.past.append(state)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _news(self, changed: trio.Event) -> None:
        """Wait until something is told, or a moment."""
        with trio.move_on_after(GLANCE):
            await changed.wait()

    def words(self, *kinds: str) -> list[str]:
        """What was told of some kinds, with times left out."""
        told = [one.words for one in self.moments if one.kind in kinds or not kinds]
        return [re.sub(r"\d+\.\d s", "… s", words) for words in told]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until something holds."""
        try:
            with trio.fail_after(PATIENCE):
                while not holds():
                    await self._news(self._changed)
        except trio.TooSlowError:
            raise AssertionError((self.words(), self.state)) from None

    async def status(self, wanted: str) -> None:
        await self.until(lambda: self.state.get("status") == wanted)

    async def get(self, rest: str = "", *headers: str) -> tuple[int, bytes]:
        """What a browser gets."""
        port, _, path = self.address.removeprefix("http://127.0.0.1:").partition("/")
        head = "".join(f"{one}\r\n" for one in ("Connection: close", *headers))
        async with await trio.open_tcp_stream("127.0.0.1", int(port)) as stream:
            await stream.send_all(f"GET /{path}{rest} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{head}\r\n".encode())
            raw = b"".join([part async for part in stream])
        head, _, body = raw.decode("latin-1").partition("\r\n\r\n")
        return int(head.split()[1]), body.encode("latin-1")

    async def page(self) -> str:
        """The text of the page, once it is the one that was told of."""
        with trio.fail_after(PATIENCE):
            while True:
                changed = self._changed
                status, body = await self.get()
                assert status == 200
                text = body.decode()
                if f'data-page="{self.state["page"]}"' in text:
                    return text
                await self._news(changed)

    async def becomes(self, holds: Callable[[str], bool]) -> str:
        """Wait until something holds of the page; its text."""
        with trio.fail_after(PATIENCE):
            while True:
                changed = self._changed
                if holds(text := await self.page()):
                    return text
                await self._news(changed)

    async def shows(self, words: str) -> None:
        """Wait until the page shows a text, such as a prompt, that stands by itself."""
        await self.becomes(lambda text: f">{words}<" in text)

    async def listen(self) -> None:
        """Hear the news as a page does."""
        port, _, path = self.address.removeprefix("http://127.0.0.1:").partition("/")
        data = b""
        async with await trio.open_tcp_stream("127.0.0.1", int(port)) as stream:
            await stream.send_all(f"GET /{path}news HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            async for part in stream:
                data += part
                while (end := data.find(b"\n\n")) >= 0:
                    line = data[:end]
                    data = data[end + 2 :]
                    if (begin := line.find(b"data: ")) >= 0:
                        self.told(json.loads(line[begin + 6 :]))


@asynccontextmanager
async def watched(path: Path, **variables: str) -> AsyncIterator[Watched]:
    """Watch a list as long as the block runs."""
    found = Watched()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Session(path, variables, found.hear).run, 0)
        await found.until(lambda: found.moments)
        found.address = found.moments[0].words
        nursery.start_soon(found.listen)
        await found.until(lambda: found.state)
        yield found
        nursery.cancel_scope.cancel()


def save(path: Path, entries: str, head: str = "") -> None:
    """Save a list as many editors do: beside it, and then in its place."""
    text = path.read_text("utf-8").partition("shots:\n")[0] + "shots:\n" + dedent(entries) + "\n"
    if head:
        text = text.replace("vidspec: 1\n", f"vidspec: 1\n{head}")
    part = path.with_name(f".{path.name}.swp")
    part.write_text(text, "utf-8")
    part.replace(path)


# --- drawing and showing -----------------------------------------------------------------------------------


def test_what_is_wanting_is_drawn_and_shown_and_then_what_a_save_has_changed(shots: Shots, drawing: Studio) -> None:
    path = shots(TWO, "title: Night\n")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            await found.status("ready")
            assert sorted(drawing.drawn) == ["a-t01: one", "b-t01: two"]
            await found.becomes(lambda text: text.count('<span class="stamp">draft</span>') == 2)
            save(path, "- {id: a, prompt: one}\n- {id: b, prompt: another}")
            await found.until(lambda: len(found.words("drawn")) == 2)
            await found.shows("another")
            assert sorted(drawing.drawn)[1:] == ["b-t01: another", "b-t01: two"]
            save(path, "- {id: a, prompt: one, notes: Look.}\n- {id: b, prompt: another}")
            await found.until(lambda: len(found.words("drawn")) == 3)
            await found.shows("Look.")
        assert found.words("drawn") == ["2 takes drawn in … s", "1 take drawn in … s", "nothing to draw"]

    trio.run(main)
    assert sorted(one.name for one in path.parent.iterdir()) == [".vidspec", "shots.yaml"]


def test_a_draft_can_be_played_and_wound_and_nothing_else_can_be_had(shots: Shots, drawing: Studio) -> None:
    path = shots("- {id: a, prompt: one}")

    async def main() -> None:
        async with watched(path) as found:
            await found.becomes(lambda text: 'data-clip="clip/' in text)
            text = await found.page()
            (clip,) = set(re.findall(r'data-clip="(clip/[^"]+)"', text))
            (poster,) = set(re.findall(r'src="(poster/[^"]+)"', text))
            status, whole = await found.get(clip)
            assert status == 200
            assert whole == (path.parent / ".vidspec/drafts/a-t01.mp4").read_bytes()
            assert await found.get(clip, "Range: bytes=5-9") == (206, whole[5:10])
            assert (await found.get(poster))[1].startswith(b"RIFF")
            for other in ("shots.yaml", "../shots.yaml", "clip/../shots.yaml", ".vidspec/drafts/a-t01.mp4"):
                assert (await found.get(other))[0] == 404

    trio.run(main)


def test_the_page_answers_while_something_is_drawn_and_says_how_far_it_is(shots: Shots, drawing: Studio) -> None:
    path = shots(TWO)
    drawing.slow = {"a-t01"}

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.state["drawing"].get("a-t01") == 0.25)
            assert found.state["status"] == "drawing"
            await found.shows("one")
            drawing.go.set()
            await found.status("ready")
            assert found.state["drawing"] == {}

    trio.run(main)


def test_what_changed_last_is_drawn_before_what_waits_since_long(
    shots: Shots, drawing: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    entries = [f"- {{id: s{number}, prompt: one}}" for number in range(6)]
    path = shots("\n".join(entries))
    drawing.slow = {"s0-t01"}

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: drawing.begun)
            save(path, "\n".join([*entries[:4], "- {id: s4, prompt: other}", entries[5]]))
            await found.shows("other")
            drawing.go.set()
            await found.until(lambda: found.words("drawn"))
        assert drawing.drawn[:2] == ["s0-t01: one", "s4-t01: other"]
        assert len(drawing.drawn) == 6
        assert found.words("drawing", "drawn") == ["6 takes to draw", "6 takes drawn in … s"]

    trio.run(main)


def test_a_drawing_that_a_save_has_outdated_is_broken_off_and_any_other_is_finished(
    shots: Shots, drawing: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    path = shots("- {id: a, prompt: one}")
    drawing.slow = {"a-t01"}

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: drawing.begun == ["a-t01: one"])
            save(path, "- {id: a, prompt: one}\n- {id: b, prompt: new}")
            await found.shows("new")
            assert drawing.begun == ["a-t01: one"]
            save(path, "- {id: a, prompt: other}\n- {id: b, prompt: new}")
            await found.until(lambda: "a-t01: other" in drawing.begun)
            drawing.go.set()
            await found.until(lambda: found.words("drawn"))
        assert drawing.drawn == ["a-t01: other", "b-t01: new"] or drawing.drawn == ["b-t01: new", "a-t01: other"]

    trio.run(main)


def test_a_drawing_is_broken_off_where_the_shot_that_it_begins_with_has_changed(
    shots: Shots, drawing: Studio
) -> None:
    chain = "- {id: a, prompt: one}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}"
    path = shots(chain)
    drawing.slow = {"b-t01"}

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: drawing.begun == ["a-t01: one", "b-t01: two"])
            save(path, chain.replace("one", "other"))
            await found.until(lambda: drawing.begun[2:] == ["a-t01: other", "b-t01: two"])
            drawing.go.set()
            await found.until(lambda: found.words("drawn"))
        assert drawing.drawn == ["a-t01: one", "a-t01: other", "b-t01: two"]

    trio.run(main)


def test_a_take_that_cannot_be_drawn_is_told_at_its_shot_and_tried_again_after_a_save(
    shots: Shots, drawing: Studio
) -> None:
    path = shots(TWO)
    drawing.broken["b-t01"] = OSError(28, "No space left on device")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("wrong"))
            await found.status("broken")
            (problem,) = found.state["problems"]
            assert problem["text"] == "`b-t01` could not be drawn: no space left on device"
            assert problem["shots"] == ["b"]
            assert drawing.begun.count("b-t01: two") == 1
            drawing.broken.clear()
            save(path, TWO + "\n- {id: c, prompt: three}")
            await found.status("ready")
            await found.until(lambda: found.words("drawn"))
        assert found.words("wrong", "drawn") == [
            "1 take could not be drawn: b-t01: no space left on device",
            "2 takes drawn in … s",
        ]

    trio.run(main)


# --- what is wrong -----------------------------------------------------------------------------------------


def test_errors_are_told_at_their_shots_and_the_last_good_page_stays(shots: Shots, drawing: Studio) -> None:
    path = shots(TWO)

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            await found.shows("two")
            await found.status("ready")
            save(path, "- {id: a, prompt: '{{ nobody }}'}\n- {id: b, prompt: changed, durration: 2}", "titel: x\n")
            await found.status("broken")
            told = {one["code"] + one["place"].partition(":")[2]: one["shots"] for one in found.state["problems"]}
            assert told == {"E2012:1": [], "E3025:23": ["a"], "E2016:28": ["b"]}
            assert ">two<" in await found.page()
            save(path, "- {id: a, prompt: one}\n- {id: b, prompt: changed}")
            path.write_text(path.read_text().replace("titel: x\n", ""))
            await found.status("ready")
            await found.shows("changed")
            assert found.state["problems"] == []
            await found.until(lambda: drawing.drawn[-1] == "b-t01: changed")
        assert [words for words in found.words("wrong") if "3 errors" in words] == [
            f"3 errors: {path}:2:1: unknown key `titel`"
        ]

    trio.run(main)


def test_an_error_in_an_entry_that_makes_several_shots_is_told_at_all_of_them(
    shots: Shots, drawing: Studio
) -> None:
    entry = '- {id: "b-{{ sky }}", matrix: {sky: [rain, fog]}, prompt: two}'
    path = shots(entry)

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            save(path, entry.replace("prompt: two", "prompt: [two]"))
            await found.status("broken")
            assert found.state["problems"][0]["shots"] == ["b-rain", "b-fog"]

    trio.run(main)


def test_a_list_that_is_broken_from_the_start_is_shown_as_broken(shots: Shots, drawing: Studio) -> None:
    path = shots("- {id: a, prompt: one, durration: 2}")

    async def main() -> None:
        async with watched(path) as found:
            await found.status("broken")
            assert "<h1>shots.yaml</h1>" in await found.page()
            save(path, "- {id: a, prompt: one}")
            await found.status("ready")
            await found.becomes(lambda text: 'id="take-a-t01"' in text)
        assert found.words("wrong") == [f"1 error: {path}:4:26: unknown key `durration`"]

    trio.run(main)


def test_half_a_save_is_never_told(shots: Shots, drawing: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "REST", 0.2)
    monkeypatch.setattr(lookout, "LONG", 2)
    path = shots(TWO)
    whole = path.read_text().replace("two", "changed")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            for half in ("", whole[:40], whole[:60]):
                path.write_text(half)
                await trio.sleep(0.01)
            path.write_text(whole)
            await found.shows("changed")
            path.unlink()
            await trio.sleep(0.06)
            path.write_text(whole.replace("changed", "again"))
            await found.shows("again")
        assert found.words("wrong", "gone") == []

    trio.run(main)


def test_a_list_that_is_taken_away_is_waited_for(shots: Shots, drawing: Studio) -> None:
    path = shots(TWO)
    text = path.read_text()

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            await found.shows("two")
            path.unlink()
            await found.status("gone")
            assert ">two<" in await found.page()
            path.write_text(text.replace("two", "back"))
            await found.status("ready")
            await found.shows("back")
        assert found.words("gone") == [f"{path} is gone; waiting for it to return"]

    trio.run(main)


def test_includes_and_pictures_are_watched_also_those_that_are_not_there_yet(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: '{{ who }}', first_frame: a.png}", "include: [cast.yaml]\n")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.state.get("problems") and found.state["problems"][0]["code"] == "E212")
            (project / "cast.yaml").write_text("vars: {who: nobody}\n")
            await found.until(lambda: found.state["problems"] and found.state["problems"][0]["code"] == "E501")
            Image.new("RGB", (64, 36), "red").save(project / "a.png")
            await found.until(lambda: drawing.drawn == ["a-t01: nobody"])
            (project / "cast.yaml").write_text("vars: {who: somebody}\n")
            await found.until(lambda: drawing.drawn[1:] == ["a-t01: somebody"])
            Image.new("RGB", (64, 36), "blue").save(project / "a.png")
            await found.until(lambda: drawing.drawn[2:] == ["a-t01: somebody"])

    trio.run(main)


# --- other runs --------------------------------------------------------------------------------------------


@contextmanager
def held(project: Path) -> Iterator[None]:
    """Another process's hold, as this one sees it."""
    descriptor = os.open(state_folder(project) / "run.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.truncate(descriptor, 0)
        os.write(descriptor, b"process 7 on somewhere\n")
        yield
    finally:
        os.close(descriptor)


def test_another_run_is_waited_for_and_that_is_said_once(shots: Shots, project: Path, drawing: Studio) -> None:
    path = shots("- {id: a, prompt: one}")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            with held(project):
                save(path, "- {id: a, prompt: other}")
                await found.status("held")
                assert "process 7 on somewhere" in found.state["words"]
                await found.shows("other")
                save(path, "- {id: a, prompt: third}")
                await found.shows("third")
                save(path, "- {id: a, prompt: third, x: y}")
                await found.status("broken")
                save(path, "- {id: a, prompt: third}")
                await found.status("held")
                await trio.sleep(0.2)
                assert drawing.drawn == ["a-t01: one"]
            await found.status("ready")
            await found.until(lambda: len(found.words("drawn")) == 2)
        assert drawing.drawn == ["a-t01: one", "a-t01: third"]
        assert found.words("held") == ["waiting to draw: another run holds this project: process 7 on somewhere"]

    trio.run(main)


def test_the_project_is_free_for_others_while_nothing_is_drawn(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: one}")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            with held(project):
                save(path, "- {id: a, prompt: one, notes: hello}")
                await found.shows("hello")
                await found.until(lambda: len(found.words("drawn")) == 2)
        assert found.words("held") == []

    trio.run(main)


def test_what_a_run_writes_down_is_shown_and_no_line_is_printed_for_it(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots(TWO)

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            await found.shows("never rendered")
            await trio.run_process([sys.executable, "-m", "vidspec", "render", "shots.yaml", "--quiet"])
            await found.becomes(lambda text: "never rendered" not in text)
        assert found.words() == [found.address, "2 takes drawn in … s"]

    trio.run(main)


def test_what_a_choice_makes_of_a_draft_is_drawn_without_a_save(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two, first_frame: {shot: a, at: last}}")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            record = 'vidspec_lock: 1\ntakes:\n  a-t02:\n    shot: "a"\n    take: 2\n    chosen: true\n'
            (project / "part").write_text(record)
            (project / "part").replace(project / "shots.lock")
            await found.until(lambda: len(drawing.drawn) == 4)
            await found.until(lambda: len(found.words("drawn")) == 2)
        assert drawing.drawn[-1] == "b-t01: two"
        assert re.fullmatch(r"1 take drawn in \d\.\d s", found.moments[-1].words)

    trio.run(main)


def test_a_lockfile_that_cannot_be_read_is_told_and_then_mended(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: one}")

    async def main() -> None:
        async with watched(path) as found:
            await found.until(lambda: found.words("drawn"))
            (project / "broken").write_text("<<<<<<< ours\n")
            (project / "broken").replace(project / "shots.lock")
            await found.status("broken")
            assert "shots.lock" in found.state["problems"][0]["text"]
            (project / "shots.lock").unlink()
            await found.status("ready")
        assert len(found.words("wrong")) == 1

    trio.run(main)


# --- beginning and ending ----------------------------------------------------------------------------------


def refused(path: Path, port: int = 0, **variables: str) -> VidspecError:
    """Why a list cannot be watched."""
    with pytest.raises(VidspecError) as raised:
        trio.run(Session(path, variables, lambda _moment: None).run, port)
    return raised.value


def test_a_file_that_is_not_there_is_refused(project: Path) -> None:
    error = refused(Path("none.yaml"))
    assert isinstance(error, ShotListError)
    assert error.diagnostics[0].code == "E101"
    assert list(project.iterdir()) == []


def test_a_variable_that_nothing_names_is_refused(shots: Shots) -> None:
    error = refused(shots(TWO), sky="rain")
    assert isinstance(error, UsageError)
    assert str(error).startswith("`--var sky=…` is used by nothing")


def test_a_variable_may_be_named_by_nothing_for_a_while(shots: Shots, drawing: Studio) -> None:
    path = shots("- {id: a, prompt: 'the {{ sky }}'}")

    async def main() -> None:
        async with watched(path, sky="rain") as found:
            await found.until(lambda: drawing.drawn == ["a-t01: the rain"])
            save(path, "- {id: a, prompt: nothing}")
            await found.until(lambda: drawing.drawn[1:] == ["a-t01: nothing"])

    trio.run(main)


def own_folders(project: Path) -> list[Path]:
    return list(project.glob(".vidspec/watch-*"))


def test_when_it_is_ended_in_the_middle_nothing_is_left_behind(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    drawing.slow = {"b-t01"}

    async def main() -> None:
        async with watched(path) as found:
            await found.shows("one")
            await found.until(lambda: "b-t01: two" in drawing.begun and "a-t01: one" in drawing.drawn)
            assert own_folders(project)

    trio.run(main)
    left = [str(one.relative_to(project)) for one in project.rglob("*") if one.is_file()]
    assert not [one for one in left if "watch-" in one or one.endswith(".part")]
    assert not own_folders(project)
    with (project / ".vidspec/run.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_a_session_that_was_killed_has_left_goes_with_the_next_one(
    shots: Shots, project: Path, drawing: Studio
) -> None:
    path = shots("- {id: a, prompt: one}")
    command = [sys.executable, "-m", "vidspec", "watch", "shots.yaml", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        stop = time.monotonic() + PATIENCE
        while not own_folders(project) and process.poll() is None and time.monotonic() < stop:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    (left,) = own_folders(project)
    (left / "posters").mkdir(exist_ok=True)
    (left / "posters" / "one.webp").write_bytes(b"x")

    async def main() -> None:
        async with watched(path) as found:
            await found.shows("one")
            (own,) = own_folders(project)
            assert own != left

    trio.run(main)
    assert own_folders(project) == []


def test_what_a_living_session_has_is_left_alone(shots: Shots, project: Path, drawing: Studio) -> None:
    one, other = shots("- {id: a, prompt: one}"), shots("- {id: b, prompt: two}", name="other.yaml")
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()

    async def main() -> None:
        async with watched(one) as first:
            text = await first.becomes(lambda text: "poster/" in text)
            (folder,) = own_folders(project)
            (project / ".vidspec/watch-link").symlink_to(elsewhere)
            (project / ".vidspec/watch-file").write_text("x")
            async with watched(other) as second:
                await second.becomes(lambda text: "poster/" in text)
                assert folder in own_folders(project)
                for poster in set(re.findall(r'src="(poster/[^"]+)"', text)):
                    assert (await first.get(poster))[0] == 200

    trio.run(main)
    assert elsewhere.is_dir()
    assert sorted(one.name for one in own_folders(project)) == ["watch-file", "watch-link"]


@pytest.mark.parametrize(
    ("module", "name"), [(session, "_held"), (fcntl, "flock")], ids=["before it is opened", "before it is held"]
)
def test_a_folder_that_another_session_clears_too_soon_is_made_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    state = state_folder(project)
    hold = getattr(module, name)
    cleared: list[Path] = []

    def late(*given: Any) -> Any:
        if not cleared:
            cleared.extend(own_folders(project))
            session._clear_dead(state)
        return hold(*given)

    monkeypatch.setattr(module, name, late)
    with ExitStack() as stack:
        folder = session._own(state, stack)
        assert own_folders(project) == [folder]
        assert cleared
        assert folder not in cleared
    assert own_folders(project) == []


def test_two_lists_of_one_project_are_watched_at_once(shots: Shots, drawing: Studio) -> None:
    one, other = shots("- {id: a, prompt: one}"), shots("- {id: b, prompt: two}", name="other.yaml")

    async def main() -> None:
        async with watched(one) as first, watched(other) as second:
            await first.until(lambda: first.words("drawn"))
            await second.until(lambda: second.words("drawn"))
            await first.becomes(lambda text: "poster/" in text)
            await second.becomes(lambda text: "poster/" in text)
            assert first.address != second.address

    trio.run(main)
