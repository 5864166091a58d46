"""`vidspec push FILE`: copy what a lockfile names to a store that other machines share."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from json import dumps
from typing import TYPE_CHECKING, Any

from vidspec import deposit
from vidspec.deposit import Depositor
from vidspec.diagnostic import shown
from vidspec.errors import UsageError
from vidspec.recorded import Recorded
from vidspec.shared import AT_ONCE
from vidspec.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.deposit import Deposit, Wanted
    from vidspec.shared import Shared

_HUES = {"pushed": "green", "to_push": "blue", "missing": "red", "changed": "red", "unreadable": "red"}
_WHY = {
    "missing": "not found in the project",
    "changed": "what is in the project holds other bytes",
    "unreadable": "what is in the project cannot be read",
}

_WIDEST = max(map(len, _HUES))


def run(
    file: Path,
    *,
    variables: Mapping[str, Any],
    chosen: str | None,
    left_out: str | None,
    shared: Shared | None,
    superseded: bool,
    dry_run: bool,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Copy clips, and the pictures they were made from, to the shared store. 0, or 1 where a clip is nowhere.

    A picture that cannot be found is named, and is no failure: nobody may need it again.

    Raises:
        UsageError: no shared store is named, there is no lockfile, or the selection matches nothing.
        LockError, JournalError: one of them cannot be read.
        SharedError: the shared store cannot be read or written; what was pushed until then stays.
    """
    if shared is None:
        help_line = "`--store STORE`, or the environment variable `VIDSPEC_STORE`"
        raise UsageError(f"no shared store is named\n    help: {help_line}")
    recorded = Recorded(file, variables)
    records = recorded.records(chosen, left_out)
    found = deposit.wanted(records, _pictures(recorded), superseded=superseded)
    depositor = Depositor(recorded.project, Store(recorded.site.folder), shared, dry_run=dry_run)
    deposits = list(_shown(depositor, found, None if json else console, quiet=quiet))
    ok = not any(one.is_lost for one in deposits)
    totals = Counter(one.state for one in deposits)
    if json:
        objects = [_value(one) for one in deposits]
        value = {"vidspec_json": 1, "ok": ok, "store": shared.name, "objects": objects, "totals": dict(totals)}
        console.line(dumps(value, ensure_ascii=False, indent=2))
    elif not quiet:
        console.line(_summary(deposits, shared))
    return 0 if ok else 1


def _shown(
    depositor: Depositor, found: Sequence[Wanted], console: Console | None, *, quiet: bool
) -> Iterator[Deposit]:
    """Push one after the other, several at once, and say of each what came of it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in pool.map(depositor.deposit, found):
            if console is not None and (one.state in _WHY or not quiet):
                _print(console, one)
            yield one


def _pictures(recorded: Recorded) -> dict[str, str]:
    """Where the pictures and sounds stand that the list names, by digest; none where it cannot be read."""
    takes = recorded.opened.takes if recorded.opened else ()
    inputs = (given for take in takes for given in take.inputs)
    return {given.digest: given.path for given in inputs if given.digest and given.path}


def _print(console: Console, one: Deposit) -> None:
    """A line about what was done or cannot be; nothing about what is there already."""
    if one.state == "there":
        return
    hue = "yellow" if one.wanted.what == "picture" and one.state in _WHY else _HUES[one.state]
    word, name = _word(one.state).ljust(_WIDEST), f"{one.wanted.what} of {one.wanted.slate}"
    words = _WHY.get(one.state) or _amount(one.size or 0)
    console.line(f"{console.paint(word, hue)}  {name}  {one.wanted.sha256[:19]}…  {words}")


def _word(state: str) -> str:
    return state.replace("_", " ")


def _amount(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} kB"


def _summary(deposits: Sequence[Deposit], shared: Shared) -> str:
    counts = Counter("not found" if one.state in _WHY else _word(one.state) for one in deposits)
    words = ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing to push"
    return f"{shown(shared.name, most=200)}: {words}"


def _value(one: Deposit) -> dict[str, Any]:
    return {
        "slate": one.wanted.slate,
        "what": one.wanted.what,
        "sha256": one.wanted.sha256,
        "state": one.state,
        "bytes": one.size,
    }
