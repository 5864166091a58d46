"""`vidspec providers [NAME [MODEL]]`: what the providers' models can do."""

from __future__ import annotations

import sys
from json import dumps
from typing import Any

from vidspec import catalogue


def run(name: str | None, model: str | None, *, json: bool) -> int:
    """Print all providers, one of them, or one of its models.

    Raises:
        UsageError: there is no such provider or model.
    """
    text = dumps(_value(name, model), ensure_ascii=False, indent=2) + "\n" if json else _text(name, model)
    sys.stdout.write(text)
    return 0


def _text(name: str | None, model: str | None) -> str:
    if name is None:
        return catalogue.providers()
    return catalogue.provider(name) if model is None else catalogue.model(name, model)


def _value(name: str | None, model: str | None) -> dict[str, Any]:
    if name is None:
        return {"vidspec_json": 1, "providers": catalogue.providers_value()}
    found = catalogue.provider_value(name) if model is None else catalogue.model_value(name, model)
    return {"vidspec_json": 1, **found}
