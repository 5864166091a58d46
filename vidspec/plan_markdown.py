"""A plan as Markdown, for a pull request or the summary of a CI run.

What comes from a list, a lockfile or a provider stands in code spans, where no markup, link or mention is heard of.
The whole stays under the smallest limit of those that show it: a comment on GitHub holds 65,536 characters, a
summary a mebibyte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vidspec.diagnostic import counted
from vidspec.plan_table import amount, is_accepted, one_price, price, prunable, seconds, totals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from vidspec.planned import Action, Plan, Planned

LIMIT = 60_000
"""Characters of all the Markdown that is printed together."""
_LEAST = 2000
_LONGEST = 300
"""Characters of one value, beyond which it is cut."""
_MOST_REASONS = 8

_TITLES: dict[Action, str] = {
    "decide": "In doubt: a person must say what became of it",
    "failed": "Failed before: left so until `--retry-failed`",
    "blocked": "Blocked by another take",
    "render": "Render",
    "wait": "Render, after others that they need",
    "collect": "Collect, free: their provider has them",
    "restore": "Restore, free: they are kept",
    "keep": "Keep, with an accepted edit",
}
"""The headings of the tables, in their order: what wants a person first, then what costs."""


def markdown(
    name: str,
    found: Plan,
    slates: Collection[str],
    excesses: Iterable[str],
    *,
    quiet: bool = False,
    characters: int = LIMIT,
) -> str:
    """The plan of the list of that name, of the takes among `slates`, in about so many characters at the most.

    `excesses` are sentences about the budget. With `quiet` the totals are all.
    """
    takes = [planned for planned in found.takes if planned.slate in slates]
    page = _Page(max(_LEAST, characters))
    page.add(f"## Plan of {code(name)}", "", *(f"**{prose(line)}**" for line in totals(takes)), "")
    for sentence in excesses:
        page.add(f"> **Over budget:** {prose(sentence)}; a render would be refused.", "")
    if not quiet:
        _details(page, name, found, takes)
    return "\n".join(page.lines).rstrip("\n")


def _details(page: _Page, name: str, found: Plan, takes: Sequence[Planned]) -> None:
    for action, title in _TITLES.items():
        group = [one for one in takes if one.action == action and (action != "keep" or is_accepted(one))]
        if group:
            _table(page, title, group)
    left = [one for one in takes if one.action == "keep" and one.edited is not None and not is_accepted(one)]
    if left:
        _table(page, "Left stale behind others, unless `--with-dependants` is given", left)
    _notes(page, name, found)
    _kept(page, [one for one in takes if one.action == "keep" and one.edited is None])


class _Page:
    """Lines, and how many characters more there is room for."""

    def __init__(self, characters: int) -> None:
        self.lines: list[str] = []
        self._left = characters

    def add(self, *lines: str) -> None:
        """Lines that must be there."""
        self.lines += lines
        self._left -= sum(len(line) + 1 for line in lines)

    def fits(self, text: str) -> bool:
        """Whether there is room for a text, and for the words that end a page."""
        return len(text) + _RESERVE <= self._left

    def add_all(self, rows: Sequence[str]) -> int:
        """As many of the rows as there is room for; returns how many there is none for."""
        for number, row in enumerate(rows):
            if not self.fits(row):
                return len(rows) - number
            self.add(row)
        return 0


_RESERVE = 1000
"""Characters kept for headings, and for saying that there is more."""


def _table(page: _Page, title: str, group: Sequence[Planned]) -> None:
    """The takes for which the same is done, a row each."""
    worth = f", {prose(price(group))}" if any(one.pays for one in group) else ""
    page.add(f"### {title} ({counted(len(group), 'take')}{worth})", "")
    head = ("| take | made by | seconds | price | why |", "| --- | --- | ---: | ---: | --- |")
    if page.fits("".join(head)):
        page.add(*head)
    left = page.add_all([_row(one) for one in group])
    page.add("")
    if left:
        page.add(f"… and {counted(left, 'take')} more.", "")


def _row(planned: Planned) -> str:
    take = planned.edited or planned.take
    maker = take.provider if take.provider == take.model else f"{take.provider} · {take.model}"
    cost = f"({prose(amount(planned.again))})" if planned.edited is not None else prose(one_price(planned))
    length = seconds([planned])
    cells = (code(planned.slate), code(maker), f"{length:g}" if length else "", cost, _why(planned))
    return f"| {' | '.join(cells)} |"


def _why(planned: Planned) -> str:
    """The reasons, a line each; an edit that was accepted is called so where the heading does not say it."""
    edits = len(planned.changes) if is_accepted(planned) and planned.action != "keep" else 0
    place = len(planned.reasons) - edits
    said = [f"{'accepted: ' if number >= place else ''}{code(one)}" for number, one in enumerate(planned.reasons)]
    more = [f"and {len(said) - _MOST_REASONS} more"] if len(said) > _MOST_REASONS else []
    return "<br>".join((*said[:_MOST_REASONS], *more))


def _notes(page: _Page, name: str, found: Plan) -> None:
    """What the list no longer has, and what a person may do about it."""
    if found.removed:
        title = f"### No longer in the list ({counted(len(found.removed), 'take')})"
        page.add(title, "", "Their clips and records are kept.", "")
        _listed(page, found.removed)
    hints = [*prunable(found.removed, name), *found.hints]
    if hints:
        left = page.add_all([f"- {prose(hint)}" for hint in hints])
        page.add(*([f"- … and {counted(left, 'hint')} more"] if left else []), "")


def _kept(page: _Page, kept: Sequence[Planned]) -> None:
    if kept:
        page.add("<details>", f"<summary>{counted(len(kept), 'take')} kept as rendered</summary>", "")
        _listed(page, [one.slate for one in kept])
        page.add("</details>", "")


def _listed(page: _Page, slates: Sequence[str]) -> None:
    """Slates in one paragraph, a line of source for every few of them."""
    words = [code(slate) for slate in slates]
    lines = [", ".join(words[start : start + _PER_LINE]) for start in range(0, len(words), _PER_LINE)]
    left = page.add_all([f"{line}," if number < len(lines) else line for number, line in enumerate(lines, 1)])
    hidden = max(0, len(words) - (len(lines) - left) * _PER_LINE) if left else 0
    page.add(*([f"and {hidden} more"] if hidden else []), "")


_PER_LINE = 10


# --- foreign text ------------------------------------------------------------------------------------------

_SPACE = "\u200b"
"""A blank of no width: it parts what must not be read as one."""
_MARKUP = re.compile(r"[\\*_\[\]|~<>$]")
_CALLS = re.compile(r"@|#|(?=://)|\bwww(?=\.)|\bgh(?=-)", re.IGNORECASE)
"""What GitHub makes a mention, an issue or a link of."""


def code(text: str) -> str:
    """A text as a code span that may stand in a table: on one line, cut where it is long."""
    said = "".join(one if one.isprintable() else "�" for one in " ".join(text.split()))
    if len(said) > _LONGEST:
        said = f"{said[: _LONGEST - 1]}…"
    said = said.replace("\\|", f"\\{_SPACE}|").replace("|", "\\|")
    if not said:
        return ""
    longest = max(map(len, re.findall("`+", said)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{fence}{pad}{said}{pad}{fence}"


def prose(text: str) -> str:
    """A sentence of ours, in which what stands in back-ticks is code, and nothing else is markup."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        parts = ["'".join(parts)]
    return "".join(code(part) if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(text: str) -> str:
    said = "".join(one if one.isprintable() else "�" for one in text)
    escaped = _MARKUP.sub(r"\\\g<0>", said.replace("&", "&amp;"))
    return _CALLS.sub(rf"\g<0>{_SPACE}", escaped)
