"""What templates may name: variables, expanded when they are first asked for.

A variable's text may itself be a template over other variables, bound late: a variable of the whole list may
name one that only a shot's matrix gives. Only what is asked for is expanded, so a variable that makes no sense
for a shot that does not use it is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vidspec import prompt
from vidspec.errors import VidspecError
from vidspec.prompt import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 20
"""How many variables may name one another in a chain."""


class VariableFault(VidspecError):
    """A variable's own text is at fault, and not the template that names it."""

    def __init__(self, name: str, fault: TemplateFault) -> None:
        self.name = name
        self.fault = fault
        super().__init__(fault.message)


class Scope:
    """The names that a shot's templates may read. `used` collects every name that was asked for, over all shots.

    `overrides` are variables of the command line, which are recorded with every take.
    """

    def __init__(
        self, values: Mapping[str, Any], title: str, used: set[str], overrides: Mapping[str, Any] | None = None
    ) -> None:
        self.overrides = overrides or {}
        self._raw = {"title": title, **values, **self.overrides}
        self._used = used
        self._expanded: dict[str, Any] = {}
        self._open: list[str] = []

    def over(self, values: Mapping[str, Any]) -> Scope:
        """The scope with further values laid over it; itself where there are none."""
        return self._with(values) if values else self

    def _with(self, values: Mapping[str, Any]) -> Scope:
        inner = Scope(self._raw, "", self._used, self.overrides)
        inner._raw.update(values)
        return inner

    def expand(self, text: str, extra: Mapping[str, Any]) -> str:
        """A text with its templates expanded; `extra` holds `shot`, `slate` and `take`.

        Raises:
            TemplateFault: the template is wrong, or names what is not there.
            VariableFault: a variable that it names is.
        """
        template = prompt.compile(text)
        self._used.update(template.names)
        return template.expand(_Names(self, extra))

    def undefined(self, text: str, extra: Mapping[str, Any]) -> list[TemplateFault]:
        """A fault for every name that a text needs and that is not there, without expanding it."""
        return prompt.undefined_names(text, _Names(self, extra))

    def _value(self, name: str) -> Any:
        if name not in self._expanded:
            if name in self._open:
                raise VariableFault(name, self._circle(name))
            if len(self._open) >= MAX_DEPTH:
                raise VariableFault(name, self._chain())
            self._open.append(name)
            try:
                self._expanded[name] = self._deep(self._raw[name])
            except TemplateFault as fault:
                raise VariableFault(name, fault) from fault
            finally:
                self._open.pop()
        return self._expanded[name]

    def _circle(self, name: str) -> TemplateFault:
        names = " → ".join([*self._open[self._open.index(name) :], name])
        return TemplateFault("E305", f"variables in a circle: {names}", help="take one of them out")

    def _chain(self) -> TemplateFault:
        help_line = f"at most {MAX_DEPTH}, the first is `{self._open[0]}`"
        return TemplateFault("E303", "a chain of too many variables that name one another", help=help_line)

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.expand(value, {}) if prompt.is_template(value) else value
        if isinstance(value, list):
            return [self._deep(item) for item in value]
        if isinstance(value, dict):
            return {key: self._deep(item) for key, item in value.items()}
        return value


class _Names(Mapping[str, object]):
    """What one template may read. A variable is expanded when its value is asked for, and not before."""

    def __init__(self, scope: Scope, extra: Mapping[str, object]) -> None:
        self._scope = scope
        self._extra = extra

    def __getitem__(self, name: str) -> object:
        return self._extra[name] if name in self._extra else self._scope._value(name)

    def __contains__(self, name: object) -> bool:
        return name in self._extra or name in self._scope._raw

    def __iter__(self) -> Iterator[str]:
        return iter({**self._scope._raw, **self._extra})

    def __len__(self) -> int:
        return len({**self._scope._raw, **self._extra})
