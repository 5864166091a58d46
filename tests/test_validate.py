"""`vidspec validate`: exit codes, what is printed, and that no text at all can make it fail in another way."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidspec import schema
from vidspec.commands import validate
from vidspec.console import Console
from vidspec.diagnostic import CODES
from vidspec.errors import UsageError
from vidspec.providers import PROVIDERS, table

Vidspec = Callable[..., subprocess.CompletedProcess[str]]

REELS = Path(__file__).parent / "reels"
SCRIPT = Path(sys.executable).with_name("vidspec")
GOOD = "vidspec: 1\nshots:\n  - {id: s010, provider: animatic, prompt: a harbour}\n"
WARNED = "vidspec: 1\nshots:\n  - {id: s010, provider: nebula, model: sora-2, prompt: a harbour}\n"
WRONG = "vidspec: 1\nshots:\n  - {id: s010, provider: animatik, prompt: a harbour}\n"

steady = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150
)


def run(*files: Path, variables: dict[str, Any] | None = None, **options: bool) -> tuple[int, str]:
    stream = io.StringIO()
    chosen = {"json": False, "quiet": False, **options}
    code = validate.run(
        files,
        variables=variables or {},
        json=chosen["json"],
        quiet=chosen["quiet"],
        console=Console(stream, colour=False),
    )
    return code, stream.getvalue()


def test_a_list_that_is_named_twice_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "shots.yaml").write_text(GOOD)
    path = tmp_path / "shots.yaml"
    assert run(path, path) == (0, "ok: 1 shot, 1 take\n")


def value(*files: Path) -> dict[str, Any]:
    code, text = run(*files, json=True)
    found: dict[str, Any] = json.loads(text)
    assert code == (0 if found["ok"] else 2)
    return found


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    clean = {key: text for key, text in os.environ.items() if not key.startswith(("VIDSPEC_", "FORCE_", "NO_C"))}
    return subprocess.run(
        [str(SCRIPT), *arguments], cwd=cwd, env=clean, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list without a fault."""
    path = tmp_path / "shots.yaml"
    path.write_text(GOOD)
    return path


# --- the command, in a process of its own ----------------------------------------------------------------


def test_the_command_prints_what_the_function_finds_and_exits_with_its_code() -> None:
    folder = REELS / "invalid" / "several-at-once"
    ran = command("validate", "shots.yaml", cwd=folder)
    assert ran.returncode == 2
    assert ran.stdout == (folder / "expected.txt").read_text("utf-8") + "9 errors\n"
    assert ran.stderr == ""


def test_the_command_reports_a_good_list(listed: Path) -> None:
    ran = command("validate", "shots.yaml", cwd=listed.parent)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok: 1 shot, 1 take\n", "")


def test_a_list_is_named_as_the_user_names_it_and_its_paths_start_where_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / "cast.yaml").write_text('vars: {hero: "{{ heroo }}"}\n')
    shots = "vidspec: 1\ninclude: [cast.yaml]\nshots:\n  - {id: a, provider: animatic, prompt: '{{ hero }}'}\n"
    (folder / "shots.yaml").write_text(shots)
    ran = command("validate", "film/shots.yaml", cwd=tmp_path)
    assert ran.stdout.startswith("film/cast.yaml:1:18: error[E302]: `heroo` is not defined\n")


@pytest.mark.slow
def test_a_list_that_the_user_may_not_read_is_an_error_and_no_crash(foreign: Path, as_user: Vidspec) -> None:
    path = foreign / "shots.yaml"
    path.write_text(GOOD)
    path.chmod(0)
    ran = as_user("validate", "shots.yaml")
    assert (ran.returncode, ran.stderr) == (2, "")
    assert ran.stdout == "shots.yaml:1:1: error[E101]: cannot read `shots.yaml`: permission denied\n1 error\n"


def test_variables_of_the_command_line_reach_the_templates(tmp_path: Path) -> None:
    (tmp_path / "shots.yaml").write_text(
        "vidspec: 1\nshots:\n  - {id: a, provider: animatic, prompt: '{{ hero }} {{ boat }}'}\n"
    )
    ran = command("validate", "shots.yaml", "--var", "hero=Ada", "--var", "boat=a=b", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "ok: 1 shot, 1 take\n")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        pytest.param("hero=x", "--var hero=…", id="named by nothing"),
        pytest.param("hero", "name=value", id="without a value"),
        pytest.param("2=x", "cannot be the name", id="no name"),
        pytest.param("shot=x", "cannot be the name", id="a name that is given"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused(listed: Path, variable: str, said: str) -> None:
    ran = command("validate", "shots.yaml", "--var", variable, cwd=listed.parent)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


# --- exit codes and summaries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "last"),
    [
        pytest.param(GOOD, 0, "ok: 1 shot, 1 take", id="good"),
        pytest.param(WARNED, 0, "ok: 1 shot, 1 take, 1 warning", id="warned about"),
        pytest.param(WRONG, 2, "1 error", id="wrong"),
        pytest.param(WARNED + "  - {id: s010, prompt: a}\n", 2, "1 error, 1 warning", id="both"),
    ],
)
def test_the_summary_counts_and_the_exit_code_is_that_of_the_worst(
    tmp_path: Path, text: str, code: int, last: str
) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(text)
    found, printed = run(path)
    assert (found, printed.splitlines()[-1]) == (code, last)


