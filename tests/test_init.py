"""`vidspec init`: what it writes, what it leaves alone, and whether one can start from it."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from vidspec import media, schema
from vidspec.commands import config, init, plan, status, validate
from vidspec.console import Console
from vidspec.errors import UsageError
from vidspec.project import diagnose, read_lock

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = (*init.SHIPPED, init.SCHEMA)
LISTS = ("shots.yaml", "cast.yaml", "look.yaml")
PICTURE = "frames/valley.png"
TEXTS = tuple(name for name in NAMES if name != PICTURE)


def lay_out(folder: Path, *, quiet: bool = False) -> str:
    """Make a project and return what was printed."""
    stream = io.StringIO()
    assert init.run(folder, quiet=quiet, console=Console(stream, colour=False)) == 0
    return stream.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path from there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def diagnostics(shot_list: Path) -> list[str]:
    """Everything that is wrong or doubtful."""
    found, _ = diagnose([shot_list], {})
    return [f"{one.file}:{one.line}: {one.code} {one.message}" for one in found]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A new project."""
    lay_out(tmp_path / "film")
    return tmp_path / "film"


# What is written


def test_a_new_project_holds_these_files_and_no_others(film: Path) -> None:
    assert set(contents(film)) == {
        "shots.yaml",
        "cast.yaml",
        "look.yaml",
        "frames/valley.png",
        "README.md",
        ".gitattributes",
        ".gitignore",
        "schemas/shotlist.schema.json",
    }


def test_two_new_projects_are_the_same_byte_for_byte(tmp_path: Path) -> None:
    lay_out(tmp_path / "one")
    lay_out(tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_every_template_of_the_package_is_used_and_none_is_a_dotfile() -> None:
    scaffold = Path(str(files("vidspec") / "scaffold"))
    shipped = set(contents(scaffold))
    assert shipped == set(init.SHIPPED.values())
    assert [name for name in shipped if name.startswith(".") or "/." in name] == []


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_has_plain_line_ends_short_lines_and_no_trailing_blanks(film: Path, name: str) -> None:
    text = (film / name).read_bytes().decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    if name in LISTS:
        assert [line for line in text.splitlines() if len(line) > 116] == []


def test_the_picture_is_small(film: Path) -> None:
    assert (film / PICTURE).stat().st_size < 300_000


def test_the_readme_explains_everything_that_stands_in_the_folder(film: Path) -> None:
    readme = (film / "README.md").read_text("utf-8")
    shown = {name.partition("/")[0] for name in contents(film)} - {"README.md", ".gitattributes", ".gitignore"}
    for name in shown | {"shots.lock", "renders", ".vidspec"}:
        assert f"| `{name}" in readme


# What is printed


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(".", id="where one stands"),
        pytest.param("film", id="a new folder"),
        pytest.param("films/first", id="a new folder in a new folder"),
        pytest.param("my film", id="a name with a blank"),
        pytest.param("it's", id="a name with a quote"),
        pytest.param("-film", id="a name that begins with a dash"),
        pytest.param("夜渡", id="a Chinese name"),
    ],
)
def test_the_next_commands_name_the_list_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = lay_out(Path(folder))
    commands = [line for line in printed.splitlines() if line.startswith("  vidspec ")]
    assert len(commands) == 3
    for line in commands:
        program, command, shot_list = shlex.split(line, comments=True)
        assert (program, command in ("validate", "plan", "render")) == ("vidspec", True)
        assert not shot_list.startswith("-")
        assert diagnostics(Path(shot_list)) == []


def test_every_file_is_printed_as_it_can_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = lay_out(Path("film"))
    assert re.findall(r"^wrote  (.+)$", printed, re.MULTILINE) == [f"film/{name}" for name in NAMES]


def test_a_folder_given_in_full_is_printed_in_full(tmp_path: Path) -> None:
    assert f"vidspec render {tmp_path}/film/shots.yaml" in lay_out(tmp_path / "film")


def test_quiet_prints_nothing(tmp_path: Path) -> None:
    assert lay_out(tmp_path / "film", quiet=True) == ""


# What is left alone


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_where_a_file_is_there_already(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"`{re.escape(str(tmp_path / name))}` is there already"):
        lay_out(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_the_first_files_in_the_way_are_named_and_the_rest_counted(film: Path) -> None:
    before = contents(film)
    with pytest.raises(UsageError) as caught:
        lay_out(film)
    assert "shots.yaml`, `" in str(caught.value)
    assert f"and {len(NAMES) - 3} more are there already; nothing was written" in str(caught.value)
    assert "vidspec init my-film" in str(caught.value)
    assert contents(film) == before


def test_other_files_in_the_folder_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "mine.png").write_text("mine")
    lay_out(tmp_path)
    assert contents(tmp_path)["frames/mine.png"] == b"mine"


@pytest.mark.parametrize("name", ["frames", "schemas"])
def test_a_file_where_a_folder_belongs_is_in_the_way(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"{name}` is there already"):
        lay_out(tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_a_folder_or_a_dangling_link_where_a_file_belongs_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").mkdir()
    (tmp_path / "look.yaml").symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"cast.yaml`, `.*look.yaml` are there already"):
        lay_out(tmp_path)
    assert contents(tmp_path) == {}


