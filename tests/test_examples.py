"""The examples: right as they stand, rendered whole, and as good as what they teach."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from vidspec import budget, media
from vidspec.commands import render
from vidspec.console import Console
from vidspec.picture import look
from vidspec.production import Options
from vidspec.project import Opened, diagnose, read_lock
from vidspec.providers import PROVIDERS

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("quickstart", "night-ferry")
LEFT_BY_RENDERING = shutil.ignore_patterns("renders", ".vidspec", "*.lock")

every_example = pytest.mark.parametrize("name", NAMES)


def opened(name: str) -> Opened:
    """The list of an example, resolved."""
    _, (one,) = diagnose([EXAMPLES / name / "shots.yaml"], {})
    return one


def lists(name: str) -> dict[str, str]:
    """The text of every file of an example that belongs to its shot list."""
    found = {path.name: path.read_text("utf-8") for path in sorted((EXAMPLES / name).glob("*.yaml"))}
    return {file: text for file, text in found.items() if "vidspec_faults:" not in text}


def rendered(shot_list: Path, *, draft: bool = False) -> str:
    """Render a list; return the last words."""
    stream = io.StringIO()
    code = render.run(
        shot_list,
        variables={},
        options=Options(draft=draft),
        console=Console(stream, colour=False),
    )
    assert code == 0, stream.getvalue()
    return stream.getvalue()


def measured(clip: Path) -> tuple[int, int, float, int]:
    """Width, height, frames a second, frames."""
    found = media.probe(clip)
    return found.width, found.height, round(found.fps, 3), found.frames


def standing(folder: Path) -> dict[str, tuple[int, int]]:
    """When each clip of a folder was written, and which file on the disk it is."""
    clips = folder.rglob("*.mp4")
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in clips}


def copied(name: str, folder: Path) -> Path:
    """A copy of an example to render in."""
    return Path(shutil.copytree(EXAMPLES / name, folder / name, ignore=LEFT_BY_RENDERING))


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart, rendered."""
    project = copied("quickstart", tmp_path_factory.mktemp("rendered"))
    assert rendered(project / "shots.yaml").startswith("done: 6 takes rendered in ")
    return project


# As they stand


def test_there_are_no_other_examples() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/shots.yaml")} == set(NAMES)


def test_nothing_is_wrong_or_doubtful_in_the_quickstart() -> None:
    found, _ = diagnose([EXAMPLES / "quickstart" / "shots.yaml"], {})
    assert found == []


def test_nothing_is_wrong_in_night_ferry_and_only_the_end_of_sora_is_doubtful() -> None:
    found, _ = diagnose([EXAMPLES / "night-ferry" / "shots.yaml"], {})
    assert {(one.code, one.shot) for one in found} <= {("W601", "s090"), ("W601", "s100")}


@every_example
def test_the_schema_line_of_each_list_leads_to_the_schema_of_this_repository(name: str) -> None:
    for file, text in lists(name).items():
        match = re.match(r"# yaml-language-server: \$schema=(\S+?)(#/\$defs/included)?\n", text)
        assert match, file
        assert (EXAMPLES / name / match[1]).resolve() == EXAMPLES.parent / "schemas" / "shotlist.schema.json"
        assert (match[2] is None) == (file == "shots.yaml")


@every_example
def test_lines_are_short_and_nothing_hangs_over(name: str) -> None:
    for path in (EXAMPLES / name).rglob("*.*"):
        if path.suffix in (".yaml", ".md"):
            lines = path.read_text("utf-8").splitlines()
            assert [line for line in lines if len(line) > 116 or line != line.rstrip()] == []


@every_example
def test_every_prompt_is_one_paragraph_that_says_something(name: str) -> None:
    for take in opened(name).takes:
        prompt = take.request["prompt"]
        assert len(prompt) > 100, take.slate
        assert not re.search(r"\n|  |[{}]| [,.;:]|\.\.|,,", prompt), take.slate


@every_example
def test_every_variable_is_used(name: str) -> None:
    one = opened(name)
    text = "\n".join(lists(name).values())
    names = [key for layer in one.shot_list.layers("vars") for key in layer.mapping]
    assert names
    assert [key for key in names if not re.search(rf"\{{\{{ {key}\b", text)] == []


