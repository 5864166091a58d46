from __future__ import annotations

import dataclasses
import io
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from vidspec import media
from vidspec.animatic import Drawing, draw, still
from vidspec.animatic.background import background_of
from vidspec.animatic.camera import MOVES, Camera
from vidspec.animatic.drawing import rate_of
from vidspec.animatic.layout import overlay_of
from vidspec.animatic.lettering import NOTO, ROBOTO, Typeface, fit, has_glyph, legible, length, runs, shorten, wrap
from vidspec.animatic.overlay import timecode
from vidspec.animatic.palette import DARK, PALETTES
from vidspec.animatic.scenery import MOTIFS
from vidspec.animatic.scenery import asked as motifs_asked
from vidspec.errors import MediaError

GOLDEN = Path(__file__).parent / "golden" / "animatic"
PLAIN = Drawing(slate="s010-t02", prompt="", label="animatic", seed=7, width=160, height=90, fps=12, duration=1)
WORDS = {
    "hills": "mountain", "sea": "sea", "winter": "snow", "wood": "forest", "skyline": "city", "rain": "rain",
    "moon": "moon", "aurora": "aurora", "orbits": "space",
}  # fmt: skip
LONG = ("The ferry leaves the pier while the rain runs down the glass of the wheelhouse. " * 30)[:2000]


def changed(**settings: object) -> Drawing:
    return dataclasses.replace(PLAIN, **settings)  # type: ignore[arg-type]


def encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    target = io.BytesIO()
    picture.save(target, kind)
    return target.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of the levels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def background(drawing: Drawing, done: float) -> Image.Image:
    return background_of(drawing).frame(done, done * drawing.duration)


def lettered(drawing: Drawing) -> Image.Image:
    """Nothing but the lettering, on mid-grey."""
    canvas = Image.new("RGB", (drawing.width, drawing.height), (90, 90, 90))
    overlay_of(drawing, (255, 180, 80)).lay(canvas, 0, 12)
    return canvas


def marked(at: tuple[int, int] = (160, 90), size: tuple[int, int] = (320, 180)) -> bytes:
    """A white block of 40x40 on black."""
    picture = Image.new("RGB", size)
    picture.paste((255, 255, 255), (at[0] - 20, at[1] - 20, at[0] + 20, at[1] + 20))
    return encoded(picture)


def block(picture: Image.Image) -> tuple[float, float, float]:
    """Where the middle of the white block is, and how wide it is."""
    box = picture.convert("L").point(lambda level: 255 if level > 127 else 0).getbbox()
    assert box
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0]


