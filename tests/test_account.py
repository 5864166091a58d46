"""What a list says about its accounts: limits, addresses, keys, which of them wins, and where a key may go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from vidspec import account, shotlist
from vidspec.errors import UsageError
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from pathlib import Path

    from vidspec.shotlist import ShotList

SHOTS = "shots: [{id: s010, provider: animatic}]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


def load(project: Path, text: str) -> ShotList:
    path = project / "shots.yaml"
    path.write_text(f"vidspec: 1\n{text}{SHOTS}")
    return shotlist.load(path, "shots.yaml")


def problems(project: Path, url: str, provider: str = "minimax") -> list[str]:
    listed = load(project, f"providers: {{{provider}: {{base_url: '{url}'}}}}\n")
    return [found.code for found in account.problems(listed)]


def test_what_is_written_stands_over_the_tables_limits(project: Path) -> None:
    listed = load(project, "providers: {minimax: {max_in_flight: 2, poll_interval: 2.5}}\n")
    found = account.settings(listed, "minimax")
    assert (found["max_in_flight"], found["poll_interval"]) == (2, 2.5)
    assert found["deadline"] == table("minimax").limits["deadline"]
    assert account.settings(listed, "nebula") == table("nebula").limits


def test_accounts_of_several_files_are_merged_key_by_key(project: Path) -> None:
    (project / "far.yaml").write_text("providers: {minimax: {max_in_flight: 1, deadline: 100}}\n")
    (project / "near.yaml").write_text("providers: {minimax: {deadline: 200}, nebula: {deadline: 7}}\n")
    head = "include: [far.yaml, near.yaml]\nproviders: {minimax: {request_timeout: 9}}\n"
    found = account.settings(load(project, head), "minimax")
    assert (found["max_in_flight"], found["deadline"], found["request_timeout"]) == (1, 200, 9)


def test_the_environment_stands_over_the_list_and_the_list_over_the_table(project: Path) -> None:
    bare = load(project, "")
    written = load(project, "providers: {minimax: {base_url: 'https://a.example.org'}}\n")
    assert account.base_url(bare, "minimax", {}) == "https://api.minimax.io/v1"
    assert account.base_url(written, "minimax", {}) == "https://a.example.org"
    assert account.base_url(written, "minimax", {"VIDSPEC_MINIMAX_BASE_URL": "https://b"}) == "https://b"
    assert account.base_url(written, "minimax", {"VIDSPEC_MINIMAX_BASE_URL": ""}) == "https://a.example.org"
    assert account.base_url(bare, "leapx", {}) is None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://api.example.net/v1", id="https"),
        pytest.param("https://api.example.net:8443", id="a port"),
        pytest.param("http://localhost:8000/v1", id="this machine by name"),
        pytest.param("http://127.0.0.1", id="this machine by number"),
        pytest.param("http://[::1]:80/v1", id="this machine by a long number"),
    ],
)
def test_an_address_of_an_account_is_https_or_this_machine(project: Path, url: str) -> None:
    assert problems(project, url) == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://api.example.net/v1", id="the key could be read"),
        pytest.param("http://0.0.0.0/v1", id="every machine is not this one"),
        pytest.param("http://localhost.example.net/v1", id="a name that begins like this machine"),
        pytest.param("api.example.net/v1", id="no scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://a:b@api.example.net", id="a password"),
        pytest.param("https://a@api.example.net", id="a user"),
        pytest.param("https://api.example.net/v1?a=b", id="a query"),
        pytest.param("https://api.example.net/v1#a", id="a fragment"),
        pytest.param("https://api.example.net:0x50", id="no port"),
        pytest.param("https://[::1", id="half a number"),
        pytest.param("javascript:alert(1)", id="another scheme"),
    ],
)
def test_an_address_that_is_not_fit_is_an_error_and_is_not_repeated(project: Path, url: str) -> None:
    listed = load(project, f"providers: {{minimax: {{base_url: '{url}'}}}}\n")
    (found,) = account.problems(listed)
    assert (found.code, found.line, found.column) == ("E412", 2, 33)
    assert url not in found.message


def test_only_the_nearest_of_two_addresses_is_judged(project: Path) -> None:
    (project / "far.yaml").write_text("providers: {minimax: {base_url: nothing}}\n")
    listed = load(project, "include: [far.yaml]\nproviders: {minimax: {base_url: 'https://a.example.org'}}\n")
    assert list(account.problems(listed)) == []


def test_an_account_of_nobody_is_an_error_in_whatever_file_it_stands(project: Path) -> None:
    (project / "far.yaml").write_text("\nproviders: {minimx: {}}\n")
    (found,) = account.problems(load(project, "include: [far.yaml]\n"))
    assert (found.code, found.file, found.line, found.column) == ("E401", "far.yaml", 2, 13)
    assert found.help == "the nearest is `minimax`"


def test_the_provider_of_this_machine_has_no_address_and_no_key(project: Path) -> None:
    listed = load(
        project, "providers: {animatic: {base_url: 'https://a', api_key_env: A_TOKEN, max_in_flight: 2}}\n"
    )
    assert [(found.code, found.column) for found in account.problems(listed)] == [("E412", 24), ("E412", 47)]


# --- keys, and where they may go ----------------------------------------------------------------------------


def problem(project: Path, provider: str, url: str, *trusted: str) -> str | None:
    """What keeps the key of a provider from an address that a list writes."""
    listed = load(project, f"providers: {{{provider}: {{base_url: '{url}'}}}}\n")
    found = account.address(listed, provider, {})
    assert found == (url, "list")
    return account.key_problem(provider, found, trusted)


def test_an_address_says_whose_word_it_is(project: Path) -> None:
    bare = load(project, "")
    written = load(project, "providers: {minimax: {base_url: 'https://a.example.org'}}\n")
    told = {"VIDSPEC_MINIMAX_BASE_URL": " https://b.example.org\n"}
    assert account.address(bare, "minimax", {}) == ("https://api.minimax.io/v1", "table")
    assert account.address(written, "minimax", {}) == ("https://a.example.org", "list")
    assert account.address(written, "minimax", told) == ("https://b.example.org", "environment")
    assert account.address(bare, "leapx", {}) is None


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("minimax", "https://api.minimax.io/v1"),
        ("minimax", "https://API.minimax.io:443/v2"),
        ("minimax", "https://api.minimax.io./v1"),
        ("minimax", "https://api.minimaxi.com/v1"),
        ("siliconflow", "https://api.siliconflow.com/v1"),
        ("nebula", "https://llm.ai-nebula.com"),
        ("leapx", "http://localhost:8000/v1"),
        ("leapx", "https://127.9.9.9"),
        ("leapx", "http://[::1]:8000"),
    ],
)
def test_a_key_goes_to_the_providers_own_hosts_and_to_this_machine(project: Path, provider: str, url: str) -> None:
    assert problem(project, provider, url) is None


@pytest.mark.parametrize(
    ("provider", "url", "place"),
    [
        ("yutoai", "https://api.evil.example/v1", "api.evil.example"),
        ("minimax", "https://api.minimax.io.evil.example/v1", "api.minimax.io.evil.example"),
        ("minimax", "https://evil-api.minimax.io/v1", "evil-api.minimax.io"),
        ("minimax", "https://api.minimax.io:8443/v1", "api.minimax.io:8443"),
        ("minimax", "https://api.siliconflow.cn/v1", "api.siliconflow.cn"),
        ("leapx", "https://llm.ai-nebula.com/v1", "llm.ai-nebula.com"),
        ("gately", "https://10.0.0.1/v1", "10.0.0.1"),
        ("gately", "https://[2001:DB8::0:1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_a_list_alone_sends_a_key_to_nobody_else_unless_the_user_trusts_them(
    project: Path, provider: str, url: str, place: str
) -> None:
    assert problem(project, provider, url, "other.example", f"x.{place}") == (
        f"the list sends the key of `{provider}` to `{place}`, which is not its own host and which you have not "
        f"trusted\n    help: `vidspec trust {place}` if you know it"
    )
    assert problem(project, provider, url, place) is None


def test_trust_in_a_host_is_trust_in_one_port_of_it(project: Path) -> None:
    assert problem(project, "leapx", "https://a.example:8443", "a.example") is not None
    assert problem(project, "leapx", "https://a.example", "a.example:8443") is not None


def test_what_the_environment_says_is_the_users_own_word_and_still_not_sent_in_the_clear() -> None:
    fine = account.Address("https://anywhere.example/v1", "environment")
    assert account.key_problem("minimax", fine, ()) is None
    assert account.key_problem("minimax", account.Address("http://127.0.0.1:1", "environment"), ()) is None
    open_one = account.Address("http://anywhere.example/v1", "environment")
    said = account.key_problem("minimax", open_one, ("anywhere.example",))
    assert said is not None
    assert said.startswith(
        "`VIDSPEC_MINIMAX_BASE_URL` is not https, so the key could be read on the way\n    help: "
    )


@pytest.mark.parametrize(
    "url",
    ["https://夜.example/v1", "https://api.mini\tmax.io/v1", "https://a%2eb.example", "https://a b.example"],
    ids=["not ASCII", "a tab", "an escape", "a blank"],
)
def test_a_host_is_read_in_one_way_only(url: str) -> None:
    said = account.key_problem("minimax", account.Address(url, "list"), ())
    assert said is not None
    assert said.startswith(("the `base_url` of `minimax` has a host that", "the `base_url` of `minimax` is no web"))


def test_a_key_is_in_the_variable_of_the_table_or_of_the_list(project: Path) -> None:
    environment = {"MINIMAX_API_KEY": "sk-1", "WORK_API_KEY": "sk-2"}
    bare = load(project, "")
    written = load(project, "providers: {minimax: {api_key_env: WORK_API_KEY}}\n")
    assert account.key(bare, "minimax", environment) == ("MINIMAX_API_KEY", "sk-1")
    assert account.key(written, "minimax", environment) == ("WORK_API_KEY", "sk-2")
    assert account.key(bare, "yutoai", environment) == ("YUTOAI_API_KEY", None)
    assert account.key(written, "minimax", {"MINIMAX_API_KEY": "sk-1"}) == ("WORK_API_KEY", None)


@pytest.mark.parametrize("value", ["", " ", "\t\n"], ids=ascii)
def test_an_empty_key_is_none(project: Path, value: str) -> None:
    assert account.key(load(project, ""), "minimax", {"MINIMAX_API_KEY": value}) == ("MINIMAX_API_KEY", None)


@pytest.mark.parametrize(
    "value", ["sk-1\r", "sk-1\n", "sk 1", " sk-1", "sk-\x7f", "sk-ключ", "sk-\udcff"], ids=ascii
)
def test_what_cannot_be_a_key_is_refused_and_not_shown(project: Path, value: str) -> None:
    with pytest.raises(UsageError, match="`MINIMAX_API_KEY` does not hold a key") as caught:
        account.key(load(project, ""), "minimax", {"MINIMAX_API_KEY": value})
    assert "sk" not in str(caught.value)


def test_a_list_may_not_hand_on_the_key_of_another_provider(project: Path) -> None:
    listed = load(project, "providers: {siliconflow: {api_key_env: NEBULA_API_KEY}}\n")
    (found,) = account.problems(listed)
    assert (found.code, found.line, found.column) == ("E412", 2, 40)
    assert (
        found.message == "the `api_key_env` of `siliconflow` is `NEBULA_API_KEY`, which holds the key of `nebula`"
    )
    assert found.help == "leave it out for `SILICONFLOW_API_KEY`, or name another"


@pytest.mark.parametrize("variable", ["SILICONFLOW_API_KEY", "WORK_API_KEY", "nebula_API_KEY", "CI_TOKEN"])
def test_any_other_variable_may_hold_a_key(project: Path, variable: str) -> None:
    assert list(account.problems(load(project, f"providers: {{siliconflow: {{api_key_env: {variable}}}}}\n"))) == []


def test_own_hosts_are_hosts_of_their_tables_alone() -> None:
    own = {name: [urlsplit(str(table(name).base_url)).hostname, *table(name).own_hosts] for name in PROVIDERS}
    hosts = [host for hosts in own.values() for host in hosts if host]
    assert len(hosts) == len(set(hosts))
    assert table("minimax").own_hosts == ("api.minimaxi.com",)
    assert table("gately").own_hosts == ()
