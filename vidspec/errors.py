"""The errors of vidspec, by blame.

VidspecError
├── ShotListError     what the user wrote is wrong; holds diagnostics
├── UsageError        the command line asks for something that cannot be
├── LockError         the lockfile cannot be read
├── Refusal           all is well-formed, yet the run must not start (budget, consent, another run)
├── MediaError        bytes that should be a picture or a clip are not
├── JournalError      the journal cannot be read or written; nothing may be submitted
├── RenderError       a take could not be rendered
├── Overspent         a take would cost more than is left of what may be spent; it was not sent
└── ProviderError     a provider, or the way to it, failed a take
    ├── Refused       a definite no: nothing was made, or what was asked about is not to be had
    ├── Throttled     too many at once or too fast: nothing was made, and the same may be asked again
    ├── Unavailable   not now, and nothing was made: the same may be asked again
    └── InDoubt       a submit was sent and its answer is lost: only a person may send it again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vidspec.diagnostic import Diagnostic


class VidspecError(Exception):
    """Anything vidspec says on purpose; `exit_code` is what the command then returns."""

    exit_code = 2


class ShotListError(VidspecError):
    """The shot list is wrong. `diagnostics` says where, what, and what would be right."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(one.text() for one in self.diagnostics))


class UsageError(VidspecError):
    """The command line asks for something that cannot be, such as a selection that matches nothing."""


class LockError(VidspecError):
    """The lockfile cannot be read; nothing was overwritten."""


class Refusal(VidspecError):
    """Everything is well-formed, yet the run must not start; nothing was submitted."""

    exit_code = 3


class MediaError(VidspecError):
    """Bytes that should be a picture or a clip cannot be read as one."""

    exit_code = 1


class RenderError(VidspecError):
    """A take could not be rendered; the others go on."""

    exit_code = 1


class JournalError(VidspecError):
    """The journal cannot be read or written, so that nothing may be submitted."""

    exit_code = 3


class ProviderError(VidspecError):
    """A provider, or the way to it, failed a take.

    `blame` says whose turn it is: `input`, `moderation`, `key`, `billing`, `quota`, `rate`, `outage`, `address`,
    `lost`, or `provider` where nobody can tell.
    """

    exit_code = 1

    def __init__(self, reason: str, *, blame: str = "provider") -> None:
        self.reason = reason
        self.blame = blame
        super().__init__(reason)


class Refused(ProviderError):
    """A definite no: nothing was made, or what was asked about is not to be had."""


class Throttled(ProviderError):
    """Too many at once, or too fast. Nothing was made; `retry_after` is the provider's own word, in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None, blame: str = "rate") -> None:
        self.retry_after = retry_after
        super().__init__(reason, blame=blame)


class Unavailable(ProviderError):
    """Not now, and nothing was made; `retry_after` is the provider's own word, in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None, blame: str = "outage") -> None:
        self.retry_after = retry_after
        super().__init__(reason, blame=blame)


class InDoubt(ProviderError):
    """A submit was sent and its answer is lost, or says nothing: it may have been accepted, and paid for."""


class Overspent(VidspecError):
    """A take would cost more than is left of what the run may spend; it was not sent."""

    exit_code = 1
