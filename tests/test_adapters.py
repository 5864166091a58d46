"""What holds for every adapter, whatever comes back: the promises that the rest of a render is built on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.errors import InDoubt, ProviderError, Refused, Throttled, Unavailable
from vidspec.providers import ADAPTERS, adapter, table
from vidspec.wire import Blame, Call, Phase, Progress, Reply, Sending, Source, Ticket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.capability import Capability, Mode, Shape
    from vidspec.wire import Talk

T = TypeVar("T")
WIRE = Path(__file__).parent / "wire"
FRAMES = ("first_frame", "last_frame")


# --- one sending for every model and mode --------------------------------------------------------------------


def sending(provider: str, model: str, mode: Mode, takes: Capability) -> Sending:
    """A take that uses all that a model has in a mode."""
    request: dict[str, Any] = {"mode": mode, "prompt": "a fox [图1]", **shape(takes.shape)}
    media = {(key, 0): f"https://assets.example.net/{key}.png" for key in FRAMES if getattr(takes, key)}
    for key, numbers in (("duration", takes.duration), ("fps", takes.fps)):
        if numbers is not None and numbers.default is not None:
            request[key] = numbers.default
    for key in ("audio", "watermark", "enhance_prompt"):
        if getattr(takes, key).kind == "switch":
            request[key] = True
    if takes.negative_prompt:
        request["negative_prompt"] = "blur"
    if takes.camera:
        request["camera"] = list(takes.camera.moves[: takes.camera.max])
    if takes.options:
        request["options"] = {name: legal(one.type, one.values) for name, one in takes.options.items()}
    if takes.references:
        media |= {
            ("references", n): f"https://assets.example.net/{n}.png" for n in range(takes.references.max_count)
        }
    if takes.remix_of:
        media["remix_of", 0] = "video_01"
    request |= {key: "sha256:0" for key, _ in media}
    seed = 7 if takes.seed else None
    return Sending(provider=provider, model=model, mode=mode, request=request, rules=takes, seed=seed, media=media)


def shape(rule: Shape | None) -> dict[str, Any]:
    if rule is None or not rule.tiers:
        return {}
    tier, ratios = next(iter(rule.tiers.items()))
    ratio, size = next(iter(ratios.items()), (None, None))
    settled = {"resolution": tier, "aspect_ratio": ratio, "size": size}
    return {key: value for key, value in settled.items() if value is not None}


def legal(kind: str, values: tuple[Any, ...]) -> Any:
    return values[0] if values else {"string": "x", "integer": 1, "number": 1.0, "boolean": True}[kind]


SENDINGS = {
    name: [
        sending(name, model.name, mode, takes)
        for model in table(name).models.values()
        for mode, takes in model.capabilities.items()
    ]
    for name in ADAPTERS
}
FIRST = {name: given[0] for name, given in SENDINGS.items()}
every_adapter = pytest.mark.parametrize("name", ADAPTERS)
every_protocol = pytest.mark.parametrize(
    "name", {module: name for name, module in reversed(ADAPTERS.items())}.values()
)
every_sending = pytest.mark.parametrize(
    "given",
    [
        pytest.param(one, id=f"{name}: {one.model}: {one.mode}")
        for name, several in SENDINGS.items()
        for one in several
    ],
)


def asked(given: Sending) -> tuple[list[Call], str]:
    """The calls of a submit that is accepted, and the id."""
    calls: list[Call] = []
    accepted = held(adapter(given.provider).submit(given), accepting(), calls)
    assert isinstance(accepted, str)
    return calls, accepted


def accepting() -> Iterator[Reply]:
    while True:
        yield Reply(status=200, body=b'{"requestId": "a/b", "task_id": "a/b"}')


def held(talk: Talk[T], replies: Iterator[Reply], calls: list[Call] | None = None) -> T | ProviderError:
    """What a conversation ends in, an error too. A provider that answers for ever is heard ten times."""
    try:
        call = next(talk)
        for _ in range(10):
            if calls is not None:
                calls.append(call)
            call = talk.send(next(replies))
    except StopIteration as ended:
        value: T = ended.value
        return value
    except ProviderError as error:
        return error
    raise AssertionError("the conversation does not end")


def ticket(provider: str, request_id: str = "n4q0", model: str = "") -> Ticket:
    return Ticket(provider=provider, model=model or next(iter(table(provider).models)), request_id=request_id)


@every_sending
def test_a_submit_is_one_call_in_json_and_the_same_every_time(given: Sending) -> None:
    calls, accepted = asked(given)
    assert [(call.purpose, call.verb) for call in calls] == [("submit", "POST")]
    assert calls == asked(given)[0]
    body = calls[0].body
    assert body is not None
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["model"] == given.model
    assert accepted == "a/b"


@every_sending
def test_a_submit_holds_the_prompt_the_pictures_and_the_seed_and_no_digest(given: Sending) -> None:
    body = json.dumps(asked(given)[0][0].body, ensure_ascii=False)
    assert "a fox" in body
    assert all(sent in body for sent in given.media.values())
    assert "sha256:" not in body
    assert given.seed is None or "7" in body


@every_adapter
@pytest.mark.parametrize("request_id", ["a/b?c=d&e#f g", "..", "图", "x" * 300])
def test_a_poll_names_the_id_in_the_body_or_percent_encoded_in_the_path(name: str, request_id: str) -> None:
    calls: list[Call] = []
    held(adapter(name).poll(ticket(name, request_id)), accepting(), calls)
    (call,) = calls
    assert call.purpose == "poll"
    assert call.path.isascii()
    assert " " not in call.path
    assert "#" not in call.path
    if call.verb == "GET":
        assert call.body is None
        assert unquote(re.split("[/=]", call.path)[-1]) == request_id
    else:
        assert request_id in (call.body or {}).values()


# --- statuses without words ----------------------------------------------------------------------------------

WORDLESS = [b"", b"null", b"{}", b"[]", b"7", b'"oops"', b"<html></html>", b'{"message": "oops"}', b"\xff\xfe"]


@every_adapter
@pytest.mark.parametrize("status", [200, 201, 204, 408, 500, 502, 503, 504, 520, 524, 529, 599])
def test_a_submit_whose_answer_says_nothing_is_in_doubt(name: str, status: int) -> None:
    given = FIRST[name]
    for body in WORDLESS:
        error = held(adapter(name).submit(given), iter([Reply(status=status, body=body)]))
        assert isinstance(error, InDoubt), body


@every_adapter
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(301, Refused, id="301"),
        pytest.param(308, Refused, id="308"),
        pytest.param(400, Refused, id="400"),
        pytest.param(401, Refused, id="401"),
        pytest.param(403, Refused, id="403"),
        pytest.param(404, Refused, id="404"),
        pytest.param(413, Refused, id="413"),
        pytest.param(422, Refused, id="422"),
        pytest.param(429, Throttled, id="429"),
    ],
)
def test_a_submit_that_is_refused_by_its_status_has_made_nothing(
    name: str, status: int, expected: type[ProviderError]
) -> None:
    given = FIRST[name]
    for body in WORDLESS:
        error = held(adapter(name).submit(given), iter([Reply(status=status, body=body)]))
        assert type(error) is expected, body
        assert status >= 400 or error.blame == "address"


@every_adapter
@pytest.mark.parametrize("status", [200, 408, 429, 500, 502, 503, 504, 524])
def test_a_poll_whose_answer_says_nothing_is_asked_again(name: str, status: int) -> None:
    for body in WORDLESS:
        error = held(adapter(name).poll(ticket(name)), iter([Reply(status=status, body=body)]))
        assert isinstance(error, Throttled if status == 429 else Unavailable), body


@every_adapter
def test_a_wait_that_is_asked_for_is_passed_on(name: str) -> None:
    throttling = Reply(status=429, headers={"retry-after": "7"})
    for error in (
        held(adapter(name).submit(FIRST[name]), iter([throttling])),
        held(adapter(name).poll(ticket(name)), iter([throttling])),
    ):
        assert isinstance(error, Throttled)
        assert error.retry_after == 7


# --- whatever comes back ---------------------------------------------------------------------------------------

IDS = ("requestId", "task_id", "id")
NAMES = """
    status data output url video_url content results videos seed reason fail_reason failure_reason error message
    code type base_resp status_code status_msg file_id file download_url bytes progress metadata task_status format
    response raiMediaFilteredCount success base64 data_url size usage
