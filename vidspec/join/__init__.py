"""Clips joined into one film: taken over as they are where they match, else brought to one size, rate and colour.

From the ground up: `footage` is what a clip is exactly, `pictures` and `sound` are streams out of clips,
`lettering` is what is written into pictures, and `film` puts one clip after the other.
"""

from __future__ import annotations

from vidspec.join.film import Film, Piece, join
from vidspec.join.footage import Coding, Footage, survey

__all__ = ["Coding", "Film", "Footage", "Piece", "join", "survey"]
