"""One exchange: how far it has come, and what it means where it goes no further.

What a failure means depends on whether the request may have been sent. httpcore tells how far it is by its `trace`
extension, whose event names it does not promise to keep. So whatever is not known to belong to connecting counts as
sent: at worst that makes a doubt too many, never a submit too many.

Source: python-httpx.org, Extensions.
"""

from __future__ import annotations

import os
import ssl
from socket import gaierror
from typing import TYPE_CHECKING, Any

import httpx
import trio

from vidspec.errors import InDoubt, ProviderError, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_CONNECTING = (".connect_tcp", ".start_tls", ".setup_socks5_connection")
_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


class Attempt:
    """One exchange. Times in seconds: `patience` for connecting, `limit` for all of it."""

    def __init__(self, what: str, host: str, *, patience: float, limit: float = 0.0) -> None:
        """`what` is the call's name in messages, `host` the other end's, and `proxy` that of one between."""
        self.what = what
        self.host = host
        self.limit = limit
        self.proxy = ""
        self.answered = False
        self._patience = patience
        self._connecting = False
        self._wire: Any = None

    @property
    def extensions(self) -> dict[str, Any]:
        """What httpx is told besides the request. It limits connecting alone; whoever asks limits the rest."""
        times = {"connect": self._patience, "read": None, "write": None, "pool": None}
        return {"timeout": times, "trace": self._trace}

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Follow httpcore from step to step. A CONNECT is asked of a proxy: no request has gone to the host yet."""
        step, _, outcome = event.rpartition(".")
        if outcome != "failed" and not step.endswith(".response_closed"):
            to_proxy = getattr(info.get("request"), "method", b"") == b"CONNECT"
            self._connecting = outcome == "started" and (to_proxy or step.endswith(_CONNECTING))
            self._wire = info.get("return_value") if step.endswith(".connect_tcp") else self._wire

    async def let_go(self) -> None:
        """Close the connection, where there is one: httpcore forgets it when a hand-shake is cancelled."""
        if self._wire is not None:
            with trio.CancelScope(shield=True):
                await self._wire.aclose()

    def refused(self, reason: str) -> Refused:
        """Nothing was sent, and it would be no other next time."""
        return Refused(f"{self.what}: {reason}", blame="address")

    def broken(self, reason: str) -> ProviderError:
        """The request was sent, or may have been: a submit is in doubt, and anything else may be asked again."""
        kind = InDoubt if self.what == "submit" else Unavailable
        return kind(f"{self.what}: {reason}", blame="outage")

    def failure(self, error: Exception | None) -> ProviderError:
        """What an error of httpx means; None where the time is over."""
        if not self._connecting and not isinstance(error, _UNSENT):
            return self.broken(self._lost(error))
        if fault := _fault_of_tls(error):
            return self.refused(f"cannot speak TLS with `{self.host}`: {fault}")
        return Unavailable(f"{self.what}: {self._no_way(error)}", blame="address")

    def _no_way(self, error: Exception | None) -> str:
        """Why there is no connection. Most causes are told from what the error came of, nearest first."""
        place = f"the proxy `{self.proxy}`" if self.proxy else f"`{self.host}`"
        if error is None or isinstance(error, httpx.TimeoutException):
            limit = self.limit if error is None else self._patience
            return f"no connection to {place} within {round(limit, 2):g} s"
        if isinstance(error, httpx.ProxyError):
            return f"{place} does not connect to `{self.host}`: {_status(error)}"
        for cause in _causes(error):
            if isinstance(cause, gaierror | UnicodeError):
                return f"cannot resolve the host {place.removeprefix('the proxy ')}"
            if isinstance(cause, ConnectionRefusedError):
                return f"{place} refused the connection"
            if isinstance(cause, ssl.SSLError | ConnectionResetError | BrokenPipeError):
                break
            if isinstance(cause, OSError) and cause.errno:
                return f"cannot reach {place}: {os.strerror(cause.errno).lower()}"
        return f"{place} closed the connection before anything was sent"

    def _lost(self, error: Exception | None) -> str:
        when = "in the middle of the answer" if self.answered else "before an answer came"
        if error is None or isinstance(error, httpx.TimeoutException):
            return f"no {'complete ' if self.answered else ''}answer within {round(self.limit, 2):g} s"
        if isinstance(error, httpx.NetworkError):
            reset = any(isinstance(cause, ConnectionResetError) for cause in _causes(error))
            return f"the connection {'was reset' if reset else 'broke'} {when}"
        if str(error).startswith(("Server disconnected", "peer closed")):
            return f"the connection was closed {when}"
        return "the answer is not HTTP"


def _fault_of_tls(error: Exception | None) -> str:
    """Why TLS will not do, now or later; empty for anything else, such as a hand-shake that broke off."""
    fault = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if fault is None or isinstance(fault, _BROKEN_OFF):
        return ""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({fault.verify_message})"
    return str(fault.reason or "no reason given").lower().replace("_", " ")


def _status(error: httpx.ProxyError) -> str:
    """What a proxy said: its status, where httpcore's words begin with one."""
    code = str(error)[:3]
    return f"HTTP {code}" if code.isdecimal() else "it refused"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it came of, nearest first; the members of a group one by one."""
    while error is not None:
        yield error
        for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _causes(one)
        error = error.__cause__ or error.__context__