def test_quiet_prints_errors_alone(tmp_path: Path) -> None:
    good, warned, wrong = (tmp_path / name for name in ("good.yaml", "warned.yaml", "wrong.yaml"))
    for path, text in ((good, GOOD), (warned, WARNED), (wrong, WRONG)):
        path.write_text(text)
    assert run(good, quiet=True) == (0, "")
    assert run(warned, quiet=True) == (0, "")
    code, text = run(warned, wrong, quiet=True)
    assert code == 2
    assert re.findall(r"(?:error|warning)\[\w+\]", text) == ["error[E401]"]


# --- JSON ------------------------------------------------------------------------------------------------


def test_json_says_everything_that_the_text_says(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(WARNED.replace("harbour", "码头") + "  - {id: s020, provider: animatik, prompt: a}\n")
    code, text = run(path, json=True)
    assert code == 2
    assert json.loads(text) == {
        "vidspec_json": 1,
        "ok": False,
        "diagnostics": [
            {
                "code": "W601",
                "severity": "warning",
                "message": "the vendor's own service of `sora-2` ended on 2026-09-24",
                "help": "OpenAI shut down the Sora API and named no successor; the gateway may serve it longer",
                "file": str(path),
                "line": 3,
                "column": 41,
                "shot": "s010",
            },
            {
                "code": "E401",
                "severity": "error",
                "message": "there is no provider `animatik`",
                "help": "the nearest is `animatic`",
                "file": str(path),
                "line": 4,
                "column": 26,
                "shot": "s020",
            },
        ],
    }


def test_json_of_a_good_list_is_ok_even_with_warnings(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(WARNED)
    found = value(path)
    assert found["ok"] is True
    assert [one["code"] for one in found["diagnostics"]] == ["W601"]


def test_json_names_no_shot_where_the_fault_is_the_files(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text("vidspec: 1\n")
    assert [one["shot"] for one in value(path)["diagnostics"]] == [None]


# --- several files ---------------------------------------------------------------------------------------


def test_several_lists_are_judged_together_and_sorted_by_file(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("b.yaml", "a.yaml", "c.yaml")]
    for path, text in zip(paths, (WRONG, WRONG, "vidspec: 2\n"), strict=True):
        path.write_text(text)
    found = value(*paths)
    assert [(Path(one["file"]).name, one["code"]) for one in found["diagnostics"]] == [
        ("a.yaml", "E401"),
        ("b.yaml", "E401"),
        ("c.yaml", "E202"),
        ("c.yaml", "E207"),
    ]


def test_two_lists_of_one_project_may_not_write_one_output(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(GOOD)
    two.write_text(GOOD)
    code, text = run(one, two)
    assert code == 2
    assert f"{two}:3:10: error[E222]: `s010-t01` and `s010-t01` of {one} would both write" in text
    assert "help: give one list its own `output`" in text


def test_two_lists_of_two_projects_may_use_the_same_names(tmp_path: Path) -> None:
    paths = [tmp_path / name / "shots.yaml" for name in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(GOOD)
    assert run(*paths) == (0, "ok: 2 shots, 2 takes\n")


def test_a_list_in_a_folder_of_another_project_may_not_write_its_outputs(tmp_path: Path) -> None:
    outer, inner = tmp_path / "shots.yaml", tmp_path / "part" / "shots.yaml"
    inner.parent.mkdir()
    outer.write_text(f'output: "part/renders/{{{{ shot.id }}}}/{{{{ slate }}}}.mp4"\n{GOOD}')
    inner.write_text(GOOD)
    assert [one["code"] for one in value(outer, inner)["diagnostics"]] == ["E222"]


def test_a_file_named_twice_is_one_file(listed: Path) -> None:
    assert value(listed, listed)["ok"] is True


# --- files that cannot be read ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("nowhere.yaml", "no such file or directory", id="missing"),
        pytest.param(".", "it is a directory", id="a directory"),
        pytest.param("shots.yaml/x", "not a directory", id="below a file"),
        pytest.param("x" * 300, "file name too long", id="a name too long"),
        pytest.param("a\0b", "embedded null byte", id="a null byte in the name"),
        pytest.param("loop.yaml", "too many levels of symbolic links", id="a link to itself"),
    ],
)
def test_a_file_that_cannot_be_opened_is_an_error_at_its_start(listed: Path, name: str, said: str) -> None:
    (listed.parent / "loop.yaml").symlink_to("loop.yaml")
    (one,) = value(listed.parent / name)["diagnostics"]
    assert (one["code"], one["line"], one["column"]) == ("E101", 1, 1)
    assert said in one["message"]


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    started = time.perf_counter()
    (one,) = value(path)["diagnostics"]
    assert time.perf_counter() - started < 0.9
    assert (one["code"], one["help"]) == ("E102", "split it into several lists")


# --- variables -------------------------------------------------------------------------------------------


def test_a_variable_overrides_the_lists_and_the_shots(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(
        "vidspec: 1\nvars: {kind: animatik}\ndefaults: {provider: '{{ kind }}', prompt: a}\n"
        "shots: [{id: a}, {id: b, vars: {kind: nothing}}]\n"
    )
    assert run(path)[0] == 2
    assert run(path, variables={"kind": "animatic"}) == (0, "ok: 2 shots, 2 takes\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("vars: {hero: a}\n" + GOOD, id="declared by the list"),
        pytest.param(GOOD.replace("id: s010", "id: s010, vars: {hero: a}"), id="declared by a shot"),
        pytest.param(GOOD.replace("a harbour", "'{{ hero }}'"), id="named by a template"),
        pytest.param(GOOD.replace("a harbour", "'{{ hero is defined }}'"), id="asked for by a template"),
    ],
)
def test_a_variable_that_the_list_knows_is_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text(text)
    assert run(path, variables={"hero": "b"})[0] == 0
    with pytest.raises(UsageError, match="no template or `vars` names `boat`"):
        run(path, variables={"boat": "b"})


def test_a_variable_may_be_used_by_one_list_of_several(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(GOOD)
    two.write_text(GOOD.replace("a harbour", "'{{ hero }}'").replace("s010", "s020"))
    assert run(one, two, variables={"hero": "b"})[0] == 0


def test_nobody_can_tell_an_unused_variable_while_a_list_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "shots.yaml"
    path.write_text("vidspec: 2\n")
    assert run(path, variables={"hero": "b"})[0] == 2


# --- anything at all -------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *"-:,[]{}&*!|>'\"%@`#?~\t\n\r\0 \\",
        *("\n  ", "\n- ", ": ", "- ", "{{ ", " }}", "{% ", " %}", "{#", "---\n", "...\n", "<<: ", "\x1b", "\ufeff"),
        *("vidspec: 1\n", "shots:\n", "  - id: a\n", "    prompt: x\n", "defaults: {provider: animatic}\n"),
        *(
            "vars: ",
            "include: ",
            "null",
            "true",
            "1",
            "0x1F",
            ".inf",
            "1e999",
            "码头",
            "😀",
            "\u2028",
            "\x85",
            "&a ",
            "*a",
        ),
        *("provider", "minimax", "model", "camera", "takes", "[push in]", "{shot: a}", "{{ a }}", "https://a/b"),
    ]
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anything") / "shots.yaml"


def assert_judged(path: Path, raw: bytes) -> list[dict[str, Any]]:
    """Validate ends in 0 or 2, and every place that it reports lies inside the file."""
    path.write_bytes(raw)
    found = value(path)
    lines = (
        raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    for one in found["diagnostics"]:
        assert one["code"] in CODES
        assert 1 <= one["line"] <= len(lines), one
        assert 1 <= one["column"] <= len(lines[one["line"] - 1]) + 1, one
    diagnostics: list[dict[str, Any]] = found["diagnostics"]
    return diagnostics


@steady
@given(text=st.lists(PIECES, max_size=40).map("".join))
def test_any_pieces_of_a_list_are_judged(scratch: Path, text: str) -> None:
    assert_judged(scratch, text.encode())


@steady
@given(text=st.lists(PIECES, max_size=12).map("".join), at=st.integers(0, len(GOOD)))
def test_anything_in_the_middle_of_a_good_list_is_judged(scratch: Path, text: str, at: int) -> None:
    assert_judged(scratch, (GOOD[:at] + text + GOOD[at:]).encode())


@steady
@given(text=st.text(max_size=60))
def test_any_text_is_judged(scratch: Path, text: str) -> None:
    assert_judged(scratch, text.encode("utf-8", "surrogatepass"))


@steady
@given(raw=st.binary(max_size=60), before=st.sampled_from([b"", GOOD.encode()]))
def test_any_bytes_are_judged(scratch: Path, raw: bytes, before: bytes) -> None:
    assert_judged(scratch, before + raw)


MODELS = [(name, model) for name in PROVIDERS for model in table(name).models]
TEXTS = st.sampled_from(
    [
        *(
            "",
            "a",
            "a harbour",
            "{{ hero }}",
            "{{ nobody }}",
            "{{ hero",
            "{{ loop_a }}",
            "{{ take }}",
            "{{ shot.id }}",
        ),
        *(
            "720p",
            "1080p",
            "16:9",
            "9:16",
            "adaptive",
            "1280x720",
            "720*1280",
            "auto",
            "random",
            "push in",
            "tilt up",
        ),
        *(
            "a.png",
            "../a.png",
            "/a",
            "https://example.org/a.png",
            "http://10.0.0.1/",
            "https://[",
            "s010",
            "chosen",
        ),
        *("last", "renders/a.mp4", "\0", "\x1b[0m", "[Push in]", " --ratio 1:1", "video_1", "码" * 900, *PROVIDERS),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([2**31, 2**64, -(10**200), 10**240, 720, 1280]),
    st.sampled_from([0.0, -0.5, 4.5, 5.0, 1e-300, 1e300, 23.976]),
    TEXTS,
    st.text(max_size=6),
)
NAMES = st.sampled_from(
    ["shot", "at", "take", "user", "template", "fast_pretreatment", "hero", "loop_a", "take", "x y", ""]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)
FRAMES = st.fixed_dictionaries(
    {"shot": st.sampled_from(["s010", "s020", "s030", "x"])},
    optional={"at": SCALARS, "take": SCALARS},
)
KEYS = sorted(schema.load("shotlist")["$defs"]["shot"]["properties"])
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["s010", "s020", "s030", "S010", "{{ hero }}", "s-{{ n }}", "a b"]),
    "takes": st.one_of(st.integers(1, 3), st.lists(st.integers(-1, 2**31), min_size=1, max_size=3)),
    "camera": st.lists(st.sampled_from(["push in", "tilt up", "shake", "static shot", "orbit"]), max_size=4),
    "matrix": st.dictionaries(
        st.sampled_from(["n", "hero"]), st.lists(SCALARS, min_size=1, max_size=3), max_size=2
    ),
    "vars": st.dictionaries(NAMES, VALUES, max_size=2),
    "tags": st.lists(TEXTS, max_size=2),
    "first_frame": st.one_of(TEXTS, FRAMES),
    "last_frame": st.one_of(TEXTS, FRAMES),
    "remix_of": st.one_of(TEXTS, FRAMES),
    "references": st.lists(st.one_of(TEXTS, FRAMES), min_size=1, max_size=3),
    "duration": st.sampled_from([1, 4, 5, 5.0, 6, 10]),
    "fps": st.sampled_from([16, 24, 30]),
    "seed": st.one_of(st.integers(-1, 5), st.sampled_from(["auto", "random", 2**40])),
    "options": st.dictionaries(NAMES, SCALARS, max_size=2),
    **{key: st.booleans() for key in ("audio", "watermark", "enhance_prompt", "skip")},
}


@st.composite
def settings_of_a_shot(draw: st.DrawFn) -> dict[str, Any]:
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=8, unique=True))
    shot = {key: draw(LIKELY.get(key, TEXTS)) for key in keys}
    if draw(st.booleans()):
        shot["provider"], shot["model"] = draw(st.sampled_from(MODELS))
    if keys and draw(st.integers(0, 3)) == 0:
        shot[keys[0]] = draw(VALUES)
    return shot


@st.composite
def shot_lists(draw: st.DrawFn) -> dict[str, Any]:
    shots = draw(st.lists(settings_of_a_shot(), min_size=1, max_size=4))
    for index, shot in enumerate(shots):
        shot.setdefault("id", f"s0{index + 1}0")
    return {
        "vidspec": 1,
        "vars": {"hero": "Ada", "n": 3, "loop_a": "{{ loop_b }}", "loop_b": "{{ loop_a }}", **draw(LIKELY["vars"])},
        "defaults": {key: item for key, item in draw(settings_of_a_shot()).items() if key != "id"},
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "title": VALUES,
                    "output": st.one_of(TEXTS, VALUES),
                    "include": st.lists(TEXTS, max_size=2),
                    "providers": st.dictionaries(st.sampled_from([*PROVIDERS, "x"]), VALUES, max_size=2),
                    "budget": VALUES,
                },
            )
        ),
        "shots": shots,
    }


@settings(steady, max_examples=300)
@given(written=shot_lists(), as_json=st.booleans())
def test_any_structure_is_judged_whether_it_is_written_as_yaml_or_as_json(
    scratch: Path, written: dict[str, Any], as_json: bool
) -> None:
    text = json.dumps(written) if as_json else yaml.safe_dump(written, allow_unicode=True, sort_keys=False)
    assert_judged(scratch, text.encode("utf-8", "replace"))
