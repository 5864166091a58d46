"""Which faults happen now: every call is held against every fault, and counted."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from vidspec.sandbox.faults import ON_TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidspec.sandbox.faults import Fault
    from vidspec.sandbox.twin import CallName

__all__ = ["Drill", "Rule"]


@dataclass(slots=True, kw_only=True, eq=False)
class Rule:
    """A fault, how many calls have matched it, and how often it has happened."""

    fault: Fault
    seen: int = 0
    fired: int = 0


class Drill:
    """All faults of a sandbox, in their order. Chance is the same in every run with the same `seed`."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 0) -> None:
        self.rules = [Rule(fault=fault) for fault in faults]
        self._seed = seed

    def on_answer(self, provider: str, call: CallName, model: str | None, now: float) -> Fault | None:
        """The fault that befalls this call: the first that is due. The others wait for the next call."""
        due = self._due(
            [rule for rule in self.rules if rule.fault.fault not in ON_TASKS], provider, call, model, now
        )
        if not due:
            return None
        due[0].fired += 1
        return due[0].fault

    def on_task(self, provider: str, model: str, now: float) -> list[Fault]:
        """The faults that befall a task that was accepted now: all that are due."""
        rules = [rule for rule in self.rules if rule.fault.fault in ON_TASKS]
        due = self._due(rules, provider, "submit", model, now)
        for rule in due:
            rule.fired += 1
        return [rule.fault for rule in due]

    def _due(
        self, rules: Sequence[Rule], provider: str, call: CallName, model: str | None, now: float
    ) -> list[Rule]:
        matching = [rule for rule in rules if _matches(rule.fault, provider, call, model, now)]
        for rule in matching:
            rule.seen += 1
        return [rule for rule in matching if self._is_due(rule)]

    def _is_due(self, rule: Rule) -> bool:
        fault = rule.fault
        if fault.chance is not None:
            # a number of its own for each call, so that no other rule moves it
            text = f"{self._seed}|{self.rules.index(rule)}|{rule.seen}"
            return random.Random(text).random() < fault.chance  # noqa: S311
        return rule.seen >= fault.first and (fault.times is None or rule.fired < fault.times)


def _matches(fault: Fault, provider: str, call: CallName, model: str | None, now: float) -> bool:
    return (
        provider in fault.providers
        and call in fault.calls
        and now >= fault.after
        and (fault.model is None or (model is not None and fnmatchcase(model, fault.model)))
    )
