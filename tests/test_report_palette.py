from __future__ import annotations

import pytest

from vidspec.report.palette import COLOURS, declarations

READ = [
    *((ink, ground) for ink in ("ink", "soft", "accent", "bad", "warn") for ground in ("ground", "sheet")),
    ("ink", "sunk"),
    ("soft", "sunk"),
    *((tone, f"{tone}-ground") for tone in ("good", "busy", "idle", "warn", "bad")),
    ("on-accent", "accent"),
    ("on-mark", "mark"),
    ("on-screen", "screen"),
    ("ground", "ink"),
    ("busy", "sheet"),
    ("good", "sheet"),
    ("idle", "sheet"),
]
"""What is read upon what: 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""

SEEN = [
    *((phase, "sheet") for phase in ("held", "waiting", "queued", "rendering", "downloading")),
    ("edge", "sheet"),
    ("edge", "ground"),
    ("accent", "ground"),
    ("accent", "sheet"),
]
"""What must be made out against what: 3 to 1 at least (WCAG 2.2, 1.4.11)."""


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_right() -> None:
    assert ratio("#000000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("night", [0, 1], ids=["by day", "by night"])
@pytest.mark.parametrize(("ink", "ground"), READ, ids=str)
def test_what_is_read_can_be_read(ink: str, ground: str, night: int) -> None:
    assert ratio(COLOURS[ink][night], COLOURS[ground][night]) >= 4.5


@pytest.mark.parametrize("night", [0, 1], ids=["by day", "by night"])
@pytest.mark.parametrize(("seen", "ground"), SEEN, ids=str)
def test_what_is_seen_can_be_made_out(seen: str, ground: str, night: int) -> None:
    assert ratio(COLOURS[seen][night], COLOURS[ground][night]) >= 3


def test_every_colour_is_declared_for_the_day_and_for_the_night() -> None:
    for night in (0, 1):
        text = declarations(night)
        assert all(f"--{name}:{pair[night]};" in text for name, pair in COLOURS.items())
