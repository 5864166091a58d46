"""What a template is, and what can be wrong with one: the values that the whole package shares."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vidspec.errors import VidspecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_TEXT = 20_000
"""Characters of a source, of a result, and of any text on the way to it."""

GIVEN = frozenset({"shot", "slate", "take", "title"})
_LANGUAGE = (
    "and elif else endfor endif endraw endset false False for if in is loop none None not or range raw recursive"
    " self set super true True"
)
WORDS = frozenset(_LANGUAGE.split())
RESERVED: frozenset[str] = GIVEN | WORDS
"""Names that variables may not have: what every template is given, and the words of the language."""

NAME = "[A-Za-z_][A-Za-z0-9_]*"
"""The form of a name."""

_ONLY_NAME = re.compile(NAME)


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


def variable_fault(name: str) -> str | None:
    """Why a name cannot be a variable's, or None where it can."""
    if not _ONLY_NAME.fullmatch(name):
        return f"`{name}` is not a name: letters, digits and `_`, the first no digit"
    if name in GIVEN:
        return f"`{name}` is a name that every template already has"
    return f"`{name}` is a word of the template language" if name in WORDS else None
