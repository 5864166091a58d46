"""A watched list as a browser has it: Chromium, driven over its debugging pipe. Without one nothing is tested."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import trio

from vidspec.watch import Moment, Session

if TYPE_CHECKING:
    from types import TracebackType

Shots = Callable[..., Path]

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 20.0


class Browser:
    """One Chromium with one page, and what it has told."""

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        ours, theirs = os.pipe(), os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"]
        program = [CHROMIUM, *flags, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        wired = f'exec "$@" 3<&{ours[0]} 4>&{theirs[1]}'
        self._process = subprocess.Popen(
            ["bash", "-c", wired, "chromium", *program],
            pass_fds=(ours[0], theirs[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self._out, self._in = ours[1], os.fdopen(theirs[0], "rb")
        self._number, self._session, self._rest = 0, "", b""
        self.told: list[dict[str, Any]] = []
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        self._process.kill()
        self._process.wait()
        self._in.close()

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask for something, and wait for the answer, which must not be an error."""
        answer = self._ask(method, **parameters)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self.told.append(answer)
        return answer

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = self._in.read1(2**16)
            assert data, "the browser has gone"
            self._rest += data
        one, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(one)
        return found

    def open(self, address: str) -> None:
        """Open a page in a window of a usual size."""
        self.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)
        for place in ("about:blank", address):
            self.told.clear()
            self.call("Page.navigate", url=place)
            self.until(f"location.href === {json.dumps(place)} && document.readyState === 'complete'")

    def js(self, expression: str) -> Any:
        """The value of an expression in the page; None where it has none, since the page is just being left."""
        answer = self._ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        found = answer.get("result", {})
        return None if "exceptionDetails" in found else found.get("result", {}).get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression holds, and return its value."""
        end = time.monotonic() + PATIENCE
        while not (found := self.js(expression)):
            assert time.monotonic() < end, f"never: {expression}"
            time.sleep(0.02)
        return found

    @property
    def complaints(self) -> list[str]:
        """What the browser has complained of."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown")
        return [json.dumps(one["params"]) for one in self.told if one.get("method") in kinds]

    @property
    def asked_for(self) -> set[str]:
        """The beginnings of the addresses that were asked for."""
        asked = [one["params"] for one in self.told if one.get("method") == "Network.requestWillBeSent"]
        return {"/".join(one["request"]["url"].split("/")[:4]) for one in asked}


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@contextmanager
def watched(path: Path) -> Iterator[str]:
    """Watch a list in a thread; the address of its page."""
    opened = threading.Event()
    told: list[Moment] = []
    ways_out: list[Callable[[], None]] = []

    def hear(moment: Moment) -> None:
        told.append(moment)
        opened.set()

    async def main() -> None:
        token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as scope:
            ways_out.append(lambda: token.run_sync_soon(scope.cancel))
            await Session(path, {}, hear).run(0)

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    try:
        assert opened.wait(PATIENCE)
        yield told[0].words
    finally:
        ways_out[0]()
        thread.join(PATIENCE)


PILL = "document.querySelector('.watch-pill')"
READY = f"{PILL}.dataset.status === 'ready'"
TALL = "\n".join(f"- {{id: s{number:02d}, prompt: fish {number}, tags: [sea]}}" for number in range(12))


