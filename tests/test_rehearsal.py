from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import studio
from vidspec.project import read_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("drawn_once", "without_keys")]

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

WAN = '{provider: siliconflow, model: Wan-AI/Wan2.2-T2V-A14B, resolution: 720p, aspect_ratio: "16:9"}'
FOUR = """
- {id: a, prompt: a boat, takes: 3}
- {id: b, prompt: on, model: Wan-AI/Wan2.2-I2V-A14B, first_frame: {shot: a, at: last}}
- {id: c, prompt: a bird, provider: minimax, model: MiniMax-Hailuo-2.3, resolution: 768p}
- {id: d, prompt: a cat, provider: yutoai, model: wanx2.1-t2v-turbo}
- {id: e, prompt: a dog, provider: nebula, model: wan2.5-t2v-preview}
- {id: f, prompt: a fly, provider: gately, model: T2V-01, resolution: null, aspect_ratio: null}
"""
FAST = ("--speed", "400x")


@pytest.fixture
def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SILICONFLOW", "MINIMAX", "YUTOAI", "NEBULA", "GATELY"):
        monkeypatch.delenv(f"{name}_API_KEY", raising=False)
        monkeypatch.delenv(f"VIDSPEC_{name}_BASE_URL", raising=False)


def outside(project: Path) -> Iterator[str]:
    """What stands in the project folder, but for the rehearsal's own."""
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project).as_posix()
        if path.is_file() and not name.startswith(".vidspec/rehearsal/"):
            yield name


def test_a_whole_production_is_rehearsed_without_keys_addresses_or_consent(
    shots: Shots, vidspec: Vidspec, project: Path
) -> None:
    shots(FOUR, defaults=WAN)
    ended = vidspec("render", "shots.yaml", "--rehearse", *FAST)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "done: 8 takes rendered" in ended.stdout
    bill = next(line for line in ended.stdout.splitlines() if line.startswith("rehearsed"))
    assert bill == "rehearsed: 8 submits; for real: about 8.00 cny + 0.65 usd and 2 takes of unknown price"
    assert "siliconflow: takes waited" in ended.stdout
    assert "gately changed in silence: the prompt was rewritten" in ended.stdout
    assert "watch it at http://127.0.0.1:" in ended.stderr
    lock = read_lock(project / ".vidspec/rehearsal/shots.lock")
    assert [record.output is not None for _, record in lock.items()] == [True] * 8
    record = lock.get("b-t01")
    assert record is not None
    assert record.output is not None
    assert record.output.path == ".vidspec/rehearsal/renders/b/b-t01.mp4"
    assert (project / record.output.path).stat().st_size == record.output.bytes
    assert list(outside(project)) == [".vidspec/.gitignore", ".vidspec/README", ".vidspec/run.lock", "shots.yaml"]


def test_a_second_rehearsal_begins_anew(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: a boat}", defaults=WAN)
    for _ in range(2):
        ended = vidspec("render", "shots.yaml", "--rehearse", *FAST)
        assert ended.stdout.startswith("done: 1 take rendered")


def test_what_is_rendered_for_real_is_not_touched(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots("- {id: a, prompt: x, provider: animatic, size: 64x36, duration: 0.2, fps: 10}", defaults="{}")
    assert vidspec("render", "shots.yaml").returncode == 0
    before = {name: (project / name).read_bytes() for name in outside(project)}
    assert vidspec("render", "shots.yaml", "--rehearse", *FAST).returncode == 0
    assert {name: (project / name).read_bytes() for name in outside(project)} == before


def test_a_fire_drill_does_what_its_file_says(shots: Shots, vidspec: Vidspec, project: Path) -> None:
    shots("- {id: a, prompt: a boat}\n- {id: b, prompt: a bird}", defaults=WAN)
    (project / "drill.yaml").write_text(
        "vidspec_faults: 1\nfaults:\n"
        "  - {fault: drop, call: submit}\n"
        "  - {fault: throttled, call: submit, first: 2, retry_after: 30}\n"
    )
    ended = vidspec("render", "shots.yaml", "--rehearse", "--faults", "drill.yaml", *FAST)
    assert ended.returncode == 1
    assert "1 take rendered, 1 take in doubt" in ended.stdout
    assert re.search(r"^  siliconflow: (.*, )?told to slow down 1 time$", ended.stdout, re.MULTILINE)
    assert "again in 30 s" in ended.stderr


def test_takes_that_are_drawn_here_cost_no_rehearsed_time(
    shots: Shots, vidspec: Vidspec, clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are drawn for real, and would else seem to take a minute for every second."""

    def slowly(_take: Any, _pictures: Any, path: Path, **_: Any) -> None:
        time.sleep(1)
        path.write_bytes(clip(1))

    monkeypatch.setattr(studio, "draw", slowly)
    shots("- {id: a, prompt: x, provider: animatic, size: 64x36, duration: 0.2, fps: 10}", defaults="{}")
    ended = vidspec("render", "shots.yaml", "--rehearse", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["time"] < 60


def test_json_lines_tell_of_a_rehearsal_too(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: a boat}", defaults=WAN)
    ended = vidspec("render", "shots.yaml", "--rehearse", "--json", *FAST)
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "run_finished"]
    assert events[-1]["time"] > 60
    assert events[-1]["cost"] == {"cny": 2.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--faults", "drill.yaml"), "`--faults` goes with `--rehearse`"),
        (("--speed", "5x"), "`--speed` goes with `--rehearse`"),
        (("--rehearse", "--draft"), "`--draft` and `--rehearse` do not go together"),
        (("--rehearse", "--speed", "fast"), "`--speed fast` is no speed"),
        (("--rehearse", "--speed", "9999x"), "at most `600x`"),
        (("--rehearse", "--faults", "nowhere.yaml"), "nowhere.yaml"),
    ],
    ids=["faults-alone", "speed-alone", "both", "no-speed", "too-fast", "no-file"],
)
def test_what_does_not_go_together_is_exit_2(
    shots: Shots, vidspec: Vidspec, project: Path, arguments: tuple[str, ...], message: str
) -> None:
    shots("- {id: a, prompt: a boat}", defaults=WAN)
    ended = vidspec("render", "shots.yaml", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert list(outside(project)) == ["shots.yaml"]
