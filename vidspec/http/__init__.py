"""The one HTTP client: what leaves this machine, to whom, and for how long.

A key goes to the host of its own base URL and to no other: no redirect is followed, no cookie is kept, no `.netrc`
is read. At most `slots` small calls to one provider are under way at once, and one that hangs holds up no other.

`line` is a connection, `lines` keeps them open, `answer` reads what comes back, and `attempt` says what it means
where nothing does.
"""

from __future__ import annotations

import json
import os
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import trio

from vidspec import __version__
from vidspec.account import is_loopback
from vidspec.errors import InDoubt, Refused, UsageError
from vidspec.http.answer import Answer
from vidspec.http.attempt import Attempt
from vidspec.http.lines import Lines
from vidspec.wire import MOST_BYTES, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from vidspec.wire import Call

__all__ = ["Answer", "Api", "Client", "open_client"]

CONNECT_TIMEOUT = 30
"""Seconds after which a host that does not answer at all is given up."""

SLOWEST = 2**17
"""Bytes a second at which large bodies must at least go and come; what takes less than a second is not large."""

_LARGE_AT_ONCE = 2  # answers that hold a clip are held in memory whole
_PATHS = 4096
_LEAST_KEY = 8  # a shorter one is no secret, and would be found in the midst of words
_AGENT = f"vidspec/{__version__}"
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@asynccontextmanager
async def open_client(*, slots: int = 8) -> AsyncIterator[Client]:
    """The client for one run. `slots` small calls go to one provider at once.

    Raises:
        UsageError: the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names cannot be read.
    """
    client = Client(_tls(), slots=slots)
    try:
        yield client
    finally:
        with trio.CancelScope(shield=True):
            await client.close()


