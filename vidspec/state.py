"""The life of a paid take, as one table of legal moves. Nothing else decides what may follow what.

A take is *intended* before its one submit is sent, so that whatever happens next is known to have been possible.
The answer makes it *accepted* (the provider has a request, and money may flow) or *refused* (a definite no:
nothing was made). Where no answer says which, it is *in doubt*, and so is every intent that a dead process has
left behind: it is never sent again by itself, only a person may say so. An accepted take is looked at until it
has *succeeded*, *failed* or been *cancelled*; one that takes too long, or cannot be asked about or fetched, is
*expired*, which only means that this run has stopped looking: any later run may look again, free. A clip that has
been fetched and kept by digest is *delivered*, and what remains is to write it down in the lockfile.

From a refusal, a failure, a cancellation or a delivery a new life may begin with a new intent; from a doubt, or
from a request whose clip is not to be had any more, only when a person has decided it, which is a move of its own
(*decided*). From anything in between there is no way to a second submit: that is the promise. A request that is
known from elsewhere, such as the lockfile, begins its life as accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from vidspec.lock import Record

Move = Literal[
    "intended", "accepted", "refused", "in_doubt", "decided", "queued", "running", "succeeded", "failed",
    "cancelled", "expired", "delivered",
]  # fmt: skip

_ENDS: frozenset[Move] = frozenset({"succeeded", "failed", "cancelled", "expired"})
_LOOKS: frozenset[Move] = frozenset({"queued", "running"})
_GOES_ON: frozenset[Move] = _LOOKS | _ENDS
_FOUND: frozenset[Move] = frozenset({"delivered"})
_ANEW: frozenset[Move] = frozenset({"intended", "accepted"})
_ALL: frozenset[Move] = _GOES_ON | {"decided"}

LEGAL: dict[Move | None, frozenset[Move]] = {
    None: _ANEW,
    "intended": frozenset({"accepted", "refused", "in_doubt", "decided"}),
    "in_doubt": frozenset({"accepted", "decided"}),
    "decided": _ANEW,
    "refused": _ANEW,
    "accepted": _ALL,
    "queued": _ALL,
    "running": _ALL,
    "expired": _ALL,
    "succeeded": _ALL | _FOUND,
    "failed": _ANEW,
    "cancelled": _ANEW,
    "delivered": _ANEW,
}
"""What may follow what; None is a take of which the journal knows nothing. `succeeded` may be seen twice: its clip
may have to be asked for again, and the provider may by then have lost it."""

COLLECTABLE: frozenset[Move] = frozenset({"accepted", "queued", "running", "succeeded", "expired"})
"""The provider has a request of ours, and its clip may still be had without paying."""

DOUBTFUL: frozenset[Move] = frozenset({"intended", "in_doubt"})
"""A submit may have been sent, and nobody knows what became of it."""

PASSING: frozenset[Move] = _LOOKS | {"succeeded"}
"""Moves that need not outlive a power cut: whoever asks again is told."""

UNMADE: frozenset[Move] = frozenset({"refused", "failed", "cancelled"})
"""The provider said no, or made nothing that can be had."""

OWN_FAULTS = frozenset({"input", "moderation", "provider"})
"""Blames of a failure that the same request would meet again."""


class IllegalMove(Exception):
    """A move that the table does not have: a bug, or a journal that somebody has written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """The present life of one take: how far it got, and what was sent.

    `record` is the lockfile's record to be, without output and request id until they are known; `output` is where
    the clip is to go, from the project folder; `base_url` the address that accepted it, empty where only the
    lockfile knows of the request, which does not say. `since` is when the last move was made, in Unix seconds. A
    delivery is `settled` once a lockfile was written that has it.
    """

    slate: str
    move: Move
    record: Record
    output: str
    base_url: str
    since: float
    request_id: str | None = None
    trace_id: str | None = None
    reason: str | None = None
    blame: str | None = None
    settled: bool = False

    @property
    def collectable(self) -> bool:
        """Whether its clip may still be had without paying."""
        return self.move in COLLECTABLE

    @property
    def doubtful(self) -> bool:
        """Whether a person must say what became of it."""
        return self.move in DOUBTFUL

    @property
    def is_live(self) -> bool:
        """Whether a provider has, or may have, something that nobody has collected."""
        return self.collectable or self.doubtful

    @property
    def may_be_given_up(self) -> bool:
        """Whether a person may have it sent once more: nobody knows of it, or a run could not collect it."""
        return self.doubtful or self.move == "expired"

    @property
    def fails_again(self) -> bool:
        """Whether it came to nothing in a way in which the same request would again."""
        return self.move in UNMADE and self.blame in OWN_FAULTS

    def moved(self, move: Move, since: float, **changes: str | Record | None) -> Flight:
        """The flight after a move. Raises IllegalMove for one that the table does not have."""
        check(self.move, move, self.slate)
        return replace(self, move=move, since=since, **changes)  # type: ignore[arg-type]


def check(before: Move | None, after: Move, slate: str) -> None:
    """Raise IllegalMove where `after` may not follow `before`."""
    if after not in LEGAL[before]:
        raise IllegalMove(f"{slate}: `{after}` cannot follow `{before or 'nothing'}`")
