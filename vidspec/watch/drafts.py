"""Drafts of what is not rendered as it is written now: which are wanting, and a few of them drawn.

Nothing here asks a provider, reads a key, or writes outside of `.vidspec`.
"""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from vidspec import conduct, graph, production
from vidspec.errors import LockError
from vidspec.events import Outcome
from vidspec.export.drafts import planned
from vidspec.lock import Lock
from vidspec.project import read_lock
from vidspec.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping
    from contextlib import AbstractAsyncContextManager

    from vidspec.events import Event, Tally
    from vidspec.planned import Plan, Planned
    from vidspec.production import Intent
    from vidspec.project import Opened

__all__ = ["Drafts", "draw", "held", "is_open", "look_at"]

_OPTIONS = production.Options(draft=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """How the drafts of a list stand: those that are as it is written now, and those that are wanting, by slate.

    Each of `wanting` stands behind those that it needs.
    """

    current: frozenset[str]
    wanting: Mapping[str, Planned]

    def without(self, slates: Collection[str]) -> Drafts:
        """The same without some of those that are wanting, and without what stands behind them."""
        left = graph.dependants(slates, self._needs) | set(slates)
        return replace(self, wanting={slate: one for slate, one in self.wanting.items() if slate not in left})

    def portion(self, most: int, first: Collection[str] = ()) -> set[str]:
        """Some that can be drawn together, those of `first` before others; more than `most` if they need more."""
        found: set[str] = set()
        for slate in sorted(self.wanting, key=lambda slate: slate not in first):
            if len(found) >= most:
                break
            found |= graph.with_needs({slate}, self._needs)
        return found

    @property
    def _needs(self) -> dict[str, list[str]]:
        """What each of those that are wanting needs of the others."""
        return {
            slate: [needed for needed in one.take.needs if needed in self.wanting]
            for slate, one in self.wanting.items()
        }


def look_at(opened: Opened, real: Plan) -> Drafts:
    """The drafts of a list that matter, by the plan of the real thing: what is rendered as written needs none."""
    found = planned(opened, _readable(Site.drafts(opened.shot_list.path)))
    work = {one.slate: one for one in found.work}
    needs = {slate: one.take.needs for slate, one in work.items()}
    wanted = graph.with_needs({one.slate for one in real.takes if is_open(one)}, needs)
    return Drafts(
        current=frozenset(one.slate for one in found.takes if one.action == "keep"),
        wanting={slate: one for slate, one in work.items() if slate in wanted},
    )


def is_open(planned: Planned) -> bool:
    """Whether there is no clip of a take as it is written now, and nobody has said that it may stay as it is."""
    if planned.state == "done":
        return False
    if planned.record is None or not planned.record.rendered:
        return True
    return bool(planned.changes) and planned.state != "waived" and not planned.is_left


def _readable(site: Site) -> Lock:
    """The lockfile of the drafts; an empty one where it cannot be read: a run says what is wrong with it."""
    try:
        return read_lock(site.lock)
    except LockError:
        return Lock()


@asynccontextmanager
async def held(opened: Opened, quiet: AbstractAsyncContextManager[object]) -> AsyncIterator[Intent]:
    """Hold the project for drawing; what would be drawn now.

    Inside of `quiet` nobody may write what is not whole yet: it would be taken for what a killed run has left.

    Raises:
        Refusal: another run holds the project.
        LockError, UsageError: nothing can be drawn.
    """
    with ExitStack() as stack:
        async with quiet:
            admitted = production.admitted(opened, _OPTIONS)
            intent, _ = await trio.to_thread.run_sync(stack.enter_context, admitted)
        yield intent


async def draw(
    intent: Intent, slates: Collection[str], tally: Tally, on_progress: Callable[[str, float], None]
) -> None:
    """Draw some drafts that want nothing else, with the project held.

    How each ended is noted in `tally`, also when it is cancelled; `on_progress` is told in threads how far it is.

    Raises:
        VidspecError: what was drawn cannot be written down.
    """
    work = [one for one in intent.work if one.slate in slates]
    if not work:
        return
    outcome = Outcome(tally=tally)
    with ExitStack() as stack:
        prepared = production.prepared(replace(intent, work=work), _OPTIONS, _nobody, on_progress)
        given = await trio.to_thread.run_sync(stack.enter_context, prepared)
        try:
            await conduct.perform(given, nullcontext({}), outcome)
        except ExceptionGroup as group:
            raise conduct.told(group, outcome) from group


def _nobody(_event: Event, /) -> None:
    """Nobody is told of single events: the page says how far each take is."""
