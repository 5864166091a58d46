"""The accounts of a project: what `providers:` of a shot list says about addresses and limits."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vidspec import schema
from vidspec.diagnostic import Diagnostic, listed, nearest_or
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vidspec.shot import Written
    from vidspec.shotlist import ShotList


def base_url_variable(provider: str) -> str:
    """The environment variable that overrides a provider's base URL."""
    return f"VIDSPEC_{provider.upper()}_BASE_URL"


def settings(shot_list: ShotList, provider: str) -> dict[str, Any]:
    """An account's limits and address: what the list writes, over the table's limits. All times in seconds."""
    written = shot_list.accounts().get(provider, {})
    return {**table(provider).limits, **{key: place.mapping[key] for key, place in written.items()}}


def base_url(shot_list: ShotList, provider: str, environment: Mapping[str, str]) -> str | None:
    """The address to use: the environment's, else the list's, else the table's; None where nobody says."""
    return (
        environment.get(base_url_variable(provider))
        or settings(shot_list, provider).get("base_url")
        or table(provider).base_url
    )


def problems(shot_list: ShotList) -> Iterator[Diagnostic]:
    """Everything wrong with the accounts of a list, whether a shot uses them or not."""
    for layer in shot_list.layers("providers"):
        for name in layer.mapping:
            if name not in PROVIDERS:
                help_line = nearest_or(name, PROVIDERS, f"there are {listed(PROVIDERS)}")
                line, column = layer.document.key_place(layer.mapping, name)
                yield _diagnostic(layer, "E401", f"there is no provider `{name}`", help_line, line, column)
    for name, written in shot_list.accounts().items():
        place = written.get("base_url")
        if name in PROVIDERS and table(name).key is None:
            yield from _needless(name, written)
        elif place is not None and schema.accepts("shotlist", "account")(place.mapping):
            reason = _unfit(place.mapping["base_url"])
            if reason:
                line, column = place.place("base_url")
                message = f"the `base_url` of `{name}` {reason}"
                yield _diagnostic(
                    place, "E412", message, "write one like `https://api.example.net/v1`", line, column
                )


def _needless(name: str, written: Mapping[str, Written]) -> Iterator[Diagnostic]:
    for key in ("base_url", "api_key_env"):
        if key in written:
            line, column = written[key].document.key_place(written[key].mapping, key)
            message = f"`{name}` works on this machine and has no `{key}`"
            yield _diagnostic(written[key], "E412", message, f"take `{key}` out", line, column)


def _unfit(url: str) -> str | None:
    """Why an address cannot be a base URL, else None. Plain HTTP is for loopback alone: the key would be read."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"cannot be read: {error}"
    if parts.scheme not in ("http", "https") or not host:
        return "is no web address"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "holds more than a scheme, a host and a path"
    if parts.scheme == "http" and not is_loopback(host):
        return "is not https, so the key could be read on the way"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _diagnostic(layer: Written, code: str, message: str, help_line: str, line: int, column: int) -> Diagnostic:
    return Diagnostic(
        code=code, message=message, help=help_line, file=layer.document.name, line=line, column=column
    )