def test_a_path_that_is_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "film").write_text("mine")
    with pytest.raises(UsageError, match="film` is not a folder"):
        lay_out(tmp_path / "film")
    with pytest.raises(UsageError, match="film/inside`: not a directory"):
        lay_out(tmp_path / "film" / "inside")
    assert contents(tmp_path) == {"film": b"mine"}


def test_a_name_that_is_too_long_is_one_clear_message_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="file name too long; nothing was written"):
        lay_out(tmp_path / "new" / ("x" * 300))
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_is_taken_back_when_a_later_file_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frames").mkdir()
    whole = init._contents()
    monkeypatch.setattr(init, "_contents", lambda: {**whole, "x" * 300: b"never"})
    with pytest.raises(UsageError, match="nothing was written"):
        lay_out(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["frames"]


@pytest.mark.slow
@pytest.mark.parametrize("inside", [".", "film"], ids=["in the folder itself", "in a new one below"])
def test_a_read_only_place_is_one_clear_message(
    foreign: Path, as_user: Callable[..., subprocess.CompletedProcess[str]], inside: str
) -> None:
    foreign.chmod(0o555)
    ran = as_user("init", inside)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "permission denied; nothing was written" in ran.stderr
    assert list(foreign.iterdir()) == []


# Whether one can start from it


def test_nothing_is_wrong_or_doubtful_in_a_new_project(film: Path) -> None:
    assert diagnostics(film / "shots.yaml") == []


COMMANDS: list[tuple[Callable[..., int], bool, dict[str, Any], str]] = [
    (validate.run, True, {"quiet": False}, "ok: 3 shots, 4 takes\n"),
    (plan.run, True, {"chosen": None, "left_out": None, "detailed_exitcode": False, "quiet": False}, "; free\n"),
    (status.run, False, {"chosen": None, "left_out": None, "quiet": False}, "4 takes: 3 new, 1 waiting\n"),
    (config.run, False, {"only": ["s030"], "quiet": False}, "look.yaml, line 8\n"),
]


@pytest.mark.parametrize(
    ("command", "several", "options", "said"), COMMANDS, ids=["validate", "plan", "status", "config"]
)
def test_a_command_works_on_a_new_project(
    film: Path, command: Callable[..., int], several: bool, options: dict[str, Any], said: str
) -> None:
    stream = io.StringIO()
    file = film / "shots.yaml"
    console = Console(stream, colour=False)
    assert command([file] if several else file, variables={}, json=False, console=console, **options) == 0
    assert said in stream.getvalue()


@pytest.mark.parametrize("name", LISTS)
def test_the_schema_line_leads_to_the_schema_in_the_project(film: Path, name: str) -> None:
    first = (film / name).read_text("utf-8").partition("\n")[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=([^#]+)(?:#(.+))?", first)
    assert match
    text = (film / match[1]).read_text("utf-8")
    assert text == schema.text("shotlist")
    whole = json.loads(text)
    judged = {"$ref": f"#{match[2]}", "$defs": whole["$defs"]} if match[2] else whole
    judge = jsonschema.Draft202012Validator(judged)
    assert judge.is_valid(yaml.safe_load((film / name).read_bytes()))
    assert not judge.is_valid({"vidspec": 1, "nonsense": 1})


def test_the_commented_lines_move_a_shot_to_a_paid_provider(film: Path) -> None:
    shot_list = film / "shots.yaml"
    text, count = re.subn(
        r"^    # (provider|model): ", r"    \1: ", shot_list.read_text("utf-8"), flags=re.MULTILINE
    )
    assert count == 4
    shot_list.write_text(text, "utf-8")
    assert diagnostics(shot_list) == []
    _, (opened,) = diagnose([shot_list], {})
    assert {take.shot: take.provider for take in opened.takes} == {
        "s010": "siliconflow",
        "s020": "siliconflow",
        "s030": "animatic",
    }


@pytest.mark.parametrize("name", ["shots.yaml", "look.yaml"])
def test_settings_that_are_commented_out_are_right_when_they_are_taken_in(film: Path, name: str) -> None:
    setting = re.compile(r"^( *)# ((?:budget|camera|duration|providers):|  siliconflow:)", re.MULTILINE)
    text, count = setting.subn(r"\1\2", (film / name).read_text("utf-8"))
    assert count in (2, 3)
    (film / name).write_text(text, "utf-8")
    assert diagnostics(film / "shots.yaml") == []


# Git, told to merge lockfiles by takes

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, with the settings of nobody; the test runs in it."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    return folder


def driver_of(folder: Path) -> str:
    """The merge driver that git has in a folder; empty where it has none."""
    command = ["git", "-C", str(folder), "config", "merge.vidspec-lock.driver"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def with_driver(folder: Path, *, quiet: bool = False) -> str:
    """Call `init --merge-driver` and return what was printed."""
    stream = io.StringIO()
    console = Console(stream, colour=False)
    assert init.run(folder, quiet=quiet, console=console, with_driver=True) == 0
    return stream.getvalue()


@needs_git
def test_a_new_project_names_its_lockfile_alone_to_git_and_leaves_the_settings_alone(repository: Path) -> None:
    lay_out(repository / "film")
    attributes = (repository / "film/.gitattributes").read_text("utf-8")
    assert "/shots.lock text eol=lf merge=vidspec-lock\n" in attributes
    assert "*.lock" not in attributes
    assert driver_of(repository) == ""


@needs_git
@pytest.mark.parametrize("inside", [".", "film", "films/first"])
def test_a_new_project_with_the_driver_is_the_same_and_git_is_told(repository: Path, inside: str) -> None:
    lay_out(repository.parent / "plain")
    printed = with_driver(Path(inside))
    assert contents(repository / inside).items() >= contents(repository.parent / "plain").items()
    assert driver_of(repository).startswith("vidspec lock merge %A %B --base %O -o %A || git merge-file ")
    assert "set  merge.vidspec-lock.driver in the settings of this clone\n" in printed
    assert printed.index("set  merge") < printed.index("next:")


@needs_git
def test_in_a_project_that_is_there_git_is_told_and_nothing_else_is_touched(repository: Path) -> None:
    (repository / "first.yaml").write_text("vidspec: 1\nshots: [{id: a, prompt: x}]\n")
    (repository / "uv.lock").write_text("version = 1\n")
    before = {name: data for name, data in contents(repository).items() if not name.startswith(".git/")}

    printed = with_driver(Path())

    after = {name: data for name, data in contents(repository).items() if not name.startswith(".git/")}
    assert after.pop(".gitattributes").decode().splitlines()[1:] == ["/first.lock merge=vidspec-lock"]
    assert after == before
    assert printed.splitlines() == [
        "wrote  .gitattributes: merge=vidspec-lock for `first.lock`",
        "set    merge.vidspec-lock.name in the settings of this clone",
        "set    merge.vidspec-lock.driver in the settings of this clone",
        "to undo: git config --remove-section merge.vidspec-lock",
    ]


@needs_git
@pytest.mark.parametrize("new", [True, False], ids=["a new project", "a project that was there"])
def test_telling_git_twice_changes_nothing_the_second_time(repository: Path, new: bool) -> None:
    if not new:
        (repository / "shots.yaml").write_text("vidspec: 1\nshots: [{id: a, prompt: x}]\n")
    with_driver(Path())
    before = contents(repository)
    assert with_driver(Path()) == "git merges `shots.lock` by takes already; nothing was changed\n"
    assert contents(repository) == before


@needs_git
def test_quiet_tells_git_and_prints_nothing(repository: Path) -> None:
    assert with_driver(Path(), quiet=True) == ""
    assert driver_of(repository)


@needs_git
@pytest.mark.parametrize("trouble", ["no repository", "no git"])
def test_where_git_cannot_be_told_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    if trouble == "no git":
        monkeypatch.setenv("PATH", os.devnull)
    said = "git is not installed" if trouble == "no git" else "is in no git repository"
    with pytest.raises(UsageError, match=f"{said}.*; nothing was set up"):
        with_driver(tmp_path / "film")
    assert contents(tmp_path) == {}


@needs_git
def test_git_keeps_the_lockfile_and_leaves_out_clips_and_what_belongs_to_the_machine(film: Path) -> None:
    def git(*arguments: str) -> list[str]:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        command = ["git", "-C", str(film), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.splitlines()

    git("init", "--quiet")
    asked = ["renders/s010/s010-t01.mp4", ".vidspec/objects/ab", "shots.lock", "frames/valley.png", ".gitignore"]
    assert git("check-ignore", *asked) == ["renders/s010/s010-t01.mp4", ".vidspec/objects/ab"]
    assert git("check-attr", "eol", "--", "shots.lock", "uv.lock") == [
        "shots.lock: eol: lf", "uv.lock: eol: unspecified"
    ]  # fmt: skip
    assert git("check-attr", "text", "--", PICTURE, "a.mp4") == [f"{PICTURE}: text: unset", "a.mp4: text: unset"]


@pytest.mark.slow
def test_a_new_project_renders_from_the_console_as_it_says(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("vidspec")

    def typed(*arguments: str) -> str:
        command = [str(program), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    printed = typed("init", "my film")
    for line in printed.splitlines():
        if line.startswith("  vidspec "):
            typed(*shlex.split(line, comments=True)[1:])
    assert "4 takes: 4 done" in typed("status", "my film/shots.yaml")
    assert "4 takes kept" in typed("render", "my film/shots.yaml")
    lock = read_lock(tmp_path / "my film" / "shots.lock")
    for slate in ("s010-t01", "s010-t02", "s020-t01", "s030-t01"):
        record = lock.get(slate)
        assert record
        assert record.output
        found = media.probe(tmp_path / "my film" / record.output.path)
        assert (found.width, found.height, found.fps, found.frames) == (1280, 720, 24, 120)
