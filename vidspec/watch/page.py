"""The page of a list that is being written: the report's, with drafts of what was edited, and what keeps it fresh.

What the page shows is reached by addresses that are made here, each of one file: nothing else is ever served.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import vidspec
from vidspec.lock import Lock
from vidspec.report import palette, posters
from vidspec.report.advice import Speech
from vidspec.report.content import Writer, by_shot
from vidspec.report.footage import Archive
from vidspec.report.gallery import Gallery
from vidspec.report.page import page as report_page
from vidspec.report.page import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from vidspec.diagnostic import Diagnostic
    from vidspec.planned import Plan
    from vidspec.project import Opened
    from vidspec.report.content import Seen

__all__ = ["Page", "Place", "bare", "make"]


class Place(NamedTuple):
    """A file, and the folder that it may not lead out of."""

    path: Path
    root: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page, the policy that it is sent with, and the files that it shows, by their addresses from the page.

    `name` tells it from every page that says something else.
    """

    text: str
    policy: str
    name: str
    files: Mapping[str, Place] = field(default_factory=dict)


def make(
    opened: Opened,
    warnings: Sequence[Diagnostic],
    drawn: Collection[str],
    *,
    real: Plan,
    lock: Lock,
    variables: Mapping[str, Any],
    folder: Path,
    made_at: datetime,
    tell: Callable[[str, int, int], None],
) -> Page:
    """The page of a list by its lockfile and the plan of the real thing.

    Of the takes in `drawn` the draft is shown, whatever was rendered before. `folder` is where posters go; `tell`
    hears how many of how many are made.

    Raises:
        OSError: a file cannot be written.
        LockError: a record cannot be read.
    """
    shot_list = opened.shot_list
    slates = {one.slate for one in real.takes}
    rendered = Lock({slate: record for slate in slates.difference(drawn) if (record := lock.get(slate))})
    with posters.cache(shot_list.project) as cache:
        gallery = Gallery(Archive(shot_list.path), cache, folder, inside=False, tell=tell)
        addresses = _Addresses(folder, shot_list.project)
        seen = gallery.seen([one.take for one in real.takes], rendered)
        former = gallery.former(slates, real.removed, lock)
        writer = Writer(
            lock=lock,
            speech=Speech(file=shot_list.name, variables=variables),
            seen={slate: addresses.of(one, slate) for slate, one in seen.items()},
            former={digest: addresses.of(one, digest[-16:]) for digest, one in former.items()},
            times={},
            warnings=by_shot(warnings),
        )
        text = report_page(
            writer.content(real, slates, opened.resolution.shots.values()),
            (),
            name=shot_list.path.name,
            title=shot_list.title,
            made_at=made_at,
            version=vidspec.__version__,
        )
    return replace(_dressed(text), files=addresses.files)


class _Addresses:
    """Gives every file that a page shows an address of its own, and keeps where it leads."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._folder = folder
        self._project = project
        self.files: dict[str, Place] = {}

    def of(self, seen: Seen, name: str) -> Seen:
        """What is seen, at addresses of ours. Another clip under the same name has another address."""
        digest = seen.output.sha256[-12:] if seen.output else "unknown"
        source, poster = seen.source, seen.poster
        if source is not None:
            source = self._add(f"clip/{digest}/{name}.mp4", Place(self._path(source), self._project))
        if poster is not None:
            path = self._path(poster)
            poster = self._add(f"poster/{path.name}", Place(path, self._folder))
        return replace(seen, source=source, poster=poster)

    def _add(self, address: str, place: Place) -> str:
        self.files[address] = place
        return address

    def _path(self, address: str) -> Path:
        """The file that an address leads to from the folder of the page."""
        return Path(os.path.normpath(self._folder.absolute() / unquote(address)))


# --- what keeps a page fresh -------------------------------------------------------------------------------

_META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">\n?')


def bare(name: str) -> Page:
    """A page for as long as there is no list that could be shown."""
    text = _text("bare.html").replace("NAME", html.escape(name))
    policy = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; script-src; style-src"
    return _dressed(text, html.escape(policy))


def _dressed(text: str, policy: str | None = None) -> Page:
    """A page with the script and the style that keep it fresh. Its policy is sent, and not written, from now on."""
    if policy is None:
        found = _META.search(text)
        assert found is not None
        policy, text = found[1], _META.sub("", text, count=1)
    name = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    style, script = _style(), _text("page.js")
    assert text.count("</head>") == text.count("<body>") == 1
    text = text.replace("</head>", f"<style>{style}</style>\n<script>{script}</script>\n</head>")
    text = text.replace("<body>", f'<body>\n<div id="watch" data-page="{name}"></div>')
    return Page(text=text, policy=_policy(html.unescape(policy), style, script), name=name)


def _policy(written: str, style: str, script: str) -> str:
    """A policy that lets ours run too, and the page ask its own server; files of this machine are not for it."""
    more = {"script-src": source_of(script), "style-src": source_of(style)}
    rules = {"connect-src": "'self'", "frame-ancestors": "'none'"}
    for rule in written.split(";"):
        name, *sources = rule.split()
        sources = [one for one in sources if one != "file:"]
        rules[name] = " ".join((*sources, *([more[name]] if name in more else [])))
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


@cache
def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


@cache
def _style() -> str:
    """Our colours are the report's, which a page without a report must be told."""
    day, night = palette.declarations(0), palette.declarations(1)
    return (
        f":root{{{day}}}\n@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{night}}}}}\n"
        f":root[data-theme=dark]{{{night}}}\n{_text('page.css')}"
    )
