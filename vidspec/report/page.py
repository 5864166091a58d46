"""The page as one text of HTML: style and script inside, and a policy that lets nothing else in.

Everything that a person or a provider has written is escaped by the template. The policy knows the style and the
script by their digests, lets pictures and clips come from files alone, and nothing from any network.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, FunctionLoader, StrictUndefined

from vidspec.report import palette
from vidspec.report.content import WORDS
from vidspec.summary import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vidspec.report.chart import Chart
    from vidspec.report.content import Content


def page(
    content: Content,
    charts: Sequence[Chart],
    *,
    name: str,
    title: str,
    made_at: datetime,
    version: str,
    copies: Mapping[str, str] | None = None,
    note: str = "",
) -> str:
    """The page. With `copies`, small clips by slate in base64, all that it shows is inside it."""
    style, script = _style(), _text("page.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            content=content,
            charts=charts,
            name=name,
            title=title or name,
            made_at=made_at,
            version=version,
            note=note,
            inside=copies is not None,
            copies=copies or {},
            words=WORDS,
            duration=duration,
            style=style,
            script=script,
            policy=_policy(style, script, inside=copies is not None),
        )
    )


def _policy(style: str, script: str, *, inside: bool) -> str:
    pictures, clips = ("data:", "blob:") if inside else ("'self' file: data:", "'self' file:")
    return (
        f"default-src 'none'; script-src {source_of(script)}; style-src {source_of(style)}; img-src {pictures}; "
        f"media-src {clips}; base-uri 'none'; form-action 'none'"
    )


def source_of(text: str) -> str:
    """A style or a script as a content policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def _style() -> str:
    """The colours of the day, of the night where the system or the reader wants it, and the rest."""
    day, night = palette.declarations(0), palette.declarations(1)
    return (
        f":root{{color-scheme:light;{day}}}\n"
        f"@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{color-scheme:dark;{night}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{night}}}\n{_text('page.css')}"
    )


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        loader=FunctionLoader(_text),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
