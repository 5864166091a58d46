"""What a list says about its accounts: limits, addresses, and which of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vidspec import account, shotlist
from vidspec.providers import table

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