@every_example
def test_every_picture_is_used_is_opaque_and_is_small(name: str) -> None:
    used = {given.path for take in opened(name).takes for given in take.inputs if given.path}
    pictures = {path.relative_to(EXAMPLES / name).as_posix() for path in (EXAMPLES / name / "frames").iterdir()}
    assert used == pictures
    for picture in pictures:
        found = look(EXAMPLES / name / picture, picture)
        assert not found.alpha
        assert found.bytes < (300_000 if name == "quickstart" else 400_000)


def test_the_quickstart_needs_no_key_and_costs_nothing() -> None:
    one = opened("quickstart")
    assert {take.provider for take in one.takes} == {"animatic"}
    assert {planned.cost.amount for planned in one.plan().takes if planned.cost} == {0.0}


def test_the_quickstart_shows_what_the_language_has() -> None:
    text = lists("quickstart")["shots.yaml"]
    for key in ("vars", "defaults", "takes", "matrix", "scene", "tags", "notes", "camera", "last_frame"):
        assert re.search(rf"^ *{key}:", text, re.MULTILINE), key
    assert "{% if " in text
    assert "{shot: s030, at: last}" in text
    one = opened("quickstart")
    assert [take.slate for take in one.takes] == [
        "s010-t01", "s010-t02", "s020-rain-t01", "s020-moon-t01", "s030-t01", "s040-t01",
    ]  # fmt: skip


def test_night_ferry_has_twelve_shots_over_all_remote_providers_and_in_every_mode() -> None:
    one = opened("night-ferry")
    assert list(one.resolution.shots) == [f"s{number:03}" for number in range(10, 130, 10)]
    assert {take.provider for take in one.takes} == set(PROVIDERS) - {"animatic"}
    assert {take.mode for take in one.takes} == {
        "text_to_video", "image_to_video", "first_last_frame", "reference_to_video", "remix",
    }  # fmt: skip
    assert len({take.scene for take in one.takes}) == 5


@pytest.mark.parametrize(
    ("slate", "provider", "model", "mode"),
    [
        ("s010-t01", "minimax", "MiniMax-Hailuo-2.3", "text_to_video"),
        ("s020-t01", "siliconflow", "Wan-AI/Wan2.2-T2V-A14B", "text_to_video"),
        ("s030-t01", "leapx", "doubao-seedance-1-0-lite-i2v-250428", "reference_to_video"),
        ("s040-t01", "yutoai", "wanx2.1-t2v-turbo", "text_to_video"),
        ("s050-t01", "yutoai", "wan2.2-i2v-flash", "image_to_video"),
        ("s060-t01", "gately", "I2V-01-Director", "image_to_video"),
        ("s070-t02", "nebula", "veo-3.0-generate-001", "text_to_video"),
        ("s080-t01", "nebula", "wan2.5-i2v-preview", "image_to_video"),
        ("s090-t01", "nebula", "sora-2", "image_to_video"),
        ("s100-t01", "nebula", "sora-2", "remix"),
        ("s110-t01", "yutoai", "wanx2.1-kf2v-plus", "first_last_frame"),
        ("s120-t01", "minimax", "MiniMax-Hailuo-02", "first_last_frame"),
    ],
)
def test_a_shot_of_night_ferry_is_for_its_model(slate: str, provider: str, model: str, mode: str) -> None:
    take = next(take for take in opened("night-ferry").takes if take.slate == slate)
    assert (take.provider, take.model, take.mode) == (provider, model, mode)


def test_night_ferry_holds_a_chain_of_three_shots() -> None:
    needs = {take.slate: take.needs for take in opened("night-ferry").takes}
    assert needs["s060-t01"] == ("s050-t01",)
    assert needs["s050-t01"] == ("s040-t01",)
    assert needs["s040-t01"] == ()


def test_night_ferry_holds_a_remix_and_a_key_frame_that_two_shots_share() -> None:
    takes = {take.slate: take for take in opened("night-ferry").takes}
    assert (takes["s100-t01"].mode, takes["s100-t01"].needs) == ("remix", ("s090-t01",))
    before, after = takes["s110-t01"], takes["s120-t01"]
    assert before.request["last_frame"] == after.request["first_frame"]
    assert before.needs == after.needs == ()


def test_night_ferry_stays_within_its_budget_and_names_every_currency() -> None:
    one = opened("night-ferry")
    known = budget.totals(planned.cost for planned in one.plan().takes)
    assert list(budget.excesses(one.shot_list.budget, known)) == []
    assert set(known) == set(one.shot_list.budget or ()) == {"usd", "cny"}
    assert known["usd"] > 2


