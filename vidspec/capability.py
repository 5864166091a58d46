"""What a provider's models accept: the capability table as values.

A table is data (`providers/<name>.yaml`, shaped by `schemas/provider.schema.json`). What holds for a take is
found in three layers, later over earlier and block by block: the model's `family`, the model, the model's
mode. A block that is absent means that the model has no such thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["text_to_video", "image_to_video", "first_last_frame", "reference_to_video", "remix"]
Switching = Literal["switch", "always", "never"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A prompt: `max` in characters (code points); `reads` names what the model parses inside it."""

    required: bool = False
    max: int | None = None
    reads: Literal["brackets", "flags"] | None = None
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Picture shapes on offer: tier, then ratio, then pixel size (None: chosen by the provider).

    `follows`: the ratio is that of the first picture. `any_size`: every size from `min` to `max` pixels a side
    that is a multiple of `multiple`. `required`: there is no default, the list must say. `separator` stands
    between the numbers of a pixel size that is sent.
    """

    tiers: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    default: Mapping[str, str] | None = None
    follows: bool = False
    inherited: bool = False
    required: bool = False
    any_size: bool = False
    min: int = 16
    max: int = 4096
    multiple: int = 2
    separator: str = "x"
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A duration (seconds) or frame rate: listed values, or a range in steps; perhaps fewer at some tiers.

    `wire` is None where the request has no such field: then only the value the model makes anyway is legal.
    """

    values: tuple[float, ...] = ()
    min: float | None = None
    max: float | None = None
    step: float | None = None
    default: float | None = None
    by_resolution: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    inherited: bool = False
    unsure: bool = False
    doubtful: tuple[float, ...] = ()
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Seeds a model takes, both ends included; an end is None where no document gives one."""

    min: int | None = None
    max: int | None = None
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound file that a model takes."""

    forms: tuple[str, ...] = ("url",)
    formats: tuple[str, ...] = ()
    max_bytes: int | None = None
    wire: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Something that a model can be told to do, always does, or never does."""

    kind: Switching = "never"
    default: bool | None = None
    file: Sound | None = None
    wire: str | None = None
    note: str | None = None


NEVER = Switch(kind="never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Neutral camera moves that a model takes, at most `max` at once, and the form they are sent in."""

    moves: tuple[str, ...]
    max: int
    form: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """Pictures that a model takes. Sides in pixels, ratios as width / height, `size: output` means exactly that.

    `min_count` and `max_count` bound `references`; `marker` is how a prompt names the n-th of them.
    """

    required: bool = False
    forms: tuple[str, ...] = ("url", "data")
    formats: tuple[str, ...] = ()
    alpha: bool = True
    max_bytes: int | None = None
    warn_bytes: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    min_short_side: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    size: Literal["output"] | None = None
    min_count: int = 1
    max_count: int = 1
    marker: str | None = None
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remix:
    """Making a new clip from one that the provider still has; an id begins with `prefix`."""

    prefix: str | None = None
    wire: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A provider's own parameter. `type` is that of JSON; `default` is what the provider does without it."""

    type: Literal["string", "integer", "number", "boolean"]
    summary: str
    values: tuple[Any, ...] = ()
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    default: Any = None
    wire: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One row of a price list: holds where every entry of `when` equals that of the request."""

    amount: float
    currency: str
    per: Literal["second", "clip"]
    when: Mapping[str, Any] = field(default_factory=dict)
    basis: Literal["listed", "unsure"] = "listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sunset:
    """The day from which a vendor no longer serves a model."""

    date: date
    note: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """What one model accepts in one mode."""

    prompt: Text = field(default_factory=Text)
    negative_prompt: Text | None = None
    shape: Shape | None = None
    duration: Numbers | None = None
    fps: Numbers | None = None
    seed: Seed | None = None
    audio: Switch = NEVER
    watermark: Switch = NEVER
    enhance_prompt: Switch = NEVER
    camera: Camera | None = None
    first_frame: Still | None = None
    last_frame: Still | None = None
    references: Still | None = None
    remix_of: Remix | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


class Model:
    """One named generator: its modes, what each accepts, its prices and its end."""

    def __init__(self, name: str, table: Mapping[str, Any], family: Mapping[str, Any], refused: Mapping[str, str]):
        self.name = name
        self.summary: str = table["summary"]
        self.source: str = table["source"]
        self.as_of: str = table["as_of"]
        self.typical: tuple[float, ...] = tuple(table.get("typical", family.get("typical", ())))
        self._blocks = {**family, **table}
        self._modes: Mapping[Mode, Mapping[str, Any]] = table["modes"]
        self._refused = refused

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that the model has."""
        return tuple(self._modes)

    @cached_property
    def capabilities(self) -> dict[Mode, Capability]:
        """What the model accepts, by mode."""
        return {mode: self._capability(blocks or {}) for mode, blocks in self._modes.items()}

    def _capability(self, mode_blocks: Mapping[str, Any]) -> Capability:
        blocks = {**self._blocks, **mode_blocks}
        refused = {**self._refused, **blocks.get("refused", {})}
        made = {name: _block(name, blocks[name]) for name in _BLOCKS if blocks.get(name) is not None}
        return Capability(**made, refused=refused)

    @cached_property
    def prices(self) -> tuple[Price, ...]:
        """The price list, first matching row first; empty where no price is known."""
        return tuple(_value(Price, row) for row in (self._blocks.get("price") or {}).get("rows", ()))

    @property
    def price_source(self) -> tuple[str, str] | None:
        """Where the prices are from, and as of which day."""
        price = self._blocks.get("price")
        return (price["source"], price["as_of"]) if price else None

    @property
    def price_note(self) -> str | None:
        """What a person should know about the prices."""
        note: str | None = (self._blocks.get("price") or {}).get("note")
        return note

    @cached_property
    def sunset(self) -> Sunset | None:
        """The model's announced end, if any."""
        table = self._blocks.get("sunset")
        return _value(Sunset, {**table, "date": date.fromisoformat(table["date"])}) if table else None


