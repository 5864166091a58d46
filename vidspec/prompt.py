"""Templates in shot lists: the language of Jinja, made safe to expand whoever wrote the list.

Three modules. This one is all that others see, and expands by itself what nearly every prompt is made of: text
and `{{ name }}` or `{{ name.key }}`. Whatever is more is read and expanded by `bounded` with the filters and
tests of `filters`. jinja2 is loaded only when the first such template is met.

What a template means here, where plain Jinja leaves a choice or is laxer:

- a name that does not exist is an error before anything is expanded, unless the template asks for it with
  `is defined` or `| default(…)`;
- `a.b` is the item `b` of the mapping `a` and nothing else, so there are no methods and no internals to reach;
- true and false are printed as YAML writes them; null, lists and mappings are not printed at all;
- the result depends on nothing but the source and the scope.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from vidspec.errors import VidspecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_TEXT = 20_000
"""Characters of a source, of a result, and of any text on the way to it."""

_GIVEN = frozenset({"shot", "slate", "take", "title"})
_LANGUAGE = (
    "and elif else endfor endif endraw endset false False for if in is loop none None not or range raw recursive"
    " self set super true True"
)
_WORDS = frozenset(_LANGUAGE.split())
RESERVED: frozenset[str] = _GIVEN | _WORDS
"""Names that variables may not have: what every template is given, and the words of the language."""

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_ONLY_NAME = re.compile(_NAME)
_SIMPLE_TAG = re.compile(rf"(?<!\{{)\{{\{{\s*({_NAME}(?:\.{_NAME})*)\s*\}}\}}")
_TAG = re.compile(r"\{[{%#]")


class TemplateFault(VidspecError):
    """What is wrong with a template, and where.

    `snippet` is a piece of the source that YAML has no reason to write otherwise, `occurrence` says which of its
    (not overlapping) occurrences is meant, counted from 0, and `offset` how many characters after its start the
    fault is.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        help: str = "",  # noqa: A002  (the word that diagnostics use)
        snippet: str | None = None,
        occurrence: int = 0,
        offset: int = 0,
    ) -> None:
        self.code = code
        self.message = message
        self.help = help
        self.snippet = snippet
        self.occurrence = occurrence
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been read. `names` are those it reads from the scope, whether it needs them or not."""

    source: str
    names: frozenset[str]
    _expand: Callable[[Mapping[str, object]], str] = field(repr=False, compare=False)

    def expand(self, scope: Mapping[str, object]) -> str:
        """The text with everything filled in. Raises TemplateFault."""
        return self._expand(scope)


def is_template(text: str) -> bool:
    """Whether a text holds anything to expand."""
    return "{{" in text or "{%" in text or "{#" in text


@lru_cache(maxsize=256)
def compile(source: str) -> Template:  # noqa: A001  (as in `re.compile`)
    """Read a template. Raises TemplateFault."""
    if len(source) > MAX_TEXT:
        raise TemplateFault("E303", f"a template of {len(source):,} characters", help=f"at most {MAX_TEXT:,}")
    pieces = _SIMPLE_TAG.split(source)
    paths = [path.split(".") for path in pieces[1::2]]
    if _is_simple(pieces[::2], paths):
        return Template(source, frozenset(path[0] for path in paths), _simple(source, pieces, paths))
    from vidspec.bounded import template

    return template(source)


def variable_fault(name: str) -> str | None:
    """Why a name cannot be a variable's, or None where it can."""
    if not _ONLY_NAME.fullmatch(name):
        return f"`{name}` is not a name: letters, digits and `_`, the first no digit"
    if name in _GIVEN:
        return f"`{name}` is a name that every template already has"
    return f"`{name}` is a word of the template language" if name in _WORDS else None


def _is_simple(texts: list[str], paths: list[list[str]]) -> bool:
    if any(path[0] in _WORDS for path in paths):
        return False
    return not any(_TAG.search(text) or "\r" in text for text in texts)


def _simple(source: str, pieces: list[str], paths: list[list[str]]) -> Callable[[Mapping[str, object]], str]:
    places = [(2 * index + 1, path) for index, path in enumerate(paths)]

    def expand(scope: Mapping[str, object]) -> str:
        filled = pieces.copy()
        try:
            for index, path in places:
                value: Any = scope
                for name in path:
                    value = value[name]
                filled[index] = value if type(value) is str else _printed(value)
            text = "".join(filled)
            if len(text) <= MAX_TEXT:
                return text
        except (LookupError, TypeError, ValueError):
            pass  # this path knows only success; the other one says what is wrong
        from vidspec.bounded import template

        return template(source).expand(scope)

    return expand


def _printed(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    raise TypeError
