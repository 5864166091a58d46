"""A run from its first signal to its last: an interrupt or a terminal that goes, the providers, and the engine."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from vidspec import engine
from vidspec.account import Account
from vidspec.diagnostic import counted
from vidspec.errors import VidspecError
from vidspec.events import Outcome

if TYPE_CHECKING:
    from vidspec.run import Run

Accounts = AbstractAsyncContextManager[Mapping[str, Account]]
"""Accounts that are good for as long as they are open."""


def conduct(given: Run, accounts: Accounts, clock: trio.abc.Clock | None = None) -> Outcome:
    """Run the engine; an interrupt from the keyboard, a polite kill, or the end of its terminal ends it in order.

    Raises:
        RenderError, JournalError: the lockfile or the journal cannot be written.
    """
    outcome = Outcome()
    terminals = [number for number in (1, 2) if os.isatty(number)]

    async def main() -> bool:
        with trio.open_signal_receiver(*_endings()) as signals:
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as whole_run:
                    nursery.start_soon(_cancel_on, signals, whole_run, terminals)
                    await perform(given, accounts, outcome)
                nursery.cancel_scope.cancel()
        return whole_run.cancelled_caught

    try:
        outcome.interrupted = trio.run(main, clock=clock)
    except ExceptionGroup as group:
        raise told(group, outcome) from group
    return outcome


async def perform(given: Run, accounts: Accounts, outcome: Outcome) -> None:
    """Run the engine with the providers that it needs."""
    async with accounts as opened:
        if not opened or given.journal is None or given.history is None:
            await engine.run(given, outcome.tally)
            return
        from vidspec.http import open_client
        from vidspec.remote import Remote, in_thread

        async with open_client() as client:
            remote = Remote(
                opened,
                client=client,
                journal=given.journal,
                history=given.history,
                chance=random.random,
                beside=in_thread,
            )
            outcome.limits = remote.limits
            try:
                await engine.run(replace(given, remote=remote, accounts=frozenset(opened)), outcome.tally)
            finally:
                given.history.write()


def told(group: ExceptionGroup, outcome: Outcome) -> Exception:
    """One error for a group, which nurseries make of even a single one: a bug, else all that is to be said."""
    errors = list(_single(group))
    bug = next((error for error in errors if not isinstance(error, VidspecError)), None)
    if bug is not None:
        return bug
    first = next(error for error in errors if isinstance(error, VidspecError))
    lines = dict.fromkeys(map(str, errors))
    if still := outcome.tally.under_way:
        has = "its provider has it" if len(still) == 1 else "their providers have them"
        lines[f"    help: {counted(len(still), 'take')} under way: {has}, and so has the journal"] = None
    first.args = ("\n".join(lines),)
    first.exit_code = min(getattr(error, "exit_code", 1) for error in errors)
    if outcome.tally.accepted or outcome.tally.in_doubt:
        first.exit_code = 1  # the others say that nothing was submitted
    return first


def _single(group: ExceptionGroup) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _single(error)
        else:
            yield error


def _endings() -> list[signal.Signals]:
    """The signals that end a run; the end of a terminal is none of them where somebody has said so (`nohup`)."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else [])]


async def _cancel_on(signals: Any, scope: trio.CancelScope, terminals: list[int]) -> None:
    """End in good order; whoever asks again leaves at once.

    The journal has all that is known by then, so that nothing is lost: a submit without an answer is in doubt.
    """
    async for number in signals:
        if number == signal.SIGHUP:
            _leave(terminals)
        elif scope.cancel_called:
            with suppress(OSError):
                sys.stderr.write("\nleft at once; the same command goes on from here\n")
                sys.stderr.flush()
            os._exit(130)
        scope.cancel()


def _leave(terminals: list[int]) -> None:
    """Speak to nobody from now on where a terminal was: writing to one that has gone is an error."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        for number in terminals:
            os.dup2(nowhere.fileno(), number)
