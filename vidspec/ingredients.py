"""What a take is made from: files of the project, and frames or clips of other takes; as bytes, and as sent."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from vidspec import stills
from vidspec.difference import as_recorded, frame_key, frame_source, with_frame
from vidspec.errors import MediaError
from vidspec.fingerprint import digest as digest_of
from vidspec.lock import Record
from vidspec.providers import table
from vidspec.store import file_digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from vidspec.capability import Still
    from vidspec.lock import Cost, Lock, Output
    from vidspec.store import Store
    from vidspec.studio import Pictures
    from vidspec.take import Input, Take


class FrameTaker(Protocol):
    """Whoever knows how to take a frame from a clip."""

    def __call__(self, take: Take, pictures: Pictures, clip: Path, at: str | float, /) -> Awaitable[bytes]:
        """A frame (`first`, `last`, or a time in seconds) of a take's clip as a PNG, for another take to use."""


@dataclass(slots=True, kw_only=True)
class Ingredients:
    """Everything that a take needs.

    `pictures` are encoded pictures by setting and index; `media` the same in the form in which a provider takes
    them (an address, a data URI, its own id of a clip). `request` is the take's with frames by digest, and
    `frames` says where those are from; `paths` names the files of the project that were used. `notes` are sentences
    about what was made to fit the model.
    """

    request: dict[str, Any]
    pictures: dict[tuple[str, int], bytes] = field(default_factory=dict)
    media: dict[tuple[str, int], str] = field(default_factory=dict)
    frames: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def record(self, take: Take, cost: Cost | None) -> Record:
        """The record to be of a take that is made from them: all of it but what comes back."""
        return Record(
            shot=take.shot,
            take=take.number,
            provider=take.provider,
            model=take.model,
            fingerprint=take.fingerprint,
            request=dict(take.request),
            defaulted=tuple(key for key in take.request if key in take.defaulted),
            seed=take.seed,
            seed_rule=None if take.seed_rule == "none" else take.seed_rule,
            frames=self.frames or None,
            pictures=self.paths or None,
            vars=dict(take.variables) or None,
            cost=cost,
        )


