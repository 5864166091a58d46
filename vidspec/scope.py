"""What templates may name: variables, expanded when they are first asked for.

A variable's text may itself be a template over other variables, bound late: a variable of the whole list may
name one that only a shot's matrix gives. Only what is asked for is expanded, so a variable that makes no sense
for a shot that does not use it is no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec import prompt
from vidspec.diagnostic import nearest
from vidspec.errors import VidspecError
from vidspec.prompt import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
        self._raw = {**values, **self.overrides}
        self._title = title
        self._used = used
        self._expanded: dict[str, Any] = {"title": title}
        self._open: list[str] = []

    def over(self, values: Mapping[str, Any]) -> Scope:
        """The scope with further values laid over it; itself where there are none."""
        return self._with(values) if values else self

    def _with(self, values: Mapping[str, Any]) -> Scope:
        inner = Scope(self._raw, self._title, self._used, self.overrides)
        inner._raw.update(values)
        return inner

    def expand(self, text: str, extra: Mapping[str, Any]) -> str:
        """A text with its templates expanded; `extra` holds `shot`, `slate` and `take`.

        Raises:
            TemplateFault: the template is wrong, or names what is not there.
        """
        template = prompt.compile(text)
        given = {
            name: extra[name] if name in extra else self._value(name) for name in self._known(template.names, extra)
        }
        try:
            return template.expand(given)
        except TemplateFault as fault:
            if fault.code == "E302" and fault.snippet:
                near = nearest(fault.snippet[fault.offset :], [*self._raw, "title", *extra])
                fault.help = f"the nearest name is `{near}`" if near else fault.help
            raise

    def _known(self, names: Iterable[str], extra: Mapping[str, Any]) -> list[str]:
        self._used.update(names)
        return [name for name in names if name in extra or name in self._raw or name == "title"]

    def _value(self, name: str) -> Any:
        if name not in self._expanded:
            if name in self._open:
                raise VariableFault(name, self._circle(name))
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
        return TemplateFault(code="E305", message=f"variables in a circle: {names}", help="take one of them out")

    def _deep(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.expand(value, {}) if prompt.is_template(value) else value
        if isinstance(value, list):
            return [self._deep(item) for item in value]
        if isinstance(value, dict):
            return {key: self._deep(item) for key, item in value.items()}
        return value
