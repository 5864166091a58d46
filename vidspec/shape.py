"""Picture shapes: `size: 1280x720`, and `resolution: 720p` with `aspect_ratio: "16:9"`, say one thing.

The table says which tiers, ratios and pixel sizes a model has; this module finds the one that was asked for, and
where none was, the table's default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from vidspec.diagnostic import listed, nearest, shown
from vidspec.shot import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vidspec.capability import Shape

_SIZE = re.compile(r"([1-9][0-9]{0,4})[x×*]([1-9][0-9]{0,4})")
_TIER = re.compile(r"([1-9][0-9]{1,3})p")
_RATIO = re.compile(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")
_NAMED_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21", "3:2", "2:3")
_SAME = 0.02
"""Ratios that differ by less are one: 1366x768 is 16:9."""


class Size(NamedTuple):
    """Pixels across and down."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def ratio(self) -> float:
        return self.width / self.height


def parse_size(text: str) -> Size | None:
    """`1280x720` (or with `*` or `×`) as a size, else None."""
    match = _SIZE.fullmatch(text)
    return Size(int(match[1]), int(match[2])) if match else None


def parse_ratio(text: str) -> float | None:
    """`16:9` as width over height, else None."""
    match = _RATIO.fullmatch(text)
    return int(match[1]) / int(match[2]) if match else None


def same_ratio(one: float, other: float) -> bool:
    """Whether two ratios of width over height are one to the eye."""
    return abs(one / other - 1) < _SAME


def ratio_name(size: Size) -> str:
    """The usual name of a size's ratio (`16:9` for 1366x768), else the reduced fraction."""
    for name in _NAMED_RATIOS:
        if same_ratio(parse_ratio(name) or 1, size.ratio):
            return name
    exact = Fraction(size.width, size.height)
    return f"{exact.numerator}:{exact.denominator}"


def nominal_size(tier: str, ratio: float, multiple: int = 2) -> Size | None:
    """The size that a tier's name promises: its number on the short side, the other by the ratio."""
    match = _TIER.fullmatch(tier)
    if match is None:
        return None
    short = int(match[1])
    long = round(short * max(ratio, 1 / ratio) / multiple) * multiple
    return Size(long, short) if ratio >= 1 else Size(short, long)


class _Offer(NamedTuple):
    """One shape that a model makes. `size` is None where the provider chooses the pixels."""

    resolution: str
    aspect_ratio: str
    size: str | None

    def makes(self, size: str) -> bool:
        return (self.size or self.nominal) == size

    @property
    def nominal(self) -> str | None:
        """The size that tier and ratio promise; None for a ratio that depends on a picture."""
        ratio = parse_ratio(self.aspect_ratio)
        return None if ratio is None else str(nominal_size(self.resolution, ratio))


@dataclass(frozen=True, slots=True)
class Shaped:
    """What was found: the request's part, those of its keys that nobody wrote, and what is wrong."""

    request: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    defaulted: frozenset[str] = frozenset()


def _shaped(asked: Mapping[str, str], found: Mapping[str, str], problems: tuple[Problem, ...] = ()) -> Shaped:
    """What was asked for, and what follows from it."""
    return Shaped({**asked, **found}, problems, frozenset(found) - frozenset(asked))


def settle(shape: Shape | None, asked: Mapping[str, str], *, model: str, picture: float | None) -> Shaped:
    """The shape that is asked for by `size`, `resolution` and `aspect_ratio`, all of them optional.

    `picture` is the ratio of the first picture where one is given and known.
    """
    if not asked and (shape is None or shape.inherited):
        return Shaped({})
    if shape is None or shape.inherited:
        reason = "takes the shape of the clip it is made from" if shape else "has one shape that cannot be chosen"
        return Shaped({}, tuple(_unasked(key, f"`{model}` {reason}") for key in asked))
    wrong = tuple(_malformed(asked))
    if wrong:
        return Shaped({}, wrong)
    if shape.any_size:
        return _any_size(shape, asked)
    if shape.follows:
        return _following(shape, asked, model, picture)
    return _offered(shape, asked, model)


def _unasked(key: str, message: str) -> Problem:
    return Problem(
        code="E405", setting=key, message=message, help=f"take `{key}` out, or write `{key}: null` on the shot"
    )


