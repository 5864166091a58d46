"""The page that is served: the report's, with what keeps it fresh, and an address for every file that it shows."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from vidspec.events import Tally
from vidspec.planned import Afloat
from vidspec.project import open_lists
from vidspec.watch import page
from vidspec.watch.drafts import draw, held, is_open, look_at
from vidspec.watch.page import Page, bare

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def made(path: Path, **more: Any) -> Page:
    """The page of a list as things are on disk."""
    (opened,), warnings = open_lists([path], {}, offline=True)
    lock, flights = opened.read()
    real = opened.plan(lock, Afloat(flights=flights))
    current = look_at(opened, real).current
    folder = path.parent / ".vidspec/watch-1"
    folder.mkdir(parents=True, exist_ok=True)
    return page.make(
        opened,
        warnings,
        {one.slate for one in real.takes if one.slate in current and is_open(one)},
        real=real,
        lock=lock,
        **{"variables": {}, "folder": folder, "made_at": NOON, "tell": lambda _what, _done, _of: None, **more},
    )


def drawn(path: Path) -> None:
    """Draw all drafts."""
    (opened,), _ = open_lists([path], {}, offline=True)
    slates = {take.slate for take in opened.takes}

    async def main() -> None:
        async with held(opened, trio.Lock()) as intent:
            await draw(intent, slates, Tally(), lambda _slate, _share: None)

    trio.run(main)


def shown(found: Page) -> set[str]:
    """The addresses that a page names, but for those within itself."""
    named = re.findall(r' (?:src|href|data-clip)="([^"]*)"', found.text)
    return {html.unescape(one) for one in named if not one.startswith(("#", "data:"))}


def take_of(found: Page, slate: str) -> str:
    """The part of a page that is about a take."""
    return found.text.partition(f'id="take-{slate}"')[2].partition("</article>")[0]


# --- files -------------------------------------------------------------------------------------------------


def test_every_file_that_is_shown_has_an_address_and_no_other_file_has_one(
    shots: Shots, project: Path, vidspec: Vidspec
) -> None:
    shots("- {id: a, prompt: one, takes: 2}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots("- {id: a, prompt: one, takes: 2}\n- {id: b, prompt: two}")
    drawn(path)
    (project / "secret.mp4").write_bytes(b"secret")
    found = made(path)
    assert shown(found) == set(found.files)
    served = {str(place.path.relative_to(project)) for place in found.files.values()}
    clips = {one for one in served if one.endswith(".mp4")}
    assert clips == {"renders/a/a-t01.mp4", "renders/a/a-t02.mp4", ".vidspec/drafts/b-t01.mp4"}
    assert all(re.fullmatch(r"\.vidspec/watch-1/posters/[0-9a-f]{64}\.webp", one) for one in served - clips)
    assert all(
        place.path.is_file() and place.root in (project, project / ".vidspec/watch-1")
        for place in found.files.values()
    )
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]+", address) for address in found.files)


def test_an_address_is_another_where_the_clip_is_another(shots: Shots) -> None:
    def clips() -> set[str]:
        return {one for one in made(path).files if one.startswith("clip/")}

    path = shots("- {id: a, prompt: one}")
    drawn(path)
    before = clips()
    path = shots("- {id: a, prompt: other}")
    drawn(path)
    assert len(before) == len(clips()) == 1
    assert before != clips()


@pytest.mark.parametrize(
    "output", ["renders/é ?#%41/{{ slate }}.mp4", "a/../{{ slate }}.mp4", "'<&>/{{ slate }}.mp4"]
)
def test_a_clip_at_any_place_has_a_plain_address(shots: Shots, vidspec: Vidspec, output: str) -> None:
    path = shots("- {id: a, prompt: one}", f'output: "{output}"\n')
    assert vidspec("render", "shots.yaml").returncode == 0
    found = made(path)
    places = [place for address, place in found.files.items() if address.startswith("clip/")]
    assert [place.path.is_file() for place in places] == [True]
    assert shown(found) == set(found.files)
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]+", address) for address in found.files)


def test_former_clips_and_those_of_removed_shots_can_be_seen(shots: Shots, project: Path, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots("- {id: a, prompt: other}")
    assert vidspec("render", "shots.yaml").returncode == 0
    served = {str(place.path.relative_to(project)) for place in made(path).files.values()}
    assert "renders/b/b-t01.mp4" in served
    assert any(one.startswith(".vidspec/objects/") for one in served)


def test_a_link_that_leads_out_of_the_project_is_not_shown(shots: Shots, project: Path) -> None:
    path = shots("- {id: a, prompt: one}")
    drawn(path)
    clip = project / ".vidspec/drafts/a-t01.mp4"
    clip.rename(project.parent / "elsewhere.mp4")
    clip.symlink_to(project.parent / "elsewhere.mp4")
    assert made(path).files == {}


# --- drafts and clips --------------------------------------------------------------------------------------


def test_of_what_is_edited_since_it_was_rendered_the_draft_is_shown_as_soon_as_it_is_drawn(
    shots: Shots, vidspec: Vidspec
) -> None:
    shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    assert vidspec("render", "shots.yaml").returncode == 0
    path = shots("- {id: a, prompt: other}\n- {id: b, prompt: two}")
    found = made(path)
    assert '<span class="stamp">draft</span>' not in take_of(found, "a-t01")
    drawn(path)
    found = made(path)
    assert '<span class="stamp">draft</span>' in take_of(found, "a-t01")
    assert '<span class="stamp">draft</span>' not in take_of(found, "b-t01")
    assert "edited since" in take_of(found, "a-t01")


def test_warnings_stand_at_their_shots_and_commands_name_the_variables(shots: Shots) -> None:
    model = (
        "{id: a, provider: nebula, model: sora-2, prompt: 'the {{ sky }}', resolution: 720p, aspect_ratio: '16:9'}"
    )
    found = made(shots(f"- {model}", "vars: {sky: x}\n", defaults="{}"), variables={"sky": "rain"})
    assert found.text.count("the vendor&#39;s own service of `sora-2` ended") == 1
    assert "--var sky=rain" in found.text


def test_whoever_makes_it_is_told_how_far_it_is_and_may_stop_it(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}\n- {id: b, prompt: two}")
    drawn(path)
    told: list[tuple[str, int, int]] = []
    made(path, tell=lambda *one: told.append(one))
    assert told == [("posters", 1, 2), ("posters", 2, 2)]

    def stop(*_: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        made(path, tell=stop)


# --- what keeps it fresh -----------------------------------------------------------------------------------


def policy_of(found: Page) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (rule.split() for rule in found.policy.split(";"))}


@pytest.fixture(params=["a list", "none yet"])
def some(request: pytest.FixtureRequest, shots: Shots) -> Page:
    return (
        made(shots("- {id: a, prompt: '</head><body><script>x</script>'}"))
        if request.param == "a list"
        else bare("<b>.yaml")
    )


def test_the_policy_lets_its_own_scripts_and_styles_run_and_asks_nobody_else(some: Page) -> None:
    policy = policy_of(some)
    for element, rule in (("script", "script-src"), ("style", "style-src")):
        inner = re.findall(rf"<{element}>(.*?)</{element}>", some.text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in inner]
        assert policy[rule] == [f"'sha256-{one}'" for one in digests]
        assert inner
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert "file:" not in some.policy
    assert "unsafe" not in some.policy
    assert "Content-Security-Policy" not in some.text


def test_nothing_on_it_is_from_elsewhere_and_no_text_is_read_as_html(some: Page) -> None:
    script = page._text("page.js")
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", script)
    assert "http" not in script + page._text("page.css") + page._text("bare.html")
    assert some.text.count("<body>") == some.text.count("</head>") == 1
    assert not re.findall(r" on[a-z]+=| style=", page._text("bare.html"))


def test_a_page_has_a_name_which_it_tells_and_which_is_another_where_it_says_something_else(shots: Shots) -> None:
    path = shots("- {id: a, prompt: one}")
    first, again = made(path), made(path)
    assert first == again
    assert f'data-page="{first.name}"' in first.text
    assert made(shots("- {id: a, prompt: other}")).name != first.name


def test_a_page_without_a_list_names_the_file_and_can_be_read() -> None:
    found = bare("<b> & 'c'.yaml")
    assert "<h1>&lt;b&gt; &amp; &#x27;c&#x27;.yaml</h1>" in found.text
    assert found.files == {}


def test_the_script_names_only_what_it_is_told() -> None:
    from dataclasses import asdict

    from vidspec.watch.board import Problem, Standing

    script = page._text("page.js")
    value = Standing(file="x").value("1")
    assert set(re.findall(r"\bnow\.([a-z_]+)\b", script)) <= set(value)
    assert set(re.findall(r"\bfound\.([a-z_]+)\b", script)) <= {*asdict(Problem(text="x")), "map", "open"}
