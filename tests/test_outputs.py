"""Where clips may go, and that no two takes write one file."""

from __future__ import annotations

import pytest

from vidspec.outputs import DEFAULT, Outputs
from vidspec.take import Take, slate


def take(output: str, shot: str = "s010", number: int = 1) -> Take:
    return Take(
        slate=slate(shot, number),
        shot=shot,
        number=number,
        scene=None,
        tags=(),
        provider="animatic",
        model="animatic",
        mode="text_to_video",
        request={},
        defaulted=frozenset(),
        seed=None,
        seed_rule="none",
        inputs=(),
        output=output,
        variables={},
    )


def codes(outputs: Outputs, taken: Take, *, folder: str = "/film", of: str = "shots.yaml") -> list[str]:
    return [problem.code for problem in outputs.problems(taken, folder=folder, of=of)]


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("a.mp4", id="a name"),
        pytest.param("renders/s010/s010-t01.mp4", id="a path"),
        pytest.param("./a.mp4", id="from here"),
        pytest.param("a/../b.mp4", id="there and back"),
        pytest.param("码头/镜头 一.mp4", id="any script, blanks"),
        pytest.param("..a.mp4", id="two dots that begin a name"),
        pytest.param(".hidden/a.mp4", id="a hidden folder"),
        pytest.param(f"{'x' * 251}.mp4", id="the longest name"),
    ],
)
def test_an_output_is_a_path_inside_the_project(output: str) -> None:
    assert codes(Outputs(), take(output)) == []


@pytest.mark.parametrize(
    "output",
    [
        pytest.param("", id="nothing"),
        pytest.param(".mp4", id="only an ending"),
        pytest.param("a/.mp4", id="only an ending in a folder"),
        pytest.param("a.MP4", id="another ending"),
        pytest.param("a.mp4/", id="a folder"),
        pytest.param("/a.mp4", id="from the root"),
        pytest.param("../a.mp4", id="above"),
        pytest.param("a/../../b.mp4", id="above by a way round"),
        pytest.param("a\\b.mp4", id="a backslash"),
        pytest.param("a\nb.mp4", id="a line break"),
        pytest.param("a\0b.mp4", id="a null byte"),
        pytest.param(".vidspec/a.mp4", id="vidspec's own folder"),
        pytest.param("x/../.VidSpec/a.mp4", id="the same in another case, by a way round"),
        pytest.param(".git/a.mp4", id="the repository's own folder"),
        pytest.param(f"{'x' * 252}.mp4", id="a name too long"),
        pytest.param(f"{'码' * 84}.mp4", id="a name too long in bytes"),
    ],
)
def test_an_output_that_may_not_stand_there_is_an_error(output: str) -> None:
    outputs = Outputs()
    assert codes(outputs, take(output)) == ["E223"]
    assert codes(outputs, take(output, "s020")) == ["E223"]  # and not a second writer of it as well


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("a.mp4", "a.mp4", id="one path"),
        pytest.param("a.mp4", "A.mp4", id="in another case"),
        pytest.param("a/b.mp4", "./a//c/../b.mp4", id="by a way round"),
        pytest.param("straße.mp4", "STRASSE.mp4", id="in another case of another script"),
    ],
)
def test_two_takes_may_not_write_one_output(one: str, other: str) -> None:
    outputs = Outputs()
    assert codes(outputs, take(one)) == []
    assert codes(outputs, take(other, "s020")) == ["E222"]
    assert codes(outputs, take(one)) == []  # the first still may


def test_two_takes_of_one_shot_may_not_write_one_output() -> None:
    outputs = Outputs()
    assert codes(outputs, take("a.mp4")) == []
    assert codes(outputs, take("a.mp4", number=2)) == ["E222"]


def test_lists_of_one_project_share_their_outputs_and_lists_of_two_do_not() -> None:
    outputs = Outputs()
    assert codes(outputs, take("a.mp4"), of="one.yaml") == []
    assert codes(outputs, take("a.mp4"), of="two.yaml") == ["E222"]
    assert codes(outputs, take("a.mp4"), folder="/other", of="three.yaml") == []


def test_a_project_inside_another_shares_the_folder() -> None:
    outputs = Outputs()
    assert codes(outputs, take("part/a.mp4"), folder="/film", of="one.yaml") == []
    assert codes(outputs, take("a.mp4"), folder="/film/part", of="two.yaml") == ["E222"]


def test_the_default_names_shot_and_slate() -> None:
    assert DEFAULT == "renders/{{ shot.id }}/{{ slate }}.mp4"
