"""A finished clip, from behind a link or out of an answer, into a file: whole, or not there at all.

A link is whatever a provider said, so nothing about it is trusted. It is followed by https alone, without key or
cookie, never into a private network, and to exactly the address that was checked: a name that resolves to another
one a moment later gains nothing. What it says about names and paths is never used for a file. Messages name the
host of a link and no more, since the rest may be a signature that opens it.
"""

from __future__ import annotations

import binascii
import socket
from base64 import b64decode
from contextlib import AsyncExitStack, contextmanager, suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import trio

from vidspec.account import is_host, is_loopback, is_numeric
from vidspec.errors import ProviderError, Refused, Unavailable
from vidspec.providers.answers import retry_after
from vidspec.wire import CLIP_BYTES, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vidspec.http import Answer, Client

REDIRECTS = 5
STALLED = 2**16
"""Bytes that come at least within the time after which a download has stalled."""

_PATIENCE, _LITTLE_PATIENCE = 30, 5  # seconds for connecting; the latter where there are more addresses to try
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOST = frozenset({401, 403, 404, 410})
_BUSY = frozenset({408, 425, 429})
_NAT64, _UNICAST = IPv6Network("64:ff9b::/96"), IPv6Network("2000::/3")


def _nobody(_received: int, _total: int) -> None:
    """Tell nobody."""


async def fetch(
    client: Client,
    url: str,
    part: Path,
    *,
    own_host: str | None,
    size: int | None,
    stall: float = 60,
    most_bytes: int = 4 * 2**30,
    report: Callable[[int, int], None] = _nobody,
) -> int:
    """Bring what is behind a link to `part`, and return its bytes. What stood at `part` before is gone.

    `own_host` is the host of the provider's base URL: where that is on this machine or in a private network, a
    link may lead there too. `size` is what the provider says, in bytes. The download has stalled where less than
    64 kB come within `stall` seconds. `report` is told the bytes so far, and of how many: 0 where nobody knows.

    Raises:
        Refused: the link may not be followed, leads to too much, or (blame `lost`) has died.
        Unavailable: it cannot be had now, or what came is not whole, or no clip.
        OSError: it cannot be written.
    """
    transfer = _Transfer(part, size, most_bytes, stall, report)
    with _whole_or_gone(part):
        with trio.move_on_after(stall) as patience:
            async with AsyncExitStack() as stack:
                answer = await _followed(stack, client, _link(url), (own_host or "").lower().rstrip("."))
                return await transfer.store(answer, patience)
        raise Unavailable(f"the download stalled: less than {STALLED // 1024} kB in {stall:g} s")


def store_bytes(data: bytes, part: Path, size: int | None) -> int:
    """Write a clip that came inside an answer to `part`, and return its bytes. What stood there before is gone.

    Raises:
        Unavailable: it is not whole, or no clip.
        OSError: it cannot be written.
    """
    _refuse_pages(data[:_START], "")
    _refuse_another_size(len(data), size)
    with _whole_or_gone(part), part.open("xb") as file:
        file.write(data)
    return len(data)


