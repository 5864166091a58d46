"""A page that is fresh while a list is being written: served on this machine alone, and nothing is sent from it.

`lookout` sees what is saved, `reading` says what is wrong with it, `placing` where, `drafts` what is to be drawn.
`page` makes the page, `board` keeps it and how things stand, `door` says who may see what, and `server` carries it.
`artist` draws, and `session` has it all go on.
"""

from __future__ import annotations

from vidspec.watch.session import Session
from vidspec.watch.view import Moment

__all__ = ["Moment", "Session"]
