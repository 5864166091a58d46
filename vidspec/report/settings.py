"""The settings of a shot's takes, in words: what they have in common, and what differs from take to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vidspec.contrast import Piece, contrast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidspec.lock import Record
    from vidspec.take import Take

TEXTS = ("prompt", "negative_prompt")
"""Settings that are read as running text."""

_HIDDEN = frozenset({"mode", *TEXTS})
_PICTURES = ("first_frame", "last_frame", "references", "remix_of", "audio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in words. `by_default` where nobody wrote it; `differs` where another take has another."""

    name: str
    value: str
    by_default: bool = False
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a clip was made from, or would be: texts apart, all else as settings in words."""

    texts: Mapping[str, str]
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworded:
    """A text that is not what another is: the words of either that the other has not are marked, amid a few others.

    `old` is empty where nothing was taken away. Where the two have little in common, `new` is all of it, unmarked.
    """

    old: list[Piece]
    new: list[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The takes of a shot against each other.

    `texts` are those of the first take, and `varying` the names of those that others do not share: `reworded` has
    them, for each take. `settings` are those that all takes share, and `own` those of each that they do not.
    """

    texts: Mapping[str, str]
    varying: frozenset[str]
    reworded: Sequence[Mapping[str, Reworded]]
    settings: Sequence[Setting]
    own: Sequence[Sequence[Setting]]


def sent(take: Take, record: Record | None) -> Sent:
    """What the recorded clip of a take was made from; what would be sent where there is none."""
    if record is None or not record.rendered:
        sources = {_key(one.setting, one.index): _source(one.path, one.url, one.frame) for one in take.inputs}
        return _sent(take.provider, take.model, take.request, take.seed, take.defaulted, sources)
    sources = {key: str(path) for key, path in (record.pictures or {}).items()}
    sources |= {key: _framed(value) for key, value in (record.frames or {}).items()}
    sources |= {
        _key(one.setting, one.index): _source(one.path, one.url, one.frame)
        for one in take.inputs
        if _key(one.setting, one.index) not in sources and _is_same(record, one.setting, one.index, one.digest)
    }
    seed = record.seed_used if record.seed_used is not None else record.seed
    return _sent(
        record.provider or "", record.model or "", record.request or {}, seed, frozenset(record.defaulted), sources
    )


def _is_same(record: Record, setting: str, index: int, digest: str | None) -> bool:
    """Whether a picture of the list is the one that was sent."""
    value = (record.request or {}).get(setting)
    value = value[index] if isinstance(value, list) and index < len(value) else value
    return digest is not None and value == digest


def _key(setting: str, index: int) -> str:
    return f"{setting}.{index}" if setting == "references" else setting


def _source(path: str | None, url: str | None, frame: Any) -> str:
    if frame is not None:
        return _framed(frame.value())
    return path or (_address(url) if url else "")


def _framed(value: Any) -> str:
    """`last frame of s040-t01`."""
    if not isinstance(value, Mapping):
        return str(value)
    at, slate = value.get("at"), value.get("slate")
    if at is None:
        return f"the clip {slate}"
    return f"{at} frame of {slate}" if isinstance(at, str) else f"{slate} at {at:g} s"


