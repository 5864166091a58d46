"""The graph of a plan, drawn: as trees for a terminal of eighty columns, and in Mermaid for a page.

A take that is made from several others hangs on the one of the latest generation; the others are named beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from vidspec import graph, waves
from vidspec.console import width
from vidspec.diagnostic import counted
from vidspec.plan_table import HUES, amount, is_accepted, one_price, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vidspec.chains import Web
    from vidspec.console import Console
    from vidspec.planned import Planned
    from vidspec.take import Input

COLUMNS = 80
_DEEPEST = 36
"""Columns that branches may take; what would stand further to the right is drawn as a tree of its own."""
_LEAST = 12
"""Columns that a slate has at the least."""


class _Branch(NamedTuple):
    """A take that is still to be drawn: what stands to the left of its lines, and the line that leads to it."""

    slate: str
    prefix: str
    lead: str = ""


class _Drawn:
    """The part of a web that is drawn: the selected takes that hang together with others, and what they need."""

    def __init__(self, web: Web) -> None:
        wanted = graph.with_needs([slate for slate in web.planned if slate in web.slates], web.needs)
        wanted &= web.planned.keys()
        needs = waves.among(wanted, web.needs)
        connected = waves.connected(needs)
        self.web = web
        self.slates = [slate for slate in web.planned if slate in connected]
        self.needs = waves.among(connected, needs)
        self.alone = [one for slate, one in web.planned.items() if slate in web.slates - connected]

    def parent(self, slate: str) -> str | None:
        """The take that another hangs on: of what it needs the latest generation."""
        return max(self.needs[slate], key=self.web.generations.__getitem__, default=None)

    def edges(self, slate: str) -> dict[str, str]:
        """What a take is made from, and how: `first_frame: last`, by the take that is needed."""
        found: dict[str, list[str]] = {}
        planned = self.web.planned[slate]
        for given in (planned.edited or planned.take).inputs:
            if given.frame is not None and given.frame.slate in self.needs[slate]:
                found.setdefault(given.frame.slate, []).append(_how(given))
        return {needed: ", ".join(hows) for needed, hows in found.items()}


def _how(given: Input) -> str:
    assert given.frame is not None
    at = given.frame.at
    if at is None:
        return given.setting
    return f"{given.setting}: {at if isinstance(at, str) else f'{at:g} s'}"


def _notes(web: Web, one: Planned) -> Iterator[str]:
    """What a take is called besides its action."""
    if one.slate not in web.slates:
        yield "not selected"
    elif price := one_price(one):
        yield "price unknown" if price == amount(None) else price
    if one.is_left:
        yield "left stale"
    elif is_accepted(one):
        yield "accepted"


# --- for a terminal ----------------------------------------------------------------------------------------


def text(console: Console, web: Web) -> Iterator[str]:
    """The lines of the trees, none longer than eighty columns, and a sum of what stands alone."""
    drawn = _Drawn(web)
    children: dict[str, list[str]] = {}
    roots = []
    for slate in drawn.slates:
        parent = drawn.parent(slate)
        if parent is None:
            roots.append(_Branch(slate, ""))
        else:
            children.setdefault(parent, []).append(slate)
    for number, root in enumerate(roots):
        if number:
            yield ""
        yield from _tree(console, drawn, root, children)
    if drawn.alone:
        yield from _alone(drawn.alone, any_drawn=bool(roots))


def _tree(console: Console, drawn: _Drawn, root: _Branch, children: dict[str, list[str]]) -> Iterator[str]:
    """One tree, and behind it those of its branches that would stand too far to the right."""
    waiting, apart = [root], list[_Branch]()
    while waiting:
        branch = waiting.pop()
        if branch.lead:
            yield branch.lead
        if len(branch.prefix) > _DEEPEST and branch.slate in children:
            apart.append(_Branch(branch.slate, "", _cut(f"goes on from {drawn.parent(branch.slate)}")))
            yield _cut(f"{branch.prefix}{_shortened(branch.slate, COLUMNS - len(branch.prefix) - 7)}, below")
        else:
            yield _node(console, drawn, branch)
            waiting += _branches(drawn, branch, children.get(branch.slate, []))[::-1]
        if not waiting and apart:
            yield ""
            waiting.append(apart.pop(0))


def _branches(drawn: _Drawn, branch: _Branch, children: Sequence[str]) -> list[_Branch]:
    """What hangs on a take: an only one stands straight below it, several stand to its right."""
    if len(children) == 1:
        lead = _cut(f"{branch.prefix}│ {_edge(drawn, children[0], branch.slate)}")
        return [_Branch(children[0], branch.prefix, lead)]
    found = []
    for place, child in enumerate(children, 1):
        corner, beside = ("└─ ", "   ") if place == len(children) else ("├─ ", "│  ")
        lead = _cut(f"{branch.prefix}{corner}{_edge(drawn, child, branch.slate)}")
        found.append(_Branch(child, f"{branch.prefix}{beside}", lead))
    return found


def _edge(drawn: _Drawn, slate: str, parent: str) -> str:
    """How a take is made from the one that it hangs on, and from others."""
    edges = drawn.edges(slate)
    others = [f"{how} of {needed}" for needed, how in edges.items() if needed != parent]
    return "; ".join((edges[parent], *others))


def _node(console: Console, drawn: _Drawn, branch: _Branch) -> str:
    one = drawn.web.planned[branch.slate]
    notes = list(_notes(drawn.web, one))
    room = COLUMNS - len(branch.prefix) - len("  ".join(("", one.action, *notes)))
    name = _shortened(branch.slate, max(_LEAST, room))
    return branch.prefix + "  ".join((name, console.paint(one.action, *HUES[one.action]), *notes))


def _shortened(slate: str, room: int) -> str:
    """A slate in so many columns: of a long one the beginning and the end, which tells the take."""
    if len(slate) <= room:
        return slate
    end = room // 2
    return f"{slate[: room - end - 1]}…{slate[-end:]}"


def _cut(line: str) -> str:
    return line if width(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"


def _alone(takes: Sequence[Planned], *, any_drawn: bool) -> Iterator[str]:
    """A sum of the takes that neither need another nor are needed."""
    if any_drawn:
        verb = "stands" if len(takes) == 1 else "stand"
        yield ""
        said = f"beside these {counted(len(takes), 'take')} that {verb} alone: {_sum(takes)}"
    else:
        said = f"no take is made from another: {_sum(takes)}"
    yield from wrap(said, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _sum(takes: Sequence[Planned]) -> str:
    counts = Counter(one.action for one in takes)
    costs = [one.cost for one in takes if one.pays]
    return ", ".join(
        (*(f"{count} {action}" for action, count in counts.items()), *([sum_of(costs)] if costs else []))
    )


# --- for a page --------------------------------------------------------------------------------------------

_LOOKS = {
    "render": "fill:#d7f0d9,stroke:#2e7d32",
    "wait": "fill:#fdf0c8,stroke:#b07d00",
    "collect": "fill:#d8e8fb,stroke:#1f5fa8",
    "restore": "fill:#d8e8fb,stroke:#1f5fa8",
    "keep": "fill:#eeeeee,stroke:#8a8a8a",
    "blocked": "fill:#fbdcd9,stroke:#b3261e",
    "failed": "fill:#fbdcd9,stroke:#b3261e",
    "decide": "fill:#fbdcd9,stroke:#b3261e",
}

MOST_CHARACTERS, MOST_EDGES = 50_000, 500
"""What Mermaid draws of one diagram, unless a page allows it more."""


def is_shown(diagram: str) -> bool:
    """Whether a page is likely to show a diagram of that size."""
    return len(diagram) <= MOST_CHARACTERS and diagram.count("-->") <= MOST_EDGES


def mermaid(plans: Iterable[tuple[str, Web]]) -> str:
    """The graphs of one or several lists, by their names, as one Mermaid diagram."""
    named = list(plans)
    found, looks = ["graph LR"], dict[str, None]()
    for number, (name, web) in enumerate(named):
        part = _Diagram(web, f"l{number}t" if len(named) > 1 else "t")
        lines = [f"  {line}" for line in part.lines()]
        if len(named) > 1:
            head = [f'  subgraph l{number}["{_escaped(name)}"]', "    direction LR"]
            lines = [*head, *(f"  {line}" for line in lines), "  end"]
        found += lines
        looks |= part.looks
    found += [f"  classDef {look} {_LOOKS[look]},color:#1b1b1b" for look in looks]
    return "\n".join(found)


class _Diagram:
    """The nodes and edges of one list; `looks` are the actions that are in it."""

    def __init__(self, web: Web, stem: str) -> None:
        self._drawn = _Drawn(web)
        self._names = {slate: f"{stem}{number}" for number, slate in enumerate(self._drawn.slates)}
        self._stem = stem
        self.looks: dict[str, None] = {}

    def lines(self) -> Iterator[str]:
        """What stands in the diagram: every take, then every edge, then what stands alone."""
        planned = self._drawn.web.planned
        for slate, name in self._names.items():
            one = planned[slate]
            self.looks[one.action] = None
            said = " · ".join((one.action, *_notes(self._drawn.web, one)))
            yield f'{name}["{_escaped(slate)}<br/>{_escaped(said)}"]:::{one.action}'
        for slate, name in self._names.items():
            for needed, how in self._drawn.edges(slate).items():
                yield f'{self._names[needed]} -->|"{_escaped(how)}"| {name}'
        if alone := self._drawn.alone:
            what = f"{counted(len(alone), 'take')} alone"
            yield f'{self._stem}s["{what}<br/>{_escaped(_sum(alone))}"]'


def _escaped(text: str) -> str:
    """A text as it may stand between quotes: what Mermaid or Markdown would read is written by its number."""
    return re.sub(r"[^\w .,:~+·…/()-]", lambda found: f"#{ord(found[0])};", text)