def _malformed(asked: Mapping[str, str]) -> Iterator[Problem]:
    forms = {"size": (_SIZE, "1280x720"), "resolution": (_TIER, "720p"), "aspect_ratio": (_RATIO, "16:9")}
    for key, text in asked.items():
        form, example = forms[key]
        if not form.fullmatch(text) and text != "adaptive":
            message = f"`{key}` is not of the right form: {shown(text)}"
            yield Problem(code="E206", setting=key, message=message, help=f"it is written like `{example}`")


def _any_size(shape: Shape, asked: Mapping[str, str]) -> Shaped:
    default = shape.default or {}
    ratio = parse_ratio(asked.get("aspect_ratio", default.get("aspect_ratio", "16:9")))
    named = nominal_size(asked.get("resolution", default.get("resolution", "720p")), ratio or 1, shape.multiple)
    size = parse_size(asked["size"]) if "size" in asked else named
    if size is None or ratio is None:
        message = f"`aspect_ratio` is {shown(asked.get('aspect_ratio'))}, which is not a shape"
        return Shaped({}, (Problem(code="E404", setting="aspect_ratio", message=message, help="write `16:9`"),))
    problems = (*_contradictions(size, asked), *_bounds(shape, size, asked))
    return _shaped(asked, {"size": str(size)}, problems)


def _contradictions(size: Size, asked: Mapping[str, str]) -> Iterator[Problem]:
    """`size` beside a `resolution` or `aspect_ratio` that says something else."""
    if "size" not in asked:
        return
    ratio = parse_ratio(asked.get("aspect_ratio", ""))
    if ratio is not None and not same_ratio(ratio, size.ratio):
        yield _contradiction("aspect_ratio", asked["aspect_ratio"], size)
    tier = _TIER.fullmatch(asked.get("resolution", ""))
    if tier and int(tier[1]) != min(size):
        yield _contradiction("resolution", asked["resolution"], size)


def _contradiction(key: str, value: str, size: object) -> Problem:
    return Problem(
        code="E408",
        setting=key,
        message=f"`{key}: {value}` contradicts `size: {size}`",
        help="write either `size`, or `resolution` with `aspect_ratio`",
    )


def _bounds(shape: Shape, size: Size, asked: Mapping[str, str]) -> Iterator[Problem]:
    key = next(iter(asked), "size")
    makes = "" if "size" in asked else ", which is what tier and ratio make,"
    help_line = f"each side is {shape.min} to {shape.max} pixels and a multiple of {shape.multiple}"
    if not all(shape.min <= side <= shape.max for side in size):
        yield Problem(code="E404", setting=key, message=f"`{size}`{makes} is out of bounds", help=help_line)
    elif any(side % shape.multiple for side in size):
        near = Size(*(max(shape.min, round(side / shape.multiple) * shape.multiple) for side in size))
        message = f"`{size}` has a side that is no multiple of {shape.multiple}"
        yield Problem(code="E404", setting=key, message=message, help=f"the nearest size is `{near}`")


def _following(shape: Shape, asked: Mapping[str, str], model: str, picture: float | None) -> Shaped:
    """A model whose clip takes the ratio of its first picture: only the tier can be chosen, and is sent."""
    size = parse_size(asked.get("size", ""))
    problems = list(_contradictions(size, asked)) if size else []
    tier = asked.get("resolution") or (f"{min(size)}p" if size else None)
    key = "resolution" if "resolution" in asked else "size"
    if tier is not None and tier not in shape.tiers:
        problems.append(_not_offered(key, asked[key], shape.tiers, model))
    wanted = size.ratio if size else parse_ratio(asked.get("aspect_ratio", ""))
    if wanted is not None and picture is not None and not same_ratio(wanted, picture):
        key = "size" if size else "aspect_ratio"
        message = f"`{key}: {asked[key]}` cannot be had: `{model}` takes the shape of its first picture"
        problems.append(Problem(code="E504", setting=key, message=message, help="crop the picture to that shape"))
    if tier is not None:
        return Shaped({"resolution": tier}, tuple(problems))
    default = (shape.default or {}).get("resolution")
    return Shaped({"resolution": default} if default else {}, tuple(problems), frozenset({"resolution"}))


