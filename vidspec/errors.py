"""The errors of vidspec, by blame.

VidspecError
├── ShotListError     what the user wrote is wrong; holds diagnostics
├── UsageError        the command line asks for something that cannot be
├── LockError         the lockfile cannot be read
├── Refusal           all is well-formed, yet the run must not start (budget, consent, another run)
├── MediaError        bytes that should be a picture or a clip are not
└── RenderError       a take could not be rendered
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
        super().__init__(f"{len(self.diagnostics)} problems in the shot list")


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
