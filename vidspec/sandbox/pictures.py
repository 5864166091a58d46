"""Pictures as requests give them: an address, which is not fetched offline, or the bytes themselves in base64."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidspec.errors import MediaError
from vidspec.picture import look_at
from vidspec.sandbox.fields import BadField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.picture import Picture

__all__ = ["Given", "Limits", "given"]

_ADDRESS = re.compile(r"https?://[^/?#\s]+\S*", re.IGNORECASE)
_MOST_HEAD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A picture as it was sent in a field.

    `seen` is what is in the bytes, None for an address and for what cannot be read; the latter has a `fault`.
    `claimed` is the media type that a data URI names.
    """

    field: str
    data: bytes = b""
    seen: Picture | None = None
    claimed: str = ""
    fault: str = ""

    @property
    def ratio(self) -> float | None:
        """Width over height, None where the pixels are not known."""
        return self.seen.width / self.seen.height if self.seen else None

    def remarks(self) -> Iterator[str]:
        """What the twin could not look at, and what a real service passes over in silence."""
        if not self.data:
            yield f"`{self.field}` is an address: not fetched offline"
        kind = self.claimed.lower().removeprefix("image/").replace("jpg", "jpeg")
        if self.seen and kind and kind != self.seen.format:
            yield f"`{self.field}` says `{self.claimed}` and is a {self.seen.format}: the bytes count"


def given(text: str, field: str, *, bare: bool = False) -> Given:
    """Look at a picture that was sent as an http(s) address or a data URI; `bare` allows base64 without a head.

    The bytes are decoded once. Raises `BadField` for a text that is none of these.
    """
    if _ADDRESS.fullmatch(text):
        return Given(field=field)
    claimed, start = "", 0
    if text[:5].lower() == "data:":
        start = text.find(",", 0, _MOST_HEAD) + 1
        claimed, _, form = text[5 : start - 1].partition(";")
        if not start or form.rpartition(";")[2].lower() != "base64":
            raise BadField(field, "a data URI must hold base64")
    elif not bare or not text:
        raise BadField(field, "it must be an http(s) address or a data URI")
    try:
        data = base64.b64decode(text[start:], validate=True)
    except ValueError:
        raise BadField(field, "it is not valid base64") from None
    return _looked_at(data, field, claimed)


def _looked_at(data: bytes, field: str, claimed: str) -> Given:
    try:
        return Given(field=field, data=data, claimed=claimed, seen=look_at(data, field))
    except MediaError as error:
        return Given(field=field, data=data, claimed=claimed, fault=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a service takes: formats, bytes, the shorter side at least and the longer at most, width over height."""

    formats: tuple[str, ...]
    most_bytes: int
    least_side: int
    most_side: int | None = None
    ratios: tuple[float, float] | None = None
    alpha: bool = True

    def fault(self, picture: Given) -> str:
        """Why a picture is not taken; empty where it is, or where nobody has looked."""
        seen = picture.seen
        if seen is None:
            return picture.fault
        return next((words for wrong, words in self._rules(seen) if wrong), "")

    def _rules(self, seen: Picture) -> Iterator[tuple[bool, str]]:
        pixels = f"{seen.width}x{seen.height} pixels"
        short, long = sorted((seen.width, seen.height))
        yield seen.format not in self.formats, f"the format {seen.format} is not supported"
        yield seen.bytes > self.most_bytes, f"{seen.bytes} bytes are too many, the most is {self.most_bytes}"
        yield seen.alpha and not self.alpha, "an alpha channel is not supported"
        yield short < self.least_side, f"{pixels} are too small, the least side is {self.least_side}"
        if self.most_side is not None:
            yield long > self.most_side, f"{pixels} are too large, the longest side is {self.most_side}"
        if self.ratios is not None:
            least, most = self.ratios
            ratio = seen.width / seen.height
            yield not least <= ratio <= most, f"{pixels}, the ratio must be from {least:g} to {most:g}"
