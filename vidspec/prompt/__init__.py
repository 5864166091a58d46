"""Templates in shot lists: the language of Jinja, made safe to expand whoever wrote the list.

This module is all that others see, and expands by itself what nearly every prompt is made of: text and
`{{ name }}` or `{{ name.key }}`. Whatever is more is read by `grammar` and expanded by `bounded`, with the
`expressions` and `filters` that it knows. jinja2 is loaded only when the first such template is met.

What a template means here, where plain Jinja leaves a choice or is laxer:

- a name that does not exist is an error before anything is expanded, unless the template asks for it with
  `is defined` or `| default(…)`;
- `a.b` is the item `b` of the mapping `a` and nothing else, so there are no methods and no internals to reach;
- true and false are printed as YAML writes them; null, lists and mappings are not printed at all;
- the result depends on nothing but the source and the scope.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from vidspec.prompt.template import MAX_TEXT, NAME, RESERVED, WORDS, Template, TemplateFault, variable_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "MAX_TEXT",
    "RESERVED",
    "Template",
    "TemplateFault",
    "compile",
    "is_template",
    "undefined_names",
    "variable_fault",
]

_SIMPLE_TAG = re.compile(rf"(?<!\{{)\{{\{{\s*({NAME}(?:\.{NAME})*)\s*\}}\}}")
_TAG = re.compile(r"\{[{%#]")


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
    from vidspec.prompt.bounded import template

    return template(source)


def undefined_names(source: str, scope: Mapping[str, object]) -> list[TemplateFault]:
    """Every name that a template needs and the scope has not; expanding it tells of the first alone."""
    from vidspec.prompt import bounded

    return bounded.undefined_names(source, scope)


def _is_simple(texts: list[str], paths: list[list[str]]) -> bool:
    if any(path[0] in WORDS for path in paths):
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
        from vidspec.prompt.bounded import template

        return template(source).expand(scope)

    return expand


def _printed(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return str(value)
    raise TypeError
