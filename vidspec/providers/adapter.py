"""What an adapter is: three conversations, without an event loop, a clock or a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vidspec.wire import Progress, Sending, Source, Talk, Ticket


class Finder(Protocol):
    """What an adapter has besides where its provider can prove what became of a submit whose answer was lost."""

    def find(self, sending: Sending) -> Talk[str | None]:
        """Look for the request that a submit may have made: by an id of our own, or in a list.

        Returns its id, or None where there is no proof that it was made; the take then stays in doubt.
        """


class Adapter(Protocol):
    """A provider's protocol. A module with these three functions is one; some have `find` too (`Finder`)."""

    def submit(self, sending: Sending) -> Talk[str]:
        """Ask for a clip: exactly one call that may cost. Returns the provider's id of the accepted request.

        Raises:
            Refused: no, and nothing was made; the same again would be refused again.
            Throttled, Unavailable: not now, and nothing was made.
            InDoubt: the answer does not say whether anything was made.
        """

    def poll(self, ticket: Ticket) -> Talk[Progress]:
        """Look at an accepted request. Costs nothing, whatever comes back.

        A state word that no document names is a progress of phase `unknown`, and no error.

        Raises:
            Refused: the request cannot be asked about (a wrong key, an id that is not known any more).
            Throttled, Unavailable: not now.
        """

    def result(self, ticket: Ticket, progress: Progress) -> Talk[Source]:
        """Find the clip of a request that has succeeded, with a further call where the provider needs one.

        Raises:
            Refused: there is none, or it is not to be had any more.
            Throttled, Unavailable: not now.
        """
