"""What Nebula and the LeapX Hub are sent and answer, beyond the exchanges of `wire/nebula` and `wire/leapx`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.check import Checker
from vidspec.errors import InDoubt, ProviderError, Refused, Throttled, Unavailable
from vidspec.providers import nebula, table
from vidspec.wire import CLIP_BYTES, MOST_BYTES, Progress, Reply, Sending, Source, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.capability import Capability, Mode, Model
    from vidspec.wire import Talk

T = TypeVar("T")
steady = settings(derandomize=True, deadline=None, database=None, max_examples=100)

DOCUMENTED = {
    "sora": "prompt seconds size width height input_reference remix_from_video_id user metadata",
    "veo": "prompt durationSeconds aspectRatio resolution fps image lastFrame generateAudio personGeneration"
    " addWatermark seed sampleCount user metadata",
    "wan2.5": "prompt image duration resolution size smart_rewrite generate_audio audio_url seed metadata",
    "doubao": "content callback_url return_last_frame generate_audio --ratio --rs --dur --fps --wm --cf --seed",
}
"""Every field, and every flag, that a document names for a family."""

MODELS = [
    pytest.param(name, model, mode, id=f"{name}:{model.name}:{mode}")
    for name in ("nebula", "leapx")
    for model in table(name).models.values()
    for mode in model.modes
]


def family(model: str) -> str:
    return next(name for name in DOCUMENTED if model.startswith(f"{name}-"))


# --- what is sent --------------------------------------------------------------------------------------------


def sending(provider: str, model: Model, mode: Mode) -> Sending:
    """A shot that says only what it must, and takes every picture that its mode has."""
    rules = model.capabilities[mode]
    media = {(name, 0): f"https://a.example.net/{name}.png" for name in ("first_frame", "last_frame", "references")}
    given = {key: one for key, one in media.items() if getattr(rules, key[0]) is not None}
    given |= {("remix_of", 0): "video_01"} if rules.remix_of else {}
    request = {"mode": mode, "prompt": "a kite", **Checker().settle(model, mode, {}, None).request}
    seed = 7 if rules.seed else None
    return Sending(
        provider=provider, model=model.name, mode=mode, request=request, rules=rules, seed=seed, media=given
    )


@pytest.mark.parametrize(("provider", "model", "mode"), MODELS)
def test_a_body_has_no_field_that_its_family_does_not_have(provider: str, model: Model, mode: Mode) -> None:
    sent = sending(provider, model, mode)
    body = next(nebula.submit(sent)).body
    assert body is not None
    assert body["model"] == model.name
    fields = {*body, *re.findall(r" (--\w+) \S+(?= |$)", seedance_text(body))} - {"model", "metadata"}
    assert fields <= set(DOCUMENTED[family(model.name)].split())
    told = json.dumps(body)
    assert all(address in told for address in sent.media.values())
    assert ('"seed": 7' in told or "--seed 7" in told) == (sent.seed is not None)


def seedance_text(body: Any) -> str:
    """The text of a Seedance body: all that is in it stands in `metadata.content`. Empty for another family."""
    if family(body["model"]) != "doubao":
        assert "metadata" not in body
        return ""
    assert set(body) == {"model", "metadata"}
    assert set(body["metadata"]) == {"content"}
    text = body["metadata"]["content"][0]["text"]
    assert text.startswith("a kite --ratio ")
    return str(text)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_field_is_a_setting_or_an_option_or_refused_with_a_reason(name: str) -> None:
    known: set[str] = set()
    for model in table("nebula").models.values():
        if family(model.name) == name:
            for takes in model.capabilities.values():
                known.update(wires(takes), takes.options, takes.refused)
    assert set(DOCUMENTED[name].split()) <= known


def wires(takes: Capability) -> Iterator[str]:
    texts = (takes.prompt, takes.shape, takes.duration, takes.fps, takes.seed)
    switches = (takes.audio, takes.audio.file, takes.watermark, takes.enhance_prompt)
    pictures = (takes.first_frame, takes.last_frame, takes.references, takes.remix_of)
    for block in (*texts, *switches, *pictures):
        if block is not None and block.wire is not None:
            yield from re.split(r", | ", block.wire.removeprefix("metadata."))
    if takes.camera:
        assert takes.camera.form == "camerafixed"
        yield "--cf"


# --- ids -----------------------------------------------------------------------------------------------------


@steady
@given(request_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_an_id_of_any_letters_is_one_segment_of_a_path_and_one_value_of_a_query(request_id: str) -> None:
    ticket = Ticket(provider="nebula", model="sora-2", request_id=request_id)
    path = next(nebula.poll(ticket)).path
    assert re.fullmatch(r"/video/generations/[A-Za-z0-9_.~%-]+", path)
    assert unquote(path.removeprefix("/video/generations/")) == request_id
    path = next(nebula.result(ticket, Progress(phase="succeeded", word="x", handle=request_id))).path
    assert re.fullmatch(r"/video/generations/download\?id=[A-Za-z0-9_.~%-]+", path)
    assert unquote(path.removeprefix("/video/generations/download?id=")) == request_id


@pytest.mark.parametrize(
    ("model", "most"),
    [
        pytest.param("veo-3.0-generate-001", CLIP_BYTES, id="veo"),
        pytest.param("sora-2", MOST_BYTES, id="sora"),
        pytest.param("wan2.5-t2v-preview", MOST_BYTES, id="wan"),
        pytest.param("doubao-seedance-1-0-pro-250528", MOST_BYTES, id="seedance"),
    ],
)
def test_only_an_answer_that_may_hold_a_clip_is_read_at_length(model: str, most: int) -> None:
    assert next(nebula.poll(Ticket(provider="nebula", model=model, request_id="a"))).most_bytes == most


# --- clips inside answers ------------------------------------------------------------------------------------


def source(link: str) -> Source:
    ticket = Ticket(provider="nebula", model="veo-3.0-generate-001", request_id="a")
    return ended(nebula.result(ticket, Progress(phase="succeeded", word="succeeded", link=link)))


def ended(talk: Talk[T], *replies: Reply) -> T:
    """What a conversation comes to."""
    try:
        next(talk)
        for reply in replies:
            talk.send(reply)
    except StopIteration as stopped:
        value: T = stopped.value
        return value
    pytest.fail("it asks for more")


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("data:video/mp4;base64,AAAAIGZ0eXA=", id="plain"),
        pytest.param("DATA:video/mp4;BASE64,AAAAIGZ0eXA=", id="capitals"),
        pytest.param("data:;base64,AAAAIGZ0eXA=", id="no-type"),
        pytest.param("data:video/mp4;codecs=avc1;base64,AAAA\r\nIGZ0 eXA=", id="wrapped"),
    ],
)
def test_a_data_uri_is_read(link: str) -> None:
    assert source(link) == Source(data=b"\0\0\0 ftyp")


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("data:video/mp4,AAAAIGZ0eXA=", id="not-base64"),
        pytest.param("data:video/mp4;base64,AAAAIGZ0eXA", id="cut-short"),
        pytest.param("data:video/mp4;base64,AAAA*IGZ0eXA=", id="another-letter"),
        pytest.param("data:video/mp4;base64,видео", id="another-alphabet"),
        pytest.param("data:video/mp4;base64,", id="nothing"),
        pytest.param("data:video/mp4;base64", id="no-comma"),
    ],
)
def test_a_data_uri_that_holds_no_base64_is_no_clip(link: str) -> None:
    with pytest.raises(Refused, match="it is no base64"):
        source(link)


def test_a_link_that_is_more_than_one_line_is_none() -> None:
    body = {"task_id": "a", "status": "succeeded", "url": "https://a.example.net/v\nHost: b"}
    ticket = Ticket(provider="nebula", model="veo-3.0-generate-001", request_id="a")
    progress = ended(nebula.poll(ticket), Reply(status=200, body=json.dumps(body).encode()))
    assert (progress.link, progress.handle) == (None, None)
    assert progress.reason == (
        "the link is not to be had any more: the answer says `https://a.example.net/… Host: b`"
    )


# --- errors --------------------------------------------------------------------------------------------------

SORA = sending("nebula", table("nebula").models["sora-2"], "text_to_video")
TICKET = Ticket(provider="nebula", model="sora-2", request_id="video_01")
DONE = Progress(phase="succeeded", word="succeeded", handle="video_01")


def error(talk: Talk[Any], status: int, body: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ended(talk, Reply(status=status, body=json.dumps(body).encode()))
    return caught.value


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error": {"message": "invalid_request", "type": "server_error"}}, id="refusing-words"),
        pytest.param({"code": "invalid_request", "message": "no prompt", "data": None}, id="refusing-code"),
        pytest.param({"code": "quota_not_enough", "message": "", "data": None}, id="no-quota"),
        pytest.param(
            {"error": {"message": "down", "type": "new_api_error", "code": "do_request_failed"}}, id="coded"
        ),
        pytest.param({"task_id": "video_01", "status": "submitted"}, id="with-an-id"),
        pytest.param("down", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_a_server_error_leaves_a_submit_in_doubt_whatever_it_says(status: int, body: object) -> None:
    assert type(error(nebula.submit(SORA), status, body)) is InDoubt


@pytest.mark.parametrize(
    ("words", "kind", "blame"),
    [
        pytest.param("HTTP 429 from upstream", Throttled, "rate", id="429-after-http"),
        pytest.param('{"error":{"code":429}}', Throttled, "rate", id="429-as-code"),
        pytest.param("429", Throttled, "rate", id="429-alone"),
        pytest.param("上游繁忙（429）", Throttled, "rate", id="429-in-chinese-brackets"),
        pytest.param("RateLimitExceeded", Throttled, "rate", id="rate-limit"),
        pytest.param("Throttling.AllocationQuota", Throttled, "rate", id="throttling"),
        pytest.param("timed out after 429 seconds", InDoubt, "provider", id="429-seconds"),
        pytest.param("request 0429a1 (request id: 2025-429-11)", InDoubt, "provider", id="429-in-an-id"),
        pytest.param("OutputVideoSensitiveContentDetected", Refused, "moderation", id="sensitive"),
        pytest.param("the names of models are case-sensitive", InDoubt, "provider", id="case-sensitive"),
        pytest.param("the train in the rain", InDoubt, "provider", id="not-rai"),
        pytest.param("filtered: RAI", Refused, "moderation", id="rai"),
        pytest.param("内容违规", Refused, "moderation", id="moderated-in-chinese"),
        pytest.param("用户剩余额度不足", Refused, "billing", id="quota-in-chinese"),
        pytest.param("预扣费额度失败", Refused, "billing", id="not-charged-in-chinese"),
        pytest.param("扣除额度失败", InDoubt, "provider", id="charged-too-late-in-chinese"),
        pytest.param("InvalidParameter.Size", Refused, "input", id="invalid-parameter"),
        pytest.param("InvalidParameter: the side of 429 is too short", Refused, "input", id="parameter-of-429"),
        pytest.param("InvalidApiKey", Refused, "key", id="invalid-key"),
        pytest.param("InternalError", InDoubt, "provider", id="internal"),
        pytest.param("", InDoubt, "provider", id="nothing"),
    ],
)
def test_the_words_of_an_error_at_200_say_what_it_is(words: str, kind: type[ProviderError], blame: str) -> None:
    raised = error(nebula.submit(SORA), 200, {"code": "fail_to_fetch_task", "message": words, "data": None})
    assert (type(raised), raised.blame) == (kind, blame)


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        pytest.param(lambda: nebula.submit(SORA), InDoubt, id="submit"),
        pytest.param(lambda: nebula.poll(TICKET), Unavailable, id="poll"),
        pytest.param(lambda: nebula.result(TICKET, DONE), Unavailable, id="result"),
    ],
)
def test_an_endless_error_is_judged_by_its_beginning(talk: Any, kind: type[ProviderError]) -> None:
    raised = error(talk(), 200, {"code": "api_error", "message": "violat" * 100_000})
    assert type(raised) is kind
    assert len(raised.reason) < 400


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param("task_not_exist", "HTTP 400: task_not_exist", id="a-word"),
        pytest.param("", "HTTP 400: an answer that is not understood", id="nothing"),
    ],
)
def test_an_error_without_a_message_is_told_by_its_code(code: str, reason: str) -> None:
    assert error(nebula.submit(SORA), 400, {"code": code, "message": "", "data": None}).reason == reason


# --- anything at all -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["task_id", "status", "code", "message", "data", "error", "type", "url", "video_url", "metadata", "output",
     "content", "response", "seed", "progress", "fail_reason", "failure_reason", "task_status", "base64",
     "raiMediaFilteredCount", "data_url", "size"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "x", "succeeded", "failed", "SUCCESS", "success", "in_progress", "PENDING", "unknown", "429", "expired",
     "https://a.example.net/v", "data:video/mp4;base64,AAAA", "data:,", "parse_error", "\ud800", "100%", "{",
     '{"code": 1}', "a\nb", "https://a.example.net/\nv"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=9)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
TASKS = st.builds(lambda rest, word: {**rest, "status": word}, OBJECTS, WORDS)
REPLIES = st.builds(
    lambda status, value: Reply(status=status, body=json.dumps(value).encode()),
    st.sampled_from([200, 200, 201, 302, 400, 401, 403, 404, 408, 429, 500, 503]),
    TASKS | st.builds(lambda task: {"code": "success", "data": task}, TASKS) | OBJECTS | VALUES,
)


@steady
@given(reply=REPLIES, model=st.sampled_from(["sora-2", "veo-3.0-generate-001", "wan2.5-t2v-preview"]))
def test_whatever_is_answered_is_understood_or_said_to_be_an_error(reply: Reply, model: str) -> None:
    ticket = Ticket(provider="leapx", model=model, request_id="a")
    talks: tuple[Talk[Any], ...] = (nebula.submit(SORA), nebula.poll(ticket), nebula.result(ticket, DONE))
    for talk in talks:
        value = outcome(talk, reply)
        assert reply.status < 300 or isinstance(value, ProviderError)
        judge(ticket, value)


def outcome(talk: Talk[T], *replies: Reply) -> T | ProviderError:
    """What a conversation comes to, or the error that it ends in."""
    try:
        return ended(talk, *replies)
    except ProviderError as raised:
        return raised


def judge(ticket: Ticket, value: str | Progress | Source | ProviderError) -> None:
    """What an adapter may make of an answer: an id, how a take stands, a clip that is there, or an error."""
    match value:
        case str():
            assert value
        case Source():
            assert value.data
        case ProviderError():
            assert value.reason.isprintable()
        case Progress():
            assert value.word.isprintable()
            assert (value.reason or "").isprintable()
            assert (value.link or "").isprintable()
            if value.phase != "succeeded":
                assert (value.link, value.handle) == (None, None)
            elif value.handle:
                assert "download" in next(nebula.result(ticket, value)).path
            else:
                found_or_lost(outcome(nebula.result(ticket, value)))


def found_or_lost(found: Source | ProviderError) -> None:
    """A success without a further call leads to a clip, or to a definite no."""
    if isinstance(found, Source):
        assert found.url or found.data
    else:
        assert isinstance(found, Refused)
        assert found.blame in ("lost", "provider")