def save(path: Path, old: str, new: str) -> None:
    """Save an edit of a list."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    part = path.with_name("part")
    part.write_text(text.replace(old, new), "utf-8")
    part.replace(path)


def text_of(selector: str) -> str:
    return f"document.querySelector('{selector}').textContent"


def test_an_edit_changes_the_page_and_nobody_loses_their_place(browser: Browser, shots: Shots) -> None:
    path = shots(TALL)
    with watched(path) as address:
        browser.open(address)
        browser.until(f"{READY} && document.querySelectorAll('.stamp').length === 12")
        browser.js("document.documentElement.dataset.theme = 'dark'")
        browser.js("document.querySelector('[data-by=tag]').value = 'sea'")
        browser.js("document.querySelector('#find').value = 'fish'")
        browser.js("document.querySelector('#filter').dispatchEvent(new Event('change'))")
        browser.js("document.querySelector('#take-s08-t01 .more').open = true")
        browser.js("document.querySelector('#take-s08-t01 a.frame').focus({preventScroll: true})")
        browser.js("document.querySelector('#shot-s08').scrollIntoView({behavior: 'instant'})")
        time.sleep(0.3)
        before = browser.js("document.querySelector('#shot-s08').getBoundingClientRect().top")
        page = browser.js("document.querySelector('#watch').dataset.page")
        save(path, "prompt: fish 3,", "prompt: fish and chips,")
        browser.until(f"{text_of('#shot-s03 .prompt')} === 'fish and chips'")
        browser.until(READY)
        time.sleep(0.5)
        assert browser.js("document.querySelector('#watch').dataset.page") != page
        after = browser.js("document.querySelector('#shot-s08').getBoundingClientRect().top")
        assert after == pytest.approx(before, abs=3)
        assert browser.js("document.querySelector('#find').value") == "fish"
        assert browser.js("document.querySelector('[data-by=tag]').value") == "sea"
        assert browser.js(text_of("#count")) == "12 of 12 shots"
        assert browser.js("document.querySelector('#take-s08-t01 .more').open") is True
        assert browser.js("document.activeElement.closest('.take').id") == "take-s08-t01"
        assert browser.complaints == []
        assert browser.asked_for <= {address.rstrip("/"), "data:image"} | {
            one for one in browser.asked_for if one.startswith("data:")
        }


def test_an_error_is_shown_at_its_shot_above_what_was_good_until_it_is_mended(
    browser: Browser, shots: Shots
) -> None:
    path = shots(TALL, "title: Fish\n")
    with watched(path) as address:
        browser.open(address)
        browser.until(f"{READY} && document.querySelectorAll('.stamp').length === 12")
        wrong = "prompt: fish 7, <img src=x onerror=document.title=1>: 2,"
        save(path, "prompt: fish 7,", wrong)
        browser.until("document.querySelectorAll('#shot-s07 .watch-here li').length")
        said = browser.until(text_of("#shot-s07 .watch-here"))
        assert "E201" in said
        assert "unknown key `<img src=x onerror=document.title=1>`" in said
        assert browser.js(text_of("#shot-s07 .prompt")) == "fish 7"
        assert browser.js("document.querySelectorAll('.watch-here').length") == 1
        assert browser.js("document.querySelector('.strip [data-of=s07]').className") == "watch-bad"
        assert browser.js(text_of(".watch-list h2")) == "1 error: below is the list as it was before"
        assert browser.js(f"{PILL}.textContent") == "1 error"
        assert browser.js("document.title") == "(1 error) Fish"
        browser.js("document.querySelector('.watch-list .watch-to').click()")
        assert browser.js("location.hash") == "#shot-s07"
        save(path, wrong, "prompt: whale,")
        browser.until(f"{text_of('#shot-s07 .prompt')} === 'whale'")
        assert browser.js("document.querySelectorAll('.watch-here, .watch-list, .watch-bad').length") == 0
        assert browser.js("document.title") == "Fish"
        assert browser.complaints == []


def test_a_list_that_cannot_be_read_yet_has_a_page_that_waits_for_it(browser: Browser, shots: Shots) -> None:
    path = shots("- {id: a, prompt: [x}")
    with watched(path) as address:
        browser.open(address)
        browser.until("document.querySelectorAll('.watch-error').length")
        browser.until(f"{text_of('.watch-list h2')}.includes('nothing can be shown yet')")
        assert browser.js("document.querySelectorAll('.shot').length") == 0
        save(path, "[x}", "whale}")
        browser.until(f"{text_of('#shot-a .prompt')} === 'whale'")
        assert browser.complaints == []


def test_a_draft_is_played_and_wound_where_it_is_served(browser: Browser, shots: Shots) -> None:
    path = shots("- {id: a, prompt: x}", defaults="{provider: animatic, size: 64x36, duration: 4, fps: 10}")
    with watched(path) as address:
        browser.open(address)
        browser.until("document.querySelectorAll('#take-a-t01 .frame[data-clip]').length")
        browser.js("document.querySelector('#take-a-t01 .frame').click()")
        browser.until("document.querySelector('#screen video').readyState >= 2")
        browser.js("document.querySelector('#screen video').currentTime = 3")
        assert browser.until("document.querySelector('#screen video').currentTime") >= 3
        browser.until("!document.querySelector('#screen video').seeking")
        assert browser.js("document.querySelector('#screen video').error") is None
        assert browser.complaints == []


def test_whoever_looks_at_a_clip_is_not_interrupted_by_a_save(browser: Browser, shots: Shots) -> None:
    path = shots(TALL)
    with watched(path) as address:
        browser.open(address)
        browser.until(f"{READY} && document.querySelectorAll('.stamp').length === 12")
        browser.js("document.querySelector('#take-s02-t01 .frame').click()")
        browser.until("document.querySelector('#screen').open")
        save(path, "prompt: fish 3,", "prompt: whale,")
        browser.until(f"{PILL}.textContent.includes('when this is closed')")
        assert browser.js("document.querySelector('#screen').open")
        browser.js("document.querySelector('#screen').close()")
        browser.until(f"{text_of('#shot-s03 .prompt')} === 'whale'")


def test_a_page_whose_session_has_ended_says_so_and_stays(browser: Browser, shots: Shots) -> None:
    with watched(shots("- {id: a, prompt: whale}")) as address:
        browser.open(address)
        browser.until(f"{READY} && document.querySelectorAll('.stamp').length")
    browser.until(f"{PILL}.dataset.status === 'lost'")
    assert browser.js(text_of("#shot-a .prompt")) == "whale"


@contextmanager
def another_site() -> Iterator[str]:
    """Another site, which is on this machine too."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>another</title><body>")

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_another_site_can_neither_read_the_page_nor_show_anything_of_it(browser: Browser, shots: Shots) -> None:
    with watched(shots("- {id: a, prompt: whale}")) as address, another_site() as site:
        browser.open(address)
        poster = browser.until("(document.querySelector('.frame img') || {}).src")
        assert browser.js("document.querySelector('.frame img').decode().then(() => 'shown')") == "shown"
        browser.open(site)
        assert browser.js(f"fetch({json.dumps(address)}).then(() => 'read', () => 'refused')") == "refused"
        shown = (
            "new Promise((done) => {{ const one = document.createElement('{0}'); one.onload = () => done('shown');"
        )
        shown += " one.onerror = () => done('refused'); one.src = {1}; document.body.append(one); }})"
        assert browser.js(shown.format("img", json.dumps(poster))) == "refused"
        browser.js(shown.format("iframe", json.dumps(address)))
        entered = [one["params"]["frame"] for one in browser.told if one.get("method") == "Page.frameNavigated"]
        assert [one["url"] for one in entered if one["url"].startswith(address)] == []
        assert [one for one in entered if one.get("unreachableUrl", "").startswith(address)]
