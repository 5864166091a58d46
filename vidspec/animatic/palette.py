"""Colours that belong together, as a painter's few tubes for one picture."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "PALETTES", "RGB", "Palette", "mix"]

RGB = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The sky from the zenith to the horizon, the light in it, the land from far to near, and an accent."""

    name: str
    zenith: RGB
    middle: RGB
    horizon: RGB
    light: RGB
    far: RGB
    near: RGB
    accent: RGB

    def land(self, nearness: float) -> RGB:
        """The colour of what stands at a distance: 0 is far, 1 is near."""
        return mix(self.far, self.near, nearness)


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """`share` 0 is one colour, 1 the other."""
    share = min(max(share, 0.0), 1.0)
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def _palette(name: str, tubes: str, accent: str) -> Palette:
    zenith, middle, horizon, light, far, near = (_rgb(tube) for tube in tubes.split())
    return Palette(
        name=name,
        zenith=zenith,
        middle=middle,
        horizon=horizon,
        light=light,
        far=far,
        near=near,
        accent=_rgb(accent),
    )


def _rgb(tube: str) -> RGB:
    red, green, blue = bytes.fromhex(tube)
    return (float(red), float(green), float(blue))


#                zenith middle horizon light  far    near     accent
PALETTES = (
    _palette("ember", "1d2140 6b3a5b e08a5c ffd9a0 8a4a5c 1a1226", "ff9d5c"),
    _palette("glacier", "12314f 3f7ba0 c4dfe6 ffffff 6f9cb3 0e2233", "7fd8f0"),
    _palette("rose", "38305c 9a5f8a f2b5a7 ffeedd a0668a 241833", "ffb3c0"),
    _palette("jade", "08302f 2a7a6c cfe3b0 fff6cf 4f8f80 06211f", "9fe3a8"),
    _palette("gold", "3b2a1e a8703a f6cf7c fff3c9 a9713f 20130b", "ffc95a"),
    _palette("storm", "1b2530 4a5d6b a9b4b4 e6ece8 5f707a 10171d", "e8c15a"),
    _palette("heather", "24214f 6464a8 d6b8dc fff0f6 7a70ac 16132f", "c6a5ff"),
    _palette("coral", "0f3a54 2f8a97 ffc3a0 fff0d0 4d8791 0b2230", "ff8a6b"),
)

DARK = (
    _palette("midnight", "050914 0d1c3a 26467a dfe9ff 17305a 04070f", "8fb7ff"),
    _palette("neon", "0b0620 2a1150 7a2a7c ffb8f0 3b1a5e 07040f", "ff5fc4"),
    _palette("sodium", "0b0a12 241a22 7a4a26 ffd08a 3a2824 08070b", "ffb04d"),
    _palette("abyss", "03100f 06302f 1f6b62 c9fff0 0f433f 020a0a", "4de3c1"),
    _palette("wine", "10060f 34122c 8a3048 ffc9b0 4a1a38 0a0409", "ff7a70"),
    _palette("steel", "0a0e13 1c2832 51687a e8f2ff 2b3b48 06090c", "bcd4e6"),
)
