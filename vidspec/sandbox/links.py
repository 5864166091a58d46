"""Signed addresses of clips, which die as those of object stores do."""

from __future__ import annotations

import hashlib
import hmac
import math
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FOLDER", "Links", "Standing"]

FOLDER = "files"
FILE = "clip.mp4"

Standing = Literal["good", "expired", "unsigned"]


class Links:
    """Signs paths with a secret, for a time. `unix` tells the time in seconds, fractions included."""

    def __init__(self, base: str, secret: bytes, unix: Callable[[], float]) -> None:
        self._base = base
        self._secret = secret
        self._unix = unix

    def token(self, provider: str, task_id: str) -> str:
        """The name of a task's folder, from which its id cannot be guessed."""
        return self._sign(f"token|{provider}|{task_id}")[:32]

    def link(self, provider: str, token: str, life: float) -> str:
        """An address that is good for `life` seconds, rounded up."""
        expires = str(math.ceil(self._unix() + life))
        query = urlencode({"expires": expires, "signature": self._sign(f"{provider}|{token}|{expires}")})
        return f"{self._base}/{FOLDER}/{provider}/{token}/{FILE}?{query}"

    def standing(self, provider: str, token: str, query: Mapping[str, str]) -> Standing:
        """Whether an address is one of ours, and still lives."""
        expires, signature = query.get("expires", ""), query.get("signature", "")
        wanted = self._sign(f"{provider}|{token}|{expires}")
        if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
            return "unsigned"
        return "good" if self._unix() <= int(expires) else "expired"

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
