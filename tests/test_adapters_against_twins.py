"""Our adapters against the twins, over real sockets: two readings of the same documents, written apart.

Lists that use whatever the tables offer are sent, looked at and fetched; then what a twin understood is held
against what the list says. There time jumps, and all clips are one; the rehearsals of the last test draw real ones.
"""

from __future__ import annotations

import json
import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image
from trio.testing import MockClock

from vidspec import clearance, media
from vidspec.history import History
from vidspec.http import open_client
from vidspec.ingredients import data_uri
from vidspec.journal import Journal
from vidspec.lock import Record
from vidspec.project import open_lists, read_lock
from vidspec.providers import PROVIDERS, table
from vidspec.remote import Remote, in_thread
from vidspec.sandbox import open_sandbox
from vidspec.sandbox.films import Film
from vidspec.shape import parse_size
from vidspec.site import Site

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from vidspec.capability import Capability, Mode
    from vidspec.project import Opened
    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.twin import Clip
    from vidspec.take import Take
    from vidspec.wire import Progress

REMOTE = [name for name in PROVIDERS if table(name).key is not None]
PICTURES = {"16:9": "640x360", "9:16": "360x640", "1:1": "400x400"}
"""Pixels of pictures by ratio."""

AS_DOCUMENTED = re.compile(
    # Gately's page has no field that would switch the optimizer off, which MiniMax has on.
    "the prompt was rewritten: `prompt_optimizer` is true where it is not sent"
    # Seedance 1.5 has `adaptive` without a picture too; what comes out of it, no document says.
    "|`adaptive` comes to 16:9: there is no picture to look at"
)
"""What a twin changes although the list has said all that it can."""


class OneFilm:
    """Clips that are all the same one, there at once; the twins' books say what was asked for all the same."""

    def __init__(self, data: bytes, _nursery: trio.Nursery, folder: Path) -> None:
        self._film = Film(path=folder / "clip.mp4", size=len(data))
        self._film.path.write_bytes(data)

    def order(self, clip: Clip) -> Film:
        return self._film


# --- lists that say everything -----------------------------------------------------------------------------


