"""The local provider's hand: draws a take as a real clip, offline and free.

From the ground up: `camera palette texture` are plain reckoning; `layers stage` are what motifs are built with;
`land town water heavens` are the motifs and `scenery` chooses one; `lettering overlay layout` set the text;
`background` is what stands behind it, and `film` puts one frame after the other.
"""

from __future__ import annotations

from vidspec.animatic.drawing import Drawing
from vidspec.animatic.film import draw, still

__all__ = ["Drawing", "draw", "still"]
