"""`vidspec providers`: the tables as text for people and as values for programs."""

from __future__ import annotations

import json
import re

import pytest

from vidspec import catalogue
from vidspec.commands import providers as command
from vidspec.errors import UsageError
from vidspec.providers import PROVIDERS, table

MODELS = [pytest.param(name, model, id=f"{name}:{model}") for name in PROVIDERS for model in table(name).models]
every_provider = pytest.mark.parametrize("name", PROVIDERS)
every_model = pytest.mark.parametrize(("name", "model"), MODELS)

A_REPR = re.compile(r"\b(None|True|False|nan|inf|frozenset|mappingproxy)\b|[{}]|\(\)|'[a-z_]+'|\d\.\d{5,}")


def assert_well_set(page: str) -> None:
    assert [line for line in page.splitlines() if len(line) > 100] == []
    assert [line for line in page.splitlines() if line != line.rstrip()] == []
    assert "\n\n\n" not in page
    assert page.endswith("\n")
    assert "\u00a0" not in page
    assert A_REPR.findall(page) == []


def test_the_first_page_is_well_set_and_names_all_providers_with_their_keys() -> None:
    page = catalogue.providers()
    assert_well_set(page)
    for name in PROVIDERS:
        assert name in page
        assert (table(name).key or "no key") in page
        assert (table(name).base_url or "must be set") in page


@every_provider
def test_a_providers_page_is_well_set_and_names_every_model(name: str) -> None:
    page = catalogue.provider(name)
    assert_well_set(page)
    assert [model for model in table(name).models if f"  {model}" not in page] == []


@every_model
def test_a_models_page_is_well_set_and_says_where_it_is_from(name: str, model: str) -> None:
    page = catalogue.model(name, model)
    shown = table(name).models[model]
    assert_well_set(page)
    assert shown.as_of in page
    assert [mode for mode in shown.modes if f"(`{mode}`)" not in page] == []


@every_model
def test_a_models_page_gives_the_reason_for_every_refused_field(name: str, model: str) -> None:
    page = catalogue.model(name, model)
    refused = {key for takes in table(name).models[model].capabilities.values() for key in takes.refused}
    assert [key for key in refused if not re.search(rf"^  {key}  ", page, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        pytest.param("minimax", "MiniMax-Hailuo-02", "6 or 10 s; default 6; at 1080p only 6", id="fewer-at-1080p"),
        pytest.param("minimax", "MiniMax-Hailuo-02", "1080p, 6 s 0.49 usd a clip", id="price-row"),
        pytest.param("minimax", "MiniMax-Hailuo-2.3", "required; a file or an https address; JPEG", id="picture"),
        pytest.param("minimax", "MiniMax-Hailuo-2.3", "under 20 MB", id="strict-megabytes"),
        pytest.param("minimax", "T2V-01", "negative_prompt, fps, seed, audio, watermark, camera", id="absent"),
        pytest.param("minimax", "I2V-01", "the ratio is that of the picture", id="follows"),
        pytest.param("siliconflow", "Wan-AI/Wan2.2-T2V-A14B", "there is no default", id="required-size"),
        pytest.param("siliconflow", "Wan-AI/Wan2.2-T2V-A14B", "2.00 cny a clip (doubtful)", id="doubtful-price"),
        pytest.param("siliconflow", "Wan-AI/Wan2.2-T2V-A14B", "about 5 s", id="unsure-length"),
        pytest.param("nebula", "sora-2", "that of the clip that is remixed", id="inherited"),
        pytest.param("nebula", "sora-2", "2026-09-24: OpenAI shut down", id="sunset"),
        pytest.param("nebula", "sora-2", "exactly the size of the clip", id="exact-picture"),
        pytest.param("nebula", "veo-3.0-generate-preview", "with sound 0.40 usd a second", id="price-by-sound"),
        pytest.param("nebula", "veo-3.0-generate-001", "allow_all, allow_adult or dont_allow", id="option"),
        pytest.param("nebula", "doubao-seedance-1-0-pro-250528", "2 is doubtful", id="doubtful-length"),
        pytest.param("nebula", "doubao-seedance-1-0-pro-250528", "chooses the pixels", id="unsized"),
        pytest.param("nebula", "doubao-seedance-1-0-lite-i2v-250428", "named [图1] in the prompt", id="marker"),
        pytest.param(
            "nebula", "wan2.5-t2v-preview", "MP3 or WAV, at most 15 MB, sent as `audio_url`", id="sound-file"
        ),
        pytest.param("yutoai", "wan2.2-t2v-plus", "Price unknown", id="unknown-price"),
        pytest.param("yutoai", "wan2.2-i2v-plus", "without alpha", id="alpha"),
        pytest.param("animatic", "animatic", "Price free", id="free"),
        pytest.param("animatic", "animatic", "0.04 to 600 s", id="range"),
    ],
)
def test_a_models_page_says_it_in_words(name: str, model: str, said: str) -> None:
    assert said in " ".join(catalogue.model(name, model).split())


