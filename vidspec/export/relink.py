"""A timeline that somebody has cut already, given the clips that there are by now; the cut itself is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from vidspec.diagnostic import listed
from vidspec.errors import UsageError
from vidspec.export.library import library
from vidspec.export.otio import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vidspec.export.edit import Edit, Shot
    from vidspec.export.otio import Builder

__all__ = ["Relinked", "relink"]


class Relinked(NamedTuple):
    """The timeline, how many of its clips were given their takes anew, and what somebody should know."""

    timeline: Any
    clips: int
    warnings: tuple[str, ...]


def relink(
    path: Path, edit: Edit, builder: Builder, *, others: Mapping[str, str] | None = None, without: str = ""
) -> Relinked:
    """Read a timeline and link every clip of it that is a shot of ours.

    A clip is known by what an earlier export said of it, else by its name or that of its file: the name of a shot
    or a slate. Where it begins and ends, its markers and effects stay as they are. `others` are shots of the list
    that are not in the edit, by their names and slates, and `without` is what leaves them out.

    Raises:
        UsageError: the file is no OpenTimelineIO timeline, or none of its clips is ours.
    """
    timeline = _read(path)
    shots = {placed.shot.id: placed.shot for placed in edit.shots}
    names = {version.slate: shot.id for shot in shots.values() for version in shot.versions} | {
        name: name for name in shots
    }
    used: dict[str, int] = {}
    short: list[str] = []
    for clip in timeline.find_clips():
        name = next((name for name in _names(clip, names) if name in shots), None)
        if name is not None:
            _link(clip, shots[name], builder)
            used[name] = used.get(name, 0) + 1
            if _is_short(clip):
                short.append(name)
    if not used:
        if left := _met(timeline, others or {}):
            raise UsageError(
                f"{without} leaves out every clip of `{path}` that is a shot of this list: {listed(left)}"
            )
        raise UsageError(f"no clip of `{path}` is a shot of this list\n    help: a clip is known by its slate")
    told = []
    if short:
        told.append(
            f"the clip that is there now is shorter than what the cut shows of it: {listed(dict.fromkeys(short))}"
        )
    if unused := [name for name in shots if name not in used]:
        told.append(f"not in the cut: {listed(unused)}")
    return Relinked(timeline, sum(used.values()), tuple(told))


def _read(path: Path) -> Any:
    otio = library()
    try:
        read = otio.adapters.read_from_string(path.read_text("utf-8"), "otio_json")
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, otio.exceptions.OTIOError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is none"
        raise UsageError(f"`{path}` cannot be read as an OpenTimelineIO timeline: {reason}") from error
    if not isinstance(read, otio.schema.Timeline):
        raise UsageError(f"`{path}` holds no timeline")
    return read


def _met(timeline: Any, names: Mapping[str, str]) -> list[str]:
    """The shots by these names that a timeline has clips of, each once."""
    ids = set(names.values())
    met = (next((name for name in _names(clip, names) if name in ids), None) for clip in timeline.find_clips())
    return [name for name in dict.fromkeys(met) if name is not None]


def _names(clip: Any, names: Mapping[str, str]) -> Iterator[str]:
    """The shots that a clip may be of, the surest first."""
    yield str(_ours(clip.metadata).get("shot", ""))
    for reference in clip.media_references().values():
        yield names.get(str(_ours(reference.metadata).get("slate", "")), "")
        stem = unquote(str(getattr(reference, "target_url", "") or "")).rpartition("/")[2].rpartition(".")[0]
        yield names.get(stem, "")
    yield names.get(str(clip.name), "")
    yield names.get(str(clip.name).rpartition(".")[0], "")


def _ours(metadata: Any) -> Mapping[str, Any]:
    found: Any = metadata.get(SPACE)
    return found if hasattr(found, "get") else {}


def _link(clip: Any, shot: Shot, builder: Builder) -> None:
    whole = clip.source_range is None
    builder.link(clip, shot)
    if clip.name in {version.slate for version in shot.versions}:
        clip.name = shot.active.slate
    if whole and clip.media_reference.available_range is not None:
        clip.source_range = clip.media_reference.available_range


def _is_short(clip: Any) -> bool:
    available = clip.media_reference.available_range
    if available is None or clip.source_range is None:
        return False
    shown, there = clip.source_range.end_time_exclusive(), available.end_time_exclusive()
    return bool(shown.to_seconds() > there.to_seconds() + 1e-6)