class Pantry:
    """Finds ingredients; a frame that several takes need is taken once."""

    def __init__(
        self,
        *,
        project: Path,
        store: Store,
        lock: Callable[[], Lock],
        take_of: Mapping[str, Take],
        frame: FrameTaker,
    ) -> None:
        self._project = project
        self._store = store
        self._lock = lock
        self._take_of = take_of
        self._frame_of = frame
        self._frames: dict[tuple[str, str | float], str] = {}

    async def gather(self, take: Take, *, sent: bool, made: Record | None = None) -> Ingredients:
        """Everything that a take needs, now that what it waits for is there; `media` only where it is to be sent.

        `made` is the record of the take, where its clip is there already: frames that it was made from are had as
        they were kept, however long the chain behind them is.

        Raises:
            MediaError: a file was changed while the run went on, a clip or a frame is not to be had, or a frame is
                not such as the model takes.
        """
        found = Ingredients(request=dict(take.request))
        for given in take.inputs:
            key = (given.setting, given.index)
            if given.url is not None:
                found.media[key] = given.url
            elif given.digest is not None:
                data = self._bytes(given)
                if sent:
                    self._store.keep_bytes(data)
                    found.media[key] = data_uri(data)
                if given.setting != "audio":
                    found.pictures[key] = data
                if given.path is not None:
                    found.paths[frame_key(given)] = given.path
                if given.frame is not None:
                    known = {**given.frame.value(), "of": given.frame.of, "sha256": given.digest}
                    found.frames[frame_key(given)] = known
            elif given.frame is not None and not self._add_kept(given, made, found):
                await self._add_frame(take, given, found, sent=sent)
        if isinstance(take.request.get("remix_of"), str) and ("remix_of", 0) not in found.media:
            found.media["remix_of", 0] = take.request["remix_of"]
        return found

    def _bytes(self, given: Input) -> bytes:
        """The very bytes of a digest: of a file of the project, or as they were kept."""
        place = self._store.place(str(given.digest)) if given.path is None else self._project / given.path
        data = place.read_bytes()
        if digest_of(data) != given.digest:
            named = f"`{given.path}` was" if given.path is not None else f"the kept bytes of {given.digest} were"
            raise MediaError(f"{named} changed while the run went on")
        return data

    def _add_kept(self, given: Input, made: Record | None, found: Ingredients) -> bool:
        """Add a frame that a recorded clip was made from, where that is the frame that is meant, and is kept."""
        source = (made.frames or {}).get(frame_key(given)) if made is not None else None
        if given.frame is None or given.frame.at is None or not isinstance(source, dict):
            return False
        digest = str(source.get("sha256"))
        meant = {key: source.get(key) for key in given.frame.value()} == given.frame.value()
        if not meant or not self._store.holds(digest):
            return False
        data = self._store.place(digest).read_bytes()
        if digest_of(data) != digest:  # damaged, or a name that leads elsewhere
            return False
        found.pictures[given.setting, given.index] = data
        found.request = with_frame(found.request, given, digest)
        found.frames[frame_key(given)] = source
        return True

    async def _add_frame(self, take: Take, given: Input, found: Ingredients, *, sent: bool) -> None:
        """A frame of another take, or for a remix the id that its provider has for the clip.

        A remix that is not sent is drawn from where the clip begins.
        """
        assert given.frame is not None
        key = (given.setting, given.index)
        source, clip = self._source(given.frame.slate)
        digest = source.sha256
        if given.frame.at is not None:
            digest = await self._frame(given.frame.slate, clip, given.frame.at)
            data = self._store.place(digest).read_bytes()
            if sent:
                fitted = _fitted(take, given, data, found.notes)
                digest, data = (digest, data) if fitted is data else (self._store.keep_bytes(fitted), fitted)
                found.media[key] = data_uri(data)
            found.pictures[key] = data
        elif sent:
            found.media[key] = self._request_id(take, given.frame.slate)
        else:
            first = await self._frame(given.frame.slate, clip, "first")
            found.pictures["first_frame", 0] = self._store.place(first).read_bytes()
        found.request = with_frame(found.request, given, digest)
        found.frames[frame_key(given)] = {**frame_source(given, source), "sha256": digest}

    def _source(self, slate: str) -> tuple[Output, Path]:
        """The clip that a take was recorded with, and where its very bytes are: at its place, else kept."""
        record = self._lock().get(slate)
        if record is None or record.output is None:
            raise MediaError(f"`{slate}` has no clip to take a frame from")
        digest = record.output.sha256
        for path in (self._project / self._take_of[slate].output, self._store.place(digest)):
            if has_digest(path, digest):
                return record.output, path
        raise MediaError(f"the clip of `{slate}` is not the one that was rendered, and that one is not kept")

    def _request_id(self, take: Take, slate: str) -> str:
        record = self._lock().get(slate)
        if record is not None and record.provider == take.provider and record.request_id:
            return record.request_id
        raise MediaError(f"`{slate}` was not made by `{take.provider}`, which can remix only what it has made")

    async def _frame(self, slate: str, clip: Path, at: str | float) -> str:
        """The digest of a frame of a finished take, taken once in a run and kept."""
        found = self._frames.get((slate, at))
        if found is None:
            take, record = self._take_of[slate], self._lock().get(slate)
            made = as_recorded(take, record) if record else take
            ingredients = await self.gather(made, sent=False, made=record)
            try:
                data = await self._frame_of(made, ingredients.pictures, clip, at)
            except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
                raise MediaError(f"no frame can be taken from the clip of `{slate}`") from error
            found = self._frames[slate, at] = self._store.keep_bytes(data)
        return found


def _fitted(take: Take, given: Input, data: bytes, notes: list[str]) -> bytes:
    """A frame that nobody has seen before, as the model takes it. Raises MediaError before anything is sent.

    One that is too large a file, or of the wrong format, is sent as a JPEG where the table has that among the
    formats. Nothing else is done to it: no table says that a picture may be scaled or cropped.
    """
    rule: Still | None = getattr(table(take.provider).models[take.model].capabilities[take.mode], given.setting)
    problem = None if rule is None or given.frame is None else _problem(rule, take, given, data)
    if rule is None or problem is None:
        return data
    if "jpeg" in rule.formats:
        from vidspec import media

        other = media.jpeg(data, rule.max_bytes)
        if other is not None and _problem(rule, take, given, other) is None:
            notes.append(f"{problem}; it was sent as a JPEG of {len(other) / 1e6:.1f} MB")
            return other
    raise MediaError(problem)


def _problem(rule: Still, take: Take, given: Input, data: bytes) -> str | None:
    """Why the model does not take a frame; None where it does."""
    from vidspec import picture

    seen = picture.look_at(data, _name(given))
    size = take.request.get("size")
    found = stills.picture_problems(rule, seen, given.setting, (), model=take.model, size=size)
    return next((problem.message for problem in found if problem.code.startswith("E")), None)


def _name(given: Input) -> str:
    assert given.frame is not None
    return f"{given.frame.at} of {given.frame.slate}"


_MIME = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
)


def data_uri(data: bytes) -> str:
    """A file's bytes as a data URI, with the type that the bytes themselves tell."""
    found = next((name for magic, name in _MIME if data.startswith(magic)), None)
    if found is None and data[:4] == b"RIFF":
        found = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    if found is None and (data[:3] == b"ID3" or data[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        found = "audio/mpeg"
    return f"data:{found or 'application/octet-stream'};base64,{base64.b64encode(data).decode('ascii')}"


def has_digest(path: Path, digest: str) -> bool:
    """Whether a file is there, with exactly these bytes."""
    try:
        return file_digest(path) == digest
    except OSError:
        return False
