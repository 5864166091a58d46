"""What moves behind the lettering: a painted scene or a picture under the camera, and a dissolve between two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageOps

from vidspec.animatic.camera import DRIFT, Camera, View
from vidspec.animatic.scenery import scene_of
from vidspec.picture import pixels

if TYPE_CHECKING:
    from vidspec.animatic.drawing import Drawing
    from vidspec.animatic.stage import Scene

__all__ = ["Background", "background_of"]

PALE = (236, 232, 222)
DISSOLVE_SECONDS, DISSOLVE_SHARE = 1.2, 0.4


class Background(Protocol):
    """A source of frames."""

    accent: tuple[int, int, int]

    def frame(self, done: float, time: float) -> Image.Image:
        """A new RGB picture of the moment: `done` (0 to 1) of the shot, `time` in seconds."""


class Painted:
    """A scene of layers."""

    def __init__(self, scene: Scene, camera: Camera) -> None:
        self.accent = scene.accent
        self._camera = camera
        self._ground, self._layers = scene.ground.copy(), scene.layers
        while camera.still and self._layers and self._layers[0].fixed:
            self._layers[0].lay(self._ground, View(), 0.0)
            self._layers = self._layers[1:]

    def frame(self, done: float, time: float) -> Image.Image:
        """The scene, laid from far to near as the camera sees it."""
        canvas = self._ground.copy()
        view = self._camera.view(done, time)
        for layer in self._layers:
            layer.lay(canvas, view, time)
        return canvas


class Photographed:
    """A picture that fills the frame under the camera; without a move it comes very slowly nearer.

    It begins with just the picture, whatever the camera does then, so that a shot goes on where another has ended.
    Beyond its edges the picture is mirrored.
    """

    accent = PALE

    def __init__(self, picture: Image.Image, size: tuple[int, int], camera: Camera) -> None:
        self._camera = camera
        self._size = size
        self._fixed = camera.still and camera.held
        scale = 1.0 if self._fixed else 1 + DRIFT
        larger = (round(size[0] * scale), round(size[1] * scale))
        self._border = (math.ceil(larger[0] * camera.border), math.ceil(larger[1] * camera.border))
        self._picture = mirrored(covering(picture, larger), self._border)

    def frame(self, done: float, time: float) -> Image.Image:
        """The part of the picture that the camera sees."""
        if self._fixed:
            return self._picture.copy()
        edge = 0.5 - 0.5 / (1 + DRIFT * done)
        seen = (edge, edge, 1 - edge, 1 - edge) if self._camera.still else self._camera.box(done, time)
        return self._picture.resize(self._size, Image.Resampling.BILINEAR, box=self._place(seen))

    def _place(self, seen: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """Where in the mirrored picture that is which is seen of the picture."""
        ends = self._picture.size
        found = []
        for number, share in enumerate(seen):
            end, border = ends[number % 2], self._border[number % 2]
            found.append(min(max(0.0, border + share * (end - 2 * border)), end))
        return found[0], found[1], found[2], found[3]


class Dissolving:
    """One background that gives way to a picture, which stands alone in the last frame."""

    def __init__(self, before: Background, after: Image.Image, duration: float) -> None:
        self.accent = before.accent
        self._before = before
        self._after = after
        self._share = min(DISSOLVE_SHARE, DISSOLVE_SECONDS / duration)

    def frame(self, done: float, time: float) -> Image.Image:
        """The first, then both, then the picture."""
        part = (done - (1 - self._share)) / self._share
        if part >= 1:
            return self._after.copy()
        before = self._before.frame(done, time)
        return before if part <= 0 else Image.blend(before, self._after, part * part * (3 - 2 * part))


def background_of(drawing: Drawing) -> Background:
    """The background that a drawing asks for. Raises `MediaError` for a first or last frame that is no picture."""
    camera = Camera(drawing.camera, drawing.chance("camera"))
    size = (drawing.width, drawing.height)
    before: Background
    if drawing.first_frame is not None:
        before = Photographed(pixels(drawing.first_frame, "the first frame"), size, camera)
    else:
        before = Painted(scene_of(drawing), camera)
    if drawing.last_frame is None:
        return before
    return Dissolving(before, covering(pixels(drawing.last_frame, "the last frame"), size), drawing.duration)


def mirrored(picture: Image.Image, border: tuple[int, int]) -> Image.Image:
    """The picture with a border, at most as wide as itself, in which it is seen as in a mirror."""
    across, down = border
    if not across and not down:
        return picture
    width, height = picture.size
    wide = Image.new("RGB", (width + 2 * across, height + 2 * down))
    turned = {-1: ImageOps.mirror(picture), 0: picture, 1: ImageOps.mirror(picture)}
    for column, middle in turned.items():
        for row, tile in ((-1, ImageOps.flip(middle)), (0, middle), (1, ImageOps.flip(middle))):
            wide.paste(tile, (across + column * width, down + row * height))
    return wide


def covering(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture cut from its middle so that it fills `size`."""
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
