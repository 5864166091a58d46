"""Pictures and sounds that a shot names: local files, and addresses that the provider fetches itself.

Whether a file is there, and what is in it, is asked of a `Folder`, which the caller gives; here it is judged.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from vidspec.diagnostic import listed
from vidspec.shape import parse_size, same_ratio
from vidspec.shot import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.capability import Sound, Still
    from vidspec.picture import Picture


class Fault(NamedTuple):
    """Why a file cannot be used."""

    code: str
    message: str
    help: str


class SoundFile(NamedTuple):
    """A sound file: bytes, and their digest."""

    bytes: int
    digest: str


class Folder(Protocol):
    """The project folder, as far as a check must look into it."""

    def picture(self, path: str) -> Picture | Fault:
        """A picture by its path from the project folder."""

    def sound(self, path: str) -> SoundFile | Fault:
        """A sound file by its path from the project folder."""


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EXPIRING = frozenset(
    {"expires", "expiry", "x-amz-expires", "x-goog-expires", "x-oss-expires", "x-tos-expires", "se"}
)
_SIGNED = frozenset({"signature", "sig", "token", "x-amz-signature", "x-goog-signature", "x-oss-signature"})
_PRIVATE_NAMES = (".local", ".internal", ".lan", ".home", ".corp", ".localhost", ".test", ".intranet")


def is_address(text: str) -> bool:
    """Whether a text is an address and not a path: it begins with a scheme such as `https:`."""
    return _SCHEME.match(text) is not None and not re.match(r"[A-Za-z]:[\\/]", text)


def address_problems(url: str, setting: str, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Whether an address can be sent, and whether the provider is likely to reach it when it looks."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        message = f"the address cannot be read: {error}"
        yield Problem(code="E505", setting=setting, path=path, message=message, help="write an https address")
        return
    if fault := _unsendable(url, parts.scheme, host):
        message = f"the address {fault}"
        help_line = "write an https address" if setting == "audio" else f"write an https address, or {_A_PATH}"
        yield Problem(code="E505", setting=setting, path=path, message=message, help=help_line)
    elif parts.username or parts.password:
        message = "the address holds a user name or password"
        help_line = "it would be sent to the provider and written to the lockfile; use one without"
        yield Problem(code="E505", setting=setting, path=path, message=message, help=help_line)
    elif _is_private(host):
        message = f"the provider may not reach the private address `{host}`"
        help_line = "use a public address, or a file in the project folder"
        yield Problem(code="W602", setting=setting, path=path, message=message, help=help_line)
    elif (names := {name.lower() for name, _ in parse_qsl(parts.query)}) & (_EXPIRING | _SIGNED):
        word = min(names & (_EXPIRING | _SIGNED))
        message = f"the address will expire: it has the parameter `{word}`"
        help_line = "a render tomorrow would fail; use a lasting address, or a file in the project folder"
        yield Problem(code="W603", setting=setting, path=path, message=message, help=help_line)


_A_PATH = "a path inside the project folder"


def _unsendable(url: str, scheme: str, host: str) -> str | None:
    if scheme != "https":
        return f"has the scheme `{scheme}` and cannot be sent"
    if not host:
        return "names no host"
    return "holds a blank or a line break" if re.search(r"[\s\x00-\x1f\x7f]", url) else None


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith(_PRIVATE_NAMES)


def form_problem(
    forms: tuple[str, ...], text: str, setting: str, path: tuple[str | int, ...], model: str
) -> Problem | None:
    """Whether a model takes an address, or a file's bytes, as it is given."""
    form = "url" if is_address(text) else "data"
    if form in forms:
        return None
    if form == "url":
        message, help_line = f"`{model}` takes files here, no addresses", "put the file in the project folder"
    else:
        message, help_line = f"`{model}` takes addresses here, no files", "write an https address"
    return Problem(code="E505", setting=setting, path=path, message=message, help=help_line)


def picture_problems(
    rule: Still, picture: Picture, setting: str, path: tuple[str | int, ...], *, model: str, size: str | None
) -> Iterator[Problem]:
    """Whether a model takes a picture: format, bytes, sides and ratio; `size` is that of the clip, where known."""
    for fact, help_line in _unfit(rule, picture, size):
        message = f"`{model}` does not take `{picture.path}`: {fact}"
        yield Problem(code="E504", setting=setting, path=path, message=message, help=help_line)
    if rule.warn_bytes is not None and rule.warn_bytes < picture.bytes <= (rule.max_bytes or picture.bytes):
        message = (
            f"`{picture.path}` is {_megabytes(picture.bytes)}; `{model}` may take {_megabytes(rule.warn_bytes)}"
        )
        help_line = "the provider's documents disagree; a smaller file is safe"
        yield Problem(code="W608", setting=setting, path=path, message=message, help=help_line)


def _unfit(rule: Still, picture: Picture, size: str | None) -> Iterator[tuple[str, str]]:
    pixels = f"{picture.width}x{picture.height} pixels"
    if rule.formats and picture.format not in rule.formats:
        yield f"it is a {picture.format}", f"it takes {listed(rule.formats)}"
    if picture.alpha and not rule.alpha:
        yield "it has transparent parts", "save it without an alpha channel"
    if rule.max_bytes is not None and picture.bytes > rule.max_bytes:
        yield f"it is {_megabytes(picture.bytes)}", f"the most is {_megabytes(rule.max_bytes)}"
    short, long = sorted((picture.width, picture.height))
    if rule.min_short_side is not None and short < rule.min_short_side:
        yield f"it is {pixels}", f"the short side is at least {rule.min_short_side} pixels"
    if (rule.min_side is not None and short < rule.min_side) or (
        rule.max_side is not None and long > rule.max_side
    ):
        yield f"it is {pixels}", f"each side is {rule.min_side or 1} to {rule.max_side or 'any number of'} pixels"
    ratio = picture.width / picture.height
    if (rule.min_ratio and ratio < rule.min_ratio) or (rule.max_ratio and ratio > rule.max_ratio):
        yield (
            f"it is {pixels}, {ratio:.2f} wide to 1 high",
            f"the ratio is {rule.min_ratio:g} to {rule.max_ratio:g}",
        )
    wanted = parse_size(size or "") if rule.size == "output" else None
    if wanted is not None and (picture.width, picture.height) != wanted:
        yield f"it is {pixels}", f"it has exactly the clip's size, {size}"


def shape_warning(picture: Picture, setting: str, size: str | None) -> Problem | None:
    """A picture of another ratio than the clip, for a model that has no rule about it."""
    wanted = parse_size(size or "")
    if wanted is None or same_ratio(picture.width / picture.height, wanted.ratio):
        return None
    message = f"`{picture.path}` is {picture.width}x{picture.height} pixels, another shape than the clip's {size}"
    help_line = "the provider will crop it or add bars; crop it yourself to be sure"
    return Problem(code="W607", setting=setting, message=message, help=help_line)


def sound_problems(rule: Sound, path: str, size: int, *, model: str) -> Iterator[Problem]:
    """Whether a model takes a sound file: its ending and its bytes."""
    ending = path.rsplit(".", 1)[-1].lower()
    if rule.formats and ending not in rule.formats:
        message, help_line = f"`{model}` does not take `{path}`", f"it takes {listed(rule.formats)}"
        yield Problem(code="E504", setting="audio", message=message, help=help_line)
    if rule.max_bytes is not None and size > rule.max_bytes:
        message, help_line = f"`{path}` is {_megabytes(size)}", f"the most is {_megabytes(rule.max_bytes)}"
        yield Problem(code="E504", setting="audio", message=message, help=help_line)


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} kB"
