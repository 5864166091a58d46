"""The pictures, sounds and clips that a take is made from: looked at, judged, and put into the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vidspec import stills
from vidspec.diagnostic import shown
from vidspec.shot import Problem
from vidspec.take import Frame, Input, slate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.capability import Capability, Still
    from vidspec.picture import Picture
    from vidspec.stills import Folder

FRAMES = ("first_frame", "last_frame")


class Inputs:
    """The pictures, sounds and clips of one draft: looked at, and put into the request by digest or name."""

    def __init__(self, folder: Folder, chosen: Mapping[str, int], model: str) -> None:
        self._folder = folder
        self._chosen = chosen
        self._model = model
        self._pictures: list[tuple[str, tuple[str | int, ...], Picture]] = []
        self.inputs: list[Input] = []
        self.request: dict[str, Any] = {}
        self.problems: list[Problem] = []

    @property
    def picture(self) -> Picture | None:
        """The picture that the clip begins with, where it is a file that could be read."""
        return next((picture for key, _, picture in self._pictures if key in FRAMES), None)

    def add(self, key: str, value: Any, capability: Capability, *, judged: bool) -> None:
        """Take in one setting. Without `judged` the model has no such mode, which is said elsewhere."""
        if key == "audio":
            self._sound(value, capability)
        elif key == "remix_of":
            self._remix(value, capability)
        elif key == "references":
            self._references(value, capability, judged=judged)
        else:
            self.request[key] = self._still(key, 0, (), value, getattr(capability, key) if judged else None)

    def _references(self, values: list[Any], capability: Capability, *, judged: bool) -> None:
        rule = capability.references if judged else None
        if rule is not None and not rule.min_count <= len(values) <= rule.max_count:
            message = f"{len(values)} references; `{self._model}` takes {_range(rule)}"
            self.problems.append(Problem(code="E504", setting="references", message=message, help="leave some out"))
        self.request["references"] = [
            self._still("references", index, (index,), value, rule) for index, value in enumerate(values)
        ]

    def _still(self, key: str, index: int, path: tuple[str | int, ...], value: Any, rule: Still | None) -> Any:
        if isinstance(value, dict):
            return self._frame(key, index, path, value)
        if rule is not None and (problem := stills.form_problem(rule.forms, value, key, path, self._model)):
            self.problems.append(problem)
        if stills.is_address(value):
            self.problems += stills.address_problems(value, key, path)
            self.inputs.append(Input(setting=key, index=index, url=value))
            return value
        seen = self._folder.picture(value)
        if isinstance(seen, stills.Fault):
            self.problems.append(
                Problem(code=seen.code, setting=key, path=path, message=seen.message, help=seen.help)
            )
            return value
        self._pictures.append((key, path, seen))
        self.inputs.append(Input(setting=key, index=index, path=value, digest=seen.digest))
        return seen.digest

    def _frame(self, key: str, index: int, path: tuple[str | int, ...], value: Mapping[str, Any]) -> Any:
        at = value.get("at", "first" if key == "last_frame" else "last")
        if isinstance(at, str) and at not in ("first", "last"):
            message = f"`at` is the text {shown(at)}, not a place in a clip"
            help_line = "write `first`, `last`, or a time in seconds"
            self.problems.append(
                Problem(code="E204", setting=key, path=(*path, "at"), message=message, help=help_line)
            )
        frame = Frame(
            slate=self._slate(key, path, value), at=int(at) if isinstance(at, float) and at.is_integer() else at
        )
        self.inputs.append(Input(setting=key, index=index, frame=frame))
        return frame.value()

    def _slate(self, key: str, path: tuple[str | int, ...], value: Mapping[str, Any]) -> str:
        number = value.get("take", "chosen")
        if isinstance(number, str) and number != "chosen":
            message, help_line = f"`take` is the text {shown(number)}", "write a take's number, or `chosen`"
            self.problems.append(
                Problem(code="E204", setting=key, path=(*path, "take"), message=message, help=help_line)
            )
        numbered = int(number) if not isinstance(number, str) else self._chosen.get(value["shot"], 1)
        return slate(value["shot"], numbered)

    def _remix(self, value: Any, capability: Capability) -> None:
        if isinstance(value, dict):
            frame = Frame(slate=self._slate("remix_of", (), value), at=None)
            self.inputs.append(Input(setting="remix_of", frame=frame))
            self.request["remix_of"] = frame.value()
            return
        self.request["remix_of"] = value
        rule = capability.remix_of
        if rule is not None and rule.prefix and not value.startswith(rule.prefix):
            message = f"{shown(value)} is no id that `{self._model}` can remix"
            help_line = f"its ids begin with `{rule.prefix}`; another shot is `{{shot: ID}}`"
            self.problems.append(Problem(code="E404", setting="remix_of", message=message, help=help_line))

    def _sound(self, value: Any, capability: Capability) -> None:
        rule = capability.audio.file
        if not isinstance(value, str) or rule is None:
            return
        if problem := stills.form_problem(rule.forms, value, "audio", (), self._model):
            self.problems.append(problem)
        elif stills.is_address(value):
            self.problems += stills.address_problems(value, "audio", ())
            self.inputs.append(Input(setting="audio", url=value))
        else:
            seen = self._folder.sound(value)
            if isinstance(seen, stills.Fault):
                self.problems.append(Problem(code=seen.code, setting="audio", message=seen.message, help=seen.help))
                return
            self.problems += stills.sound_problems(rule, value, seen.bytes, model=self._model)
            self.inputs.append(Input(setting="audio", path=value, digest=seen.digest))
            self.request["audio"] = seen.digest

    def compare(self, capability: Capability, size: str | None) -> None:
        """Hold the pictures against the model's rules and against the clip's size, now that it is known."""
        for key, path, picture in self._pictures:
            rule: Still | None = getattr(capability, key)
            if rule is None:
                continue
            self.problems += stills.picture_problems(rule, picture, key, path, model=self._model, size=size)
            if key in FRAMES and rule.size != "output" and (warning := stills.shape_warning(picture, key, size)):
                self.problems.append(warning)


def _range(rule: Still) -> str:
    return str(rule.max_count) if rule.min_count == rule.max_count else f"{rule.min_count} to {rule.max_count}"