@contextmanager
def _whole_or_gone(part: Path) -> Iterator[None]:
    """Where the block fails, nothing is left at `part`. What was there goes: a link would be written through."""
    part.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def decoded(url: str) -> bytes:
    """The clip inside a `data:` address.

    Raises:
        Refused: it is something else than a clip, or larger than anyone should read.
        Unavailable: it is damaged.
    """
    head, comma, payload = url.partition(",")
    kind, *parameters = head.lower().removeprefix("data:").replace(" ", "").split(";")
    if not comma or not head.lower().startswith("data:") or parameters[-1:] != ["base64"]:
        raise Refused("the address of the clip is no `data:` address in base64")
    if not kind.startswith("video/") and kind != "application/octet-stream":
        raise Refused("the `data:` address of the clip holds something else than a clip")
    if len(payload) > CLIP_BYTES:
        raise Refused(f"the `data:` address of the clip is larger than {CLIP_BYTES / 2**20:g} MB")
    payload = unquote(payload) if "%" in payload else payload
    try:
        return b64decode(payload + "=" * (-len(payload) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unavailable("the `data:` address of the clip is damaged") from error


# --- where a link may lead ----------------------------------------------------------------------------------


class _Link(NamedTuple):
    url: str
    host: str
    port: int


def host_of(url: str) -> str | None:
    """The host of an address, in lower case; None where it has none that could be one."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return None
    return host if is_host(host) else None


def _link(url: str) -> _Link:
    """A link that may be followed as far as can be told from how it is written. Raises Refused."""
    url, host = url.strip(), host_of(url.strip())
    if host is None or not url.isprintable():
        raise Refused("the link to the clip cannot be read")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise Refused(f"the link to the clip at `{host}` is not https")
    if "@" in parts.netloc:
        raise Refused(f"the link to the clip at `{host}` holds a user name or password")
    try:
        return _Link(url, host, parts.port or (443 if parts.scheme == "https" else 80))
    except ValueError as error:
        raise Refused(f"the link to the clip at `{host}` cannot be read: {error}".lower()) from error


async def _followed(stack: AsyncExitStack, client: Client, link: _Link, own: str) -> Answer:
    """The answer at the end of all redirects, each of them checked as the first link was."""
    for _ in range(REDIRECTS + 1):
        answer = await _connected(stack, client, link, await _addresses(client, link, own))
        target = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not target:
            return answer
        await stack.aclose()
        onward = _link(urljoin(link.url, target))
        if is_loopback(onward.host) and not is_loopback(link.host):
            raise Refused(f"the link to the clip at `{link.host}` redirects to this machine")
        link = onward
    raise Refused(f"the link to the clip at `{link.host}` redirects more than {REDIRECTS} times", blame="lost")


async def _connected(stack: AsyncExitStack, client: Client, link: _Link, addresses: list[str | None]) -> Answer:
    """An answer from the first address that can be reached. Raises ProviderError."""
    *others, last = addresses
    for address in others:
        try:
            return await stack.enter_async_context(client.get(link.url, address=address, patience=_LITTLE_PATIENCE))
        except Unavailable as error:
            if error.blame != "address":
                raise
    return await stack.enter_async_context(client.get(link.url, address=last, patience=_PATIENCE))


async def _addresses(client: Client, link: _Link, own: str) -> list[str | None]:
    """The numeric addresses at which a link's host may be asked; None for whatever a proxy makes of its name.

    Raises:
        Refused: there are none.
        Unavailable: the name cannot be resolved now.
    """
    if client.proxy(link.url):
        if is_numeric(link.host) and not _may_lead_to(link.host, link.host, own):
            raise _private(link.host)
        return [None]
    try:
        found = await trio.socket.getaddrinfo(link.host, link.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"download: cannot resolve the host `{link.host}`", blame="address") from error
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    allowed = [one for one in addresses if _may_lead_to(one, link.host, own)]
    if not allowed:
        raise _private(link.host)
    return _by_turns(allowed)


def _private(host: str) -> Refused:
    return Refused(f"the link to the clip at `{host}` leads into a private network, and was not followed")


def _by_turns(addresses: list[str]) -> list[str | None]:
    """Two addresses of each family at most, in turns: one family may lead nowhere from here."""
    six, four = [one for one in addresses if ":" in one][:2], [one for one in addresses if ":" not in one][:2]
    first, second = (six, four) if ":" in addresses[0] else (four, six)
    return [one for pair in zip_longest(first, second) for one in pair if one is not None]


def _may_lead_to(address: str, host: str, own: str) -> bool:
    """Whether a link's host may be asked at an address: a public one, unless the host is the provider's own."""
    numeric = ip_address(address)
    if is_loopback(host):
        return is_loopback(own) and numeric.is_loopback
    return host == own or is_public(numeric)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the Internet's, also where it holds another for a way through a translator."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return is_public(inner) if inner is not None else address in _UNICAST and address.is_global
    return address.is_global and not address.is_multicast


# --- what comes -----------------------------------------------------------------------------------------------


class _Transfer(NamedTuple):
    """A clip on its way to a file, and what is known of it."""

    part: Path
    size: int | None
    most: int
    stall: float
    report: Callable[[int, int], None]

    async def store(self, answer: Answer, patience: trio.CancelScope) -> int:
        """Write the body of an answer, and return its bytes. Raises ProviderError or OSError."""
        total = self._announced(answer)
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        start, mark = b"", 0
        with self.part.open("xb") as file:
            while piece := await answer.read():
                start += piece[: _START - len(start)]
                self._refuse_too_much(answer.decoded)
                file.write(piece)
                if answer.decoded - mark >= STALLED:
                    mark, patience.deadline = answer.decoded, trio.current_time() + self.stall
                self.report(answer.decoded, total)
        _refuse_pages(start, kind)
        _refuse_another_size(answer.decoded, self.size)
        return answer.decoded

    def _announced(self, answer: Answer) -> int:
        """The bytes that will come, 0 where nobody says. Raises ProviderError where it is not worth to begin."""
        if problem := _status_problem(answer):
            raise problem
        length = answer.headers.get("content-length", "")
        if answer.encoding in ("", "identity") and length.isdecimal():
            self._refuse_too_much(int(length))
            return int(length)
        return self.size or 0

    def _refuse_too_much(self, count: int) -> None:
        if count > self.most:
            raise Refused(f"the clip is larger than {self.most / 2**20:g} MB")


def _status_problem(answer: Answer) -> ProviderError | None:
    """What a status says that brings no clip."""
    status, shown = answer.status, f"HTTP {answer.status}"
    if status == 200:
        return None
    if status in _LOST:
        return Refused(f"the link has expired or is not to be had ({shown})", blame="lost")
    if status in _BUSY or status >= 500:
        after = retry_after(Reply(status=status, headers=answer.headers))
        return Unavailable(f"the link cannot be had now ({shown})", retry_after=after)
    if 300 <= status < 500:
        return Refused(f"the link brings no clip ({shown})")
    return Unavailable(f"the link brings no clip ({shown})")


_START = 512
_BOXES = frozenset({b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide"})
_PAGES = ((b"<?xml", "an XML document"), (b"<", "an HTML page"), (b"{", "JSON"), (b"[", "JSON"))


def _refuse_pages(start: bytes, kind: str) -> None:
    """Raise Unavailable for what is to be read, not watched. What begins as clips do is one by any name."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    found = next((what for sign, what in _PAGES if text.startswith(sign)), "")
    if start[4:8] in _BOXES:
        found = ""
    elif kind.endswith("html"):
        found = "an HTML page"
    elif kind.endswith(("json", "xml")) or kind.startswith("text/"):
        found = found or f"`{kind}`"
    if found:
        raise Unavailable(f"{found} instead of a clip")


def _refuse_another_size(count: int, size: int | None) -> None:
    if not count:
        raise Unavailable("an empty file instead of a clip")
    if size is not None and count != size:
        raise Unavailable(f"the clip is {count} bytes, and the provider said {size}")