def _tls() -> ssl.SSLContext:
    """One context for all connections: making it takes as long as making a hundred of them."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        name = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        reason = "no certificates" if isinstance(error, ssl.SSLError) else (error.strerror or str(error)).lower()
        raise UsageError(f"cannot read what `{name}` names: {reason}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


class Client:
    """Connections to providers and to the hosts of links. Made by `open_client`."""

    def __init__(self, context: ssl.SSLContext, *, slots: int) -> None:
        self._context = context
        self._slots = slots
        self._large = trio.CapacityLimiter(_LARGE_AT_ONCE)
        self._lines: dict[tuple[str, str], Lines] = {}
        self._ways: dict[tuple[str, str], str] = {}

    def api(self, provider: str, base_url: str, key: str, request_timeout: float) -> Api:
        """A provider's API behind its base URL. `request_timeout` is for one whole exchange, in seconds.

        Raises:
            Refused: the address or the key is not fit to be used; nothing was sent.
        """
        gates = {False: trio.CapacityLimiter(self._slots), True: self._large}
        return Api(self, provider, _Base(base_url, key), request_timeout, gates)

    def proxy(self, url: str) -> str:
        """The proxy that the environment names for a URL; empty for none, and for whatever is on this machine."""
        parts = urlsplit(url)
        place = (parts.scheme, parts.hostname or "")
        if place not in self._ways:
            self._ways[place] = _proxy(*place)
        return self._ways[place]

    @asynccontextmanager
    async def get(self, url: str, *, address: str | None = None, patience: float) -> AsyncIterator[Answer]:
        """Ask for what is behind a link, over a connection of its own, with nothing that says who asks.

        `address` is the numeric address to connect to: the host of the link is then only what the certificate is
        held against, and what the server is told. `patience` is for connecting, in seconds.

        Raises:
            Unavailable, Refused: there is no answer.
        """
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Refused("download: the link cannot be read") from error
        attempt = Attempt("download", target.netloc.decode("ascii"), patience=patience)
        extensions = attempt.extensions
        if address is not None:
            extensions["sni_hostname"] = target.raw_host.decode("ascii")
            target = target.copy_with(host=address)
        headers = {"Host": attempt.host, "User-Agent": _AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        headers["Connection"] = "close"
        request = _request("GET", target, _raw(headers), b"", extensions)
        answer = await self.send(request, attempt, proxy=self.proxy(url) if address is None else "")
        try:
            yield answer
        finally:
            await answer.close()

    async def send(self, request: httpx.Request, attempt: Attempt, *, proxy: str, kept: str = "") -> Answer:
        """Send a request, and wait for the head of the answer. `kept` names the idle connections it may use.

        Raises:
            ProviderError: there is no answer.
        """
        lines = self._lines_by(proxy, kept, attempt)
        line = lines.take()

        async def release() -> None:
            await lines.give_back(line)

        try:
            return Answer(await line.handle_async_request(request), attempt, release)
        except BaseException as error:
            with trio.CancelScope(shield=True):
                await attempt.let_go()
                await release()
            if isinstance(error, httpx.HTTPError | OSError | UnicodeError):
                raise attempt.failure(error) from error
            raise

    def _lines_by(self, proxy: str, kept: str, attempt: Attempt) -> Lines:
        """The connections of one provider, call after call; for one call each where `kept` is empty."""
        try:
            attempt.proxy = urlsplit(proxy).hostname or ""
            if (proxy, kept) not in self._lines:
                self._lines[proxy, kept] = Lines(self._context, proxy, kept=bool(kept))
        except (ValueError, httpx.InvalidURL, ImportError) as error:
            raise attempt.refused("the proxy that the environment names cannot be used") from error
        return self._lines[proxy, kept]

    async def close(self) -> None:
        """Close every connection."""
        for lines in self._lines.values():
            await lines.close()


def _proxy(scheme: str, host: str) -> str:
    if is_loopback(host) or proxy_bypass(host):
        return ""
    found = getproxies()
    proxy = found.get(scheme) or found.get("all") or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def _request(
    verb: str, url: httpx.URL, headers: list[tuple[bytes, bytes]], body: bytes, extensions: dict[str, Any]
) -> httpx.Request:
    """A request of exactly these headers: to one whose body is a stream, httpx adds none, which takes its time."""
    return httpx.Request(verb, url, headers=headers, stream=httpx.ByteStream(body), extensions=extensions)


class _Base:
    """A base URL that is fit to be sent a key, and the key."""

    def __init__(self, base_url: str, key: str) -> None:
        if not key or not all("!" <= character <= "~" for character in key):
            raise Refused("the key is empty, or holds what cannot be sent; nothing was sent", blame="key")
        try:
            self._url = url = httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise Refused("the base URL cannot be read; nothing was sent", blame="address") from error
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
            message = "the base URL is not https, so the key could be read on the way; nothing was sent"
            raise Refused(message, blame="address")
        self.url = str(url)
        self.host = url.netloc.decode("ascii")
        self.spellings = _spellings(key)
        fixed = {"Host": self.host, "User-Agent": _AGENT, "Accept": "application/json"}
        fixed |= {"Accept-Encoding": "gzip, deflate", "Authorization": f"Bearer {key}"}
        self._headers = _raw(fixed)
        self._joined: dict[str, httpx.URL | None] = {}

    def joined(self, path: str) -> httpx.URL | None:
        """The URL of a call: the path after the base URL, byte for byte; None where another would be sent."""
        if path not in self._joined:
            if len(self._joined) >= _PATHS:
                self._joined.clear()
            self._joined[path] = self._join(path)
        return self._joined[path]

    def request(self, call: Call, url: httpx.URL, body: bytes, extensions: dict[str, Any]) -> httpx.Request:
        """A call as it is sent."""
        headers = [*self._headers]
        if call.purpose == "submit":
            headers.append((b"Connection", b"close"))
        if body:
            headers.append((b"Content-Type", b"application/json"))
        if body or call.verb == "POST":
            headers.append((b"Content-Length", b"%d" % len(body)))
        return _request(call.verb, url, headers, body, extensions)

    def _join(self, path: str) -> httpx.URL | None:
        try:
            url = httpx.URL(f"{str(self._url).rstrip('/')}{path}")
            whole = self._url.raw_path.rstrip(b"/") + path.encode("ascii")
        except (httpx.InvalidURL, UnicodeError):
            return None
        same_host = path.startswith("/") and url.copy_with(raw_path=b"/") == self._url.copy_with(raw_path=b"/")
        return url if same_host and url.raw_path == whole else None


class Api:
    """A provider's API. Made by `Client.api`."""

    def __init__(
        self, client: Client, provider: str, base: _Base, timeout: float, gates: dict[bool, trio.CapacityLimiter]
    ) -> None:
        self._client = client
        self._provider = provider
        self._base = base
        self._timeout = timeout
        self._gates = gates
        self._proxy: str | None = None

    async def exchange(self, call: Call) -> Reply:
        """Make a call, and read the answer whole, whatever its status.

        A submit goes over a connection of its own: one that the server has just closed would make a doubt. The
        time starts when the call has its turn. A large body has its time on top: one that is sent from the start,
        one that comes as it comes.

        Raises:
            Refused: nothing was sent, and the same would go wrong again.
            Unavailable: nothing was sent, or what was sent was no submit.
            InDoubt: a submit may have been sent, and its answer did not come.
        """
        body = b""
        if call.body is not None:
            body = _encode(call.body).encode()
        limit = self._timeout + max(0, len(body) - SLOWEST) / SLOWEST
        patience = min(CONNECT_TIMEOUT, self._timeout)
        attempt = Attempt(call.purpose, self._base.host, patience=patience, limit=limit)
        gate = self._gates[call.most_bytes > MOST_BYTES]
        await _entered(gate)
        try:
            reply = await self._exchanged(call, self._request(call, body, attempt), attempt)
        finally:
            gate.release()
        return _without(reply, self._base.spellings)

    def _request(self, call: Call, body: bytes, attempt: Attempt) -> httpx.Request:
        url = self._base.joined(call.path)
        if url is None:
            raise attempt.refused("the provider's id makes a path that cannot be sent as it is")
        return self._base.request(call, url, body, attempt.extensions)

    async def _exchanged(self, call: Call, request: httpx.Request, attempt: Attempt) -> Reply:
        if self._proxy is None:
            self._proxy = self._client.proxy(self._base.url)
        kept = "" if call.purpose == "submit" or self._proxy else self._provider
        answer: Answer | None = None
        held = bytearray()
        try:
            with trio.move_on_after(attempt.limit) as scope:
                answer = await self._client.send(request, attempt, proxy=self._proxy, kept=kept)
                await _read(answer, held, call.most_bytes, scope)
                return Reply(status=answer.status, headers=answer.headers, body=bytes(held))
            raise attempt.failure(None)
        except InDoubt:
            if answer is None or not 300 <= answer.status < 500:
                raise
            return Reply(status=answer.status, headers=answer.headers, body=bytes(held))  # a no, cut short


