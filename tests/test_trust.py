"""`vidspec trust`, and the file that it keeps: readable, the user's own, never the project's."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vidspec import trust
from vidspec.errors import UsageError

Vidspec = Callable[..., CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration folder for vidspec, not made yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "vidspec"


# --- where the file is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/vidspec"),
        ({"XDG_CONFIG_HOME": "", "HOME": "/h"}, "/h/.config/vidspec"),
        ({"XDG_CONFIG_HOME": "in/the/project", "HOME": "/h"}, "/h/.config/vidspec"),
        ({"HOME": "/h"}, "/h/.config/vidspec"),
    ],
    ids=["XDG", "an empty one", "a relative one, which does not count", "none"],
)
def test_the_file_is_in_the_users_configuration_folder(environment: dict[str, str], folder: str) -> None:
    assert trust.folder(environment) == Path(folder)


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "here", "XDG_CONFIG_HOME": "there"}])
def test_without_a_home_there_is_no_folder_and_nothing_is_trusted(environment: dict[str, str]) -> None:
    assert trust.trusted(environment) == ()
    with pytest.raises(UsageError, match="there is no home folder"):
        trust.folder(environment)


# --- what a host is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("api.example.net", "api.example.net"),
        ("API.Example.NET.", "api.example.net"),
        ("api.example.net:443", "api.example.net"),
        ("api.example.net:08443", "api.example.net:8443"),
        ("gateway", "gateway"),
        ("my_gateway-1:80", "my_gateway-1:80"),
        ("192.0.2.1:8000", "192.0.2.1:8000"),
        ("[2001:DB8::0:1]", "[2001:db8::1]"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        ("[2001:db8::1]:1", "[2001:db8::1]:1"),
        ("xn--fiqs8s.example", "xn--fiqs8s.example"),
    ],
)
def test_a_host_is_compared_in_one_form(written: str, place: str) -> None:
    assert trust.place(written) == place
    assert trust.place(place) == place


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("https://api.example.net/v1", "write the host alone: `api.example.net`"),
        ("https://user:pass@API.example.net:8443/v1", "write the host alone: `api.example.net:8443`"),
        ("//api.example.net", "write the host alone: `api.example.net`"),
        *((one, "write a name such as") for one in ("", " ", "*.example.net", ".example.net", "a b", "夜.example")),
        *(
            (one, "write a name such as")
            for one in ("h:", "h:0", "h:65536", "h:x", ":443", "[::1", "[zz]", "[1.2]")
        ),
        *((one, "write a name such as") for one in ("h/v1", "user@h", "h\n", "https://[::1", "::1", "h:1:2")),
    ],
    ids=ascii,
)
def test_what_is_no_host_is_refused_with_what_would_be_right(written: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        trust.place(written)
    message, _, help_line = str(caught.value).partition("\n    help: ")
    assert "is no host" in message
    assert help_line.startswith(advice)
    assert "pass" not in help_line


# --- the text of the file -----------------------------------------------------------------------------------

TEXT = "\ufeff# mine\n\n  api.example.net   # the gateway\r\nAPI.example.net:443\n[::2]:8\n"


def test_a_file_is_read_line_by_line_and_comments_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "trusted-hosts").write_text(TEXT, encoding="utf-8")
    assert trust.read(tmp_path) == ("api.example.net", "[::2]:8")
    assert trust.read(tmp_path / "nowhere") == ()


def test_what_is_trusted_is_read_from_the_users_folder(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert trust.trusted(environment) == ()
    (tmp_path / "vidspec").mkdir()
    (tmp_path / "vidspec" / "trusted-hosts").write_text("a.example\n")
    assert trust.trusted(environment) == ("a.example",)
    (tmp_path / "vidspec" / "trusted-hosts").write_text("a a\n")
    with pytest.raises(UsageError):
        trust.trusted(environment)


def test_a_line_that_is_no_host_is_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "trusted-hosts"
    path.write_text("a.example\n\nhttps://b.example/v1\n")
    with pytest.raises(UsageError) as caught:
        trust.read(tmp_path)
    said = f"{path}:3: `https://b.example/v1` is no host\n    help: write the host alone: `b.example`"
    assert str(caught.value) == said


@pytest.mark.parametrize("kind", ["folder", "bytes"])
def test_a_file_that_cannot_be_read_is_a_plain_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "trusted-hosts"
    path.mkdir() if kind == "folder" else path.write_bytes(b"a.example\n\xff\xfe\n")
    with pytest.raises(UsageError, match=r"cannot read `.*trusted-hosts`: (is a directory|it is not UTF-8 text)"):
        trust.read(tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a.example\n", "a.example\nb.example\n"),
        ("a.example # mine", "a.example # mine\nb.example\n"),
        ("b.example # it is there\n", "b.example # it is there\n"),
        ("B.example:443\n", "B.example:443\n"),
    ],
)
def test_a_host_is_added_once_and_the_rest_stays(before: str, after: str) -> None:
    assert trust.added(before, "b.example") == after


def test_a_new_file_says_what_it_is() -> None:
    text = trust.added("", "b.example")
    assert text.startswith("# Hosts that vidspec may send keys to")
    assert trust.places(text) == ("b.example",)


def test_a_host_is_removed_wherever_it_stands_and_comments_stay() -> None:
    text = "# mine\na.example # one\n\nA.example:443\nb.example\n# the end"
    assert trust.removed(text, "a.example") == "# mine\n\nb.example\n# the end"
    with pytest.raises(UsageError, match=r"`c\.example` is not trusted\n    help: the nearest is `[ab]\.example`"):
        trust.removed(text, "c.example")
    with pytest.raises(UsageError, match="vidspec trust --list"):
        trust.removed(text, "zzzzzzzzzzz")


# --- the command --------------------------------------------------------------------------------------------


def test_a_host_is_trusted_shown_and_trusted_no_longer(vidspec: Vidspec, home: Path) -> None:
    assert vidspec("trust", "--list").stdout == "no host is trusted but the providers' own\n"
    assert not home.exists()
    assert vidspec("trust", "API.example.net").stdout == "trusted  api.example.net\n"
    assert vidspec("trust", "api.example.net:443").stdout == "trusted already  api.example.net\n"
    assert vidspec("trust", "api.example.net:8443", "--quiet").stdout == ""
    assert vidspec("trust", "--list", "--quiet").stdout == "api.example.net\napi.example.net:8443\n"
    assert trust.read(home) == ("api.example.net", "api.example.net:8443")
    assert vidspec("trust", "--remove", "api.example.net").stdout == "trusted no longer  api.example.net\n"
    shown = vidspec("trust", "--list", "--json")
    assert json.loads(shown.stdout) == {"vidspec_json": 1, "trusted": ["api.example.net:8443"]}


def test_the_file_is_the_users_own_and_written_whole(vidspec: Vidspec, home: Path, project: Path) -> None:
    assert vidspec("trust", "a.example").returncode == 0
    path = home / "trusted-hosts"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(home.stat().st_mode)) == (0o600, 0o700)
    path.chmod(0o644)
    assert vidspec("trust", "b.example").returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in home.iterdir()] == ["trusted-hosts"]
    assert list(project.iterdir()) == []


def test_a_file_that_is_a_link_stays_one(vidspec: Vidspec, home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "trusted"
    kept.parent.mkdir()
    kept.write_text("a.example\n")
    home.mkdir(parents=True)
    (home / "trusted-hosts").symlink_to(kept)
    assert vidspec("trust", "b.example").returncode == 0
    assert ((home / "trusted-hosts").is_symlink(), kept.read_text()) == (True, "a.example\nb.example\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one thing at a time"),
        (("a.example", "--list"), "one thing at a time"),
        (("a.example", "--remove", "b.example"), "one thing at a time"),
        (("a.example", "b.example"), "unexpected extra argument"),
        (("https://a.example/v1",), "write the host alone: `a.example`"),
        (("localhost",), "`localhost` is this machine, which needs no trust"),
        (("127.0.0.1:8000",), "`127.0.0.1:8000` is this machine, which needs no trust"),
        (("[::1]",), "`[::1]` is this machine, which needs no trust"),
        (("--remove", "a.example"), "`a.example` is not trusted"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    vidspec: Vidspec, home: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = vidspec("trust", *arguments)
    assert (ended.returncode, ended.stdout, said in ended.stderr) == (2, "", True), ended.stderr
    assert not home.exists()


@pytest.mark.parametrize("arguments", [("--list",), ("b.example",), ("--remove", "a.example")])
def test_a_broken_file_is_left_as_it_is(vidspec: Vidspec, home: Path, arguments: tuple[str, ...]) -> None:
    home.mkdir(parents=True)
    (home / "trusted-hosts").write_text("a.example\nb b\n")
    ended = vidspec("trust", *arguments)
    assert (ended.returncode, "`b b` is no host" in ended.stderr) == (2, True)
    assert (home / "trusted-hosts").read_text() == "a.example\nb b\n"


def test_a_folder_that_cannot_be_made_is_a_plain_error(vidspec: Vidspec, home: Path) -> None:
    home.parent.write_text("a file")
    ended = vidspec("trust", "a.example")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "error: cannot" in ended.stderr


def test_where_there_is_no_home_nothing_is_trusted(vidspec: Vidspec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "")
    assert "there is no home folder" in vidspec("trust", "a.example").stderr
    assert os.environ["HOME"] == ""
