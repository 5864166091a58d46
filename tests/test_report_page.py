"""The page as a browser has it: Chromium, driven over its debugging pipe. Without one nothing is tested here."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest

from vidspec.commands import report
from vidspec.console import Console
from vidspec.fingerprint import digest
from vidspec.ledger import Ledger
from vidspec.lock import Lock, Output, Record
from vidspec.project import open_lists
from vidspec.runlog import folder_of
from vidspec.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    Shots = Callable[..., Path]

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CODES = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}
PATIENCE = 60.0


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
        """Ask for something, and wait for the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.told.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = self._in.read1(2**16)
            assert data, "the browser has gone"
            self._rest += data
        one, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(one)
        return found

    def open(self, page: Path, *, size: tuple[int, int] = (1400, 900), **media: str) -> None:
        """Open a page in a window of a size, in the media that it is told of; nothing is kept from before."""
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.point(2, 2)
        self.told.clear()
        self.call("Page.navigate", url=page.as_uri())
        until = time.monotonic() + PATIENCE
        while not any(one.get("method") == "Page.loadEventFired" for one in self.told):
            assert time.monotonic() < until
            self.told.append(self._read())
        self.js("localStorage.clear()")

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until an expression holds, and return its value."""
        end = time.monotonic() + PATIENCE
        while not (found := self.js(expression)):
            assert time.monotonic() < end, f"never: {expression}"
            time.sleep(0.02)
        return found

    def press(self, keys: str | list[str]) -> None:
        """Press keys, one after the other."""
        for key in keys:
            event: dict[str, Any] = {"key": key, "code": key}
            event["windowsVirtualKeyCode"] = CODES.get(key) or ord(key.upper())
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def point(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, pointerType="mouse")

    def hover(self, selector: str) -> None:
        """Move the mouse over an element."""
        self.js(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        box = self.js(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")
        self.point(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    @property
    def complaints(self) -> list[str]:
        """What the browser has complained of."""
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown")
        return [json.dumps(one["params"]) for one in self.told if one.get("method") in kinds]

    @property
    def asked_for(self) -> set[str]:
        """The kinds of addresses that were asked for."""
        urls = [
            one["params"]["request"]["url"] for one in self.told if one.get("method") == "Network.requestWillBeSent"
        ]
        return {url.partition(":")[0] for url in urls}


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with Browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


# --- films -------------------------------------------------------------------------------------------------------


def film(path: Path, clip: bytes, *, chosen: str = "") -> Path:
    """Render a list without drawing: every take gets the same clip, and a record that says so."""
    (opened,), _ = open_lists([path], {})
    lock = Lock()
    for take in opened.takes:
        place = path.parent / take.output
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(clip)
        record = Record(
            shot=take.shot,
            take=take.number,
            provider=take.provider,
            model=take.model,
            fingerprint=take.fingerprint,
            request=dict(take.request),
            defaulted=tuple(take.defaulted),
            seed=take.seed,
            seed_rule=None if take.seed_rule == "none" else take.seed_rule,
            output=Output(
                path=take.output, sha256=digest(clip), bytes=len(clip), width=64, height=36, fps=10.0, duration=0.2
            ),
        )
        lock.put(take.slate, replace(record, chosen=True) if take.slate == chosen else record)
    Ledger(lock, Site.real(path).lock).write()
    return path


def page(path: Path, out: Path | None = None, *, self_contained: bool = False) -> Path:
    """The report of a list."""
    code = report.run(
        path,
        variables={},
        chosen=None,
        left_out=None,
        out=out,
        self_contained=self_contained,
        force=False,
        quiet=True,
        console=Console(io.StringIO()),
    )
    assert code == 0
    return ((out or path.parent / f"{path.stem}-report") / "index.html").resolve()


ENTRIES = """
- {id: a, prompt: a ferry in the rain, takes: 3, scene: harbour, tags: [night, sea], notes: Look at the smoke.}
- {id: b, prompt: a lighthouse, scene: island, tags: [day]}
- {id: c, prompt: the ferry again, takes: 2, scene: island, tags: [sea]}
"""


@pytest.fixture
def short(shots: Shots, clip: Callable[[int], bytes]) -> Path:
    """The page of three shots, with a take chosen for the last, and one to be rendered yet."""
    path = film(shots(ENTRIES, "title: Night ferry\n"), clip(1), chosen="c-t02")
    path.write_text(path.read_text("utf-8") + "  - {id: d, prompt: fog, scene: island}\n", "utf-8")
    return page(path)


SHOWN = "[...document.querySelectorAll('{0}')].filter((one) => !one.hidden).map((one) => one.dataset.{1}).join(' ')"
VISIBLE = SHOWN.format(".shot", "shot")
FOCUSED = "document.activeElement.id || document.activeElement.getAttribute('aria-label')"
PLAYING = "[...document.querySelectorAll('.frame.on video')].filter((one) => !one.paused).length"


# --- nothing goes wrong ------------------------------------------------------------------------------------------


def test_the_page_is_shown_without_a_complaint_and_asks_for_nothing_but_files(
    browser: Browser, short: Path
) -> None:
    browser.open(short)
    browser.until("document.querySelectorAll('.frame video').length")
    assert browser.complaints == []
    assert browser.asked_for <= {"file", "data"}
    assert browser.js("[...document.images].filter((one) => one.complete && !one.naturalWidth).length") == 0


def test_no_script_but_its_own_runs_and_no_network_is_reached(browser: Browser, short: Path) -> None:
    asked: list[str] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        browser.open(short)
        found = browser.js(
            f"""new Promise((done) => {{
              const seen = [];
              document.addEventListener("securitypolicyviolation", (one) => seen.push(one.effectiveDirective));
              const script = Object.assign(document.createElement("script"), {{textContent: "window.ran = 1"}});
              const frame = Object.assign(document.createElement("iframe"), {{src: "{base}/frame"}});
              document.body.append(script, frame);
              new Image().src = "{base}/image";
              document.createElement("video").src = "{base}/video";
              fetch("{base}/fetch").catch(() => {{}});
              document.body.setAttribute("onclick", "window.ran = 2");
              document.body.click();
              setTimeout(() => done([seen.sort(), window.ran || 0]), 300);
            }})"""
        )
        server.shutdown()
        thread.join()
    assert found[1] == 0
    assert {"script-src-elem", "img-src", "connect-src", "frame-src", "media-src"} <= set(found[0])
    assert asked == []


def test_what_somebody_wrote_is_shown_as_it_was_written(
    browser: Browser, shots: Shots, clip: Callable[[int], bytes]
) -> None:
    text = (
        "</p><script>document.title='caught'</script><img src=x onerror=document.title='caught'> & "
        "\"x\" 'y' הים 👩\u200d👧"
    )
    entry = json.dumps(
        {"id": "a", "prompt": text, "tags": [text], "scene": text, "notes": text}, ensure_ascii=False
    )
    browser.open(
        page(
            film(
                shots(f"- {entry}\n- {{id: b, prompt: x}}", f"title: {json.dumps(text, ensure_ascii=False)}\n"),
                clip(1),
            )
        )
    )
    assert browser.js("document.title") == f"{text}: report"
    for selector in (".prompt", ".tag", ".notes", ".scene", "h1"):
        assert browser.js(f"document.querySelector('{selector}').textContent") == text
    browser.js("document.querySelector('[data-by=tag]').selectedIndex = 1")
    browser.js("document.querySelector('[data-by=tag]').dispatchEvent(new Event('change', {bubbles: true}))")
    assert browser.js(VISIBLE) == "a"
    assert browser.complaints == []


# --- keys --------------------------------------------------------------------------------------------------------


def test_keys_lead_from_shot_to_shot_and_to_their_takes(browser: Browser, short: Path) -> None:
    browser.open(short)
    places = []
    for key in ("j", "j", "ArrowDown", "k", "ArrowUp", "3", "ArrowLeft", "j", "k", "k"):
        browser.press([key])
        places.append(browser.js(FOCUSED).removesuffix(": see it large"))
    assert places == [
        "shot-a",
        "shot-b",
        "shot-c",
        "shot-b",
        "shot-a",
        "a-t03",
        "a-t02",
        "shot-b",
        "shot-a",
        "shot-a",
    ]
    assert browser.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_space_plays_all_takes_of_a_shot_from_one_moment_and_stops_them(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press("j ")
    browser.until(f"{PLAYING} === 3")
    times = browser.js("[...document.querySelectorAll('.frame.on video')].map((one) => one.currentTime)")
    assert max(times) - min(times) < 0.15
    assert browser.js("document.querySelector('#shot-a .together').getAttribute('aria-pressed')") == "true"
    browser.press(" ")
    browser.until("document.querySelectorAll('.frame.on').length === 0")
    assert browser.js("[...document.querySelectorAll('video')].every((one) => one.paused)")


def test_takes_that_have_ended_begin_again_together(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.js(
        "window.ends = 0; document.addEventListener('ended', () => window.ends++, true); "
        "window.plays = 0; document.addEventListener('playing', () => window.plays++, true)"
    )
    browser.press("j ")
    browser.until("window.ends >= 6 && window.plays >= 6")


def test_the_mouse_plays_what_it_is_over_and_not_where_movement_is_not_wanted(
    browser: Browser, short: Path
) -> None:
    browser.open(short)
    browser.hover("#take-a-t02 .frame")
    browser.until(f"{PLAYING} === 3")
    browser.point(2, 2)
    browser.until("document.querySelectorAll('.frame.on').length === 0")
    browser.open(short, prefers_reduced_motion="reduce")
    browser.hover("#take-a-t02 .frame")
    time.sleep(0.6)
    assert browser.js("document.querySelectorAll('.frame.on').length") == 0
    browser.press("j ")
    browser.until(f"{PLAYING} === 3")


def test_a_key_copies_the_command_that_chooses_or_renders_a_take(browser: Browser, short: Path) -> None:
    browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.open(short)
    said = "document.getElementById('said').textContent"
    browser.press("jc")
    assert browser.js(said) == "which take? Its number comes first"
    browser.press("2c")
    command = browser.until(
        "document.querySelector('#said code') && document.querySelector('#said code').textContent"
    )
    assert command.startswith("vidspec choose ")
    assert command.endswith("shots.yaml a-t02")
    assert browser.js("navigator.clipboard.readText()") == command
    browser.press("jjjr")
    browser.until("document.querySelector('#said code').textContent.endsWith('shots.yaml --select d-t01')")


def test_what_would_pay_again_says_so_when_it_is_copied(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press("j2r")
    browser.until("document.querySelector('#said code') !== null")
    assert browser.js("document.getElementById('said').firstChild.textContent").endswith("; pays again: free:")


def test_a_click_copies_too(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.js("document.querySelector('#take-a-t03 .choose').click()")
    browser.until("document.getElementById('said').textContent.endsWith('a-t03')")


def test_letters_can_be_turned_off_and_stay_so(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press("?")
    assert browser.js("document.getElementById('keys').open")
    browser.js("document.getElementById('keys-on').click()")
    browser.press(["Escape"])
    browser.until("!document.getElementById('keys').open")
    browser.press("j")
    assert browser.js(FOCUSED) != "shot-a"
    browser.js("document.getElementById('keys-on').click()")
    browser.press("j")
    assert browser.js(FOCUSED) == "shot-a"


def test_letters_typed_into_a_field_are_letters(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press("/")
    browser.press("ferry")
    browser.until(f"{VISIBLE} === 'a c'")
    assert browser.js("document.getElementById('count').textContent") == "2 of 4 shots"
    browser.press(["Escape"])
    assert browser.js(VISIBLE) == "a b c d"
    assert browser.js("document.getElementById('find').value") == ""


def test_the_colours_can_be_turned_and_stay_so(browser: Browser, short: Path) -> None:
    browser.open(short, prefers_color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    day = browser.js(ground)
    browser.press("t")
    night = browser.js(ground)
    browser.call("Page.reload")
    browser.until("document.readyState === 'complete'")
    assert browser.js(ground) == night != day
    browser.open(short, prefers_color_scheme="dark")
    browser.call("Page.reload")
    browser.until("document.readyState === 'complete'")
    assert browser.js(ground) == night


# --- large, and as a film ----------------------------------------------------------------------------------------


SCREEN = "document.getElementById('screen').open && document.getElementById('screen-slate').textContent"


def test_a_take_is_seen_large_and_others_from_there(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press(["j", "3", "Enter"])
    browser.until(f"({SCREEN}) === 'a-t03'")
    browser.until("document.querySelector('#screen video').readyState >= 2")
    assert browser.js("document.getElementById('screen-text').textContent").strip() == "a ferry in the rain"
    browser.press(["ArrowRight"])
    browser.until(f"({SCREEN}) === 'b-t01'")
    browser.press(["ArrowLeft", "ArrowLeft", "c"])
    browser.until("document.getElementById('said').textContent.endsWith('a-t02')")
    browser.press(["Escape"])
    browser.until(f"({FOCUSED}) === 'a-t02: see it large'")
    assert browser.js(SCREEN) is False


def test_the_film_is_the_takes_of_the_cut_one_after_the_other(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.js(
        """
        window.reel = [];
        const slate = document.getElementById("screen-slate");
        new MutationObserver(() => window.reel.push(slate.textContent)).observe(slate, {childList: true});
        """
    )
    browser.press("jp")
    browser.until("window.reel.length >= 3 && !document.getElementById('screen').open")
    assert browser.js("window.reel.join(' ')") == "a-t01 b-t01 c-t02"


def test_a_clip_that_cannot_be_played_says_so(browser: Browser, short: Path) -> None:
    (short.parent.parent / "renders/a/a-t02.mp4").write_bytes(b"no clip")
    browser.open(short)
    browser.press("j ")
    fault = browser.until("(document.querySelector('#take-a-t02 .fault') || {}).textContent")
    assert fault == "this browser cannot play it"
    browser.until(f"{PLAYING} === 2")


FAULT = """(() => {
  const fault = document.getElementById("screen-fault");
  return fault.checkVisibility() && fault.textContent;
})()"""
GONE = "this clip is gone, or this browser cannot play it"


def test_the_film_says_which_clip_is_gone_and_goes_on(browser: Browser, short: Path) -> None:
    (short.parent.parent / "renders/b/b-t01.mp4").unlink()
    (short.parent.parent / "renders/c/c-t02.mp4").write_bytes(b"no clip")
    browser.open(short)
    browser.js(
        """
        window.reel = [];
        const slate = document.getElementById("screen-slate");
        new MutationObserver(() => window.reel.push(slate.textContent)).observe(slate, {childList: true});
        """
    )
    browser.press("jp")
    for slate in ("b-t01", "c-t02"):
        browser.until(f"({SCREEN}) === '{slate}' && ({FAULT}) === '{GONE}; the film goes on'")
    browser.until("!document.getElementById('screen').open")
    assert browser.js("window.reel.join(' ')") == "a-t01 b-t01 c-t02"


def test_a_take_that_cannot_be_seen_large_says_so_until_another_is_seen(browser: Browser, short: Path) -> None:
    (short.parent.parent / "renders/a/a-t02.mp4").unlink()
    browser.open(short)
    browser.press(["j", "2", "Enter"])
    browser.until(f"({FAULT}) === '{GONE}'")
    browser.press(["ArrowRight"])
    browser.until("document.querySelector('#screen video').readyState >= 2")
    assert browser.js(FAULT) is False
    browser.press(["ArrowLeft"])
    browser.until(f"({FAULT}) === '{GONE}'")
    browser.press(["Escape", "3", "Enter"])
    browser.until(f"({SCREEN}) === 'a-t03'")
    assert browser.js(FAULT) is False


def test_what_is_said_in_the_large_view_leaves_its_buttons_free(browser: Browser, short: Path) -> None:
    browser.open(short)
    browser.press(["j", "3", "Enter", "c"])
    browser.until("document.querySelector('#screen #said code') !== null")
    over = browser.js(
        """
        (() => {
          const said = document.getElementById("said").getBoundingClientRect();
          const meets = (box) => box.left < said.right && box.right > said.left
            && box.top < said.bottom && box.bottom > said.top;
          const buttons = [...document.querySelectorAll("#screen button")];
          return buttons.filter((one) => meets(one.getBoundingClientRect())).length;
        })()
        """
    )
    assert over == 0


# --- filters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "left"),
    [
        ("choose('scene', 'island')", "b c d"),
        ("choose('tag', 'sea')", "a c"),
        ("choose('provider', 'animatic')", "a b c d"),
        ("press('[data-by-state=new]')", "d"),
        ("press('[data-by-state=done]')", "a b c"),
        ("press('[data-by-state=done]'), press('[data-by-state=new]')", "a b c d"),
        ("press('[data-by-undecided]')", "a"),
        ("choose('scene', 'island'), choose('tag', 'sea')", "c"),
        ("choose('scene', 'harbour'), press('[data-by-state=new]')", ""),
    ],
)
def test_filters_leave_what_fits_all_of_them(browser: Browser, short: Path, act: str, left: str) -> None:
    browser.open(short)
    browser.js(
        """
        window.choose = (by, value) => {
          const select = document.querySelector(`[data-by=${by}]`);
          if (!select) return;
          select.value = value;
          select.dispatchEvent(new Event("change", {bubbles: true}));
        };
        window.press = (selector) => document.querySelector(selector).click();
        """
    )
    browser.js(act)
    assert browser.js(VISIBLE) == left
    assert browser.js(SHOWN.format(".strip li", "of")) == left
    assert browser.js("!document.getElementById('nothing').hidden") == (not left)
    scenes = browser.js("[...document.querySelectorAll('.scene')].filter((one) => !one.hidden).length")
    assert scenes == len({"harbour" if shot == "a" else "island" for shot in left.split()})
    browser.press(["Escape"])
    assert browser.js(VISIBLE) == "a b c d"


# --- for everybody -----------------------------------------------------------------------------------------------


CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((one, at) => one * a + under[at] * (1 - a));
  const light = (colour) => {
    const even = (one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map((one) => even(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === undefined ? colour : over(colour, ground(element.parentElement));
  };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || element.closest("script, noscript, template, .unseen")) continue;
    const svg = element.closest("svg");
    if (svg && element.tagName !== "text") continue;
    seen += 1;
    const under = ground(svg ? svg.parentElement : element);
    const style = getComputedStyle(element);
    const ink = over(parse(svg ? style.fill : style.color), under);
    const [high, low] = [light(ink), light(under)].sort((one, other) => other - one);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push([element.outerHTML.slice(0, 80), ratio.toFixed(2)]);
  }
  return {seen, poor};
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_on_the_page_can_be_read(browser: Browser, short: Path, scheme: str) -> None:
    (short.parent.parent / "renders/b/b-t01.mp4").unlink()
    page(short.parent.parent / "shots.yaml")
    browser.open(short, prefers_color_scheme=scheme)
    browser.js("document.querySelectorAll('dialog').forEach((one) => one.setAttribute('open', ''))")
    found = browser.js(CONTRAST)
    assert found["poor"] == []
    assert found["seen"] > 100


@pytest.mark.parametrize(
    "size", [(1400, 900), (820, 1180), (390, 844), (320, 640)], ids=lambda size: f"{size[0]} wide"
)
def test_the_page_fits_the_window(browser: Browser, short: Path, size: tuple[int, int]) -> None:
    browser.open(short, size=size)
    assert browser.js("document.documentElement.scrollWidth") <= size[0]
    wide = """[...document.querySelectorAll("main *, header *")]
      .filter((one) => !one.closest(".strip, .scroll, svg, .unseen"))
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).length"""
    assert browser.js(wide) == 0


@pytest.mark.parametrize("width", [720, 768, 900, 1400])
def test_the_bar_covers_no_shot_that_one_goes_to(browser: Browser, short: Path, width: int) -> None:
    text = short.read_text("utf-8")
    chips = "".join(
        f'<button type="button" class="chip" aria-pressed="false">edited since {n}</button>' for n in range(12)
    )
    marked = '<div class="states" role="group" aria-label="States">'
    assert marked in text
    short.write_text(text.replace(marked, marked + chips), "utf-8")
    browser.open(short, size=(width, 700))
    for shot in ("shot-a", "shot-b", "shot-c"):
        browser.press("j")
        assert browser.js(FOCUSED) == shot
        bar = browser.js("document.getElementById('bar').getBoundingClientRect().bottom")
        assert browser.js("document.activeElement.getBoundingClientRect().top") >= bar > 0


def test_no_word_of_the_table_is_broken_on_a_phone(browser: Browser, short: Path) -> None:
    path = short.parent.parent / "shots.yaml"
    takes = {"a-t01": {"provider": "minimax", "needs": []}}
    head = {"vidspec_run": 1, "started_at": "2026-11-20T10:00:00.000000Z", "kind": "render", "takes": takes}
    failed = {"event": "failed", "time": 3, "slate": "a-t01", "reason": "a reason in many words " * 20}
    folder = folder_of(Site.real(path).folder, "shots")
    folder.mkdir(parents=True)
    lines = "".join(f"{json.dumps(line)}\n" for line in (head, failed))
    (folder / "20261120T100000.000000Z.jsonl").write_text(lines)
    browser.open(page(path), size=(390, 844))
    browser.js("document.querySelector('.run details').open = true")
    cells = """[...document.querySelectorAll(".run :is(th, td):not(:last-child)")].map((one) => {
      const range = document.createRange();
      range.selectNodeContents(one);
      return new Set([...range.getClientRects()].map((box) => box.top)).size;
    })"""
    assert max(browser.js(cells)) == 1
    assert browser.js("document.querySelector('.run tbody td:last-child').offsetHeight") > 60


def test_whatever_can_be_pressed_has_a_name_and_is_large_enough_for_a_finger(browser: Browser, short: Path) -> None:
    browser.open(short, size=(390, 844))
    browser.js("document.getElementById('filters').open = true")
    found = browser.js(
        """
        (() => {
          const all = [...document.querySelectorAll("button, select, input")];
          const labels = (one) => [...one.labels].map((label) => label.textContent).join("");
          return all.filter((one) => one.checkVisibility()).map((one) => ({
            name: one.ariaLabel || one.textContent.trim() || labels(one),
            height: one.getBoundingClientRect().height,
          }));
        })()
        """
    )
    assert len(found) > 10
    assert [one for one in found if not one["name"] or one["height"] < 24] == []


# --- all in one, and a thousand ----------------------------------------------------------------------------------


def test_a_page_that_holds_all_plays_wherever_it_is_taken(
    browser: Browser, shots: Shots, clip: Callable[[int], bytes], tmp_path: Path
) -> None:
    path = film(shots(ENTRIES), clip(1))
    made = page(path, tmp_path / "out", self_contained=True)
    alone = tmp_path / "alone.html"
    made.rename(alone)
    shutil.rmtree(path.parent)
    browser.open(alone)
    browser.press("j ")
    browser.until(f"{PLAYING} === 3")
    assert browser.js(
        "[...document.querySelectorAll('.strip img')].every((one) => one.src.startsWith('data:image/webp'))"
    )
    assert browser.complaints == []
    assert browser.asked_for <= {"file", "data", "blob"}


def test_a_thousand_shots_are_there_at_once_and_stay_usable(
    browser: Browser, shots: Shots, clip: Callable[[int], bytes]
) -> None:
    words = "of the ferry " * 12
    entries = "\n".join(
        f"- {{id: s{number:04}, scene: part {number // 50}, takes: 2, prompt: number {number} {words}}}"
        for number in range(1000)
    )
    made = page(film(shots(entries), clip(1)))
    browser.open(made)
    paint = browser.js("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 1000
    assert 0 < browser.until("document.querySelectorAll('video').length") < 40
    browser.js("document.getElementById('shot-s0700').scrollIntoView()")
    browser.until("document.querySelector('#shot-s0700 video') !== null")
    assert browser.js("document.querySelectorAll('video').length") < 60
    browser.press("/")
    browser.press("number")
    browser.press(" 77")
    browser.until("document.getElementById('count').textContent === '19 of 1000 shots'")
    browser.js(
        "window.from = performance.now(); document.getElementById('clear').click(); document.body.offsetHeight"
    )
    spent = browser.js("performance.now() - window.from")
    assert spent < 1000
    assert browser.complaints == []
