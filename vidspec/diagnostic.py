"""What is wrong with a shot list, said once, in one form, with a stable code.

A diagnostic points at the value that is wrong (lines and columns count from 1), says in a lowercase phrase
what is wrong, and in a help line what would be right.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]

CODES: dict[str, str] = {
    # files and YAML
    "E101": "the file cannot be read",
    "E102": "the file is too large",
    "E103": "the file is not UTF-8 text",
    "E104": "the file is empty",
    "E105": "YAML syntax",
    "E106": "a key is written twice",
    "E107": "a key is not a string",
    "E108": "aliases or nesting beyond bounds",
    "E109": "a YAML feature that shot lists do not use",
    "E110": "an unquoted template",
    # shape
    "E201": "an unknown key",
    "E202": "a required key is missing",
    "E203": "a value of the wrong type",
    "E204": "a value that is not one of those offered",
    "E205": "a value outside its bounds",
    "E206": "a text that is not of the right form",
    "E207": "another version of the language",
    "E210": "an include outside the project folder",
    "E211": "includes in a circle",
    "E212": "an include that cannot be read",
    "E220": "two shots with one id",
    "E221": "an id that cannot be a file name",
    "E222": "two takes that write one output",
    "E223": "an output in a place where it may not stand",
    "E224": "more takes than one list may have",
    "E225": "a name that variables may not have",
    # templates
    "E301": "template syntax",
    "E302": "an undefined name in a template",
    "E303": "something that templates may not do",
    "E304": "a template that fails when expanded",
    "E305": "variables in a circle",
    # capability
    "E401": "an unknown provider",
    "E402": "an unknown model",
    "E403": "a mode that the model does not have",
    "E404": "a value that the model does not offer",
    "E405": "a setting that the model does not have",
    "E406": "a text longer than the model takes",
    "E407": "a setting that the model needs",
    "E408": "settings that contradict each other",
    "E409": "a seed the model does not take",
    "E410": "camera moves that the model does not take",
    "E411": "an option that the model does not have",
    "E412": "a provider account that is not fit for use",
    # pictures, sounds, other shots
    "E501": "a file that is missing",
    "E502": "a path outside the project folder",
    "E503": "a file that is not a readable picture",
    "E504": "a picture that the model does not take",
    "E505": "an address that cannot be sent",
    "E506": "a shot or take that does not exist",
    "E507": "shots that need each other in a circle",
    # legal and doubtful
    "W601": "a model that is being, or has been, switched off",
    "W602": "an address that the provider may not reach",
    "W603": "an address that will expire",
    "W604": "text that the model reads as a camera command",
    "W605": "text that the model reads as a flag",
    "W606": "a reference that the prompt does not name",
    "W607": "a picture of another shape than the clip",
    "W608": "a picture near the model's limit",
    "W609": "a value that the provider's documents disagree about",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One problem at one place. `file` is as the user named it; `shot` is the id where one is known."""

    code: str
    message: str
    help: str = ""
    file: str
    line: int
    column: int
    shot: str | None = None

    def __post_init__(self) -> None:
        """What is quoted from a file may hold codes that a terminal would obey: they are shown, not sent."""
        for name in ("message", "help"):
            text: str = getattr(self, name)
            if not text.isprintable():
                object.__setattr__(self, name, "".join(map(_visible, text)))

    @property
    def severity(self) -> Severity:
        """`error` stops everything before it is submitted; `warning` only tells."""
        return "error" if self.code.startswith("E") else "warning"

    def text(self) -> str:
        """The diagnostic as a person reads it: one line, then an indented help line."""
        head = f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"
        return f"{head}\n    help: {self.help}" if self.help else head

    def value(self) -> dict[str, object]:
        """The diagnostic as `validate --json` prints it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "shot": self.shot,
        }


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort by file, place and code, and say each thing once (a matrix shot may find one fault many times)."""
    unique: dict[tuple[str, int, int, str, str], Diagnostic] = {}
    for found in diagnostics:
        unique.setdefault((found.file, found.line, found.column, found.code, found.message), found)
    return [unique[key] for key in sorted(unique)]


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def nearest(word: str, offered: Iterable[str]) -> str | None:
    """The offered word that was most likely meant, or None where nothing is near."""
    if len(word) > _MAX_WORD:
        return None
    by_folded = {name.casefold(): name for name in offered}
    folded = word.casefold()
    candidates = list(by_folded)
    if len(candidates) > _MANY:
        candidates.sort()
        place = bisect(candidates, folded)
        candidates = candidates[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
    close = get_close_matches(folded, candidates, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


_MANY, _NEIGHBOURS = 500, 30
"""Words beyond which only so many neighbours on either side in the alphabet are compared."""

_MAX_WORD = 200
"""Characters beyond which nobody has mistyped a name, and comparing takes long."""


def nearest_or(word: str, offered: Iterable[str], otherwise: str) -> str:
    """The help line that names the nearest offered word, or what to say where none is near."""
    near = nearest(word, offered)
    return f"the nearest is `{near}`" if near else otherwise


def counted(number: int, noun: str) -> str:
    """`1 take`, `2 takes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Iterable[object], *, most: int = 12) -> str:
    """Words in back-ticks, joined for a sentence; what is beyond `most` is counted, not shown."""
    quoted = [f"`{word}`" for word in words]
    if len(quoted) > most:
        return f"{', '.join(quoted[:most])} and {len(quoted) - most} more"
    return ", ".join(quoted)


def shown(value: object, *, most: int = 60) -> str:
    """A value as it is quoted in a message: short, on one line, in back-ticks."""
    text = "".join(map(_visible, _plain(value)[: most + 1]))
    return f"`{text[: most - 1]}…`" if len(text) > most else f"`{text}`"


def described(value: object) -> str:
    """A value as a message contrasts it with what was wanted: `the text "x"`, `a mapping`, a number as it is."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return _plain(value) if isinstance(value, list | dict) else shown(value)


def _plain(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
