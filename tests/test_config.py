from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]

LIST = """
- {id: a, prompt: "{{ weather }} at sea", tags: [night], seed: random, fps: 12}
- {id: b, prompt: two, first_frame: {shot: a}, resolution: 480p, skip: false}
- {id: c, prompt: three, skip: true}
"""
HEAD = "title: Night ferry\nvars: {weather: rain}\n"


def test_a_list_is_shown_as_yaml_with_the_origin_of_each_setting(shots: Shots, vidspec: Vidspec) -> None:
    shots(LIST, HEAD)
    ended = vidspec("config", "shots.yaml")
    assert (ended.returncode, ended.stderr) == (0, "")
    read = yaml.safe_load(ended.stdout)
    assert read["title"] == "Night ferry"
    assert list(read["takes"]) == ["a-t01", "b-t01"]
    assert read["takes"]["a-t01"]["request"] == {
        "mode": "text_to_video", "prompt": "rain at sea", "size": "64x36", "duration": 0.2, "fps": 12,
    }  # fmt: skip
    lines = {line.strip() for line in ended.stdout.splitlines()}
    assert 'mode: "text_to_video"  # derived' in lines
    assert "fps: 12" in lines
    assert "duration: 0.2  # defaults, line 4" in lines
    assert "seed: null  # drawn at the first render" in lines
    assert any(line.startswith('size: "854x480"  # follows from the above') for line in lines)


def test_a_default_of_the_table_is_named_as_such(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x}", defaults="{provider: animatic}")
    out = vidspec("config", "shots.yaml").stdout
    assert "duration: 5  # animatic's default" in out
    assert 'size: "1280x720"  # animatic\'s default' in out


def test_the_json_holds_what_would_be_sent(shots: Shots, vidspec: Vidspec) -> None:
    shots(LIST, HEAD)
    value = json.loads(vidspec("config", "shots.yaml", "--json", "--var", "weather=fog").stdout)
    assert value["vidspec_json"] == 1
    first, second = value["takes"]
    assert first["request"]["prompt"] == "fog at sea"
    assert (first["seed"], first["seed_rule"]) == (None, "random")
    assert second["needs"] == ["a-t01"]
    assert second["fingerprint"].startswith("sha256:")


def test_one_shot_can_be_asked_for(shots: Shots, vidspec: Vidspec) -> None:
    shots(LIST, HEAD)
    assert list(yaml.safe_load(vidspec("config", "shots.yaml", "--shot", "b").stdout)["takes"]) == ["b-t01"]


def test_several_shots_can_be_asked_for_and_each_must_have_takes(shots: Shots, vidspec: Vidspec) -> None:
    shots(LIST, HEAD)
    out = vidspec("config", "shots.yaml", "--shot", "b", "--shot", "a").stdout
    assert {slate.partition("-")[0] for slate in yaml.safe_load(out)["takes"]} == {"a", "b"}
    ended = vidspec("config", "shots.yaml", "--shot", "b", "--shot", "zzz")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "there is no shot `zzz`" in ended.stderr


@pytest.mark.parametrize(
    ("shot", "message"),
    [
        ("B", "there is no shot `B`; the nearest is `b`"),
        ("zzz", "there is no shot `zzz`"),
        ("c", "the shot `c` is skipped, so it has no takes"),
    ],
)
def test_a_shot_that_has_no_takes_is_exit_2(shots: Shots, vidspec: Vidspec, shot: str, message: str) -> None:
    shots(LIST, HEAD)
    ended = vidspec("config", "shots.yaml", "--shot", shot)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"error: {message}\n")


def test_a_list_that_is_wrong_is_exit_2(shots: Shots, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: x, durration: 2}")
    ended = vidspec("config", "shots.yaml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "shots.yaml:4:" in ended.stderr