def _address(url: str) -> str:
    """An address without what may be a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}{'?…' if parts.query else ''}"


def _sent(
    provider: str,
    model: str,
    request: Mapping[str, Any],
    seed: int | None,
    defaulted: frozenset[str],
    sources: Mapping[str, str],
) -> Sent:
    found = {"provider": provider, **({"model": model} if model != provider else {})}
    for key, value in request.items():
        if key not in _HIDDEN:
            found |= _words(key, value, sources)
    if "size" in found:  # it says both
        for key in ("resolution", "aspect_ratio"):
            found.pop(key, None)
    if seed is not None:
        found["seed"] = str(seed)
    return Sent(
        texts={key: str(request[key]) for key in TEXTS if request.get(key)},
        settings={
            key: Setting(name=key.replace("_", " "), value=value, by_default=key in defaulted)
            for key, value in found.items()
        },
    )


def _words(key: str, value: Any, sources: Mapping[str, str]) -> dict[str, str]:
    """A setting in words, by its name; `options` and `references` are several."""
    if key == "options" and isinstance(value, Mapping):
        return {name: in_words(item) for name, item in value.items()}
    if key == "references" and isinstance(value, list):
        names = [sources.get(f"{key}.{index}") or in_words(one) for index, one in enumerate(value)]
        return {key: ", ".join(names)}
    if key in _PICTURES and not isinstance(value, bool):
        return {key: sources.get(key) or in_words(value)}
    return {key: _measured(key, value)}


_UNITS = {"duration": "s", "fps": "fps"}


def _measured(key: str, value: Any) -> str:
    return f"{value:g} {_UNITS[key]}" if key in _UNITS and isinstance(value, int | float) else in_words(value)


def in_words(value: Any) -> str:
    """A value as a person reads it, in full but for digests and addresses."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return _framed(value) if "slate" in value else ", ".join(f"{k} {in_words(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    text = str(value)
    if text.startswith("sha256:"):
        return f"{text[:15]}…"
    return _address(text) if text.startswith(("http://", "https://")) else text


# --- one against the other ---------------------------------------------------------------------------------


def compared(takes: Sequence[Sent]) -> Compared:
    """What the takes of a shot share, and what is each one's own."""
    first = takes[0]
    varying = frozenset(key for key in TEXTS if not _is_shared(take.texts.get(key) for take in takes))
    names = dict.fromkeys(name for take in takes for name in take.settings)
    shared = {name for name in names if _is_shared(_value(take, name) for take in takes)}
    return Compared(
        texts=first.texts,
        varying=varying,
        reworded=[
            {
                key: reworded(old, new)
                for key in TEXTS
                if (old := first.texts.get(key, "")) != (new := take.texts.get(key, ""))
            }
            for take in takes
        ],
        settings=[first.settings[name] for name in names if name in shared],
        own=[[_own(take, name) for name in names if name not in shared] for take in takes],
    )


def _is_shared(values: Iterable[str | None]) -> bool:
    return len(set(values)) == 1


def _value(take: Sent, name: str) -> str | None:
    found = take.settings.get(name)
    return found.value if found else None


def _own(take: Sent, name: str) -> Setting:
    found = take.settings.get(name)
    value, by_default = (found.value, found.by_default) if found else ("none", True)
    return Setting(
        name=found.name if found else name.replace("_", " "), value=value, by_default=by_default, differs=True
    )


def reworded(old: str, new: str) -> Reworded:
    """A text against the one that it was, or that another is.

    A text with signs that are not seen by themselves (joiners, directions) is left whole: a sign that is cut off
    from its neighbours would be another.
    """
    if not all(text.replace("\n", "").isprintable() for text in (old, new)):
        return Reworded(old=[], new=[Piece(new)])
    before, after = contrast(old, new)
    if not any(piece.differs for piece in (*before, *after)):
        return Reworded(old=[], new=[Piece(new)])
    taken = any(piece.differs for piece in before)
    return Reworded(old=_excerpt(_joined(before)) if taken else [], new=_excerpt(_joined(after)))


_AROUND = 48
"""Characters of what is alike that are shown beside what differs."""


def _excerpt(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces without the long stretches of what is alike."""
    found = []
    for number, piece in enumerate(pieces):
        head = _AROUND if number > 0 else 0
        tail = _AROUND if number < len(pieces) - 1 else 0
        found.append(piece if piece.differs else Piece(_shortened(piece.text, head, tail)))
    return found


def _shortened(text: str, head: int, tail: int) -> str:
    """The beginning and the end of a text, in whole words; all of it where hardly anything would be left out."""
    if len(text) <= head + tail + _AROUND // 2:
        return text
    begin, end = text[:head], text[len(text) - tail :]
    if head and " " in begin:
        begin = begin[: begin.rindex(" ")]
    if tail and " " in end:
        end = end[end.index(" ") + 1 :]
    return f"{begin}{' ' if head else ''}…{' ' if tail else ''}{end}"


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one kind as one."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].differs == piece.differs:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.differs)
        else:
            joined.append(piece)
    return joined
