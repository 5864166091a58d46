"""What passes between an adapter and the network, as values.

An adapter talks to a provider in generator functions: each yields a `Call`, is sent the `Reply` to it, and
returns what the replies mean. It never awaits and knows no host and no key, so that it is tested with `next` and
`send` alone. `converse` is the one place where such a generator meets whoever makes the calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from vidspec.capability import Capability, Mode

Purpose = Literal["submit", "poll", "result"]
Phase = Literal["queued", "running", "succeeded", "failed", "cancelled", "unknown"]
Blame = Literal["input", "moderation", "key", "billing", "quota", "rate", "outage", "address", "lost", "provider"]

MOST_BYTES = 2**22
"""Bytes of an answer that is read at all, unless a call expects a clip inside it."""

CLIP_BYTES = 2**28
"""Bytes of an answer that holds a clip as base64: some 190 MB of clip."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One exchange to be made with a provider's API.

    `path` follows the base URL: percent-encoded, with its query. `body` is sent as JSON; a call without one has no
    Content-Type, which some gateways cannot stand on a GET. An answer of more than `most_bytes` is not read.
    """

    purpose: Purpose
    verb: Literal["GET", "POST"]
    path: str
    body: Mapping[str, Any] | None = None
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: the HTTP status, the headers by lower-case name, and the body as it was sent."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Everything that a submit is made of.

    `request` holds the take's neutral settings; `rules` say what the model takes and what it calls it. `media`
    holds what the request names by digest in the form in which it is sent, by setting and index: an address, a
    data URI, or for (`remix_of`, 0) the provider's id of the clip.
    """

    provider: str
    model: str
    mode: Mode
    request: Mapping[str, Any]
    rules: Capability
    seed: int | None = None
    media: Mapping[tuple[str, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A take that a provider has accepted: all that it needs to be asked for again, in this process or another."""

    provider: str
    model: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an accepted take stands.

    `word` is the provider's own for it. On success there is a `link` (an https address or a data URI) or a
    `handle` by which `result` finds it. `reason` and `blame` say why it failed.
    """

    phase: Phase
    word: str
    share: float | None = None
    link: str | None = None
    handle: str | None = None
    seed_used: int | None = None
    reason: str | None = None
    blame: Blame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a finished clip is: behind an https address, or here as bytes. `size` in bytes, where it was told."""

    url: str | None = None
    data: bytes | None = None
    size: int | None = None


Talk = Generator[Call, Reply, _T]
"""A conversation that ends in a value."""


async def converse(talk: Talk[_T], exchange: Callable[[Call], Awaitable[Reply]]) -> _T:
    """Hold a conversation: make every call that the adapter asks for, and return what it makes of the replies.

    Raises whatever `exchange` raises, and the `ProviderError` that the adapter finds in a reply.
    """
    try:
        call = next(talk)
        while True:
            call = talk.send(await exchange(call))
    except StopIteration as ended:
        value: _T = ended.value
        return value
    finally:
        talk.close()


def segment(text: str) -> str:
    """A provider's id as one segment of a path, or as a value in a query: percent-encoded, whatever it holds."""
    if text in (".", ".."):
        return text.replace(".", "%2E")
    return quote(text, safe="", errors="surrogatepass")
