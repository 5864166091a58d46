"""Plans as Markdown, read back by a parser of it: whatever stands in a list is text there, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some
from markdown_it import MarkdownIt

from vidspec.difference import Change
from vidspec.lock import Cost, Record
from vidspec.plan_markdown import LIMIT, code, markdown, prose
from vidspec.planned import Plan, Planned
from vidspec.take import Take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidspec.planned import Action, State

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = [
    "a|b", "a\\|b", "\\\\|x", "|", "||", "\\", "ends in \\", "`tick`", "``", "a``b`c", "`",
    "<script>alert(1)</script>", "</details>", "<!-- x", "-->", "@octocat hi", "#123 and GH-4", "https://evil.example/x",
    "www.evil.example", "a@b.example", "two\nlines\r\n| --- |", "**bold** _it_ ~~no~~", "[x](http://y.example)",
    "![i](x)", "&amp; &lt;", " blanks ", "$x$", "\x1b[2J", "夜|雨", "- [ ] todo", "# title", "1. one", "~2.00",
]  # fmt: skip


def cells(content: str) -> list[list[tuple[str, str]]]:
    """The kinds and texts of what stands in each cell of a row that begins with that content."""
    tokens = PARSER.parse(f"| a | b |\n| --- | --- |\n| {content} | end |\n")
    inlines = [token for token in tokens if token.type == "inline"][2:]
    return [[(one.type, one.content) for one in token.children or () if one.content] for token in inlines]


def said(text: str) -> str:
    return "".join(one if one.isprintable() else "�" for one in " ".join(text.split()))


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_foreign_text_is_one_code_span_in_a_cell_and_says_the_same(text: str) -> None:
    first, second = cells(code(text))
    ((kind, content),) = first
    assert kind == "code_inline"
    assert content.replace("\u200b", "") == said(text)
    assert second == [("text", "end")]


@given(some.text(max_size=200))
def test_any_text_is_one_code_span_in_a_cell(text: str) -> None:
    first, second = cells(code(text))
    assert [kind for kind, _ in first] == (["code_inline"] if said(text) else [])
    assert second == [("text", "end")]


@pytest.mark.parametrize("text", [text for text in HOSTILE if "`" not in text], ids=ascii)
def test_a_sentence_holds_no_markup(text: str) -> None:
    first, second = cells(prose(text))
    assert {kind for kind, _ in first} <= {"text", "text_special"}
    assert "".join(content for _, content in first).replace("\u200b", "") == said(text)
    assert second == [("text", "end")]


@pytest.mark.parametrize(
    ("text", "must_not"),
    [
        ("@octocat", r"@\w"),
        ("see #12", r"#\d"),
        ("GH-12", "GH-"),
        ("https://x.example", "https://"),
        ("www.x", r"www\."),
    ],
    ids=["mention", "issue", "other issue", "address", "bare address"],
)
def test_a_sentence_calls_nobody_and_links_nowhere(text: str, must_not: str) -> None:
    assert not re.search(must_not, prose(text))


def test_what_stands_in_back_ticks_in_a_sentence_is_code() -> None:
    assert prose("`a_b` looks like `c`") == "`a_b` looks like `c`"
    assert prose("one ` alone * here") == "one ' alone \\* here"


def test_a_long_value_is_cut() -> None:
    assert len(code("x" * 100_000)) < 400


MARK = f"sha256:{'0' * 64}"


# --- a page ----------------------------------------------------------------------------------------------------


def planned(
    slate: str,
    action: Action,
    state: State = "stale",
    *reasons: str,
    cost: Cost | None = None,
    edited: bool = False,
    accepted: bool = True,
) -> Planned:
    take = Take(
        slate=slate,
        shot=slate.partition("-")[0],
        number=1,
        scene=None,
        tags=(),
        provider="nebula",
        model="sora-2",
        mode="text_to_video",
        request={"prompt": "x", "duration": 4, "size": "1280x720"},
        defaulted=frozenset(),
        seed=None,
        seed_rule="none",
        inputs=(),
        output=f"{slate}.mp4",
        variables={},
    )
    return Planned(
        take=take,
        action=action,
        state=state,
        reasons=reasons,
        cost=cost,
        record=Record(shot=take.shot, take=1, accepted=MARK if accepted else None),
        changes=(Change("prompt", "x", "y"),) if edited else (),
        edit=MARK if edited else None,
        edited=take if edited else None,
    )


def page(*takes: Planned, removed: Iterable[str] = (), hints: Iterable[str] = (), **options: int | bool) -> str:
    found = Plan(takes=takes, removed=tuple(removed), hints=tuple(hints))
    return markdown("shots.yaml", found, {one.slate for one in takes}, [], **options)  # type: ignore[arg-type]


CENTS = Cost(amount=0.4, currency="usd")


def test_a_plan_is_a_heading_the_totals_and_a_table_for_each_thing_to_do() -> None:
    lines = page(
        planned("a-t01", "render", "stale", "prompt: x → y", "seed: 7 → 8", cost=CENTS),
        planned("b-t01", "keep", "done"),
        planned("c-t01", "restore", "missing", "the output is missing"),
        planned("d-t01", "render", "new", "never rendered", cost=Cost(amount=2, currency="cny", basis="unsure")),
    ).splitlines()
    assert lines[0] == "## Plan of `shots.yaml`"
    assert lines[2] == "**total: 2 render, 1 keep, 1 restore; 12 s of video; about 0.40 usd + 2.00 cny**"
    assert lines[4:10] == [
        "### Render (2 takes, about 0.40 usd + 2.00 cny)",
        "",
        "| take | made by | seconds | price | why |",
        "| --- | --- | ---: | ---: | --- |",
        "| `a-t01` | `nebula · sora-2` | 4 | 0.40 usd | `prompt: x → y`<br>`seed: 7 → 8` |",
        "| `d-t01` | `nebula · sora-2` | 4 | \\~2.00 cny | `never rendered` |",
    ]
    assert "| `c-t01` | `nebula · sora-2` | 4 |  | `the output is missing` |" in lines
    assert (
        lines[-5:]
        == ["<details>", "<summary>1 take kept as rendered</summary>", "", "`b-t01`", "", "</details>"][-5:]
    )


def test_what_a_person_must_do_comes_before_what_costs_and_that_before_what_is_free() -> None:
    actions: list[Action] = ["restore", "collect", "wait", "render", "blocked", "failed", "decide"]
    text = page(*(planned(f"{action}-t01", action, "stale", "why") for action in actions))
    assert re.findall(r"^\| `(\w+)-t01`", text, re.MULTILINE) == [
        "decide", "failed", "blocked", "render", "wait", "collect", "restore",
    ]  # fmt: skip


def test_an_accepted_edit_is_shown_with_the_price_that_it_is_not_worth() -> None:
    text = page(
        planned("a-t01", "keep", "waived", "prompt: x → y", edited=True),
        planned("b-t01", "restore", "missing", "the output is missing", "prompt: x → y", edited=True),
    )
    assert "### Keep, with an accepted edit (1 take)" in text
    assert "| `a-t01` | `nebula · sora-2` | 4 | (0.40 usd) | `prompt: x → y` |" in text
    assert "| (0.40 usd) | `the output is missing`<br>accepted: `prompt: x → y` |" in text
    assert "<details>" not in text


def test_what_is_left_stale_behind_others_is_told_and_is_not_accepted() -> None:
    text = page(
        planned("b-t01", "keep", "stale", "first_frame: a-t01 was rendered anew", edited=True, accepted=False)
    )
    assert "**nothing to do: 1 keep (1 left stale)**" in text
    assert "### Left stale behind others, unless `--with-dependants` is given (1 take)" in text
    assert "| (0.40 usd) | `first_frame: a-t01 was rendered anew` |" in text
    assert "<details>" not in text


def test_removed_takes_and_hints_are_listed() -> None:
    text = page(planned("a-t01", "keep", "done"), removed=["x-t01", "y-t01"], hints=["`a` looks like `x` | <b>"])
    assert "### No longer in the list (2 takes)" in text
    assert "`x-t01`, `y-t01`\n" in text
    assert "- `vidspec lock prune shots.yaml` takes what was removed out of the lockfile\n" in text
    assert "- `a` looks like `x` \\| \\<b\\>\n" in text


def test_quiet_leaves_the_heading_and_the_totals() -> None:
    text = page(planned("a-t01", "render", "new", "never rendered", cost=CENTS), removed=["x-t01"], quiet=True)
    assert text.splitlines()[2:] == ["**total: 1 render; 4 s of video; 0.40 usd**"]


def test_many_reasons_of_one_take_are_counted_not_listed() -> None:
    text = page(planned("a-t01", "render", "stale", *(f"option {number}" for number in range(50)), cost=CENTS))
    assert "`option 7`<br>and 42 more |" in text


@pytest.mark.parametrize("action", ["render", "keep"])
def test_a_plan_of_ten_thousand_takes_is_small_and_says_what_it_leaves_out(action: Action) -> None:
    takes = [planned(f"s{number:05}-t01", action, "stale", "x" * 500, cost=CENTS) for number in range(10_000)]
    text = page(*takes, removed=[f"r{number}-t01" for number in range(10_000)], hints=["a hint " * 30] * 500)
    assert LIMIT - 3000 < len(text) <= LIMIT
    shown = len(set(re.findall(r"`(s\d+-t01)`", text)))
    more = re.findall(r"and (\d+)(?: takes)? more\.?$", text, re.MULTILINE)
    assert str(10_000 - shown) in more
    PARSER.parse(text)


def test_a_page_may_be_smaller_still() -> None:
    takes = [planned(f"s{number:05}-t01", "render", "stale", "x" * 50, cost=CENTS) for number in range(1000)]
    assert len(page(*takes, characters=5000)) <= 5000


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_prints_each_list_and_what_is_over_budget(shots: Shots, project: Path) -> None:
    import io

    from vidspec.commands import plan
    from vidspec.console import Console

    shots("- {id: a, prompt: x, provider: nebula, model: sora-2}", "budget: {usd: 0.1}\n", defaults="{}")
    shots("- {id: b, prompt: x}", name="other.yaml")
    stream = io.StringIO()
    code = plan.run(
        [Path("shots.yaml"), Path("other.yaml")],
        variables={},
        chosen=None,
        left_out=None,
        detailed_exitcode=True,
        form="markdown",
        json=False,
        quiet=True,
        console=Console(stream, colour=True),
    )
    out = stream.getvalue()
    assert code == 1
    assert "## Plan of `shots.yaml`\n" in out
    assert "\n\n## Plan of `other.yaml`\n" in out
    assert "> **Over budget:** the plan may cost 0.4 usd; the budget is 0.1 usd; a render would be refused." in out
    assert "\033[" not in out


def test_markdown_and_json_do_not_go_together(shots: Shots) -> None:
    from vidspec.commands import plan
    from vidspec.console import Console
    from vidspec.errors import UsageError

    shots("- {id: a, prompt: x}")
    with pytest.raises(UsageError, match="`--format markdown` and `--json` do not go together"):
        plan.run(
            [Path("shots.yaml")],
            variables={},
            chosen=None,
            left_out=None,
            detailed_exitcode=False,
            form="markdown",
            json=True,
            quiet=False,
            console=Console(),
        )