"""
KEYS = tuple(NAMES.split())
WORDS = [
    *(word for name in ADAPTERS for word in table(name).states),
    "success",
    "30%",
    "expired",
    "task_not_exist",
    "quota_not_enough",
    "https://cdn.example.net/1.mp4",
    "data:video/mp4;base64,AAAAIGZ0eXA=",
    "data:video/mp4;base64,A",
    '{"code": "Throttling", "message": "429"}',
    "4711",
    "1" * 300,
    "\ud800",
    "\x1b[31m\r\n",
    "x" * 1000,
]
scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 429, 1000, 1002, 1027, 2013, 2056, 50505, 10**300, 2**63])
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(st.characters(exclude_categories=()), max_size=20)
)


def values(keys: tuple[str, ...]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(keys) | st.text(max_size=3)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=6,
    )


def golden(provider: str) -> list[dict[str, Any]]:
    """The replies of a provider's recorded exchanges that hold an object."""
    cases = [json.loads(path.read_text("utf-8")) for path in sorted((WIRE / provider).glob("*.json"))]
    told = [exchange["reply"] for case in cases for exchange in case["exchanges"]]
    return [reply for reply in told if isinstance(reply.get("json"), dict)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a value."""
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A value with another at one place inside it."""
    if not path:
        return new
    inner = put(value[path[0]], path[1:], new)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [*value[: path[0]], inner, *value[path[0] + 1 :]]


@st.composite
def damaged(draw: st.DrawFn, provider: str, keys: tuple[str, ...]) -> Reply:
    """A reply as a provider gives it, with something else at one or two places, or another status."""
    reply = draw(st.sampled_from(REPLIES[provider]))
    body = reply["json"]
    for _ in range(draw(st.integers(0, 2))):
        if found := list(places(body)):
            body = put(body, draw(st.sampled_from(found)), draw(values(keys)))
    status = draw(st.just(reply.get("status", 200)) | st.sampled_from([200, 201, 302, 400, 429, 503]))
    return Reply(status=status, headers=draw(headers), body=json.dumps(body).encode())


def noise(keys: tuple[str, ...]) -> st.SearchStrategy[Reply]:
    """What no provider would say."""
    spoken = values(keys).map(json.dumps).map(str.encode)
    bodies = spoken | st.binary(max_size=60) | st.sampled_from(ODD)
    return st.builds(lambda s, h, b: Reply(status=s, headers=h, body=b), st.integers(100, 999), headers, bodies)


def replies(provider: str, keys: tuple[str, ...] = ()) -> st.SearchStrategy[Reply]:
    keys = keys or (*IDS, *KEYS)
    return st.integers(0, 3).flatmap(lambda chance: damaged(provider, keys) if chance else noise(keys))


REPLIES = {name: golden(name) for name in ADAPTERS}
ODD = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"1" * 5000,
    b'{"seed": ' + b"9" * 4000 + b"}",
    b"NaN",
    b'{"status": NaN, "progress": Infinity}',
    b"\xef\xbb\xbf{}",
    '{"status": "é"}'.encode("utf-16"),
]
headers = st.fixed_dictionaries({}, optional={"retry-after": st.sampled_from(["5", "x", "-1", ""])})


