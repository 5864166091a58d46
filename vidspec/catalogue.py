"""What the providers' models can do, as text for people and as values for programs.

Pure functions of the capability tables: no colour, no terminal, at most 100 columns.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from vidspec import phrases
from vidspec.diagnostic import counted, listed, nearest_or
from vidspec.errors import UsageError
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vidspec.capability import Mode, Model, Provider

_WIDTH = 98
_LABEL = 17

_SHORT: dict[Mode, str] = {
    "text_to_video": "text",
    "image_to_video": "image",
    "first_last_frame": "frames",
    "reference_to_video": "refs",
    "remix": "remix",
}
_LONG: dict[Mode, str] = {
    "text_to_video": "Text to video",
    "image_to_video": "Image to video: a first frame",
    "first_last_frame": "First and last frame",
    "reference_to_video": "References: pictures of what is to be seen",
    "remix": "Remix: a new clip from one that the provider still has",
}


# --- for people ------------------------------------------------------------------------------------------


def providers() -> str:
    """All providers: what they offer, the variable that holds the key, the base URL."""
    wide = _widest(PROVIDERS)
    lines = []
    for name, summary in PROVIDERS.items():
        shown = table(name)
        models = counted(len(shown.models), "model")
        lines += [f"{name:{wide}}  {models:>9}  {summary}", f"{'':{wide + 13}}{_door(shown)}"]
    return _joined([*lines, "", "`vidspec providers NAME` shows an account's limits and its models."])


def provider(name: str) -> str:
    """One provider: account, limits, link, and a table of its models.

    Raises:
        UsageError: there is no such provider.
    """
    shown = _provider(name)
    lines = [f"{shown.title} (`{name}`)", shown.summary, "", "Account", *_account(shown), "", "Limits"]
    lines += [*_limits(shown), "", "Models", *_overview(shown), *_legend(shown)]
    lines += ["", "Sources", *_pairs(shown.sources)]
    return _joined([*lines, "", f"`vidspec providers {name} MODEL` shows everything about a model."])


def model(name: str, model_name: str) -> str:
    """Everything about one model: what each mode takes and how it is sent, options, prices, sources.

    Raises:
        UsageError: there is no such provider or model.
    """
    shown = _model(name, model_name)
    lines = [f"{model_name} (`{name}`)", shown.summary, *_by_mode(shown), *_options(shown)]
    lines += ["", "Price", *_prices(shown), *_sunset(shown)]
    lines += ["", "Source", *_paragraph(f"{shown.source}, as of {shown.as_of}", "  ")]
    return _joined(lines)


def markdown() -> str:
    """The README's tables: the providers, then all their models."""
    doors = [
        (f"`{name}`", summary, _code(table(name).key), _code(table(name).base_url) or _hostless(table(name)))
        for name, summary in PROVIDERS.items()
    ]
    models = [
        (f"`{name}`", f"`{row[0]}`", *row[1:])
        for name in PROVIDERS
        if not table(name).like
        for row in map(_facts, table(name).models.values())
    ]
    first = _markdown_table([("provider", "what", "key", "base URL"), *doors])
    return f"{first}\n\n{_markdown_table([('provider', *_HEADS), *models])}\n"


# --- for programs ----------------------------------------------------------------------------------------


def providers_value() -> list[dict[str, Any]]:
    """What `providers --json` says of all providers."""
    return [_provider_value(name, table(name)) for name in PROVIDERS]


def provider_value(name: str) -> dict[str, Any]:
    """What `providers NAME --json` says.

    Raises:
        UsageError: there is no such provider.
    """
    shown = _provider(name)
    more = {"limits": dict(shown.limits), "link": dict(shown.link) or None, "states": dict(shown.states)}
    models = [_model_value(one) for one in shown.models.values()]
    return {**_provider_value(name, shown), **more, "sources": dict(shown.sources), "models": models}


def model_value(name: str, model_name: str) -> dict[str, Any]:
    """What `providers NAME MODEL --json` says.

    Raises:
        UsageError: there is no such provider or model.
    """
    shown = _model(name, model_name)
    takes = {mode: asdict(capability) for mode, capability in shown.capabilities.items()}
    return {"provider": name, **_model_value(shown), "capabilities": takes}


def _provider_value(name: str, shown: Provider) -> dict[str, Any]:
    return {
        "provider": name,
        "title": shown.title,
        "summary": PROVIDERS[name],
        "key": shown.key,
        "base_url": shown.base_url,
        "models": list(shown.models),
        "source": shown.source,
        "as_of": shown.as_of,
    }


