"""What the page is told: how things stand, as one value, and again whenever that has changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import trio

from vidspec.diagnostic import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.watch.page import Page, Place

__all__ = ["Board", "Problem", "Standing"]

MOST = 200
"""Problems that are told one by one; of more, the rest are counted."""

Work = Literal["resting", "drawing", "waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong or doubtful: where it is written, and the shots whose cards it belongs on."""

    text: str
    help: str = ""
    severity: Literal["error", "warning"] = "error"
    code: str = ""
    place: str = ""
    shots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand.

    `problems` are those of the list as it was saved last, `troubles` those of what is being done about it, by who
    is doing it. `left` counts drafts that are still to be drawn, `drawing` says of some how far they are (0 to 1);
    `held` names the run that is waited for.
    """

    file: str
    gone: bool = False
    problems: tuple[Problem, ...] = ()
    troubles: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    left: int = 0
    drawing: Mapping[str, float] = field(default_factory=dict)
    held: str = ""

    @property
    def every(self) -> tuple[Problem, ...]:
        """All that is wrong or doubtful, each once."""
        return tuple(dict.fromkeys((*self.problems, *(one for some in self.troubles.values() for one in some))))

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(one.severity == "error" for one in self.every)

    @property
    def status(self) -> str:
        """One word for it: `gone`, `broken`, `held`, `drawing`, or `ready`."""
        if self.gone or self.errors:
            return "gone" if self.gone else "broken"
        return "held" if self.held else "drawing" if self.left else "ready"

    @property
    def words(self) -> str:
        """The same in words."""
        if self.gone:
            return f"{self.file} is gone; it is looked for"
        if self.errors:
            return counted(self.errors, "error")
        if self.held:
            return f"waiting to draw: {self.held}"
        return f"drawing: {counted(self.left, 'take')} left" if self.left else f"watching {self.file}"

    def value(self, page: str) -> dict[str, Any]:
        """How things stand as the page reads it; `page` is the name of the one that is served now."""
        every = self.every
        return {
            "page": page,
            "status": self.status,
            "words": self.words,
            "errors": self.errors,
            "problems": [asdict(one) for one in every[:MOST]],
            "more": max(0, len(every) - MOST),
            "drawing": {slate: round(share, 2) for slate, share in self.drawing.items()},
        }


class Board:
    """Keeps the page and how things stand, and wakes whoever waits for news of them."""

    def __init__(self, file: str, page: Page) -> None:
        self.standing = Standing(file=file)
        self.page = page
        self.files: Mapping[str, Place] = page.files
        self._changed = trio.Event()

    def show(self, page: Page) -> None:
        """Serve another page from now on. What the one before shows is served as long: somebody may look at it."""
        if page != self.page:
            self.files = {**self.page.files, **page.files}
            self.page = page
            self._wake()

    def tell(self, **changes: Any) -> None:
        """Note what has changed."""
        standing = replace(self.standing, **changes)
        if standing != self.standing:
            self.standing = standing
            self._wake()

    def trouble(self, whose: str, *problems: Problem) -> bool:
        """Note what goes wrong for somebody, and nothing else any more; whether any of it was not known yet."""
        is_new = not set(problems) <= set(self.standing.every)
        self.tell(troubles={**self.standing.troubles, whose: problems})
        return is_new

    def text(self) -> str:
        """How things stand, as JSON."""
        return json.dumps(self.standing.value(self.page.name), ensure_ascii=False)

    async def news(self, told: str | None) -> str:
        """What there is to be told to one who was `told` something before; waits until it is something else."""
        while (text := self.text()) == told:
            await self._changed.wait()
        return text

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