def test_what_all_modes_share_is_said_once() -> None:
    page = catalogue.model("nebula", "veo-3.1-generate-preview")
    assert page.count("durationSeconds") == 1
    assert page.index("In every mode") < page.index("durationSeconds") < page.index("Text to video")


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match="unknown provider `minmax`; the nearest is `minimax`"):
        catalogue.provider("minmax")
    with pytest.raises(UsageError, match="the nearest is `MiniMax-Hailuo-02`"):
        catalogue.model("minimax", "minimax-hailuo-2")


def test_a_name_that_is_like_none_is_answered_with_all() -> None:
    with pytest.raises(UsageError, match="the providers are `animatic`, `siliconflow`"):
        catalogue.provider("zzz")
    with pytest.raises(
        UsageError, match=r"`siliconflow` has no model `q`; the models are `Wan-AI/Wan2.2-T2V-A14B`"
    ):
        catalogue.model("siliconflow", "q")


@pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(None, None, id="all"),
        pytest.param("nebula", None, id="provider"),
        pytest.param("nebula", "sora-2", id="model"),
    ],
)
def test_the_command_prints_text_or_json(
    name: str | None, model: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.run(name, model, json=False) == 0
    assert_well_set(capsys.readouterr().out)
    assert command.run(name, model, json=True) == 0
    assert json.loads(capsys.readouterr().out)["vidspec_json"] == 1


@every_model
def test_a_models_value_is_plain_and_tells_every_mode(name: str, model: str) -> None:
    value = json.loads(json.dumps(catalogue.model_value(name, model)))
    assert set(value["capabilities"]) == set(value["modes"]) == set(table(name).models[model].modes)
    assert value["provider"] == name


def test_a_providers_value_tells_its_account_limits_and_models() -> None:
    value = json.loads(json.dumps(catalogue.provider_value("nebula")))
    assert value["key"] == "NEBULA_API_KEY"
    assert value["limits"]["deadline"] == 1200
    sora = next(one for one in value["models"] if one["model"] == "sora-2")
    assert sora["sunset"]["date"] == "2026-09-24"
    assert sora["prices"] == [{"amount": 0.1, "currency": "usd", "per": "second", "when": {}, "basis": "listed"}]


def test_an_unknown_price_is_no_price_and_not_zero() -> None:
    assert catalogue.model_value("yutoai", "wan2.2-t2v-plus")["prices"] == []


def test_the_value_of_all_providers_names_their_models() -> None:
    assert {one["provider"]: len(one["models"]) for one in catalogue.providers_value()} == {
        name: len(table(name).models) for name in PROVIDERS
    }


def test_the_readmes_tables_are_tables() -> None:
    text = catalogue.markdown()
    first, second = text.strip().split("\n\n")
    for block in (first, second):
        widths = {line.count("|") for line in block.splitlines()}
        assert len(widths) == 1
    assert [name for name in PROVIDERS if f"| `{name}` |" not in first] == []
    assert second.count("`sora-2`") == 1