def is_shown(words: str, most: int = 400) -> bool:
    return words.isprintable() and len(words) <= most


def check_error(error: ProviderError) -> None:
    assert error.blame in get_args(Blame)
    assert error.reason
    assert is_shown(error.reason)


@every_protocol
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_answer_to_a_submit_is_more_than_an_error(name: str, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(SENDINGS[name]))
    ended = held(adapter(name).submit(one), iter([data.draw(replies(name))] * 10))
    if isinstance(ended, ProviderError):
        check_error(ended)
    else:
        assert ended
        assert is_shown(ended, 5000)


@every_protocol
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_answer_without_an_id_is_never_an_acceptance(name: str, data: st.DataObject) -> None:
    answer = data.draw(replies(name, KEYS))
    reply = replace(answer, body=re.sub(rb'"(requestId|task_id|id)"', b'"iD"', answer.body))
    ended = held(adapter(name).submit(FIRST[name]), iter([reply] * 10))
    assert isinstance(ended, ProviderError)


@every_protocol
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_answer_to_a_poll_is_more_than_an_error(name: str, data: st.DataObject) -> None:
    models = st.sampled_from(list(table(name).models))
    looked = ticket(name, model=data.draw(models))
    ended = held(adapter(name).poll(looked), iter([data.draw(replies(name))] * 10))
    if isinstance(ended, ProviderError):
        assert not isinstance(ended, InDoubt)
        check_error(ended)
    else:
        check_progress(ended)
        if ended.phase == "succeeded":
            check_result(name, looked, ended, data.draw(replies(name)))


def check_progress(progress: Progress) -> None:
    assert progress.phase in get_args(Phase)
    assert is_shown(progress.word)
    assert is_shown(progress.reason or "")
    assert progress.share is None or 0 <= progress.share <= 1
    assert progress.seed_used is None or abs(progress.seed_used) < 2**64
    assert (progress.blame in get_args(Blame)) == (progress.phase == "failed")


def check_result(name: str, looked: Ticket, progress: Progress, reply: Reply) -> None:
    ended = held(adapter(name).result(looked, progress), iter([reply] * 10))
    if isinstance(ended, ProviderError):
        assert not isinstance(ended, InDoubt)
        check_error(ended)
        return
    assert isinstance(ended, Source)
    assert (ended.url is None) != (ended.data is None)
    assert ended.size is None or 0 < ended.size < 2**64


@every_protocol
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_progress_is_too_odd_for_a_result(name: str, data: st.DataObject) -> None:
    words = st.none() | st.sampled_from(
        ["https://cdn.example.net/1.mp4", "205258526306433", "a/b", "data:,x", "\ud800"]
    )
    progress = Progress(phase="succeeded", word="ok", link=data.draw(words), handle=data.draw(words))
    models = st.sampled_from(list(table(name).models))
    check_result(name, ticket(name, model=data.draw(models)), progress, data.draw(replies(name)))
