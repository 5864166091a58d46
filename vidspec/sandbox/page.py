"""The page at `/`: one file of HTML without anything from outside, which asks for `/state.json` every second.

It builds everything as text nodes, and its policy lets no other script run: a prompt can hold any HTML.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from vidspec.sandbox.twin import Answer

if TYPE_CHECKING:
    from vidspec.sandbox.site import Sandbox

__all__ = ["answer"]


def answer(_sandbox: Sandbox) -> Answer:
    """What `/` answers: the same page always, since the state is asked for by the page itself."""
    text = _text()
    policy = (
        f"default-src 'none'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"script-src '{_hash(text, 'script')}'; style-src '{_hash(text, 'style')}'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
    }
    return Answer(headers=headers, body=text.encode())


@cache
def _text() -> str:
    return files(__package__).joinpath("page.html").read_text("utf-8")


def _hash(text: str, element: str) -> str:
    """The digest by which the policy knows the one script or style of the page."""
    found = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    assert found is not None
    return f"sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}"
