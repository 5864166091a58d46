"""A run from its first signal to its last: an interrupt from the keyboard, the providers, and the engine."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio

from vidspec import engine
from vidspec.account import Account
from vidspec.errors import VidspecError
from vidspec.events import Outcome

if TYPE_CHECKING:
    from vidspec.run import Run

Accounts = AbstractAsyncContextManager[Mapping[str, Account]]
"""Accounts that are good for as long as they are open."""


def conduct(given: Run, accounts: Accounts, clock: trio.abc.Clock | None = None) -> Outcome:
    """Run the engine; an interrupt from the keyboard, or a polite kill, ends it in good order.

    Raises:
        RenderError, JournalError: the lockfile or the journal cannot be written.
    """
    outcome = Outcome()

    async def main() -> bool:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as whole_run:
                    nursery.start_soon(_cancel_on, signals, whole_run)
                    await _perform(given, accounts, outcome)
                nursery.cancel_scope.cancel()
        return whole_run.cancelled_caught

    try:
        outcome.interrupted = trio.run(main, clock=clock)
    except ExceptionGroup as group:
        raise _told(group, outcome) from group
    return outcome


async def _perform(given: Run, accounts: Accounts, outcome: Outcome) -> None:
    """Run the engine with the providers that it needs."""
    async with accounts as opened:
        if not opened or given.journal is None or given.history is None:
            await engine.run(given, outcome.tally)
            return
        from vidspec.http import open_client
        from vidspec.remote import Remote

        async with open_client() as client:
            remote = Remote(
                opened, client=client, journal=given.journal, history=given.history, chance=random.random
            )
            outcome.limits = remote.limits
            try:
                await engine.run(replace(given, remote=remote), outcome.tally)
            finally:
                given.history.write()


def _told(group: ExceptionGroup, outcome: Outcome) -> Exception:
    """One error for a group, which nurseries make of even a single one: a bug, else all that is to be said."""
    errors = list(_single(group))
    bug = next((error for error in errors if not isinstance(error, VidspecError)), None)
    if bug is not None:
        return bug
    first = next(error for error in errors if isinstance(error, VidspecError))
    first.args = ("\n".join(dict.fromkeys(map(str, errors))),)
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


async def _cancel_on(signals: Any, scope: trio.CancelScope) -> None:
    """End in good order; whoever asks again leaves at once.

    The journal has all that is known by then, so that nothing is lost: a submit without an answer is in doubt.
    """
    async for _ in signals:
        if scope.cancel_called:
            with suppress(OSError):
                sys.stderr.write("\nleft at once; the same command goes on from here\n")
                sys.stderr.flush()
            os._exit(130)
        scope.cancel()
