"""The capability tables: their form, their inner agreement, and some of the facts they state."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import date
from importlib.resources import files
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

import pytest
from jsonschema import Draft202012Validator

from vidspec import capability, document, schema
from vidspec.capability import Capability, Mode, Model, Numbers
from vidspec.providers import PROVIDERS, table

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = files("vidspec.providers")
SCHEMA = schema.load("provider")
NEUTRAL_STATES = {"queued", "running", "succeeded", "failed", "cancelled"}
MODELS = [
    pytest.param(model, id=f"{name}:{model.name}") for name in PROVIDERS for model in table(name).models.values()
]
TAKES = [
    pytest.param(model, mode, takes, id=f"{name}:{model.name}:{mode}")
    for name in PROVIDERS
    for model in table(name).models.values()
    for mode, takes in model.capabilities.items()
]
every_provider = pytest.mark.parametrize("name", PROVIDERS)
every_model = pytest.mark.parametrize("model", MODELS)
every_mode = pytest.mark.parametrize(("model", "mode", "takes"), TAKES)


def written(name: str) -> Any:
    return document.parse(FOLDER.joinpath(f"{name}.yaml").read_text("utf-8"), name).data


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value under a mapping or list, with the way to it."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from walk(item, (*path, str(key)))


def takes_of(provider: str, model: str, mode: Mode) -> Capability:
    return table(provider).models[model].capabilities[mode]


# --- the schema ------------------------------------------------------------------------------------------


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_says_nothing_that_ends_in_nothing_matched() -> None:
    words = {path[-1] for path, _ in walk(SCHEMA) if path}
    assert not words & {"oneOf", "anyOf", "if", "not", "dependentSchemas"}


def test_patterns_mean_the_same_in_every_language() -> None:
    patterns = [value for path, value in walk(SCHEMA) if path[-1:] == ("pattern",)]
    assert patterns
    assert not [pattern for pattern in patterns if "\\" in pattern]


def test_every_object_of_the_schema_is_closed() -> None:
    objects = [(path, value) for path, value in walk(SCHEMA) if isinstance(value, dict) and "properties" in value]
    named = [(path, value) for path, value in objects if "type" in value]
    assert [path for path, value in named if value.get("additionalProperties") is not False] == []


def test_an_editor_can_explain_every_key() -> None:
    mute = []
    for path, value in walk(SCHEMA):
        if path[-2:-1] == ("properties",) and path[-3:-2] != ("properties",):
            target = SCHEMA["$defs"][value["$ref"].rpartition("/")[2]] if "$ref" in value else value
            mute += [] if target.get("description") else [path]
    assert mute == []


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        pytest.param("text", capability.Text, id="text"),
        pytest.param("shape", capability.Shape, id="shape"),
        pytest.param("duration", capability.Numbers, id="duration"),
        pytest.param("fps", capability.Numbers, id="fps"),
        pytest.param("seed", capability.Seed, id="seed"),
        pytest.param("audio", capability.Switch, id="audio"),
        pytest.param("sound", capability.Sound, id="sound"),
        pytest.param("camera", capability.Camera, id="camera"),
        pytest.param("remix", capability.Remix, id="remix"),
        pytest.param("option", capability.Option, id="option"),
        pytest.param("row", capability.Price, id="price"),
        pytest.param("sunset", capability.Sunset, id="sunset"),
    ],
)
def test_the_schema_and_the_dataclasses_know_the_same_keys(definition: str, kind: type) -> None:
    assert set(SCHEMA["$defs"][definition]["properties"]) == {field.name for field in fields(kind)}


def test_the_schema_and_the_dataclasses_know_the_same_picture_rules() -> None:
    stated = SCHEMA["$defs"]["picture"]["properties"].keys() | SCHEMA["$defs"]["pictures"]["properties"].keys()
    assert set(stated) == {field.name for field in fields(capability.Still)}


def test_the_schema_and_the_dataclasses_know_the_same_blocks_and_modes() -> None:
    assert set(SCHEMA["$defs"]["mode"]["properties"]) == {field.name for field in fields(Capability)}
    assert set(SCHEMA["$defs"]["modes"]["properties"]) == set(get_args(Mode))


# --- the tables as they are written ----------------------------------------------------------------------


def test_every_table_belongs_to_a_provider_and_every_provider_has_one() -> None:
    assert {file.name.removesuffix(".yaml") for file in FOLDER.iterdir() if file.name.endswith(".yaml")} == set(
        PROVIDERS
    )


@every_provider
def test_a_table_is_as_the_schema_says(name: str) -> None:
    errors = Draft202012Validator(SCHEMA).iter_errors(written(name))
    assert [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


@every_provider
def test_a_table_goes_by_the_name_of_its_file(name: str) -> None:
    assert table(name).name == name


@every_provider
def test_every_day_in_a_table_is_a_day(name: str) -> None:
    days = [value for path, value in walk(written(name)) if path[-1:] in (("as_of",), ("date",))]
    assert days
    assert [date.fromisoformat(day).isoformat() for day in days] == days


@every_provider
def test_every_source_is_an_address_or_a_document_named_in_words(name: str) -> None:
    sources = [value for path, value in walk(written(name)) if path[-1:] == ("source",) or path[:1] == ("sources",)]
    texts = [source for source in sources if isinstance(source, str)]
    assert texts
    assert [text for text in texts if not text.startswith("https://") and " " not in text] == []


@every_provider
def test_a_table_names_no_place_on_a_machine(name: str) -> None:
    text = FOLDER.joinpath(f"{name}.yaml").read_text("utf-8")
    assert re.findall(r"(?<![\w/])/(?:home|work|tmp|root|opt)/|\bTODO\b|file://", text) == []


@every_provider
def test_nothing_stands_in_a_table_that_is_never_used(name: str) -> None:
    text = FOLDER.joinpath(f"{name}.yaml").read_text("utf-8")
    anchors = set(re.findall(r"[:-] &([a-z_0-9]+)", text))
    assert anchors == set(re.findall(r"[ \[{]\*([a-z_0-9]+)", text))
    rows = written(name)
    used = {model.get("family") for model in rows.get("models", {}).values()}
    assert set(rows.get("families", {})) == used - {None}


# --- providers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key", "base_url"),
    [
        pytest.param("animatic", None, None, id="animatic"),
        pytest.param("siliconflow", "SILICONFLOW_API_KEY", "https://api.siliconflow.cn/v1", id="siliconflow"),
        pytest.param("nebula", "NEBULA_API_KEY", "https://llm.ai-nebula.com/v1", id="nebula"),
        pytest.param("leapx", "LEAPX_API_KEY", None, id="leapx"),
        pytest.param("minimax", "MINIMAX_API_KEY", "https://api.minimax.io/v1", id="minimax"),
        pytest.param("gately", "GATELY_API_KEY", None, id="gately"),
        pytest.param("yutoai", "YUTOAI_API_KEY", None, id="yutoai"),
    ],
)
def test_an_account_has_its_key_and_its_address(name: str, key: str | None, base_url: str | None) -> None:
    shown = table(name)
    assert (shown.key, shown.base_url) == (key, base_url)
    assert shown.needs_base_url == (key is not None and base_url is None)


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "animatic"])
def test_status_words_lead_to_neutral_ones_and_to_both_ends(name: str) -> None:
    states = set(table(name).states.values())
    assert states <= NEUTRAL_STATES
    assert {"queued", "running", "succeeded", "failed"} <= states


@every_provider
def test_limits_are_positive_and_the_deadline_is_the_longest(name: str) -> None:
    limits = table(name).limits
    assert min(limits[key] for key in ("max_in_flight", "submits_per_minute", "poll_interval")) > 0
    assert limits["deadline"] > limits["request_timeout"] > limits["poll_interval"]


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "animatic"])
def test_a_finished_clip_is_seen_well_before_its_link_dies(name: str) -> None:
    shown = table(name)
    assert shown.limits["poll_interval"] * 10 <= shown.link["life"]


def test_leapx_has_the_models_of_nebula_and_no_price() -> None:
    nebula, leapx = table("nebula"), table("leapx")
    assert {name: model.capabilities for name, model in leapx.models.items()} == {
        name: model.capabilities for name, model in nebula.models.items()
    }
    assert leapx.states == nebula.states
    assert leapx.link == nebula.link
    assert leapx.trace_header == nebula.trace_header
    assert [model.name for model in leapx.models.values() if model.prices or model.price_source] == []
    assert leapx.models["sora-2"].sunset == nebula.models["sora-2"].sunset


def test_a_default_model_is_among_the_models() -> None:
    named = {name: table(name).default_model for name in PROVIDERS if table(name).default_model}
    assert named == {"animatic": "animatic"}
    assert all(model in table(name).models for name, model in named.items())


# --- models ----------------------------------------------------------------------------------------------


@every_mode
def test_a_mode_takes_the_pictures_it_is_named_for(model: Model, mode: Mode, takes: Capability) -> None:
    given = {
        name for name in ("first_frame", "last_frame", "references", "remix_of") if getattr(takes, name) is not None
    }
    expected: dict[Mode, set[str]] = {
        "text_to_video": set(),
        "image_to_video": {"first_frame"},
        "first_last_frame": {"first_frame", "last_frame"},
        "reference_to_video": {"references"},
        "remix": {"remix_of"},
    }
    assert given == expected[mode]
    main = {"image_to_video": takes.first_frame, "first_last_frame": takes.last_frame}.get(mode)
    assert main is None or main.required


@every_mode
def test_a_default_shape_is_on_offer(model: Model, mode: Mode, takes: Capability) -> None:
    shape = takes.shape
    assert shape is not None
    assert shape.inherited or shape.tiers
    if shape.default:
        sizes = shape.tiers[shape.default["resolution"]]
        assert shape.follows == ("aspect_ratio" not in shape.default)
        assert shape.follows or shape.default["aspect_ratio"] in sizes
    else:
        assert shape.required or shape.inherited


@every_mode
def test_a_size_is_even_and_has_the_ratio_it_is_listed_under(model: Model, mode: Mode, takes: Capability) -> None:
    for tier, sizes in takes.shape.tiers.items() if takes.shape else ():
        for ratio, size in sizes.items():
            if size is None:
                continue
            width, height = map(int, size.split("x"))
            across, down = map(int, ratio.split(":"))
            assert (width % 2, height % 2) == (0, 0), size
            assert abs(width / height / (across / down) - 1) < 0.04, f"{tier} {ratio} {size}"


@every_mode
def test_a_ratio_is_listed_only_where_it_can_be_chosen(model: Model, mode: Mode, takes: Capability) -> None:
    shape = takes.shape
    assert shape is not None
    assert all(bool(sizes) != shape.follows for sizes in shape.tiers.values())


@every_mode
def test_default_numbers_are_on_offer(model: Model, mode: Mode, takes: Capability) -> None:
    for numbers in filter(None, (takes.duration, takes.fps)):
        assert bool(numbers.values) + (numbers.min is not None) + numbers.inherited == 1
        assert numbers.inherited or offers(numbers, numbers.default)
        assert not any(offers(numbers, value) for value in numbers.doubtful)
        assert set(numbers.by_resolution) <= set(takes.shape.tiers if takes.shape else ())
        assert all(offers(numbers, value) for values in numbers.by_resolution.values() for value in values)


def offers(numbers: Numbers, value: float | None) -> bool:
    if value is None or numbers.values:
        return value in numbers.values
    return (numbers.min or 0) <= value <= (numbers.max or 0)


@every_mode
def test_a_shot_that_says_little_has_a_known_length(model: Model, mode: Mode, takes: Capability) -> None:
    assert takes.duration is not None


@every_mode
def test_bounds_are_in_order(model: Model, mode: Mode, takes: Capability) -> None:
    stills = (takes.first_frame, takes.last_frame, takes.references)
    for low, high in [
        *((one.min, one.max) for one in (takes.duration, takes.fps, takes.seed) if one),
        *((one.min_side, one.max_side) for one in stills if one),
        *((one.min_ratio, one.max_ratio) for one in stills if one),
        *((one.min_count, one.max_count) for one in stills if one),
        *((one.warn_bytes, one.max_bytes) for one in stills if one),
        *((one.min, one.max) for one in takes.options.values()),
    ]:
        assert low is None or high is None or low <= high


@every_mode
def test_camera_moves_go_where_the_model_reads_them(model: Model, mode: Mode, takes: Capability) -> None:
    camera = takes.camera
    assert (takes.prompt.reads == "brackets") == (camera is not None and camera.form == "brackets")
    if camera:
        assert 1 <= camera.max <= len(camera.moves) == len(set(camera.moves))


@every_mode
def test_an_option_is_allowed_or_refused_and_its_default_on_offer(
    model: Model, mode: Mode, takes: Capability
) -> None:
    assert not set(takes.options) & set(takes.refused)
    for option in takes.options.values():
        assert not option.values or option.default is None or option.default in option.values


@every_mode
def test_a_marker_counts(model: Model, mode: Mode, takes: Capability) -> None:
    if takes.references and takes.references.marker:
        assert takes.references.marker.format(n=2) != takes.references.marker.format(n=1)


@every_model
def test_typical_times_are_a_least_and_a_most(model: Model) -> None:
    assert len(model.typical) in (0, 2)
    assert sorted(model.typical) == list(model.typical)


@every_model
def test_a_model_with_prices_has_one_for_every_request(model: Model) -> None:
    if not model.prices:
        return
    for mode, takes in model.capabilities.items():
        durations = takes.duration.values if takes.duration else ()
        limited = takes.duration.by_resolution if takes.duration else {}
        tiers: list[str | None] = [*takes.shape.tiers] if takes.shape else []
        sounds = {"switch": (True, False), "always": (True,), "never": (False,)}[takes.audio.kind]
        for tier, duration, sound in product(tiers or [None], durations or (None,), sounds):
            if duration not in limited.get(tier or "", durations or (None,)):
                continue
            request = {"mode": mode, "resolution": tier, "duration": duration, "audio": sound}
            fits = [row for row in model.prices if all(request[key] == row.when[key] for key in row.when)]
            assert len(fits) == 1, request


@every_model
def test_all_prices_of_a_model_are_in_one_currency_and_unit(model: Model) -> None:
    assert len({(price.currency, price.per) for price in model.prices}) <= 1
    assert bool(model.prices) == (model.price_source is not None)


# --- what the documents say ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        pytest.param("Wan-AI/Wan2.2-T2V-A14B", "text_to_video", id="text"),
        pytest.param("Wan-AI/Wan2.2-I2V-A14B", "image_to_video", id="image"),
    ],
)
def test_siliconflow_wants_a_size_and_has_no_default(model: str, mode: Mode) -> None:
    shape = takes_of("siliconflow", model, mode).shape
    assert shape is not None
    assert shape.required
    assert not shape.default
    assert list(shape.tiers["720p"].values()) == ["1280x720", "720x1280", "960x960"]


def test_the_shorter_of_two_documented_link_lives_is_believed() -> None:
    assert table("siliconflow").link["life"] == 600


@pytest.mark.parametrize(
    ("model", "mode", "tiers"),
    [
        pytest.param("MiniMax-Hailuo-2.3", "text_to_video", ["768p", "1080p"], id="2.3"),
        pytest.param("MiniMax-Hailuo-02", "text_to_video", ["768p", "1080p"], id="02-text"),
        pytest.param("MiniMax-Hailuo-02", "image_to_video", ["512p", "768p", "1080p"], id="02-image"),
        pytest.param("MiniMax-Hailuo-02", "first_last_frame", ["768p", "1080p"], id="02-frames"),
    ],
)
def test_hailuo_makes_ten_seconds_but_not_at_1080p(model: str, mode: Mode, tiers: list[str]) -> None:
    takes = takes_of("minimax", model, mode)
    assert takes.shape is not None
    assert takes.duration is not None
    assert list(takes.shape.tiers) == tiers
    assert list(takes.duration.values) == [6, 10]
    assert takes.duration.by_resolution == {"1080p": (6,)}


@pytest.mark.parametrize(
    ("provider", "directed"),
    [
        pytest.param(
            "minimax",
            {
                "MiniMax-Hailuo-2.3",
                "MiniMax-Hailuo-2.3-Fast",
                "MiniMax-Hailuo-02",
                "T2V-01-Director",
                "I2V-01-Director",
            },
            id="minimax",
        ),
        pytest.param("gately", {"T2V-01-Director", "I2V-01-Director"}, id="gately"),
        pytest.param("yutoai", set(), id="yutoai"),
    ],
)
def test_only_some_models_read_camera_moves(provider: str, directed: set[str]) -> None:
    models = table(provider).models.values()
    assert {model.name for model in models if any(one.camera for one in model.capabilities.values())} == directed


def test_hailuo_takes_a_last_frame_alone() -> None:
    takes = takes_of("minimax", "MiniMax-Hailuo-02", "first_last_frame")
    assert takes.first_frame is not None
    assert takes.last_frame is not None
    assert (takes.first_frame.required, takes.last_frame.required) == (False, True)


def test_seedance_of_two_seconds_is_doubtful_and_of_three_is_not() -> None:
    duration = takes_of("nebula", "doubao-seedance-1-0-pro-250528", "text_to_video").duration
    assert duration is not None
    assert (duration.min, duration.max, duration.doubtful) == (3, 12, (2,))


def test_seedance_sound_goes_by_the_name_of_the_model() -> None:
    for model, kind in (
        ("doubao-seedance-1-5-pro-251215", "always"),
        ("doubao-seedance-1-5-pro-251215-noAudio", "never"),
    ):
        assert takes_of("nebula", model, "text_to_video").audio.kind == kind


def test_seedance_references_are_fewer_tiers_and_no_fixed_camera() -> None:
    takes = takes_of("nebula", "doubao-seedance-1-0-lite-i2v-250428", "reference_to_video")
    assert takes.shape is not None
    assert takes.references is not None
    assert "1080p" not in takes.shape.tiers
    assert "adaptive" not in takes.shape.tiers["720p"]
    assert takes.camera is None
    assert (takes.references.min_count, takes.references.max_count) == (1, 4)


def test_a_remix_takes_over_shape_and_length_and_sends_only_the_prompt() -> None:
    takes = takes_of("nebula", "sora-2", "remix")
    assert takes.shape is not None
    assert takes.duration is not None
    assert (takes.shape.inherited, takes.duration.inherited) == (True, True)
    assert takes.options == {}


@pytest.mark.parametrize(
    ("model", "day"),
    [
        pytest.param("sora-2", date(2026, 9, 24), id="sora-2"),
        pytest.param("veo-3.0-generate-preview", date(2026, 4, 2), id="veo-3.0-preview"),
        pytest.param("veo-3.1-generate-preview", date(2026, 4, 2), id="veo-3.1-preview"),
        pytest.param("veo-3.1-fast-generate-preview", date(2026, 4, 2), id="veo-3.1-fast-preview"),
    ],
)
def test_models_that_their_makers_switched_off_say_so(model: str, day: date) -> None:
    sunset = table("nebula").models[model].sunset
    assert sunset is not None
    assert sunset.date == day


def test_yutoai_cuts_long_prompts_so_that_the_maxima_are_hard() -> None:
    for model in table("yutoai").models.values():
        for takes in model.capabilities.values():
            assert takes.negative_prompt is not None
            assert (takes.prompt.max, takes.negative_prompt.max) == (800, 500)


@pytest.mark.parametrize("name", ["yutoai", "gately", "leapx"])
def test_a_price_that_nobody_publishes_is_unknown(name: str) -> None:
    assert not any(model.prices for model in table(name).models.values())


def test_the_animatic_has_every_tier_and_ratio_of_the_others() -> None:
    def offered(names: set[str]) -> set[tuple[str, str]]:
        shapes = [
            takes.shape
            for name in names
            for model in table(name).models.values()
            for takes in model.capabilities.values()
            if takes.shape
        ]
        return {(tier, ratio) for shape in shapes for tier, sizes in shape.tiers.items() for ratio in sizes}

    others = {pair for pair in offered(set(PROVIDERS) - {"animatic"}) if pair[1] != "adaptive"}
    assert others <= offered({"animatic"})


def test_the_animatic_is_free_and_asks_for_nothing() -> None:
    model = table("animatic").models["animatic"]
    assert [price.amount for price in model.prices] == [0]
    assert set(model.modes) == set(get_args(Mode))
    assert not any(takes.prompt.required for takes in model.capabilities.values())


def test_the_schema_is_written_as_json_writes_it() -> None:
    text = schema.text("provider")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
