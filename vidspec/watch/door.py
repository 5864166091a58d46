"""Who comes in, and what stands behind each address: the page, its news, and the files that it shows.

The address is the key: whoever does not have it is told that nothing is here, whatever is asked. A request must be
addressed to this machine by name, so that no site of the web can lead a browser here under a name of its own.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from vidspec.watch.server import HOST, Answer

if TYPE_CHECKING:
    from vidspec.watch.board import Board
    from vidspec.watch.server import Asked

__all__ = ["Door"]

_ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_USUAL = 80
"""The port that a browser does not name."""
_KINDS = {"clip": "video/mp4", "poster": "image/webp"}


class Door:
    """Answers requests at one port from a board."""

    def __init__(self, board: Board, port: int) -> None:
        self._board = board
        self._token = secrets.token_urlsafe(24)
        names = (HOST, "localhost")
        self._hosts = {f"{name}:{port}" for name in names} | set(names if port == _USUAL else ())
        self.address = f"http://{HOST}:{port}/{self._token}/"

    def respond(self, asked: Asked) -> Answer:
        """Answer a request."""
        token, slash, rest = asked.target.partition("?")[0].removeprefix("/").partition("/")
        right = hmac.compare_digest(token.encode("latin-1"), self._token.encode())
        if not (right and asked.headers.get("host", "").lower() in self._hosts):
            return _answer(404, b"nothing is here\n")
        if asked.verb != "GET":
            return _answer(405, b"this can only be read\n", Allow="GET")
        if not slash:
            return _answer(308, b"", Location=f"/{self._token}/")
        return self._behind(rest)

    def _behind(self, address: str) -> Answer:
        """What stands behind an address of ours."""
        page = self._board.page
        if not address:
            return Answer(
                headers={
                    **_ALWAYS,
                    "Content-Type": "text/html; charset=utf-8",
                    "Content-Security-Policy": page.policy,
                },
                body=page.text.encode("utf-8", "replace"),
            )
        if address == "news":
            return Answer(headers={**_ALWAYS, "Content-Type": "text/event-stream"}, news=self._board.news)
        place = self._board.files.get(address)
        if place is None:
            return _answer(404, b"nothing is here\n")
        return Answer(headers={**_ALWAYS, "Content-Type": _KINDS[address.partition("/")[0]]}, place=place)


def _answer(status: int, body: bytes, **headers: str) -> Answer:
    return Answer(
        status=status, headers={**_ALWAYS, "Content-Type": "text/plain; charset=utf-8", **headers}, body=body
    )