def _model_value(shown: Model) -> dict[str, Any]:
    sunset = shown.sunset
    return {
        "model": shown.name,
        "summary": shown.summary,
        "modes": list(shown.modes),
        "prices": [asdict(price) for price in shown.prices],
        "sunset": {**asdict(sunset), "date": sunset.date.isoformat()} if sunset else None,
        "source": shown.source,
        "as_of": shown.as_of,
    }


# --- finding ---------------------------------------------------------------------------------------------


def _provider(name: str) -> Provider:
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider `{name}`; {_instead(name, PROVIDERS, 'providers')}")
    return table(name)


def _model(name: str, model_name: str) -> Model:
    models = _provider(name).models
    if model_name not in models:
        raise UsageError(f"`{name}` has no model `{model_name}`; {_instead(model_name, models, 'models')}")
    return models[model_name]


def _instead(word: str, offered: Iterable[str], kind: str) -> str:
    return nearest_or(word, offered, f"the {kind} are {listed(offered, most=20)}")


# --- a provider ------------------------------------------------------------------------------------------


def _door(shown: Provider) -> str:
    return f"{shown.key}, {shown.base_url or _hostless(shown)}" if shown.key else "no key, no network"


def _hostless(shown: Provider) -> str:
    return "the base URL must be set" if shown.needs_base_url else ""


def _account(shown: Provider) -> list[str]:
    if shown.key is None:
        return _pairs({"key": "none", "network": "none"})
    unset = f"must be set: `providers.{shown.name}.base_url` or VIDSPEC_{shown.name.upper()}_BASE_URL"
    facts = {
        "key": shown.key,
        "base URL": shown.base_url or unset,
        "protocol": f"that of `{shown.like}`" if shown.like else "",
        "trace header": shown.trace_header or "",
    }
    return _pairs({label: fact for label, fact in facts.items() if fact})


def _limits(shown: Provider) -> list[str]:
    limits, link = shown.limits, shown.link
    basis = {"published": "published by the provider", "proposal": "not published"}[limits["basis"]]
    facts = {
        "max_in_flight": f"{limits['max_in_flight']}",
        "submits_per_minute": f"{limits['submits_per_minute']}",
        "poll_interval": f"{phrases.time(limits['poll_interval'])}, the longest gap between two looks",
        "deadline": f"{phrases.time(limits['deadline'])}, then a take is given up, still to be collected",
        "request_timeout": phrases.time(limits["request_timeout"]),
        "basis": f"{basis}, as of {limits['as_of']}" + phrases.clause(limits.get("note")),
    }
    if link:
        renewed = "a fresh one can be had" if link["renewable"] else "cannot be renewed"
        facts["link to a clip"] = f"{phrases.time(link['life'])}; {renewed}" + phrases.clause(link.get("note"))
    return _pairs(facts)


_HEADS = ("model", "modes", "tiers", "ratios", "seconds", "seed", "sound", "camera", "price", "switched off")


def _facts(shown: Model) -> tuple[str, ...]:
    """One model as a row of words, under `_HEADS`."""
    takes = list(shown.capabilities.values())
    return (
        shown.name,
        " ".join(_SHORT[mode] for mode in shown.modes),
        phrases.tiers_word(one.shape for one in takes),
        phrases.ratios_word(one.shape for one in takes),
        phrases.numbers_word(next((one.duration for one in takes if one.duration), None)),
        "yes" if any(one.seed for one in takes) else "no",
        takes[0].audio.kind,
        phrases.camera_word(next((one.camera for one in takes if one.camera), None)),
        phrases.price_word(shown.prices),
        shown.sunset.date.isoformat() if shown.sunset else "",
    )


def _overview(shown: Provider) -> list[str]:
    """What the models do; each name stands in a line of its own, as some are long."""
    rows: list[tuple[str, ...]] = [_HEADS[1:-1]]
    for facts in map(_facts, shown.models.values()):
        name, end = facts[0], facts[-1]
        rows += [(f"{name}  (switched off {end})" if end else name,), facts[1:-1]]
    lines = iter(_columns(rows))
    return [f"    {next(lines).upper()}"] + [
        f"  {line}" if len(row) == 1 else f"    {line}" for row, line in zip(rows[1:], lines, strict=True)
    ]


def _legend(shown: Provider) -> list[str]:
    models = shown.models.values()
    used = {mode for one in models for mode in one.modes}
    words = ["frames: first and last frame"] if "first_last_frame" in used else []
    shapes = [one.shape for shown in models for one in shown.capabilities.values()]
    words += ["own: the ratio of the picture"] if any(shape and shape.follows for shape in shapes) else []
    words += ["refs: reference pictures"] if "reference_to_video" in used else []
    words += ["?: doubtful"] if any(price.basis == "unsure" for one in models for price in one.prices) else []
    return ["", f"  {'; '.join(words)}"] if words else []


