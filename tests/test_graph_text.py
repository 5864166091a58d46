"""The graph of a plan, drawn in a terminal and in Mermaid."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from vidspec import graph_text
from vidspec.chains import Web
from vidspec.commands import plan
from vidspec.console import Console, width
from vidspec.errors import UsageError
from vidspec.project import open_lists

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

SORA = '{provider: nebula, model: sora-2, resolution: 720p, aspect_ratio: "16:9", duration: 4}'
FILM = """
- {id: a, prompt: one, takes: 2}
- {id: b, prompt: two, first_frame: {shot: a}}
- {id: c, prompt: three, first_frame: {shot: b}, last_frame: {shot: a, at: first}}
- {id: d, prompt: four}
- {id: e, prompt: five, references: [{shot: a, at: 0.1}, {shot: a}]}
"""


def web(path: Path, *slates: str) -> Web:
    (opened,), _ = open_lists([path], {})
    found = opened.plan()
    return Web(found, set(slates) or {one.slate for one in found.takes})


def drawn(of: Web, *, colour: bool = False) -> list[str]:
    return list(graph_text.text(Console(io.StringIO(), colour=colour), of))


def planned(*files: str, **options: Any) -> str:
    """What `plan` prints."""
    stream = io.StringIO()
    asked = {"variables": {}, "chosen": None, "left_out": None, "json": False, "quiet": False, **options}
    paths = [Path(file) for file in files or ("shots.yaml",)]
    assert plan.run(paths, detailed_exitcode=False, console=Console(stream), **asked) == 0
    return stream.getvalue()


# --- in a terminal -------------------------------------------------------------------------------------------


def test_an_only_dependant_stands_below_and_several_stand_beside_each_other(shots: Shots) -> None:
    assert drawn(web(shots(FILM))) == [
        "a-t01  render  free",
        "├─ first_frame: last",
        "│  b-t01  wait  free",
        "│  │ first_frame: last; last_frame: first of a-t01",
        "│  c-t01  wait  free",
        "└─ references: 0.1 s, references: last",
        "   e-t01  wait  free",
        "",
        "beside these 2 takes that stand alone: 2 render, free",
    ]


def test_a_remix_and_prices_are_in_the_drawing(shots: Shots) -> None:
    path = shots(
        "- {id: a, prompt: one}\n"
        "- {id: b, prompt: two, remix_of: {shot: a}, resolution: null, aspect_ratio: null, duration: null}\n"
        "- {id: c, prompt: x, model: veo-3.0-fast-generate-001, first_frame: {shot: a}}",
        defaults=SORA,
    )
    assert drawn(web(path)) == [
        "a-t01  render  0.40 usd",
        "├─ remix_of",
        "│  b-t01  wait  0.40 usd",
        "└─ first_frame: last",
        "   c-t01  wait  price unknown",
    ]


def test_a_list_without_continuity_is_summed_up(shots: Shots) -> None:
    assert drawn(web(shots("- {id: a, prompt: x, takes: 2}"))) == ["no take is made from another: 2 render, free"]


def test_what_a_selected_take_needs_is_drawn_and_said_to_be_not_selected(shots: Shots) -> None:
    assert drawn(web(shots(FILM), "c-t01", "d-t01")) == [
        "a-t01  render  not selected",
        "│ first_frame: last",
        "b-t01  wait  not selected",
        "│ first_frame: last; last_frame: first of a-t01",
        "c-t01  wait  free",
        "",
        "beside these 1 take that stands alone: 1 render, free",
    ]


def test_trees_stand_apart(shots: Shots) -> None:
    two = "- {id: x, prompt: x}\n- {id: y, prompt: y, first_frame: {shot: x}}\n"
    lines = drawn(web(shots(two + two.replace("x", "v").replace("y", "w").replace("promptv", "prompt"))))
    assert lines[3] == ""
    assert lines[0].startswith("x-t01")
    assert lines[4].startswith("v-t01")


def test_a_take_that_is_left_stale_or_was_accepted_is_said_to_be(shots: Shots) -> None:
    of = web(shots(FILM))
    takes = {one.slate: one for one in of.plan.takes}
    record = replace(takes["b-t01"], action="keep", state="stale", cost=None, edited=takes["b-t01"].take)
    left = replace(of.plan, takes=tuple(record if one.slate == "b-t01" else one for one in of.plan.takes))
    assert "│  b-t01  keep  left stale" in drawn(Web(left, of.slates))


DEEP = "- {id: s00, prompt: x}\n" + "".join(
    f"- {{id: s{n:02}, prompt: x, first_frame: {{shot: s{n - 1:02}}}}}\n"
    f"- {{id: o{n:02}, prompt: x, first_frame: {{shot: s{n - 1:02}}}}}\n"
    for n in range(1, 40)
)


def test_branches_that_would_stand_too_far_to_the_right_are_drawn_below(shots: Shots) -> None:
    lines = drawn(web(shots(DEEP)))
    assert max(map(width, lines)) <= 80
    told = [line.strip("│ ").removesuffix(", below") for line in lines if line.endswith(", below")]
    assert told == ["s13-t01", "s26-t01"]
    for slate, before in (("s13-t01", "s12-t01"), ("s26-t01", "s25-t01")):
        place = lines.index(f"goes on from {before}")
        assert lines[place - 1 : place + 2] == ["", f"goes on from {before}", f"{slate}  wait  free"]
    for number in range(1, 40):
        assert sum(f"s{number:02}-t01  wait" in line for line in lines) == 1
        assert sum(f"o{number:02}-t01  wait" in line for line in lines) == 1


def test_no_line_is_longer_than_a_terminal_is_wide(shots: Shots) -> None:
    long = "s" + "o" * 98
    path = shots(
        f"- {{id: {long}1, prompt: x}}\n"
        f"- {{id: {long}2, prompt: x, first_frame: {{shot: {long}1}}, last_frame: {{shot: {long}1, at: first}}}}\n"
        f"- {{id: {long}3, prompt: x, first_frame: {{shot: {long}2}}, last_frame: {{shot: {long}1, at: first}}}}\n"
    )
    lines = drawn(web(path))
    assert max(map(width, lines)) <= 80
    assert [line for line in lines if "2-t01  wait  free" in line]
    assert [line for line in lines if "…" in line and "last_frame: first of soo" in line]


def test_a_chain_may_be_as_long_as_a_list(shots: Shots) -> None:
    chain = "- {id: s0, prompt: x}\n" + "".join(
        f"- {{id: s{n}, prompt: x, first_frame: {{shot: s{n - 1}}}}}\n" for n in range(1, 1500)
    )
    of = web(shots(chain))
    assert len(drawn(of)) == 2 * 1500 - 1
    assert graph_text.mermaid([("shots.yaml", of)]).count("-->") == 1499


def test_actions_are_in_the_colours_of_the_table(shots: Shots) -> None:
    lines = drawn(web(shots(FILM)), colour=True)
    assert lines[0] == "a-t01  \033[32mrender\033[0m  free"
    assert max(map(width, lines)) <= 80


# --- in Mermaid ----------------------------------------------------------------------------------------------

TEXT = r'"(?:[^"#;<>`]|<br/>|#\d+;)*"'
LINE = re.compile(
    rf"graph LR|  (?:  )?(?:direction LR|end|subgraph l\d+\[{TEXT}\]|classDef [a-z]+ [a-z#0-9:,]+"
    rf"|(?:l\d+)?t(?:\d+|s)\[{TEXT}\](?::::[a-z]+)?|(?:l\d+)?t\d+ -->\|{TEXT}\| (?:l\d+)?t\d+)"
)


def held(diagram: str) -> str:
    """A diagram whose every line is of a known form, and whose edges lead between nodes that are there."""
    lines = diagram.split("\n")
    assert lines[0] == "graph LR"
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    nodes = [found[1] for line in lines if (found := re.match(r" +((?:l\d+)?t\w+)\[", line))]
    assert len(set(nodes)) == len(nodes)
    used = re.findall(rf"^ +(\w+) -->\|{TEXT}\| (\w+)$", diagram, re.MULTILINE)
    assert {one for pair in used for one in pair} <= set(nodes)
    classes = set(re.findall(r":::([a-z]+)", diagram))
    assert classes == set(re.findall(r"classDef ([a-z]+)", diagram))
    assert lines.count("  end") == sum("subgraph" in line for line in lines)
    return diagram


def test_a_diagram_holds_every_take_that_hangs_together_and_every_edge(shots: Shots) -> None:
    assert held(graph_text.mermaid([("shots.yaml", web(shots(FILM)))])).split("\n")[:-2] == [
        "graph LR",
        '  t0["a-t01<br/>render · free"]:::render',
        '  t1["b-t01<br/>wait · free"]:::wait',
        '  t2["c-t01<br/>wait · free"]:::wait',
        '  t3["e-t01<br/>wait · free"]:::wait',
        '  t0 -->|"first_frame: last"| t1',
        '  t1 -->|"first_frame: last"| t2',
        '  t0 -->|"last_frame: first"| t2',
        '  t0 -->|"references: 0.1 s, references: last"| t3',
        '  ts["2 takes alone<br/>2 render, free"]',
    ]


def test_several_lists_are_parts_of_one_diagram_whatever_they_are_called(shots: Shots) -> None:
    name = 'a "b" #1 <x> [end] `c`.yaml'
    one, other = web(shots(FILM)), web(shots("- {id: end, prompt: x}", name="other.yaml"))
    diagram = held(graph_text.mermaid([("shots.yaml", one), (name, other)]))
    assert '  subgraph l1["a #34;b#34; #35;1 #60;x#62; #91;end#93; #96;c#96;.yaml"]' in diagram.split("\n")
    assert '    l1ts["1 take alone<br/>1 render, free"]' in diagram.split("\n")


@pytest.mark.parametrize("action", ["collect", "restore", "keep", "blocked", "failed", "decide"])
def test_every_action_has_its_look(shots: Shots, action: Any) -> None:
    of = web(shots(FILM))
    takes = tuple(replace(one, action=action) for one in of.plan.takes)
    assert f":::{action}" in held(graph_text.mermaid([("x", Web(replace(of.plan, takes=takes), of.slates))]))


def test_what_is_larger_than_a_page_shows_is_known(shots: Shots) -> None:
    assert graph_text.is_shown("graph LR")
    assert not graph_text.is_shown("x" * 50_001)
    assert not graph_text.is_shown("a --> b\n" * 501)


# --- as `plan --graph` ---------------------------------------------------------------------------------------


def test_a_drawing_stands_where_the_table_would_with_the_totals_below(shots: Shots) -> None:
    shots(FILM)
    out = planned(graph="text").split("\n")
    assert out[:4] == ["shots.yaml: 6 takes", "", "a-t01  render  free", "├─ first_frame: last"]
    assert not [line for line in out if "never rendered" in line]
    assert out[-4].startswith("  longest chain: a-t01 → b-t01 → c-t01; 3 generations, free")
    assert out[-3:] == ["", "total: 3 render, 3 wait; 1.2 s of video; free", ""]
    assert planned(graph="text", quiet=True).count("\n") == 1


def test_a_diagram_stands_alone_so_that_it_may_be_put_into_a_file(
    shots: Shots, capsys: pytest.CaptureFixture[str]
) -> None:
    shots(FILM)
    assert held(planned(graph="mermaid").removesuffix("\n"))
    assert capsys.readouterr().err == ""


def test_a_diagram_that_is_too_large_is_printed_with_a_hint_beside_it(
    shots: Shots, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shots(FILM)
    monkeypatch.setattr(graph_text, "MOST_EDGES", 3)
    assert held(planned(graph="mermaid").removesuffix("\n"))
    said = "hint: the diagram is larger than most pages show: `--select` draws a part of it\n"
    assert capsys.readouterr().err == said
    planned(graph="mermaid", quiet=True)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("graph", ["text", "mermaid"])
def test_in_markdown_the_diagram_is_a_fenced_block_below_the_plan(shots: Shots, graph: str) -> None:
    shots(FILM)
    out = planned(graph=graph, form="markdown")
    page, _, rest = out.partition("```mermaid\n")
    assert page == planned(form="markdown")
    diagram, _, after = rest.partition("\n```\n")
    assert held(diagram)
    assert after == "\n"
    assert "mermaid" not in planned(graph=graph, form="markdown", quiet=True)


def test_in_markdown_a_diagram_that_leaves_no_room_for_the_plan_is_left_out(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots(FILM)
    monkeypatch.setattr("vidspec.plan_markdown.LIMIT", 500)
    assert "mermaid" not in planned(graph="mermaid", form="markdown")


def test_json_has_the_graph_anyway(shots: Shots) -> None:
    shots(FILM)
    with pytest.raises(UsageError, match="`--graph` and `--json` do not go together: what `--json` prints has"):
        planned(graph="text", json=True)
