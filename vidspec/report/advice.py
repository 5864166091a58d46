"""What a person can do about a take, as commands that can be copied."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidspec.plan_table import amount
from vidspec.report.needs import UNDONE, price_of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.lock import Record
    from vidspec.planned import Planned
    from vidspec.report.needs import Needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: `kind` is stable, `label` is what its button says, `note` what it would cost or risk."""

    kind: str
    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How a list is named on the command line, and the variables that were given for it."""

    file: str
    variables: Mapping[str, Any]

    def command(self, name: str, *arguments: str, read: bool = True) -> str:
        """A whole command, quoted for a shell; with `read` it expands the list, and wants its variables."""
        file = f"./{self.file}" if self.file.startswith("-") else self.file
        given = [f"{key}={value}" for key, value in self.variables.items()] if read else []
        words = [name, file, *arguments, *(word for one in given for word in ("--var", one))]
        return " ".join(("vidspec", *map(shlex.quote, words)))


def commands(
    planned: Planned, record: Record | None, speech: Speech, needs: Needs | None = None
) -> Iterator[Command]:
    """The commands for a take, the likeliest first. Without `needs` it stands alone."""
    slate = planned.slate
    if planned.action in ("blocked", "wait"):
        yield from _with_needs(planned, speech, needs)
    elif planned.action != "keep":
        yield from _to_do(planned, speech)
    if planned.action != "keep" and _is_edited(planned) and record is not None and record.rendered:
        text = speech.command("accept", slate)
        yield Command(kind="accept", label="Keep it as it is", text=text, note="the edit is not paid for")
    if record is not None and record.rendered:
        if record.chosen:
            text = speech.command("choose", slate, "--clear", read=False)
            yield Command(kind="unchoose", label="Take back the choice", text=text)
        else:
            yield Command(kind="choose", label="Choose", text=speech.command("choose", slate, read=False))
    if planned.is_left:
        text = speech.command("render", "--with-dependants", "--select", slate)
        yield Command(kind="render", label="Render it too", text=text, note=amount(planned.again))
    elif planned.edited is not None:
        text = speech.command("accept", slate, "--undo")
        yield Command(kind="undo", label="Accept the edit no longer", text=text)
    if planned.action == "keep":
        yield _anew(planned, speech, "Render once more")


def _to_do(planned: Planned, speech: Speech) -> Iterator[Command]:
    slate, action = planned.slate, planned.action
    if action == "failed":
        text = speech.command("render", "--retry-failed", "--select", slate)
        yield Command(kind="retry", label="Try again", text=text, note=_price(planned))
    elif action == "decide":
        adopt = speech.command("adopt", slate, "REQUEST_ID", read=False)
        yield Command(kind="adopt", label="Adopt", text=adopt, note="with its id at the provider")
        yield _anew(planned, speech, "Send it again")
    else:
        label = {"collect": "Collect", "restore": "Bring back"}.get(action, "Render")
        note = _price(planned) if planned.pays else "free"
        yield Command(kind="render", label=label, text=speech.command("render", "--select", slate), note=note)


def _is_edited(planned: Planned) -> bool:
    """Whether an edit would be paid for."""
    return bool(planned.changes) and planned.state in ("stale", "failed")


def _with_needs(planned: Planned, speech: Speech, needs: Needs | None) -> Iterator[Command]:
    """What brings a take that needs others: another take that stands in, or all of them in one run."""
    chain = [planned] if needs is None else needs.chain(planned)
    stuck = [one for one in chain if one.action in UNDONE]
    others = [one.slate for one in needs.instead(planned)] if needs is not None else []
    if others:
        text = speech.command("choose", *others, read=False)
        then = price_of_all([one for one in chain if one not in stuck])
        yield Command(kind="instead", label=f"Use {' and '.join(others)} instead", text=text, note=f"then {then}")
    old = [one.slate for one in chain if one.action == "collect"]
    if planned.action == "blocked" and old and not stuck:
        text = speech.command("render", "--select", " ".join(old))
        yield Command(kind="render", label="Collect what it needs", text=text, note="free")
        return
    doubtful = [one.slate for one in stuck if one.action == "decide"]
    flags = ["--retry-failed"] if len(stuck) > len(doubtful) else []
    flags += [word for slate in doubtful for word in ("--resubmit", slate)]
    text = speech.command("render", *flags, "--select", f"+{planned.slate}")
    note = f"{'may pay twice: ' if doubtful else ''}{price_of_all(chain)}"
    yield Command(kind="render", label="Render with what it needs", text=text, note=note)


def _anew(planned: Planned, speech: Speech, label: str) -> Command:
    text = speech.command("render", "--resubmit", planned.slate, "--select", planned.slate)
    doubtful = "may pay twice" if planned.action == "decide" else "pays again"
    return Command(kind="resubmit", label=label, text=text, note=f"{doubtful}: {amount(planned.again)}")


def _price(planned: Planned) -> str:
    return amount(planned.cost if planned.pays else planned.again)
