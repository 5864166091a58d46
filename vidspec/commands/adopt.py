"""`vidspec adopt FILE SLATE REQUEST_ID`: a take in doubt was accepted after all, and a person knows its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidspec.diagnostic import nearest_or
from vidspec.errors import UsageError
from vidspec.hold import hold
from vidspec.journal import Journal, read
from vidspec.project import open_lists
from vidspec.store import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.console import Console

_LONGEST = 4096


def run(file: Path, slate: str, request_id: str, *, console: Console) -> int:
    """Write down that a provider has a take; the next render collects it, free.

    Raises:
        ShotListError, UsageError: there is no such list, or nothing in doubt about that take.
        Refusal, JournalError: another run holds the project, or the journal cannot be written.
    """
    (opened,), _ = open_lists([file], {}, offline=True)
    if not request_id.strip() or not request_id.isprintable() or len(request_id) > _LONGEST:
        raise UsageError("the request id is empty, too long, or no text that can be printed")
    with hold(state_folder(opened.shot_list.project)):
        _refuse(slate, [name for name, flight in read(opened.site.journal).items() if flight.doubtful])
        with Journal(opened.site.journal) as journal:
            flight = journal.note(slate, "accepted", request_id=request_id)
    console.line(
        f"{slate}: accepted by `{flight.record.provider}` as {request_id}; the next render collects it, free"
    )
    return 0


def _refuse(slate: str, doubtful: list[str]) -> None:
    """Raise UsageError for a take that is not in doubt."""
    if slate not in doubtful:
        known = nearest_or(slate, doubtful, "`vidspec status` shows what is") if doubtful else "nothing is"
        raise UsageError(f"`{slate}` is not in doubt\n    help: {known}")
