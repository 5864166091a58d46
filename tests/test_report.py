from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from vidspec import miniature
from vidspec.commands import report
from vidspec.console import Console
from vidspec.errors import ShotListError, UsageError
from vidspec.events import Event
from vidspec.journal import Journal
from vidspec.ledger import Ledger
from vidspec.lock import Record
from vidspec.planned import price_of
from vidspec.project import open_lists, read_lock
from vidspec.report import gallery
from vidspec.runlog import folder_of, kept
from vidspec.site import Site
from vidspec.store import Store, file_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

    from vidspec.planned import Planned
    from vidspec.runlog import Kind

    Shots = Callable[..., Path]
    Vidspec = Callable[..., CompletedProcess[str]]
    Clip = Callable[[int], bytes]

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"double\" 'single' `tick` \\ } "
    "\u202eltr\u202c הים 夜 👩\u200d👧"
)


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, and the text inside each class."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "line", "rect", "path"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[tuple[str, str]] = []
        self._said: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in self.VOID:
            self._open.append((tag, found.get("class", "")))
            for name in found.get("class", "").split():
                self._said.setdefault(name, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for name in {name for _, names in self._open for name in names.split()}:
            self._said[name][-1] += data

    def said(self, name: str) -> list[str]:
        """The texts of the elements of a class, blanks made one."""
        return [" ".join(one.split()) for one in self._said.get(name, [])]

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of all elements of a kind, that have these."""
        found = [attributes for name, attributes in self.elements if name == tag]
        return [
            one for one in found if all(one.get(key.replace("_", "-")) == value for key, value in wanted.items())
        ]

    def one(self, tag: str, **wanted: str) -> dict[str, str]:
        (found,) = self.all(tag, **wanted)
        return found

    def commands(self, slate: str) -> list[str]:
        """The commands that can be copied about a take, each once."""
        copied = [one["data-copy"] for one in self.all("button") if slate in one.get("data-copy", "")]
        return list(dict.fromkeys(one.removeprefix("vidspec ") for one in copied))


@pytest.fixture
def made(project: Path) -> Callable[..., Page]:
    """Makes the report of `shots.yaml`, and reads it."""

    def make(out: Path | None = None, **more: Any) -> Page:
        given = {"variables": {}, "chosen": None, "left_out": None, "self_contained": False, "force": False, **more}
        assert report.run(Path("shots.yaml"), out=out, quiet=True, console=Console(io.StringIO()), **given) == 0
        return Page(((out or project / "shots-report") / "index.html").read_text("utf-8"))

    return make


@pytest.fixture
def rendered(shots: Shots, vidspec: Vidspec) -> Callable[..., Path]:
    """Writes a list and renders it; what the run itself has logged is taken away."""

    def render(entries: str, head: str = "", **more: Any) -> Path:
        path = shots(entries, head, **more)
        assert vidspec("render", "shots.yaml").returncode == 0
        shutil.rmtree(path.parent / ".vidspec/runs")
        return path

    return render


def changed(path: Path, slate: str, **changes: Any) -> None:
    """Change the record of a take in the lockfile of a list."""
    lock = read_lock(Site.real(path).lock)
    record = lock.get(slate)
    assert record is not None
    lock.put(slate, replace(record, **changes))
    Ledger(lock, Site.real(path).lock).write()


def frames(page: Page) -> dict[str, dict[str, str]]:
    """The pictures to click on, by slate."""
    return {
        one["aria-label"].partition(":")[0]: one for one in page.all("a") if "frame" in one.get("class", "").split()
    }


# --- the page and its files --------------------------------------------------------------------------------------


def test_the_page_stands_beside_the_list_with_posters_and_refers_to_the_clips(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    rendered("- {id: a, prompt: one, takes: 2}", "title: Night ferry\n")
    page = made()
    folder = project / "shots-report"
    assert page.said("kicker")[0].startswith("shots.yaml · 20")
    assert "Night ferry" in page.text
    for slate, frame in frames(page).items():
        assert (folder / unquote(frame["href"])).resolve() == project / f"renders/a/{slate}.mp4"
        poster = page.one("img", id=f"poster-{slate}")
        assert (folder / poster["src"]).read_bytes()[8:12] == b"WEBP"
        assert poster["loading"] == "lazy"
    assert len(frames(page)) == 2
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_page_may_go_elsewhere_and_finds_its_clips_from_there(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    rendered("- {id: a, prompt: one, output: 'renders/ä b#1?%20:{{ slate }}.mp4'}")
    out = tmp_path / "deep/er/place"
    page = made(out)
    (frame,) = frames(page).values()
    assert (out / unquote(frame["href"])).resolve() == project / "renders/ä b#1?%20:a-t01.mp4"
    assert not set(frame["href"]) & set("#?: ")
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "posters"]


def test_the_command_says_where_the_page_is(rendered: Callable[..., Path], project: Path) -> None:
    rendered("- {id: a, prompt: one}")
    told = io.StringIO()
    code = report.run(
        Path("shots.yaml"),
        variables={},
        chosen=None,
        left_out=None,
        out=None,
        self_contained=False,
        force=False,
        quiet=False,
        console=Console(told),
    )
    assert code == 0
    assert re.fullmatch(r"shots-report/index\.html: 1 take, 0\.\d MB\n", told.getvalue())


def test_a_second_report_makes_no_poster_again_and_takes_old_ones_away(
    rendered: Callable[..., Path],
    made: Callable[..., Page],
    project: Path,
    vidspec: Vidspec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered("- {id: a, prompt: one}")
    first = made()
    mine = project / "shots-report/posters/mine.webp"
    mine.touch()
    with monkeypatch.context() as patch:
        patch.setattr(miniature, "poster", None)
        assert first.one("img", id="poster-a-t01") == made().one("img", id="poster-a-t01")
    rendered("- {id: a, prompt: two}")
    again = made()
    names = {path.name for path in mine.parent.iterdir()}
    assert names == {"mine.webp", again.one("img", id="poster-a-t01")["src"].removeprefix("posters/")}
    assert again.one("img", id="poster-a-t01") != first.one("img", id="poster-a-t01")


def test_nothing_is_loaded_from_anywhere_and_the_policy_says_so(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    rendered("- {id: a, prompt: one, takes: 2}")
    page = made()
    addresses = [value for _, found in page.elements for key, value in found.items() if key in ("src", "href")]
    assert not [one for one in addresses if ":" in one and not one.startswith("data:,")]
    policy = page.one("meta", http_equiv="Content-Security-Policy")["content"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"https?:|unsafe|\*", policy)
    assert not [key for _, found in page.elements for key in found if key.startswith("on") or key == "style"]


def test_the_list_alone_is_enough(shots: Shots, made: Callable[..., Page]) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two, skip: true}")
    page = made()
    assert page.said("empty") == ["not rendered"]
    assert page.said("left-out") == ["b left out for now (skip)"]
    assert not page.all("button", id="film")
    assert page.commands("a-t01") == ["render shots.yaml --select a-t01"]


# --- what is written by others -----------------------------------------------------------------------------------


def test_whatever_somebody_wrote_is_text(shots: Shots, made: Callable[..., Page], project: Path) -> None:
    entry = {"id": "a", "prompt": HOSTILE, "notes": HOSTILE, "tags": [HOSTILE], "scene": HOSTILE}
    shots(f"- {json.dumps(entry, ensure_ascii=False)}", f"title: {json.dumps(HOSTILE, ensure_ascii=False)}\n")
    page = made()
    assert page.said("prompt") == page.said("notes") == page.said("tag") == page.said("scene") == [HOSTILE]
    (shot,) = [one for tag, one in page.elements if tag == "section" and "shot" in one.get("class", "").split()]
    assert json.loads(shot["data-tags"]) == [HOSTILE]
    assert shot["data-scene"] == HOSTILE
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert [one.get("dir") for one in page.all("p") if "prompt" in one.get("class", "")] == ["auto"]


def test_what_a_lockfile_holds_is_text_too(rendered: Callable[..., Path], made: Callable[..., Page]) -> None:
    path = rendered("- {id: a, prompt: one}")
    changed(path, "a-t01", request={"prompt": "<b>bold</b>", "resolution": "<i>"}, request_id="<u>", provider="<s>")
    page = made()
    assert page.said("prompt") == ["<b>bold</b>"]
    assert "<u>" in page.said("more")[0]
    assert {one.get("class") for one in page.all("i")} == {"head-line"}
    assert not page.all("u")
    assert not page.all("s")


# --- takes -------------------------------------------------------------------------------------------------------


def test_what_differs_between_takes_is_marked_and_what_does_not_is_told_once(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    rendered("- {id: a, takes: [7, 9], prompt: 'a ferry in the {% if take == 2 %}fog{% else %}rain{% endif %}'}")
    page = made()
    assert page.said("prompt") == ["a ferry in the rain (a-t01)", "a ferry in the rain a ferry in the fog"]
    assert re.findall(r"<mark>(.*?)</mark>", page.text) == ["fog"]
    assert page.said("own") == ["seed7", "seed9"]


def test_the_chosen_take_goes_into_the_cut_else_the_first(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    path = rendered("- {id: a, prompt: one, takes: 3}\n- {id: b, prompt: two}")

    def cut(page: Page) -> list[str]:
        return [one["data-slate"] for one in page.all("article") if "cut" in one["class"].split()]

    page = made()
    assert (cut(page), page.said("right")) == (["a-t01"], ["in the cut"])
    assert page.all("button", data_by_undecided="")
    assert "choose shots.yaml a-t02" in page.commands("a-t02")
    changed(path, "a-t02", chosen=True)
    page = made()
    assert (cut(page), page.said("right")) == (["a-t02"], ["chosen"])
    assert not page.all("button", data_by_undecided="")
    assert "choose shots.yaml a-t02 --clear" in page.commands("a-t02")


def test_a_draft_stands_in_and_is_called_one(shots: Shots, vidspec: Vidspec, made: Callable[..., Page]) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml", "--draft").returncode == 0
    page = made()
    assert page.said("stamp") == ["draft"]
    assert frames(page)["a-t01"]["href"] == "../.vidspec/drafts/a-t01.mp4"
    assert vidspec("render", "shots.yaml").returncode == 0
    assert made().said("stamp") == []


def test_a_draft_of_what_was_edited_since_is_called_outdated(
    shots: Shots, vidspec: Vidspec, made: Callable[..., Page]
) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    assert vidspec("render", "shots.yaml", "--draft").returncode == 0
    shots("- {id: a, prompt: one}\n- {id: b, prompt: another}")
    assert made().said("stamp") == ["draft", "outdated draft"]


@pytest.mark.parametrize(
    ("happens", "state", "stamp", "command"),
    [
        ("lost", "missing", "from what is kept", "render shots.yaml --select a-t01"),
        ("replaced", "changed", "from what is kept", "render shots.yaml --select a-t01"),
        ("replaced and not kept", "changed", "not the clip that was rendered", "render shots.yaml --select a-t01"),
        ("lost and not kept", "missing", "", "render shots.yaml --select a-t01"),
    ],
)
def test_of_a_clip_that_is_not_at_its_place_what_there_is_is_shown(
    rendered: Callable[..., Path],
    made: Callable[..., Page],
    project: Path,
    clip: Clip,
    happens: str,
    state: str,
    stamp: str,
    command: str,
) -> None:
    rendered("- {id: a, prompt: one}")
    output = project / "renders/a/a-t01.mp4"
    if "not kept" in happens:
        Store(project / ".vidspec").place(file_digest(output)).unlink()
    if "lost" in happens:
        output.unlink()
    else:
        output.write_bytes(clip(4))
    page = made()
    assert page.one("article")["data-state"] == state
    assert page.said("stamp") == ([stamp] if stamp else [])
    if stamp == "from what is kept":
        address = frames(page)["a-t01"]["href"]
        assert file_digest(project / "shots-report" / address).removeprefix("sha256:") == "".join(
            Path(address).parts[-2:]
        )
    elif not stamp:
        assert page.said("empty") == ["clip missing"]
    assert page.commands("a-t01")[0] == command


def test_a_link_that_leads_out_of_the_project_is_not_shown(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    rendered("- {id: a, prompt: one}")
    output, private = project / "renders/a/a-t01.mp4", tmp_path / "private.mp4"
    Store(project / ".vidspec").place(file_digest(output)).unlink()
    output.rename(private)
    output.symlink_to(private)
    page = made()
    assert not frames(page)
    assert not list((project / ".vidspec/posters").iterdir())


def test_a_clip_without_pictures_says_so_in_place_of_them(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    path = rendered("- {id: a, prompt: one}")
    output = project / "renders/a/a-t01.mp4"
    output.write_bytes(b"no clip at all")
    record = read_lock(Site.real(path).lock).get("a-t01")
    assert record is not None
    assert record.output is not None
    lie = replace(record.output, sha256=file_digest(output), bytes=output.stat().st_size)
    changed(path, "a-t01", output=lie)
    assert made().said("empty") == ["donethe clip is not a clip that can be read"]


def test_what_was_delivered_otherwise_than_asked_is_told(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    path = rendered("- {id: a, prompt: one}")
    record = read_lock(Site.real(path).lock).get("a-t01")
    assert record is not None
    assert record.output is not None
    changed(path, "a-t01", output=replace(record.output, width=32, height=18, duration=3.0))
    assert made().said("why") == [
        "delivered otherwise than asked: it is 32x18, not 64x36",
        "delivered otherwise than asked: it is 3 s long, not 0.2 s",
    ]


def test_an_edit_is_told_with_what_it_would_cost_or_that_it_was_accepted(
    rendered: Callable[..., Path], shots: Shots, made: Callable[..., Page]
) -> None:
    rendered("- {id: a, prompt: a ferry in the rain}")
    shots("- {id: a, prompt: a ferry in the fog}")
    page = made()
    assert page.one("article")["data-state"] == "stale"
    assert page.said("edits") == ["1 edit since it was rendered prompta ferry in the rain a ferry in the fog"]
    assert page.said("prompt") == ["a ferry in the rain"]
    assert page.commands("a-t01") == [
        "render shots.yaml --select a-t01",
        "accept shots.yaml a-t01",
        "choose shots.yaml a-t01",
    ]


def test_clips_that_others_have_replaced_can_still_be_seen(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    rendered("- {id: a, prompt: one}")
    before = (project / "renders/a/a-t01.mp4").read_bytes()
    rendered("- {id: a, prompt: two}")
    former = made().one("a", data_slate="a-t01, former")
    assert (project / "shots-report" / former["href"]).read_bytes() == before


def test_what_the_list_no_longer_has_is_told_and_can_be_seen(
    rendered: Callable[..., Path], shots: Shots, made: Callable[..., Page], project: Path
) -> None:
    rendered("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    shots("- {id: a, prompt: one}")
    page = made()
    gone = page.one("a", data_slate="b-t01, former")
    assert (project / "shots-report" / gone["href"]).resolve() == project / "renders/b/b-t01.mp4"


# --- what there is to be played ----------------------------------------------------------------------------------


def test_clips_are_played_together_only_where_there_are_several(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    rendered("- {id: a, prompt: one, takes: 2}")
    assert made().said("together") == ["Play together"]
    output = project / "renders/a/a-t02.mp4"
    Store(project / ".vidspec").place(file_digest(output)).unlink()
    output.unlink()
    assert made().said("together") == []


def test_only_the_clips_that_are_there_are_counted_as_footage(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    path = rendered("- {id: a, prompt: one, takes: 3}")
    for slate, seconds in (("a-t01", 2.5), ("a-t02", 3.0), ("a-t03", 4.0)):
        record = read_lock(Site.real(path).lock).get(slate)
        assert record is not None
        assert record.output is not None
        changed(path, slate, output=replace(record.output, duration=seconds))
    for slate in ("a-t02", "a-t03"):
        output = project / f"renders/a/{slate}.mp4"
        Store(project / ".vidspec").place(file_digest(output)).unlink()
        output.unlink()
    (project / "renders/a/a-t03.mp4").write_bytes(b"broken")
    assert "Footage2.5 s" in made().said("facts")[0]
    (project / "renders/a/a-t01.mp4").write_bytes(b"kept, and to be seen from there")
    assert "Footage2.5 s" in made().said("facts")[0]


# --- what failed -------------------------------------------------------------------------------------------------


REMOTE = "- {id: a, provider: minimax, model: MiniMax-Hailuo-02, prompt: one, takes: 2}"


def test_what_failed_and_what_is_in_doubt_comes_first_with_why_and_what_to_do(
    shots: Shots, made: Callable[..., Page]
) -> None:
    path = shots(REMOTE, defaults="{resolution: 768p, duration: 6}")
    (opened,), _ = open_lists([path], {}, offline=True)
    with Journal(Site.real(path).journal) as journal:
        for take in opened.takes:
            record = Record(
                shot=take.shot,
                take=take.number,
                provider=take.provider,
                model=take.model,
                request=dict(take.request),
                defaulted=tuple(take.defaulted),
                seed=take.seed,
                cost=price_of(take),
            )
            journal.intend(take.slate, record, output=take.output, base_url="https://x.example")
        journal.note("a-t01", "accepted", request_id="r-1")
        journal.note("a-t01", "failed", reason="<b>not nice</b>", blame="moderation")
    page = made()
    (trouble,) = page.said("trouble")
    assert "a-t01 failed <b>not nice</b> Try again 0.28 usd" in trouble
    assert "a-t02 in doubt sent to minimax, and the answer was lost" in trouble
    assert page.said("why")[0] == "<b>not nice</b> (moderation)"
    assert "Spent0.28 usd 0.28 usd of it for what failed In doubt0.28 usd" in page.said("facts")[0]
    assert page.said("price") == ["perhaps 0.28 usd"]
    assert page.commands("a-t01") == ["render shots.yaml --retry-failed --select a-t01"]
    assert page.commands("a-t02") == [
        "adopt shots.yaml a-t02 REQUEST_ID",
        "render shots.yaml --resubmit a-t02 --select a-t02",
    ]
    assert [one["data-by-state"] for one in page.all("button") if "data-by-state" in one] == ["failed", "in_doubt"]


def test_what_is_under_way_is_spent_and_its_card_says_for_how_much(shots: Shots, made: Callable[..., Page]) -> None:
    path = shots(REMOTE, defaults="{resolution: 768p, duration: 6}")
    (opened,), _ = open_lists([path], {}, offline=True)
    take = opened.takes[0]
    with Journal(Site.real(path).journal) as journal:
        record = Record(
            shot="a",
            take=1,
            provider=take.provider,
            model=take.model,
            request=dict(take.request),
            cost=price_of(take),
        )
        journal.intend("a-t01", record, output=take.output, base_url="https://x.example")
        journal.note("a-t01", "accepted", request_id="r-1")
    page = made()
    assert page.said("facts")[0].endswith("Spent0.28 usd 0.28 usd of it under way Still to pay0.28 usd")
    assert page.said("price") == ["0.28 usd", "to pay: 0.28 usd"]


def test_what_was_paid_for_a_failure_stays_spent_when_its_take_is_edited(
    shots: Shots, made: Callable[..., Page]
) -> None:
    path = shots(REMOTE, defaults="{resolution: 768p, duration: 6}")
    (opened,), _ = open_lists([path], {}, offline=True)
    take = opened.takes[0]
    with Journal(Site.real(path).journal) as journal:
        record = Record(shot="a", take=1, provider=take.provider, model=take.model, cost=price_of(take))
        journal.intend("a-t01", record, output=take.output, base_url="https://x.example")
        journal.note("a-t01", "accepted", request_id="r-1")
        journal.note("a-t01", "failed", reason="no", blame="moderation")
    page = made()
    assert page.one("article", data_slate="a-t01")["data-state"] == "new"
    assert "Spent0.28 usd 0.28 usd of it for what failed Still to pay0.56 usd" in page.said("facts")[0]


def test_what_is_drawn_here_is_not_still_to_be_paid(shots: Shots, made: Callable[..., Page]) -> None:
    shots("- {id: a, prompt: one}")
    page = made()
    assert page.said("facts") == ["Shots1 Takes1"]
    assert page.said("price") == []


# --- runs --------------------------------------------------------------------------------------------------------


def ran(site: Site, work: list[Planned], moment: datetime, kind: Kind) -> None:
    """Leave the log of a run in which the take waited for two seconds and was drawn in eight."""
    with kept(folder_of(site.folder, "shots"), work, lambda _event: None, kind=kind, now=lambda: moment) as hear:
        hear(Event(event="run_started", time=0.0))
        hear(Event(event="submitted", time=2.0, slate="a-t01"))
        hear(Event(event="downloaded", time=10.0, slate="a-t01"))


def test_the_runs_are_drawn_and_told_in_a_table_and_by_the_take(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    path = rendered("- {id: a, prompt: one}")
    site = Site.real(path)
    (opened,), _ = open_lists([path], {})
    work = [replace(one, action="render", state="new") for one in opened.plan().takes]
    ran(site, work, datetime(2026, 11, 20, 10, tzinfo=UTC), "render")
    ran(Site.rehearsal(path), work, datetime(2026, 11, 20, 9, tzinfo=UTC), "rehearsal")
    page = made()
    assert page.all("svg", role="img")[0]["aria-label"] == "a-t01: waited 2.0 s, rendered 8.0 s; done"
    assert [one["class"] for one in page.all("rect")][:2] == ["waiting", "rendering"]
    assert page.one("select", id="pick")
    assert [one["id"] for one in page.all("template")] == ["run-1", "run-2"]
    assert "waited 2.0 s, rendered 8.0 s" in page.said("more")[0]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", page.text.partition("<tbody>")[2])
    assert cells[:8] == ["a-t01", "animatic", "", "2.0 s", "", "8.0 s", "", "done"]


def test_what_a_log_says_is_text_too_even_half_a_character(
    rendered: Callable[..., Path], made: Callable[..., Page]
) -> None:
    folder = folder_of(Site.real(rendered("- {id: a, prompt: one}")).folder, "shots")
    folder.mkdir(parents=True)
    takes = {"<b>": {"provider": "<i>", "needs": []}}
    head = {"vidspec_run": 1, "started_at": "2026-11-20T10:00:00.000000Z", "kind": "<u>", "takes": takes}
    failed = {"event": "failed", "time": 3, "slate": "<b>", "reason": "<s>\ud83d"}
    lines = "".join(f"{json.dumps(line)}\n" for line in (head, failed))
    (folder / "20261120T100000.000000Z.jsonl").write_text(lines)
    page = made()
    assert page.all("svg", role="img")[0]["aria-label"] == "<b>: waited 3.0 s; failed: <s>?"
    assert not [tag for tag, _ in page.elements if tag in ("u", "s")]


# --- selections and faults ---------------------------------------------------------------------------------------


def test_a_report_of_some_takes_is_of_these_alone(rendered: Callable[..., Path], made: Callable[..., Page]) -> None:
    rendered("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    page = made(chosen="a", left_out="a-t02")
    assert [one["data-slate"] for one in page.all("article")] == ["a-t01"]
    with pytest.raises(UsageError, match="matches nothing"):
        made(chosen="x")


def test_variables_are_part_of_the_commands(shots: Shots, made: Callable[..., Page]) -> None:
    shots("- {id: a, prompt: '{{ weather }}'}", "vars: {weather: rain}\n")
    page = made(variables={"weather": "thick fog"})
    assert page.said("prompt") == ["thick fog"]
    assert page.commands("a-t01") == ["render shots.yaml --select a-t01 --var 'weather=thick fog'"]


def test_of_a_wrong_list_nothing_is_written(shots: Shots, made: Callable[..., Page], project: Path) -> None:
    shots("- {id: a, promt: one}")
    with pytest.raises(ShotListError) as told:
        made()
    assert told.value.exit_code == 2
    assert not (project / "shots-report").exists()


def test_a_file_where_the_folder_should_be_is_left_alone(
    shots: Shots, made: Callable[..., Page], tmp_path: Path
) -> None:
    shots("- {id: a, prompt: one}")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot write in `.*out`"):
        made(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_link_in_a_project_makes_nobody_write_elsewhere(
    shots: Shots, made: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    shots("- {id: a, prompt: one}")
    (tmp_path / "elsewhere").mkdir()
    (project / "shots-report").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="leads out of the project folder"):
        made()
    (project / "shots-report").unlink()
    (project / "shots-report").mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (project / "shots-report/index.html").symlink_to(precious)
    made()
    assert precious.read_text() == "mine"
    assert not list((tmp_path / "elsewhere").iterdir())


# --- what stands there already -----------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [False, True], ids=["beside its files", "all in one"])
def test_a_page_of_another_is_not_written_over_unless_that_is_said(
    shots: Shots, made: Callable[..., Page], tmp_path: Path, inside: bool
) -> None:
    shots("- {id: a, prompt: one}")
    out = tmp_path / "site"
    out.mkdir()
    (out / "index.html").write_text("my own site")
    with pytest.raises(UsageError, match=r"is not a report of vidspec\n.*`--force`") as told:
        made(out, self_contained=inside)
    assert told.value.exit_code == 2
    assert [path.name for path in out.iterdir()] == ["index.html"]
    assert (out / "index.html").read_text() == "my own site"
    made(out, self_contained=inside, force=True)
    assert "my own site" not in made(out, self_contained=inside).text


def test_the_command_line_refuses_a_page_of_another_with_2_and_has_a_word_for_it(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots("- {id: a, prompt: one}")
    (project / "page").mkdir()
    (project / "page/index.html").write_text("my own site")
    refused = vidspec("report", "shots.yaml", "-o", "page")
    assert refused.returncode == 2
    assert "error: `page/index.html` stands there already" in refused.stderr
    assert (project / "page/index.html").read_text() == "my own site"
    assert vidspec("report", "shots.yaml", "-o", "page", "--force").returncode == 0
    assert vidspec("report", "shots.yaml", "-o", "page").returncode == 0


def test_a_page_of_another_beside_the_list_is_not_written_over_either(
    shots: Shots, made: Callable[..., Page], project: Path
) -> None:
    shots("- {id: a, prompt: one}")
    (project / "shots-report").mkdir()
    (project / "shots-report/index.html").write_text("mine")
    with pytest.raises(UsageError, match="stands there already"):
        made()
    assert [path.name for path in (project / "shots-report").iterdir()] == ["index.html"]


def test_a_report_of_an_older_release_is_replaced(shots: Shots, made: Callable[..., Page], tmp_path: Path) -> None:
    shots("- {id: a, prompt: one}")
    (tmp_path / "index.html").write_text(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{"x" * 600}">\n'
        '<meta name="generator" content="vidspec 0.0.9">\n'
    )
    assert "0.0.9" not in made(tmp_path).one("meta", name="generator")["content"]


def test_a_link_to_a_page_of_another_is_left_where_it_is(
    shots: Shots, made: Callable[..., Page], tmp_path: Path
) -> None:
    shots("- {id: a, prompt: one}")
    out = tmp_path / "site"
    out.mkdir()
    (tmp_path / "home.html").write_text("my own site")
    (out / "index.html").symlink_to(tmp_path / "home.html")
    with pytest.raises(UsageError, match="stands there already"):
        made(out)
    (out / "index.html").unlink()
    (out / "index.html").mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        made(out, force=True)


def test_no_poster_is_written_through_a_link(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    rendered("- {id: a, prompt: one}")
    (tmp_path / "elsewhere").mkdir()
    (project / "shots-report").mkdir()
    (project / "shots-report/posters").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"`.*posters` is a link"):
        made()
    made(self_contained=True)
    assert not list((tmp_path / "elsewhere").iterdir())


# --- all in one --------------------------------------------------------------------------------------------------


def test_a_page_that_holds_all_leaves_no_posters_of_an_earlier_one_beside_it(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path
) -> None:
    rendered("- {id: a, prompt: one}")
    made()
    folder = project / "shots-report"
    assert list((folder / "posters").iterdir())
    made(self_contained=True)
    assert not (folder / "posters").exists()
    made()
    (folder / "posters/mine.txt").touch()
    made(self_contained=True)
    assert [path.name for path in (folder / "posters").iterdir()] == ["mine.txt"]


def test_a_page_can_hold_all_that_it_shows(
    rendered: Callable[..., Path], made: Callable[..., Page], tmp_path: Path
) -> None:
    rendered("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}\n- {id: c, prompt: three}")
    page = made(tmp_path / "out", self_contained=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]
    for slate, frame in frames(page).items():
        assert frame["href"] == f"#copy-{slate}"
        assert page.one("script", id=f"copy-{slate}")["type"] == "text/plain"
        assert page.one("img", id=f"poster-{slate}")["src"].startswith("data:image/webp;base64,")
    assert len(frames(page)) == 4
    policy = page.one("meta", http_equiv="Content-Security-Policy")["content"]
    assert "img-src data:; media-src blob:;" in policy
    assert "small silent copies" in page.said("note")[0].lower()


def test_a_page_holds_no_more_copies_than_it_should_and_those_of_the_cut_first(
    rendered: Callable[..., Path],
    made: Callable[..., Page],
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = rendered("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    changed(path, "a-t02", chosen=True)
    made(tmp_path / "all", self_contained=True)
    name = file_digest(project / "renders/a/a-t02.mp4").removeprefix("sha256:")
    size = (project / f".vidspec/posters/{name}-320.mp4").stat().st_size
    monkeypatch.setattr(gallery, "MOST_INSIDE", size)
    page = made(tmp_path / "one", self_contained=True)
    assert [one["id"] for one in page.all("script", type="text/plain")] == ["copy-a-t02"]
    assert page.said("note")[0].endswith("Of 2 takes it has pictures alone.")
    assert list(frames(page)) == ["a-t02"]
    assert page.one("img", id="poster-b-t01")
    page = made(tmp_path / "two", self_contained=True, left_out="b")
    assert page.said("note")[0].endswith("Of 1 take it has pictures alone.")


def test_a_take_without_a_picture_is_not_counted_among_those_with_pictures_alone(
    rendered: Callable[..., Path], made: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    rendered("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    output = project / "renders/b/b-t01.mp4"
    Store(project / ".vidspec").place(file_digest(output)).unlink()
    output.write_bytes(b"no clip")
    page = made(tmp_path / "out", self_contained=True)
    assert list(frames(page)) == ["a-t01"]
    assert "pictures alone" not in page.said("note")[0]


# --- the page by itself ------------------------------------------------------------------------------------------


def test_a_list_without_a_title_is_called_by_its_file(shots: Shots, made: Callable[..., Page]) -> None:
    shots("- {id: a, prompt: one}")
    assert "<title>shots.yaml: report</title>" in made().text


def test_the_same_input_makes_the_same_page(rendered: Callable[..., Path], made: Callable[..., Page]) -> None:
    rendered("- {id: a, prompt: one, takes: 3}")
    first, second = made(), made()
    assert re.sub(r"\d\d:\d\d UTC", "", first.text) == re.sub(r"\d\d:\d\d UTC", "", second.text)
