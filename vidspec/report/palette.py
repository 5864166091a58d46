"""The colours of the page, by day and by night. What is read on what is held to WCAG AA by a test."""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "ground": ("#f6f5f2", "#15171b"),
    "sheet": ("#ffffff", "#1d2025"),
    "sunk": ("#efeee9", "#24282e"),
    "ink": ("#1f2228", "#e8e6e1"),
    "soft": ("#5b616b", "#a3a9b3"),
    "line": ("#dedcd6", "#363a42"),
    "edge": ("#85827b", "#737a86"),
    "accent": ("#2755a8", "#8fb2f0"),
    "on-accent": ("#ffffff", "#10131a"),
    "good": ("#23693f", "#84cd9f"),
    "good-ground": ("#e4f3e8", "#1b3124"),
    "busy": ("#2755a8", "#8fb2f0"),
    "busy-ground": ("#e6edfa", "#1d2a44"),
    "idle": ("#545a64", "#b3b9c3"),
    "idle-ground": ("#eceae5", "#2b2f36"),
    "warn": ("#7a4f00", "#f0c26a"),
    "warn-ground": ("#fff1d2", "#372b10"),
    "bad": ("#a82a23", "#f39a92"),
    "bad-ground": ("#fdeae8", "#40201e"),
    "mark": ("#ffe08a", "#5d4708"),
    "on-mark": ("#1f2228", "#fff3d0"),
    "screen": ("#0b0c0e", "#08090a"),
    "on-screen": ("#d8d6d0", "#d8d6d0"),
    "held": ("#8d7aa8", "#a893c8"),
    "waiting": ("#84888f", "#868c96"),
    "queued": ("#b9720c", "#e0a84e"),
    "rendering": ("#3566bd", "#6f9be8"),
    "downloading": ("#2f8452", "#6cc08c"),
}
"""Every colour by name: as it is by day, and by night."""


def declarations(number: int) -> str:
    """The colours of the day (0) or of the night (1), as custom properties of CSS."""
    return "".join(f"--{name}:{pair[number]};" for name, pair in COLOURS.items())
