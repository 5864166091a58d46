"""A take: one paid sample of a shot, and exactly what will be sent for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from vidspec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vidspec.capability import Mode

SeedRule = Literal["none", "fixed", "auto", "random"]


def slate(shot: str, number: int) -> str:
    """The printed name of a take: `s010-t02`."""
    return f"{shot}-t{number:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame, or for a remix the whole clip, of another take of the same list.

    `at` is `first`, `last` or a time in seconds; None means the clip itself. `of` is the digest of the clip, where
    the frame has been taken before.
    """

    slate: str
    at: str | float | None
    of: str | None = None

    def value(self) -> dict[str, Any]:
        """The frame as it stands in a request until it has been taken: by name, not yet by digest."""
        return {"slate": self.slate} if self.at is None else {"slate": self.slate, "at": self.at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A picture, sound or clip that a take needs: a local file (`path`), an address (`url`), or a `frame`.

    `setting` and `index` say what for: (`references`, 1) is the second reference. Where a `digest` stands without
    a path, the bytes are those that were kept when they were sent before.
    """

    setting: str
    index: int = 0
    path: str | None = None
    url: str | None = None
    frame: Frame | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """What is sent. `request` holds the neutral settings, fully resolved, pictures by digest.

    `defaulted` names the keys of the request that nobody wrote: the table's defaults and what follows from
    them. `inherited` is what the clip takes over from the one it is made from: not sent, yet so. `seed` is None
    where the model takes none, or where a random one is still to be drawn.
    """

    slate: str
    shot: str
    number: int
    scene: str | None
    tags: tuple[str, ...]
    provider: str
    model: str
    mode: Mode
    request: Mapping[str, Any]
    defaulted: frozenset[str]
    seed: int | None
    seed_rule: SeedRule
    inputs: tuple[Input, ...]
    output: str
    variables: Mapping[str, Any]
    inherited: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the clip will be like: the request, and what is inherited."""
        return {**self.inherited, **self.request} if self.inherited else self.request

    @property
    def needs(self) -> tuple[str, ...]:
        """The slates that must be rendered before this take can be sent."""
        frames = (given.frame for given in self.inputs if given.frame and not given.digest)
        return tuple(dict.fromkeys(frame.slate for frame in frames))

    @property
    def fingerprint(self) -> str:
        """The digest of exactly what would be sent."""
        return fingerprint(
            provider=self.provider, model=self.model, request=self.request, seed=self.seed, take=self.number
        )