# --- a model ---------------------------------------------------------------------------------------------


def _by_mode(shown: Model) -> list[str]:
    """What the modes have in common, then what is particular to each, then the moves and what is not there."""
    by_mode = {mode: phrases.settings(capability) for mode, capability in shown.capabilities.items()}
    shared = _shared(list(by_mode.values())) if len(by_mode) > 1 else {}
    lines = ["", "In every mode", *_pairs(shared)] if shared else []
    for mode, settings in by_mode.items():
        own = {key: text for key, text in settings.items() if key not in shared}
        lines += ["", f"{_LONG[mode]} (`{mode}`)", *(_pairs(own) or ["  nothing more"])]
    return [*lines, *_moves(shown), *_absent(shown)]


def _shared(settings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = settings
    return {key: text for key, text in first.items() if all(other.get(key) == text for other in others)}


def _moves(shown: Model) -> list[str]:
    cameras = [capability.camera for capability in shown.capabilities.values() if capability.camera]
    moves = phrases.distinct(chain.from_iterable(camera.moves for camera in cameras))
    return ["", "Camera moves", *_paragraph(", ".join(moves), "  ")] if len(moves) > 1 else []


def _absent(shown: Model) -> list[str]:
    """What no mode takes."""
    takes = [phrases.absent(capability) for capability in shown.capabilities.values()]
    absent = [name for name in takes[0] if all(name in other for other in takes)]
    return ["", "Not to be had", *_paragraph(", ".join(absent), "  ")] if absent else []


def _options(shown: Model) -> list[str]:
    """The provider's own parameters, and the fields that a shot list may not set."""
    takes = shown.capabilities.values()
    options = {name: phrases.option(option) for one in takes for name, option in one.options.items()}
    refused = {name: reason for one in takes for name, reason in one.refused.items()}
    lines = ["", "Options", *_pairs(options)] if options else []
    return lines + (["", "Not for a shot list", *_pairs(refused)] if refused else [])


def _prices(shown: Model) -> list[str]:
    if not shown.price_source:
        return ["  unknown"]
    source, as_of = shown.price_source
    held = [phrases.price(row) for row in shown.prices]
    rows = [f"  {line}" for line in (_columns(held) if len(held) > 1 else [held[0][1]])]
    note = [f"  {shown.price_note}"] if shown.price_note else []
    return [*rows, *note, *_paragraph(f"{source}, as of {as_of}", "  ")]


def _sunset(shown: Model) -> list[str]:
    end = shown.sunset
    if end is None:
        return []
    said = _paragraph(f"{end.source}, as of {end.as_of}", "  ")
    return ["", "Switched off", *_paragraph(f"{end.date.isoformat()}: {end.note}", "  "), *said]


# --- lines -----------------------------------------------------------------------------------------------


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _widest(words: Iterable[str]) -> int:
    return max(map(len, words), default=0)


def _pairs(facts: Mapping[str, str]) -> list[str]:
    """Labels at the left, wrapped text at the right."""
    wide = max(_LABEL, _widest(facts) + 2)
    lines = []
    for label, text in facts.items():
        first, *rest = _paragraph(text, " " * (2 + wide)) or [""]
        lines += [f"  {label:{wide}}{first[2 + wide :]}", *rest]
    return lines


def _paragraph(text: str, indent: str) -> list[str]:
    """Text wrapped line by line; an address is never broken."""
    whole: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False, "replace_whitespace": False}
    lines = (
        wrap(line, _WIDTH, initial_indent=indent, subsequent_indent=indent + " " * _hang(line), **whole)
        for line in text.split("\n")
    )
    return list(chain.from_iterable(lines))


def _hang(line: str) -> int:
    """Where the second column of a line begins: `720p  16:9 1280x720, …`."""
    head, gap, rest = line.partition("  ")
    return len(line) - len(rest.lstrip()) if head and gap else 0


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells padded to the widest of their column; a row of one cell is a heading and widens nothing."""
    full = [row for row in rows if len(row) > 1]
    widths = [_widest(column) for column in zip(*full, strict=True)]
    return [
        row[0] if len(row) == 1 else "  ".join(f"{cell:{wide}}" for cell, wide in zip(row, widths, strict=True))
        for row in rows
    ]


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.replace(phrases.HARD_BLANK, " ").rstrip() for line in lines) + "\n"