def _offered(shape: Shape, asked: Mapping[str, str], model: str) -> Shaped:
    offers = [_Offer(tier, ratio, size) for tier, row in shape.tiers.items() for ratio, size in row.items()]
    wrong = tuple(_unknown_values(offers, asked, model))
    if wrong:
        return Shaped({}, wrong)
    left = [offer for offer in offers if _fits(offer, asked)]
    if not left:
        return Shaped({}, (_combination(offers, asked, model),))
    for key in ("resolution", "aspect_ratio"):
        if len({getattr(offer, key) for offer in left}) > 1:
            preferred = [offer for offer in left if getattr(offer, key) == (shape.default or {}).get(key)]
            if not preferred:
                return Shaped({}, (_unsaid(left, model),))
            left = preferred
    found = left[0]
    shape_found = {"resolution": found.resolution, "aspect_ratio": found.aspect_ratio}
    if found.size is not None:
        return _shaped(asked, {**shape_found, "size": found.size})
    followed = frozenset() if "size" in asked else frozenset(shape_found) - frozenset(asked)
    return Shaped(shape_found, (), followed)


def _fits(offer: _Offer, asked: Mapping[str, str]) -> bool:
    return (
        asked.get("resolution", offer.resolution) == offer.resolution
        and asked.get("aspect_ratio", offer.aspect_ratio) == offer.aspect_ratio
        and ("size" not in asked or offer.makes(str(parse_size(asked["size"]))))
    )


def _unknown_values(offers: list[_Offer], asked: Mapping[str, str], model: str) -> Iterator[Problem]:
    for key in ("resolution", "aspect_ratio"):
        values = list(dict.fromkeys(getattr(offer, key) for offer in offers))
        if key in asked and asked[key] not in values:
            yield _not_offered(key, asked[key], values, model)
    if "size" in asked and not any(offer.makes(str(parse_size(asked["size"]))) for offer in offers):
        yield _not_offered("size", asked["size"], _sizes(offers), model)


def _sizes(offers: Iterable[_Offer]) -> list[str]:
    return [offer.size or offer.nominal or f"{offer.resolution} {offer.aspect_ratio}" for offer in offers]


def _not_offered(key: str, value: str, values: Iterable[str], model: str) -> Problem:
    offered = list(values)
    near = _nearest_number(value, offered) or nearest(value, offered)
    help_line = f"it offers {listed(offered, most=20)}" + (f"; the nearest is `{near}`" if near else "")
    return Problem(code="E404", setting=key, message=f"`{model}` has no `{key}: {value}`", help=help_line)


def _nearest_number(value: str, offered: list[str]) -> str | None:
    """The offered tier, ratio or size nearest in pixels, where both can be measured."""
    measured = {text: _measure(text) for text in offered}
    wanted = _measure(value)
    known = {text: measure for text, measure in measured.items() if measure is not None}
    if wanted is None or not known:
        return None
    return min(known, key=lambda text: _distance(known[text], wanted))


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """How far apart; a tier is held against a size's short side."""
    if len(one) != len(other):
        return abs(min(one) - min(other))
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _measure(text: str) -> tuple[float, ...] | None:
    size = parse_size(text)
    if size is not None:
        return (float(size.width), float(size.height))
    tier = _TIER.fullmatch(text)
    ratio = parse_ratio(text)
    return (float(tier[1]),) if tier else (ratio,) if ratio else None


def _combination(offers: list[_Offer], asked: Mapping[str, str], model: str) -> Problem:
    size = parse_size(asked.get("size", ""))
    if size is not None:
        contradiction = next(_contradictions(size, asked), None)
        key = "aspect_ratio" if "aspect_ratio" in asked else "resolution"
        return contradiction or _contradiction(key, asked[key], size)
    ratios = [offer.aspect_ratio for offer in offers if offer.resolution == asked["resolution"]]
    message = f"`{model}` has no `aspect_ratio: {asked['aspect_ratio']}` at {asked['resolution']}"
    return Problem(code="E404", setting="aspect_ratio", message=message, help=f"there it offers {listed(ratios)}")


def _unsaid(left: list[_Offer], model: str) -> Problem:
    sizes = listed(dict.fromkeys(_sizes(left)), most=20)
    return Problem(
        code="E407",
        message=f"`{model}` needs a size and has no default",
        help=f"write `size`, or `resolution` with `aspect_ratio`: it offers {sizes}",
    )