class Provider:
    """A vendor's table: account facts, limits, and its models by name."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.name: str = table["name"]
        self.title: str = table["title"]
        self.summary: str = table["summary"]
        self.key: str | None = table.get("key")
        self.base_url: str | None = table.get("base_url")
        self.own_hosts: tuple[str, ...] = tuple(table.get("own_hosts", ()))
        self.needs_base_url: bool = self.key is not None and self.base_url is None
        self.source: str = table["source"]
        self.as_of: str = table["as_of"]
        self.limits: Mapping[str, Any] = table["limits"]
        self.link: Mapping[str, Any] = table.get("link") or {}
        self.states: Mapping[str, str] = table.get("states") or {}
        self.sources: Mapping[str, str] = table.get("sources") or {}
        self.like: str | None = table.get("like")
        self.default_model: str | None = table.get("default_model")
        self.trace_header: str | None = table.get("trace_header")
        families = table.get("families") or {}
        refused = table.get("refused") or {}
        self.models: dict[str, Model] = {
            name: Model(name, model, families.get(model.get("family"), {}), refused)
            for name, model in table["models"].items()
        }


_BLOCKS: dict[str, type] = {
    "prompt": Text,
    "negative_prompt": Text,
    "shape": Shape,
    "duration": Numbers,
    "fps": Numbers,
    "seed": Seed,
    "audio": Switch,
    "watermark": Switch,
    "enhance_prompt": Switch,
    "camera": Camera,
    "first_frame": Still,
    "last_frame": Still,
    "references": Still,
    "remix_of": Remix,
    "options": Option,
}


def _block(name: str, table: Mapping[str, Any]) -> Any:
    if name == "options":
        return {option: _value(Option, row) for option, row in table.items()}
    if name == "audio" and table.get("file"):
        return _value(Switch, {**table, "file": _value(Sound, table["file"])})
    return _value(_BLOCKS[name], table)


def _value(kind: type[_T], table: Mapping[str, Any]) -> _T:
    """A dataclass from the keys of a table that it knows; what is for people alone (`source`) is left out."""
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: _frozen(value) for key, value in table.items() if key in names})


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