def moved(move: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The block at the beginning and at the end of a shot that begins with its picture."""
    drawing = changed(width=320, height=180, first_frame=marked(), camera=(move,))
    return block(background(drawing, 0.0)), block(background(drawing, 1.0))


# The clip


@pytest.mark.parametrize(
    ("fps", "rate", "duration", "frames"),
    [
        pytest.param(23.976, Fraction(24000, 1001), 2, 48, id="23.976"),
        pytest.param(29.97, Fraction(30000, 1001), 1, 30, id="29.97"),
        pytest.param(59.94, Fraction(60000, 1001), 0.5, 30, id="59.94"),
        pytest.param(30, Fraction(30), 1.5, 45, id="30"),
        pytest.param(60, Fraction(60), 0.25, 15, id="60"),
        pytest.param(12, Fraction(12), 0.01, 1, id="12, shorter than a frame"),
        pytest.param(24, Fraction(24), 5.04, 121, id="24"),
    ],
)
def test_size_rate_and_length_are_as_asked(
    tmp_path: Path, fps: float, rate: Fraction, duration: float, frames: int
) -> None:
    drawing = changed(width=66, height=50, fps=fps, duration=duration)
    draw(drawing, tmp_path / "a.mp4")
    found = media.probe(tmp_path / "a.mp4")
    assert (found.width, found.height, found.frames, found.codec) == (66, 50, frames, "h264")
    assert drawing.rate == rate
    assert found.fps == pytest.approx(float(rate), abs=1e-6)
    assert found.duration == pytest.approx(frames / float(rate), abs=0.001)


@pytest.mark.parametrize(
    ("fps", "rate"),
    [(25, Fraction(25)), (12.5, Fraction(25, 2)), (23.98, Fraction(24000, 1001)), (119.88, Fraction(120000, 1001))],
)
def test_a_rounded_rate_means_the_exact_one(fps: float, rate: Fraction) -> None:
    assert rate_of(fps) == rate


def test_the_same_drawing_gives_the_same_bytes(tmp_path: Path) -> None:
    drawing = changed(prompt="rain on the pier", camera=("shake", "push in"), references=(marked(),))
    draw(drawing, tmp_path / "a.mp4")
    draw(drawing, tmp_path / "b.part")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.part").read_bytes()


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    drawings = [changed(prompt=word) for word in WORDS.values()]
    alone = []
    for drawing in drawings:
        draw(drawing, tmp_path / "alone.mp4")
        alone.append((tmp_path / "alone.mp4").read_bytes())
    paths = [tmp_path / f"{number}.mp4" for number in range(len(drawings))]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(draw, drawings, paths))
    assert [path.read_bytes() for path in paths] == alone


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    draw(changed(duration=2), tmp_path / "a.mp4", progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 24), (8, 24), (16, 24), (24, 24)]


def test_what_progress_raises_stops_the_drawing(tmp_path: Path) -> None:
    def cancel(done: int, total: int) -> None:
        if done:
            raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        draw(changed(duration=600), tmp_path / "a.mp4", progress=cancel)


@pytest.mark.parametrize("name", WORDS)
def test_every_motif_looks_as_it_did(tmp_path: Path, name: str) -> None:
    assert difference(golden_frame(tmp_path, name), decoded((GOLDEN / f"{name}.png").read_bytes())) < 4


def golden_frame(folder: Path, name: str) -> Image.Image:
    """A frame through the codec, small enough for the repository."""
    drawing = changed(
        prompt=WORDS[name], title="Night ferry", scene="harbour", width=480, height=270, duration=0.25, note="draft"
    )
    draw(drawing, folder / "a.mp4")
    return decoded(media.frame(folder / "a.mp4", "last")).resize((160, 90), Image.Resampling.BOX)


# Chance and motifs


def test_two_seeds_look_different() -> None:
    assert difference(background(changed(seed=7), 0), background(changed(seed=8), 0)) > 12


@pytest.mark.parametrize("word", [*WORDS.values(), ""])
def test_neighbouring_takes_of_a_shot_are_told_apart(word: str) -> None:
    takes = [background(changed(prompt=word, seed=seed), 0) for seed in range(20, 24)]
    assert min(difference(one, other) for one, other in pairwise(takes)) > 8


def test_takes_without_a_seed_are_told_apart_by_their_slates() -> None:
    one, other = changed(seed=None, slate="s010-t01"), changed(seed=None, slate="s010-t02")
    assert difference(background(one, 0), background(other, 0)) > 12


def test_two_prompts_look_different() -> None:
    one, other = changed(prompt="a quiet kitchen"), changed(prompt="two men argue")
    assert difference(background(one, 0), background(other, 0)) > 12


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        pytest.param("It RAINS? No: raining, on a train", ["rain"], id="whole words in any case"),
        pytest.param("Two ferries and a boat", ["sea"], id="English"),
        pytest.param("雪夜的城市", ["winter", "skyline", "moon"], id="Chinese"),
        pytest.param("a quiet kitchen", [], id="none"),
    ],
)
def test_the_prompt_s_words_narrow_the_motifs_down(prompt: str, names: list[str]) -> None:
    found = [motif.draw.__name__ for motif in motifs_asked(prompt)]
    assert [name for name in names if name not in found] == []
    assert bool(found) == bool(names)


def test_the_background_moves() -> None:
    for word in WORDS.values():
        drawing = changed(prompt=word, duration=4)
        assert difference(background(drawing, 0), background(drawing, 1)) > 0.4, word


def test_every_motif_has_more_than_one_palette() -> None:
    assert all(len(motif.palettes) > 1 for motif in MOTIFS)
    assert len({palette.name for palette in PALETTES + DARK}) == len(PALETTES + DARK)


@pytest.mark.parametrize("word", WORDS.values())
@pytest.mark.parametrize("size", [(2, 2), (16, 64), (64, 16), (90, 160), (256, 108), (250, 250)], ids=str)
def test_every_motif_can_be_of_any_shape(word: str, size: tuple[int, int]) -> None:
    drawing = changed(prompt=word, width=size[0], height=size[1], camera=("pull out", "tilt down", "truck left"))
    picture = background(drawing, 0.3)
    overlay_of(drawing, (255, 255, 255)).lay(picture, 3, 12)
    assert picture.size == size


def test_a_still_has_no_lettering() -> None:
    drawing = changed(prompt="sea", width=320, height=180)
    picture = decoded(still(drawing))
    assert (picture.size, difference(picture, background(drawing, 0))) == ((320, 180), 0)


# The camera


@pytest.mark.parametrize(
    ("move", "direction"),
    [("pan right", -1), ("truck right", -1), ("tracking shot", -1), ("pan left", 1), ("truck left", 1)],
)
def test_the_picture_slides_against_the_camera(move: str, direction: int) -> None:
    before, after = moved(move)
    assert direction * (after[0] - before[0]) > 20
    assert abs(after[1] - before[1]) < 3


@pytest.mark.parametrize(
    ("move", "direction"), [("tilt up", 1), ("pedestal up", 1), ("tilt down", -1), ("pedestal down", -1)]
)
def test_the_picture_rises_and_sinks_against_the_camera(move: str, direction: int) -> None:
    before, after = moved(move)
    assert direction * (after[1] - before[1]) > 20
    assert after[0] == pytest.approx(before[0], abs=2)


@pytest.mark.parametrize("move", ["push in", "zoom in"])
def test_nearing_begins_on_the_whole_picture_and_enlarges_it(move: str) -> None:
    before, after = moved(move)
    assert before == pytest.approx((160, 90, 40), abs=1.5)
    assert 1.2 < after[2] / before[2] < 1.5
    assert after[:2] == pytest.approx((160, 90), abs=1.5)


@pytest.mark.parametrize("move", ["pull out", "zoom out"])
def test_drawing_back_begins_on_the_whole_picture_and_makes_it_smaller(move: str) -> None:
    before, after = moved(move)
    assert before == pytest.approx((160, 90, 40), abs=1.5)
    assert 1.2 < before[2] / after[2] < 1.5
    assert after[:2] == pytest.approx((160, 90), abs=1.5)


def test_what_drawing_back_shows_beside_a_picture_is_the_picture_in_a_mirror() -> None:
    drawing = changed(width=320, height=180, first_frame=marked(at=(25, 60)), camera=("pull out",))
    end = background(drawing, 1.0).convert("L").point(lambda level: 255 * (level > 127))
    row = [end.getpixel((x, 68)) for x in range(320)]
    starts = [x for x in range(1, 320) if row[x] and not row[x - 1]]
    middle = 160 - 160 / 1.32  # the left edge of the picture
    assert len(starts) == 2
    assert starts[1] + 15 == pytest.approx(middle + 25 / 1.32, abs=2)
    assert starts[0] + 15 == pytest.approx(middle - 25 / 1.32, abs=2)


@pytest.mark.parametrize(
    "moves",
    [*[(move,) for move in MOVES], ("pull out", "pedestal up"), ("pan left", "zoom out", "shake"), MOVES],
    ids=str,
)
def test_whatever_the_camera_does_then_a_shot_begins_with_just_its_picture(moves: tuple[str, ...]) -> None:
    begin = photograph((200, 60, 40))
    drawing = changed(width=320, height=180, first_frame=encoded(begin), camera=moves, duration=4)
    assert difference(background(drawing, 0.0), begin) < 0.5
    step = background_of(drawing).frame(1 / 95, 1 / 24)
    assert difference(step, background(drawing, 0.0)) < 1.5


def test_moves_combine() -> None:
    drawing = changed(width=320, height=180, first_frame=marked(), camera=("push in", "pan right", "tilt up"))
    before, after = block(background(drawing, 0)), block(background(drawing, 1))
    assert after[0] < before[0] - 15
    assert after[1] > before[1] + 15
    assert after[2] > before[2] * 1.2


def test_a_static_shot_holds_its_picture() -> None:
    drawing = changed(first_frame=marked(size=(160, 90), at=(80, 45)), camera=("static shot",))
    frames = [background(drawing, done) for done in (0, 0.5, 1)]
    assert difference(frames[0], frames[1]) == difference(frames[0], frames[2]) == 0
    assert block(frames[0]) == (80, 45, 40)


def test_without_a_move_a_picture_begins_whole_and_comes_slowly_nearer() -> None:
    drawing = changed(width=320, height=180, first_frame=marked())
    before, after = block(background(drawing, 0)), block(background(drawing, 1))
    assert before == pytest.approx((160, 90, 40), abs=1)
    assert 1.0 < after[2] / before[2] < 1.1


def test_a_shaken_camera_trembles_a_little_and_always_alike() -> None:
    drawing = changed(width=320, height=180, first_frame=marked(), camera=("shake",), duration=2)
    places = [block(background(drawing, done / 10))[:2] for done in range(10)]
    assert len(set(places)) > 4
    assert all(abs(x - 160) < 12 and abs(y - 90) < 12 for x, y in places)
    assert places == [block(background(drawing, done / 10))[:2] for done in range(10)]


@pytest.mark.parametrize(
    "moves", [*[(move,) for move in MOVES], ("pan left", "truck left", "shake"), MOVES], ids=str
)
def test_only_drawing_back_shows_what_is_outside_of_the_picture_and_no_more_than_its_border(
    moves: tuple[str, ...],
) -> None:
    camera = Camera(moves, PLAIN.chance("camera"))
    back = {"pull out", "zoom out"} & set(moves) and not {"push in", "zoom in"} & set(moves)
    assert (camera.border > 0) == bool(back)
    for step in range(101):
        left, top, right, end = camera.box(step / 100, step / 20)
        assert min(left, top) >= -camera.border - 1e-9
        assert max(right, end) <= 1 + camera.border + 1e-9
        assert right - left == pytest.approx(end - top)
        assert right - left > 0.3


@pytest.mark.parametrize("moves", [*[(move,) for move in MOVES], MOVES], ids=str)
def test_every_camera_begins_with_the_whole_of_a_picture(moves: tuple[str, ...]) -> None:
    assert Camera(moves, PLAIN.chance("camera")).box(0.0, 0.0) == (0, 0, 1, 1)


def test_the_camera_moves_in_a_drawn_scene_too() -> None:
    calm = changed(prompt="mountain", width=320, height=180)
    for move in ("pan right", "tilt up", "push in", "truck left"):
        assert difference(background(calm, 1), background(dataclasses.replace(calm, camera=(move,)), 1)) > 1.5, move


def test_a_move_speeds_up_and_slows_down() -> None:
    camera = Camera(("pan right",), PLAIN.chance("camera"))
    places = [camera.view(step / 10, 0).x for step in range(11)]
    steps = [after - before for before, after in pairwise(places)]
    assert all(step > 0 for step in steps)
    assert max(steps[0], steps[-1]) < steps[5] / 2


# First and last frames


def photograph(colour: tuple[int, int, int], size: tuple[int, int] = (320, 180)) -> Image.Image:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    return Image.blend(picture, Image.new("RGB", size, colour), 0.6)


@pytest.mark.parametrize("first", [pytest.param(True, id="from a picture"), pytest.param(False, id="from a scene")])
def test_the_last_frame_is_reached(tmp_path: Path, first: bool) -> None:
    end = photograph((40, 160, 90))
    drawing = changed(
        width=320,
        height=180,
        last_frame=encoded(end),
        first_frame=encoded(photograph((200, 60, 40))) if first else None,
    )
    draw(drawing, tmp_path / "a.mp4")
    upper = (0, 0, 320, 100)  # above the lettering
    last = decoded(media.frame(tmp_path / "a.mp4", "last")).crop(upper)
    early = decoded(media.frame(tmp_path / "a.mp4", 0.3)).crop(upper)
    assert difference(last, end.crop(upper)) < 3
    assert difference(early, end.crop(upper)) > 20


def test_the_last_frame_is_exactly_the_picture_before_it_is_lettered() -> None:
    end = photograph((40, 160, 90))
    drawing = changed(width=320, height=180, last_frame=encoded(end), camera=("push in",))
    assert difference(background(drawing, 1.0), end) == 0


def test_the_first_frame_is_seen_in_its_own_colours(tmp_path: Path) -> None:
    begin = photograph((200, 60, 40))
    drawing = changed(width=320, height=180, first_frame=encoded(begin, "JPEG"))
    draw(drawing, tmp_path / "a.mp4")
    seen = decoded(media.frame(tmp_path / "a.mp4", "first"))
    assert difference(seen.crop((0, 0, 320, 100)), begin.crop((0, 0, 320, 100))) < 3


def test_a_picture_of_another_shape_fills_the_frame_from_its_middle() -> None:
    tall = Image.new("RGB", (100, 400), (255, 0, 0))
    tall.paste((0, 255, 0), (0, 150, 100, 250))
    drawing = changed(first_frame=encoded(tall), camera=("static shot",))
    assert background(drawing, 0).getpixel((80, 45)) == (0, 255, 0)


def test_references_are_shown_small() -> None:
    drawing = changed(width=480, height=270)
    red = encoded(Image.new("RGB", (50, 50), (255, 0, 0)))
    with_red = dataclasses.replace(drawing, references=(red,) * 6)
    changes = ImageChops.difference(lettered(drawing), lettered(with_red)).convert("L")
    box = changes.point(lambda level: 255 if level > 40 else 0).getbbox()
    assert box
    assert box[0] > 240
    assert box[3] < 135


@pytest.mark.parametrize("field", ["first_frame", "last_frame", "references"])
def test_what_is_no_picture_is_an_error(tmp_path: Path, field: str) -> None:
    bad: object = (b"<html>",) if field == "references" else b"<html>"
    named = "reference 1" if field == "references" else f"the {field.replace('_', ' ')}"
    with pytest.raises(MediaError, match=f"^{named} is not a picture"):
        draw(changed(width=320, height=320, **{field: bad}), tmp_path / "a.mp4")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"width": 161}, id="odd width"),
        pytest.param({"height": 0}, id="no height"),
        pytest.param({"fps": 0.0}, id="no rate"),
        pytest.param({"duration": 0.0}, id="no length"),
        pytest.param({"duration": float("nan")}, id="no number"),
        pytest.param({"camera": ("push",)}, id="unknown move"),
    ],
)
def test_what_cannot_be_drawn_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"drawing|camera move"):
        changed(**settings)


# Lettering

SCRIPTS = {
    "Latin": "Fähre, œuvre, þykja, naïve",
    "Polish": "Zażółć gęślą jaźń w Łodzi",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Turkish": "İstanbul’da ışığı söndür, çağır, güneş",
    "Vietnamese": "Phà rời bến lúc chạng vạng, đường ướt",
    "Yoruba": "ọkọ̀ ojú omi ń lọ, ẹ̀yin",
    "Greek": "Ο βαρκάρης φεύγει, ΐ ΰ ᾧ",
    "Russian": "Паромщик отчаливает",
    "Ukrainian": "Їжак і ґанок, Єва, п’ять",
    "Serbian": "Љубав, њива, ђак, џеп, ћуран",
    "Kazakh": "Қайық әңгіме өзен ұшқын",
    "Chinese": "摆渡人解开缆绳",
    "Japanese": "渡し船のひと、フェリー",
    "Korean": "나룻배 사공",
    "Arabic": "قارب في المطر",
    "Hebrew": "מעבורת בגשם",
    "Thai": "เรือข้ามฟาก",
    "Hindi": "नाव बारिश में",
    "emoji": "🎬 👨\u200d👩\u200d👧 👍🏽 ☔\ufe0f",
    "mathematical": "𝔘𝕏 ∑ ½",
    "private and control": "a\ue000b\x07c\u200bd\U0010fffd",
}


UNCHANGED = [
    "Latin", "Polish", "Czech", "Turkish", "Vietnamese", "Yoruba", "Greek", "Russian", "Ukrainian", "Serbian",
    "Kazakh", "Chinese", "Japanese", "Korean",
]  # fmt: skip


def glyph(typeface: Typeface, character: str) -> tuple[tuple[int, int], bytes]:
    mask = typeface.at(24).getmask(character)
    return mask.size, bytes(mask)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SCRIPTS.items()])
def test_no_script_is_drawn_as_missing_glyphs(text: str) -> None:
    shown = legible(text)
    assert shown
    assert "".join(part for _, part in runs(shown)) == shown
    for typeface, part in runs(shown):
        for character in part:
            assert has_glyph(character)
            assert glyph(typeface, character) != glyph(typeface, "\U0010ffff")


@pytest.mark.parametrize("name", UNCHANGED)
def test_scripts_of_the_faces_are_shown_unchanged(name: str) -> None:
    assert legible(SCRIPTS[name]) == SCRIPTS[name]


@pytest.mark.parametrize(
    ("letter", "plain"),
    [("ł", "l"), ("ů", "u"), ("İ", "I"), ("ş", "s"), ("ế", "ê"), ("ά", "α"), ("ґ", "г"), ("ї", "i"), ("ħ", "h")],
)
def test_a_letter_with_a_mark_is_drawn_with_it(letter: str, plain: str) -> None:
    assert glyph(ROBOTO, letter) != glyph(ROBOTO, plain)


@pytest.mark.parametrize("name", UNCHANGED[: UNCHANGED.index("Chinese")])
def test_words_are_of_one_face(name: str) -> None:
    assert runs(SCRIPTS[name]) == ((ROBOTO, SCRIPTS[name]),)


def test_roboto_has_every_letter_of_an_alphabet_that_noto_has() -> None:
    letters = [chr(code) for code in range(0x530) if chr(code).isalpha()]
    assert [letter for letter in letters if NOTO.has(letter) and not ROBOTO.has(letter)] == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param(
            "渡轮离开Łódź，驶向źródło。", ["渡轮离开", "Łódź", "，驶向", "źródło", "。"], id="Chinese and Polish"
        ),
        pytest.param("他说“好”…", ["他说“好”…"], id="signs beside ideograms are theirs"),
        pytest.param("“Łódź” — don’t…", ["“Łódź” — don’t…"], id="the same signs beside letters are theirs"),
        pytest.param("说“Łódź”是", ["说", "“Łódź”", "是"], id="quoted letters between ideograms"),
        pytest.param("a → b", ["a ", "→", " b"], id="a sign of the other face"),
        pytest.param("“사공” 3", ["“", "사공", "” 3"], id="Hangul"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_line_is_set_in_runs_of_one_face(text: str, parts: list[str]) -> None:
    assert [part for _, part in runs(text)] == parts
    assert all(before != after for (before, _), (after, _) in pairwise(runs(text)))


def test_a_line_is_as_wide_as_it_was_measured_in_pieces() -> None:
    text = "渡轮离开Łódź，他说：“Do zobaczenia w “Łodzi””——“再见”… abc“中”def·中·文 → “사공” ẹ̀yin " * 3
    block_of_text = fit(text, 300, 900, (24, 24))
    assert len(block_of_text.lines) > 8
    assert all(length(line, 24) <= 300 for line in block_of_text.lines)


def test_letters_are_as_high_in_both_faces() -> None:
    for letter in "xH":
        heights = [-typeface.at(200).getbbox(letter, anchor="ls")[1] for typeface in (ROBOTO, NOTO)]
        assert heights[0] == pytest.approx(heights[1], abs=2)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Lo\u0301dz\u0301, и\u0306", "Lódź, й", id="marks are joined to their letters"),
        pytest.param("x" + "\u0301" * 9 + "y", "x\u0301\u0301y", id="no towers of marks"),
        pytest.param("𝔘𝕏", "UX", id="letters in fancy dress"),
        pytest.param("קו אחד. سماء", "‹hebrew text›. ‹arabic text›", id="scripts are named once"),
        pytest.param("a 🎬 b", "a ‹clapper board› b", id="a sign is named"),
        pytest.param("👨\u200d👩\u200d👧", "‹man, woman, girl›", id="signs in a row"),
        pytest.param(" a\n\tb  c ", "a b c", id="white space"),
        pytest.param("\ue000", "□", id="no name"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_has_no_glyph_is_named(text: str, shown: str) -> None:
    assert legible(text) == shown


def test_a_short_text_is_large_and_a_long_one_small() -> None:
    assert fit("Dawn.", 400, 100, (24, 12)).size == 24
    assert fit(LONG, 400, 100, (24, 12)).size == 12


@pytest.mark.parametrize(
    "text", [LONG, "摆渡人解开缆绳，" * 200, "x" * 3000, "a " * 900], ids=["words", "Han", "one", "short"]
)
def test_text_stays_in_its_room_and_says_that_it_was_cut(text: str) -> None:
    block_of_text = fit(text, 300, 90, (24, 12))
    assert not block_of_text.whole
    assert block_of_text.height <= 90
    assert block_of_text.lines[-1].endswith("…")
    assert all(length(line, block_of_text.size) <= 300 for line in block_of_text.lines)


def test_chinese_breaks_between_characters_but_not_before_a_comma() -> None:
    lines = fit("渡轮缓缓离开码头，" * 6, 200, 400, (20, 20)).lines
    assert len(lines) > 4
    assert not any(line.startswith("，") for line in lines)


def test_words_stay_whole_where_they_can() -> None:
    words = "the ferry leaves the pier"
    assert " ".join(fit(words, 90, 400, (20, 20)).lines) == words


def test_no_line_breaks_inside_the_name_of_a_reference() -> None:
    text = "the ferryman of [图1] bows to the girl of [图2] " * 4

    for width in range(120, 400, 7):
        lines, _ = wrap(text, 20, width, 60)

        assert not any(line.endswith("[") or line.startswith(("图", "1]", "2]")) for line in lines)


def test_one_line_is_shortened() -> None:
    assert shorten("short", 20, 300) == "short"
    assert shorten("s020-a-very-long-identifier", 20, 100).endswith("…")


@pytest.mark.parametrize(
    ("number", "nominal", "text"),
    [(0, 24, "00:00:00:00"), (41, 24, "00:00:01:17"), (24 * 3725, 24, "01:02:05:00"), (59, 30, "00:00:01:29")],
)
def test_the_timecode_counts_frames(number: int, nominal: int, text: str) -> None:
    assert timecode(number, nominal) == text


@pytest.mark.parametrize("size", [(480, 270), (270, 480), (260, 260), (640, 272), (160, 90), (180, 320)], ids=str)
@pytest.mark.parametrize("prompt", ["", LONG, "渡" * 2000], ids=["none", "long", "Han"])
def test_lettering_keeps_clear_of_the_edges(size: tuple[int, int], prompt: str) -> None:
    drawing = changed(
        width=size[0],
        height=size[1],
        prompt=prompt,
        title="T" * 200,
        scene="s" * 200,
        slate="s020-" + "long-" * 20,
        label="l" * 200,
        camera=MOVES,
    )
    bright = lettered(drawing).convert("L").point(lambda level: 255 if level > 170 else 0)
    box = bright.getbbox()
    assert box
    margin = max(1, round(0.03 * min(size)))
    assert (box[0] >= margin, box[1] >= margin) == (True, True)
    assert (box[2] <= size[0] - margin, box[3] <= size[1] - margin) == (True, True)


def test_progress_is_drawn() -> None:
    drawing = changed(width=480, height=270)
    overlay = overlay_of(drawing, (255, 0, 0))

    def red(number: int) -> int:
        canvas = Image.new("RGB", (480, 270))
        overlay.lay(canvas, number, 12)
        assert overlay.line
        row = canvas.crop((0, overlay.line[1], 480, overlay.line[1] + 1))
        return sum(1 for x in range(480) if row.getpixel((x, 0)) == (255, 0, 0))

    assert red(0) < red(5) < red(11)


def test_over_a_picture_the_lettering_is_more_discreet() -> None:
    painted = changed(width=480, height=270, prompt=LONG)
    pictured = dataclasses.replace(painted, first_frame=marked())
    empty = Image.new("RGB", (480, 270), (90, 90, 90))
    assert difference(lettered(pictured), empty) < 0.7 * difference(lettered(painted), empty)


def draw_golden() -> None:
    """Draw the golden frames anew, after a change that is meant: python tests/test_animatic.py"""
    import tempfile

    GOLDEN.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in WORDS:
            golden_frame(Path(folder), name).save(GOLDEN / f"{name}.png")


if __name__ == "__main__":
    draw_golden()


# Bare ends


@pytest.mark.parametrize("at", ["first", "last"])
def test_a_clip_with_bare_ends_begins_and_ends_without_lettering_and_has_it_between(
    tmp_path: Path, at: str
) -> None:
    drawing = changed(width=320, height=180, prompt="the ferry leaves the pier", duration=2, bare_ends=True)
    draw(drawing, tmp_path / "a.mp4")
    end: Any = at
    seen = decoded(media.frame(tmp_path / "a.mp4", end))
    assert difference(seen, decoded(still(drawing, end))) < 2
    middle = decoded(media.frame(tmp_path / "a.mp4", 1.0))
    assert difference(middle, decoded(still(drawing, 1.0))) > 4


def test_lettering_is_there_from_the_first_frame_on_unless_the_ends_are_to_be_bare(tmp_path: Path) -> None:
    drawing = changed(width=320, height=180, prompt="the ferry leaves the pier", duration=2)
    draw(drawing, tmp_path / "a.mp4")
    assert difference(decoded(media.frame(tmp_path / "a.mp4", "first")), decoded(still(drawing, "first"))) > 4