def test_the_placeholders_of_night_ferry_lead_nowhere() -> None:
    accounts = opened("night-ferry").shot_list.accounts()
    addresses = [place["base_url"].mapping["base_url"] for place in accounts.values() if "base_url" in place]
    assert len(addresses) == 3
    assert [url for url in addresses if not re.fullmatch(r"https://api\.[a-z]+\.example/v1", url)] == []


# Rendered


@pytest.mark.slow
def test_the_quickstart_renders_as_asked_and_records_every_take(quickstart: Path) -> None:
    lock = read_lock(quickstart / "shots.lock")
    frames = {"s010": 48, "s020-rain": 48, "s020-moon": 48, "s030": 72, "s040": 72}
    for take in opened("quickstart").takes:
        record = lock.get(take.slate)
        assert record, take.slate
        assert record.output, take.slate
        assert record.output.path == f"renders/{take.shot}/{take.slate}.mp4"
        assert measured(quickstart / record.output.path) == (1280, 720, 24.0, frames[take.shot])


@pytest.mark.slow
def test_a_second_render_of_the_quickstart_keeps_everything(quickstart: Path) -> None:
    lock = quickstart / "shots.lock"
    before, text = standing(quickstart / "renders"), lock.read_text("utf-8")
    assert rendered(quickstart / "shots.yaml").startswith("done: 6 takes kept")
    assert standing(quickstart / "renders") == before
    assert lock.read_text("utf-8") == text


@pytest.mark.slow
def test_the_last_shot_of_the_quickstart_goes_on_from_the_one_before_and_ends_with_its_picture(
    quickstart: Path,
) -> None:
    record = read_lock(quickstart / "shots.lock").get("s040-t01")
    assert record
    assert record.frames
    assert record.frames["first_frame"]["slate"] == "s030-t01"
    with Image.open(quickstart / "frames" / "dawn.png") as picture:
        wanted = middle(picture)
    with Image.open(io.BytesIO(media.frame(quickstart / "renders/s040/s040-t01.mp4", "last"))) as picture:
        shown = middle(picture)
    distances = [abs(one - other) for one, other in zip(wanted, shown, strict=True)]
    assert sum(distances) / len(distances) < 4


def middle(picture: Image.Image) -> bytes:
    """The levels of a 720p picture where nothing is written over it, coarsely."""
    return picture.convert("RGB").crop((300, 200, 1100, 480)).resize((80, 28)).tobytes()


DRAFTS = {
    "s010-t01": (1366, 768, 24.0, 144),
    "s020-t01": (1280, 720, 16.0, 80),
    "s030-t01": (1280, 720, 24.0, 120),
    "s040-t01": (1280, 720, 24.0, 120),
    "s050-t01": (1280, 720, 24.0, 120),
    "s060-t01": (1280, 720, 24.0, 144),
    "s070-t01": (1280, 720, 24.0, 96),
    "s070-t02": (1280, 720, 24.0, 96),
    "s080-t01": (1280, 720, 24.0, 120),
    "s090-t01": (1280, 720, 24.0, 96),
    "s100-t01": (1280, 720, 24.0, None),  # a remix: as long as its clip, which no setting says
    "s110-t01": (1280, 720, 24.0, 120),
    "s120-t01": (1366, 768, 24.0, 144),
}


@pytest.mark.slow
def test_night_ferry_is_drafted_whole_beside_the_real_outputs(tmp_path: Path) -> None:
    project = copied("night-ferry", tmp_path)
    shot_list = project / "shots.yaml"
    assert rendered(shot_list, draft=True).startswith("done: 13 takes rendered in ")
    drafts = project / ".vidspec" / "drafts"
    assert {path.stem for path in drafts.glob("*.mp4")} == set(DRAFTS)
    for slate, (width, height, fps, frames) in DRAFTS.items():
        found = measured(drafts / f"{slate}.mp4")
        assert found == (width, height, fps, frames if frames is not None else found[3]), slate
    assert not (project / "shots.lock").exists()
    assert not (project / "renders").exists()

    before = standing(drafts)
    assert rendered(shot_list, draft=True).startswith("done: 13 takes kept")
    assert standing(drafts) == before
