"""The last words of a run: what became of every take, and what to do next."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from vidspec import budget
from vidspec.diagnostic import counted
from vidspec.plan_table import amount
from vidspec.planned import STUCK
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.events import Tally
    from vidspec.lock import Cost
    from vidspec.planned import Plan

_NAMED = 4
"""Takes of one fate that are named; of more, the rest are counted."""

_AGAIN = "the same command tries again"
_LOOKS = "the same command looks again, free"
_RETRY = "send the same again with `--retry-failed`"

_ADVICE = {
    "key": "check `{key}`; then {goes_on}",
    "billing": "top up the account at {provider}; then {goes_on}",
    "quota": "wait for more quota at {provider}, or buy some; then {goes_on}",
    "moderation": f"change the prompt, or {_RETRY}",
    "input": f"change what {{provider}} does not take, or {_RETRY}",
    "provider": _RETRY,
    "address": "check the network, and the `base_url` of {provider}; then {goes_on}",
}
"""What to do next by blame, where it is not just that the same command may be given again."""


class _Fate(NamedTuple):
    """What became of a take that did not end well: a word, its colour, the reason, and what to do next."""

    word: str
    hue: str
    slate: str
    reason: str
    help: str = ""


def print_ending(
    console: Console,
    project: Path,
    found: Plan,
    slates: set[str],
    tally: Tally,
    *,
    interrupted: bool,
    keys: Mapping[str, str] | None = None,
    is_rehearsed: bool = False,
) -> None:
    """Print what failed, why and what to do next, then one line of counts, then where the clips are.

    `keys` names the variables of keys by provider, where they are not the usual ones. A rehearsal leaves nothing
    that another run could go on from.
    """
    print_wrong(console, found, slates, tally, keys)
    for slate, words in tally.amiss.items():
        console.line(
            f"{console.paint('warning', 'yellow', 'bold')}   {slate}: delivered otherwise than asked: {words}"
        )
    for line in _again(tally.again):
        console.line(f"{console.paint('again', 'cyan', 'bold')}     {line}")
    by_slate = {one.slate: one.take for one in found.takes}
    kept = sum(1 for one in found.takes if one.slate in slates and one.action == "keep") + len(tally.kept)
    before = any(one.slate in slates and one.action in STUCK for one in found.takes)
    words = ", ".join(_counts(tally, kept)) or ("nothing was finished" if interrupted else "nothing to do")
    made = [slate for slate in (*tally.rendered, *tally.collected, *tally.restored) if slate in by_slate]
    if interrupted:
        word, hue, more = "interrupted", "yellow", "" if is_rehearsed else "; the same command goes on from here"
    elif tally.wrong or before:
        word, hue, more = "not done", "red", ""
    else:
        word, hue, more = "done", "green", f" in {duration(tally.seconds)}" if made else ""
    console.line(f"{console.paint(word, hue, 'bold')}: {words}{more}")
    if tally.under_way and not is_rehearsed:
        console.line(
            f"{console.paint('still at providers', 'yellow', 'bold')}: {_under_way(found, tally.under_way)}"
        )
    if made:
        folders = {by_slate[slate].output.rpartition("/")[0] for slate in made}
        inner = folders.pop() if len(folders) == 1 else _common(folders)
        console.line(f"      in {project / inner}")


def _again(again: Mapping[str, bool]) -> Iterator[str]:
    """What came out where the same was sent as before."""
    for same, words in (
        (True, "the same bytes came out as before"),
        (False, "the same was sent, and other bytes came"),
    ):
        slates = [slate for slate, is_same in again.items() if is_same == same]
        if slates:
            yield f"{_named(slates)}: {words}"


def print_wrong(
    console: Console, found: Plan, slates: set[str], tally: Tally, keys: Mapping[str, str] | None = None
) -> None:
    """Print what failed, why and what to do next, and nothing else."""
    _print_fates(console, list(_fates(found, slates, tally, keys or {})))


def _print_fates(console: Console, fates: list[_Fate]) -> None:
    """Print every fate, those that ask for the same thing together, and what to do under them."""
    order = {fate[:2] + fate[4:]: place for place, fate in reversed(list(enumerate(fates)))}
    fates.sort(key=lambda fate: order[fate[:2] + fate[4:]])
    for (word, hue, advice), group in groupby(fates, lambda fate: (fate.word, fate.hue, fate.help)):
        for reason, slates in _by_reason(group):
            console.line(f"{console.paint(word, hue, 'bold')}{' ' * (10 - len(word))}{_named(slates)}: {reason}")
        if advice:
            console.line(f"{' ' * 10}{console.paint('help:', 'cyan')} {advice}")


def _by_reason(fates: Iterable[_Fate]) -> Iterator[tuple[str, list[str]]]:
    """Reasons, each with its takes: all in one where they are many, else one by one."""
    groups: dict[str, list[str]] = {}
    for fate in fates:
        groups.setdefault(fate.reason, []).append(fate.slate)
    for reason, slates in groups.items():
        if len(slates) > _NAMED:
            yield reason, slates
        else:
            yield from ((reason, [slate]) for slate in slates)


def _named(slates: list[str]) -> str:
    if len(slates) <= _NAMED:
        return ", ".join(slates)
    return f"{', '.join(slates[: _NAMED - 1])} and {len(slates) - _NAMED + 1} more"


def _fates(found: Plan, slates: set[str], tally: Tally, keys: Mapping[str, str]) -> Iterator[_Fate]:
    """Every take that did not end well, in this run or before it."""
    planned = {one.slate: one for one in found.takes}
    owners = {flight.slate: flight.record.provider or "" for flight in found.orphans}
    owners |= {one.slate: one.provider for one in found.takes}
    under_way = set(tally.under_way)
    for slate, reason in tally.failed.items():
        is_collected = slate in planned and planned[slate].action == "collect"
        price = f" ({amount(planned[slate].again)})" if is_collected else ""
        more = f"; `--resubmit {slate}` would pay for another{price}" if is_collected else ""
        advice = _advice(tally.blames.get(slate), owners.get(slate, ""), keys, is_there=slate in under_way)
        yield _Fate("failed", "red", slate, reason + more, advice)
    for slate, reason in tally.in_doubt.items():
        yield _Fate("in doubt", "red", slate, reason, _decision(slate))
    for slate, needed in tally.blocked.items():
        known = needed in tally.failed or needed in tally.blocked or needed in tally.in_doubt
        hint = "" if known or slate not in planned else f"; `--select +{planned[slate].take.shot}` makes it too"
        yield _Fate("blocked", "yellow", slate, f"needs {needed}{hint}")
    for one in found.takes:
        if one.slate not in slates or one.slate in tally.failed or one.slate in tally.blocked:
            continue
        reason = "; ".join(one.reasons)
        if one.action == "failed":
            blame = one.flight.blame if one.flight else None
            yield _Fate("failed", "red", one.slate, f"{reason} (before)", _advice(blame, one.provider, keys))
        elif one.action == "decide":
            yield _Fate("in doubt", "red", one.slate, reason, _decision(one.slate))
        elif one.action == "blocked":
            yield _Fate("blocked", "yellow", one.slate, reason)


def _advice(blame: str | None, provider: str, keys: Mapping[str, str], *, is_there: bool = False) -> str:
    """What to do next about a failure; `is_there` where the provider still has the request."""
    if blame is None and not is_there:
        return ""
    text = _ADVICE.get(blame or "", "")
    if is_there and blame not in ("key", "billing", "quota", "address"):
        return _LOOKS
    known = keys.get(provider) or (table(provider).key if provider in PROVIDERS else None)
    goes_on = _LOOKS if is_there else "the same command goes on"
    return text.format(key=known or "the key", provider=provider, goes_on=goes_on) or _AGAIN


def _decision(slate: str) -> str:
    """What a person can do about a take in doubt."""
    return f"see whether the provider has it; `--resubmit {slate}` may pay twice"


def _under_way(found: Plan, slates: list[str]) -> str:
    """What providers still have, what that costs whatever one does, and that it can be had for nothing more."""
    costs: dict[str, Cost | None] = {flight.slate: flight.record.cost for flight in found.orphans}
    for one in found.takes:
        sent = one.flight.record if one.flight is not None else one.record
        costs[one.slate] = one.cost or (sent.cost if sent is not None and one.action == "collect" else None)
    prices = [costs.get(slate) for slate in slates]
    unpriced = prices.count(None)
    parts = [budget.shown(budget.totals(prices), free=""), f"{unpriced} unpriced" if unpriced else ""]
    worth = " + ".join(filter(None, parts)) or "free"
    them = "it" if len(slates) == 1 else "them"
    return f"{counted(len(slates), 'take')}, {worth}; the same command collects {them}, free"


def duration(seconds: float) -> str:
    """A length of time as a person says it: `12.3 s`, `9 min 20 s`, `2 h 5 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _counts(tally: Tally, kept: int) -> Iterator[str]:
    """`3 takes rendered`, `1 kept`: every ending that there was."""
    counts = {
        "rendered": len(tally.rendered),
        "collected": len(tally.collected),
        "restored": len(tally.restored),
        "kept": kept,
        "failed": len(tally.failed),
        "blocked": len(tally.blocked),
        "in doubt": len(tally.in_doubt),
    }
    for word, count in counts.items():
        if count:
            yield f"{counted(count, 'take')} {word}"


def _common(folders: set[str]) -> str:
    """The folder that all these folders are in."""
    shared: list[str] = []
    for names in zip(*(folder.split("/") for folder in folders), strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)