async def _entered(gate: trio.CapacityLimiter) -> None:
    """Take a place behind a gate; one that is free without a round of the loop."""
    try:
        gate.acquire_nowait()
    except trio.WouldBlock:
        await gate.acquire()


async def _read(answer: Answer, held: bytearray, most: int, scope: trio.CancelScope) -> None:
    """Read an answer, as far as it is wanted at all. Raises ProviderError where it is not whole."""
    worth = 1 / SLOWEST if most > MOST_BYTES else 0.0
    try:
        while piece := await answer.read():
            held += piece[: most - len(held)]
            scope.deadline += worth * len(piece)
            answer.attempt.limit += worth * len(piece)
            if answer.decoded > most:
                raise answer.attempt.broken(f"the answer is larger than {most / 2**20:g} MB")
    finally:
        await answer.close()


def _spellings(key: str) -> list[str]:
    """The ways in which an answer may repeat a key, the longest first."""
    if len(key) < _LEAST_KEY:
        return []
    found = {key, key.replace("/", "\\/"), json.dumps(key)[1:-1], quote(key, safe="")}
    return sorted(found, key=len, reverse=True)


def _without(reply: Reply, spellings: list[str]) -> Reply:
    """The reply with `[key]` wherever it repeats the key."""
    body, headers = reply.body, reply.headers
    for one in spellings:
        if one.encode() in body:
            body = body.replace(one.encode(), b"[key]")
        if any(one in value for value in headers.values()):
            headers = {name: value.replace(one, "[key]") for name, value in headers.items()}
    return Reply(status=reply.status, headers=headers, body=body)