def entries(provider: str) -> Iterator[dict[str, Any]]:
    """Shots that between them use every value that a table offers, model by model and mode by mode."""
    for model in table(provider).models.values():
        for mode, rules in model.capabilities.items():
            settings = {name: values for name, values in offered(rules).items() if values}
            for number in range(max(4, *map(len, settings.values()))):
                name = re.sub(r"[^a-z0-9]+", "-", f"{model.name} {mode} {number}".lower())
                chosen = {  # each setting turns at a pace of its own, so that they meet in ever new ways
                    setting: values[(number + place * (number // len(values))) % len(values)]
                    for place, (setting, values) in enumerate(settings.items())
                }
                yield entry(name, mode, rules, {"model": model.name, **chosen})


def offered(rules: Capability) -> dict[str, list[Any]]:
    """What a mode lets a shot choose, setting by setting."""
    seed, camera, pictures = rules.seed, rules.camera, rules.first_frame or rules.references
    switches = [name for name in ("audio", "watermark", "enhance_prompt") if getattr(rules, name).kind == "switch"]
    moves = list(camera.moves) if camera else []
    return {
        "shape": shapes(rules),
        "duration": lengths(rules),
        "picture": sizes(rules) if rules.shape and rules.shape.follows else [],
        "format": list(pictures.formats or ("png", "jpeg")) if pictures else [],
        "prompt": [1, rules.prompt.max or 4000],
        "fps": list(rules.fps.values) if rules.fps else [],
        "seed": [seed.min or 0, 4711, seed.max or 2**31 - 1] if seed else [],
        **{name: [True, False] for name in switches},
        "camera": [moves[at : at + camera.max] for at in range(0, len(moves), camera.max)] if camera else [],
        "negative_prompt": ["雾", "x" * (rules.negative_prompt.max or 4000)] if rules.negative_prompt else [],
        "options": options(rules),
    }


def shapes(rules: Capability) -> list[tuple[str, str | None]]:
    if rules.shape is None or rules.shape.inherited:
        return []
    return [(tier, ratio) for tier, ratios in rules.shape.tiers.items() for ratio in ratios or (None,)]


def sizes(rules: Capability) -> list[str]:
    """Pixels of first frames, the smallest and slimmest that are taken among them."""
    rule = rules.first_frame or rules.last_frame
    short = max(rule.min_side or 1, rule.min_short_side or 1, 100) if rule else 100
    long = math.floor(short * (rule.max_ratio or 2.5)) if rule else 100
    return [*PICTURES.values(), f"{short}x{long}", f"{long}x{short}"]


def lengths(rules: Capability) -> list[float]:
    found = rules.duration
    if found is None or found.inherited:
        return []
    return list(found.values) or [number for number in (found.min, found.max) if number is not None]


def options(rules: Capability) -> list[dict[str, Any]]:
    usual = {"boolean": (True, False), "string": ("a word",), "integer": (1,), "number": (0.5,)}
    return [{name: value} for name, one in rules.options.items() for value in one.values or usual[one.type]]


def entry(name: str, mode: Mode, rules: Capability, chosen: dict[str, Any]) -> dict[str, Any]:
    """One shot of a list, with the pictures that it needs."""
    tier, ratio = chosen.pop("shape", (None, None))
    size, ending = chosen.pop("picture", PICTURES.get(str(ratio), "640x360")), chosen.pop("format", "png")
    if rules.duration and tier in rules.duration.by_resolution and chosen["duration"] not in by_tier(rules, tier):
        chosen["duration"] = by_tier(rules, tier)[0]
    shape = {"resolution": tier, "aspect_ratio": ratio}
    brackets = f"[{','.join(chosen['camera'])}]" if rules.camera and rules.camera.form == "brackets" else ""
    length = chosen.pop("prompt") - len(brackets)
    made = {"id": name, "prompt": f"a kite 风筝 🪁 over {name}".ljust(length, "x"), **chosen}
    made |= {setting: value for setting, value in shape.items() if value}
    if mode == "remix":
        made["remix_of"] = {"shot": name.replace("remix", "text-to-video")}
    if rules.first_frame:
        exact = rules.shape.tiers[tier][ratio] if rules.first_frame.size == "output" and rules.shape else None
        made["first_frame"] = f"{exact or size}.{ending}"
    if rules.last_frame:
        made["last_frame"] = f"{size}-last.{ending}"
    if rules.references:
        made["references"] = [f"{size}.{ending}" for size in PICTURES.values()][: rules.references.max_count]
        marker = rules.references.marker or ""
        made["prompt"] = "".join(marker.format(n=n + 1) for n in range(len(made["references"]))) + made["prompt"]
    return made


def by_tier(rules: Capability, tier: str) -> tuple[float, ...]:
    return rules.duration.by_resolution[tier] if rules.duration else ()


def draw_pictures(shots: list[dict[str, Any]], folder: Path) -> None:
    """Every picture that a list names, no two alike."""
    frames = [shot[key] for shot in shots for key in ("first_frame", "last_frame") if key in shot]
    names = [*frames, *(name for shot in shots for name in shot.get("references", []))]
    for number, name in enumerate(sorted(set(names))):
        width, height = map(int, name.partition(".")[0].removesuffix("-last").split("x"))
        Image.new("RGB", (width, height), (200, 5 * number, 120)).save(folder / name)


# --- the way there and back --------------------------------------------------------------------------------


def sent(opened: Opened, provider: str, folder: Path) -> tuple[Sandbox, dict[str, str], dict[str, Progress]]:
    """Have every take of a list made; the sandbox, and each take's id and last look."""

    async def main() -> tuple[Sandbox, dict[str, str], dict[str, Progress]]:
        ids: dict[str, str] = {}
        looks: dict[str, Progress] = {}
        async with open_sandbox([provider]) as sandbox, open_client() as client:
            account = clearance.of(opened.shot_list, provider, sandbox.base_url(provider), "sk-a-key-of-ours")
            places = trio.CapacityLimiter(account.max_in_flight)
            with Journal(folder / "journal.jsonl") as journal:
                history = History(folder / "history.json")
                remote = Remote(
                    {provider: account},
                    client=client,
                    journal=journal,
                    history=history,
                    chance=lambda: 1.0,
                    beside=in_thread,
                )

                async def one(take: Take) -> None:
                    record = Record(shot=take.shot, take=1, provider=provider, model=take.model)
                    async with places:
                        flight = await remote.request(take, record, media_of(take, ids, folder), tell)
                        looks[take.slate] = await remote.watch(flight, tell, report)
                    ids[take.slate] = flight.request_id or ""
                    part = folder / f"{take.slate}.part"
                    await remote.fetch(flight, looks[take.slate], part, lambda: None, tell, report)
                    house = sandbox.places[provider].house
                    assert part.read_bytes() == house.data(house.tasks[ids[take.slate]])

                for needing in (False, True):
                    async with trio.open_nursery() as nursery:
                        for take in opened.takes:
                            if bool(take.needs) is needing:
                                nursery.start_soon(one, take)
        return sandbox, ids, looks

    return trio.run(main, clock=MockClock(autojump_threshold=0.005))


def media_of(take: Take, ids: Mapping[str, str], folder: Path) -> dict[tuple[str, int], str]:
    """What a take is made from, as it is sent: pictures as data, and clips by their provider's ids."""
    return {
        (given.setting, given.index): ids[given.frame.slate]
        if given.frame
        else data_uri((folder / str(given.path)).read_bytes())
        for given in take.inputs
    }


def tell(kind: str, slate: str, /, **details: Any) -> None:
    assert kind in ("submitted", "state"), (slate, kind, details)


def report(done: int, of: int) -> None:
    """Nobody is shown how far it is."""


# --- what was understood -----------------------------------------------------------------------------------


def misread(take: Take, clip: Clip, folder: Path) -> Iterator[str]:
    """Where a twin understood something else than the list says."""
    facts = take.facts
    rewritten = facts.get("enhance_prompt", take.provider == "gately") and clip.prompt.startswith(facts["prompt"])
    understood = {
        "prompt": (facts["prompt"] if rewritten else clip.prompt, facts["prompt"]),
        "camera": (list(clip.camera), list(facts.get("camera", []))),
        "seed": (clip.seed, take.seed if take.seed is not None else clip.seed),
        "duration": (clip.duration, facts["duration"]),
        "fps": (clip.fps, facts.get("fps", clip.fps)),
        "pictures": (list(clip.pictures), pictures_of(take, folder)),
    }
    yield from (
        f"{take.slate}: {name}: {got!r:.99}, not {said!r:.99}"
        for name, (got, said) in understood.items()
        if got != said
    )
    if not fits(take, clip.width, clip.height, folder):
        yield f"{take.slate}: {clip.width}x{clip.height} for {dict(facts)}"


def pictures_of(take: Take, folder: Path) -> list[tuple[str, bytes]]:
    parts = {"references": "reference"}
    given = [one for one in take.inputs if one.path]
    return [(parts.get(one.setting, one.setting), (folder / str(one.path)).read_bytes()) for one in given]


def fits(take: Take, width: int, height: int, folder: Path) -> bool:
    """Whether a clip has the size that was asked for; where only tier and ratio were, whether it is near them."""
    facts = take.facts
    if size := parse_size(str(facts.get("size", ""))):
        return (width, height) == size
    across, down = width, height
    if ":" in (ratio := str(facts.get("aspect_ratio"))):
        across, down = map(int, ratio.split(":"))
    elif pictures := [folder / str(given.path) for given in take.inputs]:
        across, down = pixels(pictures[0])
    lines, shape = int(facts["resolution"].removesuffix("p")), max(across / down, down / across)
    is_near = abs(width / height * down / across - 1) < 0.04
    return is_near and 0.99 <= width * height / lines**2 <= max(1.87, 1.05 * shape)


def pixels(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def written(shots: list[dict[str, Any]], provider: str, folder: Path) -> tuple[Path, Opened]:
    """A list, opened, with its pictures beside it."""
    draw_pictures(shots, folder)
    path = folder / "shots.yaml"
    head = {"vidspec": 1, "providers": {provider: {"poll_interval": 60}}, "defaults": {"provider": provider}}
    path.write_text(json.dumps({**head, "shots": shots}, ensure_ascii=False), encoding="utf-8")
    (opened,), _ = open_lists([path], {}, offline=True)
    return path, opened


@pytest.mark.slow
@pytest.mark.parametrize("provider", REMOTE)
def test_whatever_a_table_offers_arrives_as_the_list_says_it(
    provider: str, project: Path, clip: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidspec.sandbox.opened.Films", partial(OneFilm, clip(1)))
    _, opened = written(list(entries(provider)), provider, project)
    sandbox, ids, looks = sent(opened, provider, project)
    house = sandbox.places[provider].house
    assert len(ids) == len(opened.takes) == len(house.tasks)
    wrong = [words for take in opened.takes for words in misread(take, house.tasks[ids[take.slate]].clip, project)]
    assert wrong == []
    assert [change for _, _, change in sandbox.changes() if not AS_DOCUMENTED.fullmatch(change)] == []
    assert {look.seed_used for look in looks.values()} <= {None, *(take.seed for take in opened.takes)}
    assert sum(house.said_no.values()) == 0
    assert sandbox.history.bugs == []


# --- whole films -------------------------------------------------------------------------------------------


def one_of_each(provider: str) -> list[dict[str, Any]]:
    """The first shot of each kind of model and mode: as small and short as comes first."""
    firsts: dict[tuple[str, str], dict[str, Any]] = {}
    for made in entries(provider):
        mode = next(key for key in ("remix_of", "references", "last_frame", "first_frame", "prompt") if key in made)
        firsts.setdefault((re.split("[^A-Za-z]", made["model"])[0], mode), made)
    return list(firsts.values())


@pytest.mark.slow
@pytest.mark.parametrize("provider", [name for name in REMOTE if not table(name).like])
def test_a_rehearsal_delivers_a_clip_of_each_kind_as_it_was_asked_for(
    provider: str, project: Path, vidspec: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    path, opened = written(one_of_each(provider), provider, project)
    done = vidspec("render", path.name, "--rehearse", "--speed", "120x")
    assert done.returncode == 0, done.stdout + done.stderr
    changes = re.findall(r"changed in silence: (.*) \(.*\)", done.stdout)
    assert [change for change in changes if not AS_DOCUMENTED.fullmatch(change)] == []
    lock = read_lock(Site.rehearsal(path).lock)
    for take in opened.takes:
        record = lock.get(take.slate)
        assert record is not None
        assert record.output is not None
        found = media.probe(project / record.output.path)
        assert found.duration == pytest.approx(take.facts["duration"], abs=0.1)
        assert found.fps == pytest.approx(take.facts.get("fps", found.fps))
        assert fits(take, found.width, found.height, project), (take.slate, found)
