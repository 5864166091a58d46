"""What libyaml says of a file that is no YAML, in words for people who write shot lists.

libyaml names what its parser was waiting for, where it noticed. Here that becomes what was most likely done
wrong, said of the place where it was done.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MAX_LINE = 1000
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEMPLATE_START = re.compile(r"(?:[:?-][ \t]+|^[ \t]*)(\{\{|\{%)")
_KEY_LINE = re.compile(r"[ -]*[\w.-]+")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Stopped(NamedTuple):
    """Where and why the parser gave up. `opened` is where the thing began that it was in the middle of.

    `quote` is where the last value that could be read begins and ends, if that was a text in quotes.
    """

    problem: str
    context: str
    offset: int
    opened: int
    quote: tuple[int, int] | None


class Complaint(NamedTuple):
    """What is wrong, and where."""

    code: str
    message: str
    help: str
    offset: int


def unquoted(offset: int) -> Complaint:
    """A template that YAML takes for a mapping."""
    help_line = "put the whole text in quotes, or write it as a block after `|`"
    return Complaint("E110", "a template that is not in quotes", help_line, offset)


def forbidden(text: str, reason: str) -> Complaint:
    """A character that may not stand in YAML at all."""
    found = _FORBIDDEN.search(text)
    offset = found.start() if found else 0
    message = f"the character U+{ord(text[offset]):04X} may not stand in YAML: {reason}"
    return Complaint("E105", message, "save it as plain text, in UTF-8", offset)


def complaint(text: str, stopped: Stopped) -> Complaint:
    """Why a text is no YAML."""
    line, start = _line_around(text, stopped.offset)
    template = _bare_template(text, stopped, line, start)
    if template is not None:
        return unquoted(template)
    blanks = len(line) - len(line.lstrip())
    if "\t" in line[:blanks] or text[stopped.offset : stopped.offset + 1] == "\t":
        tab = start + line.index("\t") if "\t" in line[:blanks] else stopped.offset
        return Complaint("E105", "a tab in the indentation", "YAML is indented with blanks", tab)
    return _after_a_quote(text, stopped) or _plain(text, stopped, line, start)


def _line_around(text: str, offset: int) -> tuple[str, int]:
    """The line that an offset is in, as far as that is needed, and where it starts."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return _LINE_BREAK.split(text[start : start + _MAX_LINE], maxsplit=1)[0], start


def _number(text: str, offset: int) -> int:
    return len(_LINE_BREAK.findall(text[:offset])) + 1


def _bare_template(text: str, stopped: Stopped, line: str, start: int) -> int | None:
    """Where a template begins that is not in quotes: in this line or, for a comment tag, in the one above."""
    match = _TEMPLATE_START.search(line)
    if match and start + match.start(1) <= stopped.offset:
        return start + match.start(1)
    if stopped.problem != _NO_VALUE:
        return None
    found = text.rfind("{#", 0, stopped.offset)
    return found if found >= 0 and _number(text, stopped.offset) - _number(text, found) <= 1 else None


def _after_a_quote(text: str, stopped: Stopped) -> Complaint | None:
    """What follows a closing quote; the opening one is at fault where it was closed on a later line."""
    begin, end = stopped.quote or (0, 0)
    if not end or end > stopped.offset or _LINE_BREAK.search(text[end : stopped.offset]):
        return None
    last = _number(text, end)
    if _number(text, begin) == last:
        return Complaint("E105", "not YAML: text after a closing quote", "put all of it in quotes", stopped.offset)
    message = f"not YAML: the quote that begins here is closed at line {last}, and more text follows"
    return Complaint("E105", message, "close the quote where the text ends", begin)


def _plain(text: str, stopped: Stopped, line: str, start: int) -> Complaint:
    problem, offset = stopped.problem, stopped.offset
    if problem in _OPENED:
        offset = stopped.opened
    elif problem == _NO_COLON and _KEY_LINE.fullmatch(line[: offset - start]):
        problem, offset = _MISPLACED, start + len(line) - len(line.lstrip(" -"))
    if problem not in _WORDS:
        return Complaint("E105", f"not YAML: {problem} {stopped.context}".rstrip(), _OTHERWISE, offset)
    message, help_line = _WORDS[problem]
    character = text[offset : offset + 1]
    here = "a backtick" if character == "`" else f"`{character}`"
    said = message.format(begin=_number(text, stopped.opened), here=here)
    return Complaint("E105", f"not YAML: {said}", help_line, offset)


_NO_COLON = "mapping values are not allowed in this context"
_NO_VALUE = "did not find expected node content"
_MISPLACED = "a key where none can be"
_OPENED = frozenset(
    {
        "could not find expected ':'",
        "did not find expected alphabetic or numeric character",
        "found unexpected document indicator",
        "found unexpected end of stream",
    }
)
"""Problems that are those of the place where the key, quote or word began."""

_OTHERWISE = "a text that holds characters with a meaning in YAML stands in quotes"
_QUOTE = "put the text in quotes"
_WORDS = {
    _MISPLACED: (_MISPLACED, "check the indentation of this line, and the blank after the `:` in the line above"),
    _NO_COLON: ("a `: ` inside a text", _QUOTE),
    _NO_VALUE: ("a value is missing here", "write it, or take the comma out"),
    "block sequence entries are not allowed in this context": (
        "an item of a list where none can be",
        "a list begins on a line of its own; put a text that begins with `- ` in quotes",
    ),
    "could not find expected ':'": ("a key without its `:`", "a key is followed by a colon and a blank"),
    "did not find expected '-' indicator": (
        "no item of the list begins here",
        "check the indentation of this line",
    ),
    "did not find expected ',' or ']'": (
        "the list that begins at line {begin} is not closed here",
        "put `,` between its items, `]` at its end, and a text that holds `: ` or `,` in quotes",
    ),
    "did not find expected ',' or '}'": (
        "the mapping that begins at line {begin} is not closed here",
        "put `,` between its entries, `}` at its end, and a text that holds `: ` or `,` in quotes",
    ),
    "did not find expected <document start>": ("text after the end of the document", "take it out"),
    "did not find expected alphabetic or numeric character": ("a text cannot begin with {here}", _QUOTE),
    "did not find expected comment or line break": (
        "text after `|` or `>`",
        "the text begins on the next line, indented",
    ),
    "did not find expected key": (
        "no key begins here",
        "check the indentation of this line and of the one above",
    ),
    "found character that cannot start any token": ("a text cannot begin with {here}", _QUOTE),
    "found undefined tag handle": ("a text cannot begin with {here}", _QUOTE),
    "found incompatible YAML document": ("another version of YAML", "take the `%YAML` line out"),
    "found invalid Unicode character escape code": (
        "an escape that is no character",
        "write the character itself, or `\\U0001F600` for one beyond four digits",
    ),
    "found unexpected document indicator": ("a quote that is never closed", "close it where the text ends"),
    "found unexpected end of stream": ("a quote that is never closed", "close it where the text ends"),
    "found unknown escape character": (
        "a `\\` that begins no escape",
        "write `\\\\` for a backslash, or put the text in single quotes",
    ),
    "mapping keys are not allowed in this context": ("a text cannot begin with {here}", _QUOTE),
}
"""What libyaml says, and what we say: the message and its help line."""
