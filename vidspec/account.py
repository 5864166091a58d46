"""The accounts of a project: what `providers:` of a shot list says about addresses, keys and limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from vidspec import schema
from vidspec.diagnostic import Diagnostic, listed, nearest_or
from vidspec.errors import UsageError
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vidspec.shot import Written
    from vidspec.shotlist import ShotList


Origin = Literal["environment", "list", "table"]

_HOST = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_EXAMPLE = "write one like `https://api.example.net/v1`"


class Address(NamedTuple):
    """A base URL, and whose word it is."""

    url: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account at a provider, for one run. Times in seconds."""

    provider: str
    base_url: str
    key: str = field(repr=False)
    max_in_flight: int
    submits_per_minute: float
    poll_interval: float
    deadline: float
    request_timeout: float


def base_url_variable(provider: str) -> str:
    """The environment variable that overrides a provider's base URL."""
    return f"VIDSPEC_{provider.upper()}_BASE_URL"


def settings(shot_list: ShotList, provider: str) -> dict[str, Any]:
    """An account's limits and address: what the list writes, over the table's limits. All times in seconds."""
    written = shot_list.accounts().get(provider, {})
    return {**table(provider).limits, **{key: place.mapping[key] for key, place in written.items()}}


def address(shot_list: ShotList, provider: str, environment: Mapping[str, str]) -> Address | None:
    """The address to use: the environment's, else the list's, else the table's; None where nobody says."""
    origins: tuple[tuple[str | None, Origin], ...] = (
        (environment.get(base_url_variable(provider), "").strip(), "environment"),
        (settings(shot_list, provider).get("base_url"), "list"),
        (table(provider).base_url, "table"),
    )
    return next((Address(url, origin) for url, origin in origins if url), None)


def base_url(shot_list: ShotList, provider: str, environment: Mapping[str, str]) -> str | None:
    """The URL of the address to use; None where nobody says."""
    found = address(shot_list, provider, environment)
    return found.url if found else None


def key(shot_list: ShotList, provider: str, environment: Mapping[str, str]) -> tuple[str, str | None]:
    """The name of the variable that holds an account's key, and the key; None where it is not set.

    Raises:
        UsageError: the variable holds what cannot be a key; what it holds is not said.
    """
    variable = settings(shot_list, provider).get("api_key_env") or table(provider).key
    assert variable, f"{provider} has no key"
    value = environment.get(variable, "")
    if not value.strip():
        return variable, None
    if not all("!" <= character <= "~" for character in value):
        raise UsageError(
            f"`{variable}` does not hold a key: it has a blank, a line break or another character that no key has\n"
            "    help: set it to the key alone"
        )
    return variable, value


def key_problem(provider: str, address: Address, trusted: Collection[str]) -> str | None:
    """Why the key of a provider may not go to an address, with a help line; None where it may.

    It may go to the provider's own hosts, to this machine, to where the environment says, and to hosts among
    `trusted`, written as by `place_of`. A list alone may be anyone's, and sends it nowhere else.
    """
    if reason := _unfit(address.url):
        whose = f"`{base_url_variable(provider)}`"
        whose = whose if address.origin == "environment" else f"the `base_url` of `{provider}`"
        return f"{whose} {reason}\n    help: {_EXAMPLE}"
    place = place_of(address.url)
    if address.origin != "list" or place in {*_own_places(provider), *trusted} or _is_here(address.url):
        return None
    message = f"the list sends the key of `{provider}` to `{place}`, which is not its own host"
    return f"{message} and which you have not trusted\n    help: `vidspec trust {place}` if you know it"


def _own_places(provider: str) -> Iterator[str]:
    own = table(provider)
    yield from own.own_hosts
    if own.base_url is not None:
        yield place_of(own.base_url)


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def place_of(url: str) -> str:
    """The host of a URL as people trust it: in lower case, with its port where that is not 443."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{ip_address(host)}]" if ":" in host else host
    return host if parts.port in (None, 443) else f"{host}:{parts.port}"


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
                yield _diagnostic(place, "E412", message, _EXAMPLE, line, column)
        if name in PROVIDERS and table(name).key is not None and "api_key_env" in written:
            yield from _borrowed(name, written["api_key_env"])


def _needless(name: str, written: Mapping[str, Written]) -> Iterator[Diagnostic]:
    for key in ("base_url", "api_key_env"):
        if key in written:
            line, column = written[key].document.key_place(written[key].mapping, key)
            message = f"`{name}` works on this machine and has no `{key}`"
            yield _diagnostic(written[key], "E412", message, f"take `{key}` out", line, column)


def _borrowed(name: str, place: Written) -> Iterator[Diagnostic]:
    """A key that is another provider's: whoever wrote the list would hand it on."""
    variable, own = place.mapping["api_key_env"], table(name).key
    owner = next((one for one in PROVIDERS if variable != own and table(one).key == variable), None)
    if owner is not None:
        line, column = place.place("api_key_env")
        message = f"the `api_key_env` of `{name}` is `{variable}`, which holds the key of `{owner}`"
        yield _diagnostic(place, "E412", message, f"leave it out for `{own}`, or name another", line, column)


def _unfit(url: str) -> str | None:
    """Why an address cannot be a base URL, else None. Plain HTTP is for loopback alone: the key would be read."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"cannot be read: {error}"
    if parts.scheme not in ("http", "https") or not host or not url.isprintable():
        return "is no web address"
    if not is_host(host):
        return "has a host that is not of letters, digits, dots and dashes"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "holds more than a scheme, a host and a path"
    if parts.scheme == "http" and not is_loopback(host):
        return "is not https, so the key could be read on the way"
    return None


def is_host(text: str) -> bool:
    """Whether a text can be a host: numeric, or a name in ASCII, in lower case."""
    return is_numeric(text) or _HOST.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return ip_address(host).is_loopback if is_numeric(host) else host == "localhost"


def is_numeric(host: str) -> bool:
    """Whether a host is numeric."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _diagnostic(layer: Written, code: str, message: str, help_line: str, line: int, column: int) -> Diagnostic:
    return Diagnostic(
        code=code, message=message, help=help_line, file=layer.document.name, line=line, column=column
    )
