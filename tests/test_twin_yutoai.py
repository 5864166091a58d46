"""The twin of YutoAI, as its documents say that the gateway behaves."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vidspec.sandbox.twin import Answer, Request
from vidspec.sandbox.yutoai import YutoAI

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeHouse

    from vidspec.sandbox.twin import Twin

    Held = Callable[[Twin, Request, Answer], Any]

KEY = {"authorization": "Bearer good"}
URL = "https://assets.example.net/a.png"
T2V = {"model": "wan2.2-t2v-plus", "prompt": "a fox", "prompt_extend": False}
I2V = {"model": "wan2.2-i2v-flash", "images": [URL], "prompt_extend": False}
FRAMES = {"model": "wanx2.1-kf2v-plus", "images": [URL, URL], "prompt_extend": False}
PLACE = ("videos", "generations")


def encoded(width: int, height: int, kind: str = "png", mode: str = "RGB") -> bytes:
    target = io.BytesIO()
    Image.new(mode, (width, height)).save(target, kind)
    return target.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


class Service:
    """The twin in its house, every answer of which is held against its description."""

    def __init__(self, house: FakeHouse, held: Held) -> None:
        self.house = house
        self.twin = YutoAI(house)
        self._held = held

    def ask(self, verb: str, path: tuple[str, ...], body: bytes = b"", headers: dict[str, str] = KEY) -> Answer:
        request = Request(verb=verb, path=path, headers=headers, body=body)
        answer = self.twin.answer(request)
        self._held(self.twin, request, answer)
        assert re.fullmatch(r"20260101[0-9]{6}[0-9a-f]{24}", answer.headers["X-Oneapi-Request-Id"])
        return answer

    def submit(self, body: Any) -> tuple[int, Any]:
        answer = self.ask("POST", PLACE, body if isinstance(body, bytes) else json.dumps(body).encode())
        return answer.status, json.loads(answer.body) if answer.body else None

    def accepted(self, fields: dict[str, Any]) -> str:
        status, said = self.submit(fields)
        assert status == 200, said
        return str(said["task_id"])

    def query(self, task_id: str) -> Any:
        answer = self.ask("GET", (*PLACE, task_id))
        assert answer.status == 200
        return json.loads(answer.body)

    def ended(self, fields: dict[str, Any]) -> Any:
        task_id = self.accepted(fields)
        self.house.time += 1000
        return self.query(task_id)

    @property
    def size(self) -> tuple[int, int]:
        return self.house.last.clip.width, self.house.last.clip.height


@pytest.fixture
def service(fake_house: type[FakeHouse], as_described: Held) -> Service:
    return Service(fake_house(), as_described)


# --- a task's life -----------------------------------------------------------------------------------------


def test_a_task_goes_from_not_started_to_a_link_that_lives_a_day(service: Service) -> None:
    task_id = service.accepted({**T2V, "seed": 2024})
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", task_id)
    seen = []
    for service.house.time in (0, 10, 37, 99):
        found = service.query(task_id)
        seen.append((found["status"], found["progress"]))
        assert (found["data"], found["finish_time"], found["fail_reason"]) == (None, 0, "")
    assert seen == [("NOT_START", "0%"), ("IN_PROGRESS", "0%"), ("IN_PROGRESS", "30%"), ("IN_PROGRESS", "98%")]
    service.house.time = 100
    found = service.query(task_id)
    found.pop("start_time", None)
    assert found == {
        "task_id": task_id,
        "platform": "alibaba",
        "status": "SUCCESS",
        "fail_reason": "",
        "submit_time": 1_767_225_600,
        "finish_time": 1_767_225_700,
        "progress": "100%",
        "data": {"output": service.house.links[0]},
        "search_item": "",
    }
    assert "life=86400&" in service.house.links[0]
    assert service.house.notes == []


def test_the_time_of_the_start_is_not_always_told(service: Service) -> None:
    ids = [service.accepted(T2V) for _ in range(20)]
    assert not any("start_time" in service.query(task_id) for task_id in ids)
    service.house.time = 50
    told = [service.query(task_id).get("start_time") for task_id in ids]
    assert set(told) == {None, 1_767_225_610}


@pytest.mark.parametrize("time", [0, 50, 1000])
def test_a_state_of_a_fault_s_choosing_hides_the_true_one(service: Service, time: float) -> None:
    task_id = service.accepted(T2V)
    service.house.last.word = "ARCHIVING"
    service.house.time = time
    found = service.query(task_id)
    assert (found["status"], found["data"], found["finish_time"]) == ("ARCHIVING", None, 0)
    assert found["progress"] != "100%"


def test_a_task_that_was_moderated_fails_with_a_reason(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.last.error = service.twin.moderated()
    service.house.time = 1000
    found = service.query(task_id)
    assert (found["status"], found["progress"], found["data"]) == ("FAILURE", "100%", None)
    assert found["fail_reason"].startswith("DataInspectionFailed: ")


def test_a_prompt_for_the_filter_fails(service: Service) -> None:
    assert service.ended({**T2V, "prompt": "NSFW"})["fail_reason"] == "DataInspectionFailed: input rejected"


def test_a_task_that_is_unknown_or_comes_late_does_not_exist(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.last.appears = 5
    for missing in (task_id, "grok:0b1c2d3e", "a/b"):
        answer = service.ask("GET", (*PLACE, missing))
        said = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
        assert (answer.status, json.loads(answer.body)) == (400, said)
    service.house.time = 5
    assert service.query(task_id)["status"] == "NOT_START"


# --- sizes -------------------------------------------------------------------------------------------------

TIERS = {
    "480P": ["832*480", "480*832", "624*624"],
    "720P": ["1280*720", "720*1280", "960*960", "1088*832", "832*1088"],
    "1080P": ["1920*1080", "1080*1920", "1440*1440", "1632*1248", "1248*1632"],
}
TEXT_MODELS = {
    "wan2.2-t2v-plus": (("480P", "1080P"), (1920, 1080)),
    "wanx2.1-t2v-turbo": (("480P", "720P"), (1280, 720)),
    "wanx2.1-t2v-plus": (("720P",), (1280, 720)),
}
PICTURE_MODELS = {
    "wan2.2-i2v-plus": (("480P", "1080P"), (1920, 1080), 1),
    "wan2.2-i2v-flash": (("480P", "720P"), (1280, 720), 1),
    "wanx2.1-i2v-turbo": (("480P", "720P"), (1280, 720), 1),
    "wanx2.1-i2v-plus": (("720P",), (1280, 720), 1),
    "wanx2.1-kf2v-plus": (("720P",), (1280, 720), 2),
}
NOMINAL = {"480P": (832, 480), "720P": (1280, 720), "1080P": (1920, 1080)}


def upstream_words(said: Any) -> tuple[str, str]:
    """What the upstream said: JSON inside a string."""
    assert (said["code"], said["data"]) == ("fail_to_fetch_task", None)
    inner = json.loads(said["message"])
    return inner["code"], inner["message"]


@pytest.mark.parametrize("model", TEXT_MODELS)
@pytest.mark.parametrize("tier", TIERS)
def test_a_model_takes_the_sizes_of_its_tiers(service: Service, model: str, tier: str) -> None:
    tiers, usual = TEXT_MODELS[model]
    service.accepted({**T2V, "model": model})
    assert (service.size, service.house.last.clip.label) == (usual, f"YutoAI {model}")
    for size in TIERS[tier]:
        status, said = service.submit({**T2V, "model": model, "size": size})
        if tier in tiers:
            assert service.size == tuple(map(int, size.split("*")))
        else:
            words = ("InvalidParameter", f"The size is not supported by {model}")
            assert (status, upstream_words(said)) == (400, words)


@pytest.mark.parametrize(
    ("separator", "note"),
    [
        ("*", None),
        ("x", "`size` was written with `x`: a guess, the upstream takes `*` and the page prints `×`"),
        ("×", "`size` was written with `×` as the page prints it: the upstream takes `*`"),
    ],
)
def test_how_a_size_is_written_is_recorded(service: Service, separator: str, note: str | None) -> None:
    service.accepted({**T2V, "size": f"832{separator}480"})
    assert (service.size, service.house.last.facts["separator"]) == ((832, 480), separator)
    assert service.house.notes == service.house.last.changed == ([note] if note else [])


@pytest.mark.parametrize("size", ["1280:720", "720P", "", "832*480 ", "٨٣٢*480", "1280X720"])
def test_a_size_that_is_none_is_refused_upstream(service: Service, size: str) -> None:
    status, said = service.submit({**T2V, "size": size})
    assert (status, upstream_words(said)[0]) == (400, "InvalidParameter")


@pytest.mark.parametrize("model", PICTURE_MODELS)
@pytest.mark.parametrize("resolution", [None, "480P", "720P", "1080P", "720p"])
def test_a_model_with_pictures_takes_resolutions(service: Service, model: str, resolution: str | None) -> None:
    tiers, usual, count = PICTURE_MODELS[model]
    status, said = service.submit({"model": model, "images": [URL] * count, "resolution": resolution})
    if resolution is None or resolution in tiers:
        assert service.size == (NOMINAL[resolution] if resolution else usual)
    else:
        message = f"The resolution is not supported by {model}, use one of {', '.join(tiers)}"
        assert (status, upstream_words(said)) == (400, ("InvalidParameter", message))


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        pytest.param((1600, 900), (1280, 720), id="wide"),
        pytest.param((900, 1600), (720, 1280), id="tall"),
        pytest.param((500, 500), (960, 960), id="square"),
        pytest.param((800, 400), (1358, 678), id="twice as wide as high"),
    ],
)
def test_the_first_picture_gives_the_clip_its_ratio(
    service: Service, picture: tuple[int, int], size: tuple[int, int]
) -> None:
    first, last = encoded(*picture), encoded(400, 400)
    service.accepted({**FRAMES, "images": [data_uri(first), data_uri(last)]})
    assert service.size == size
    assert service.house.last.clip.pictures == (("first_frame", first), ("last_frame", last))
    assert service.house.notes == []


# --- pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "count"),
    [
        pytest.param({**I2V, "images": []}, "exactly 1, not 0", id="none"),
        pytest.param({**I2V, "images": None}, "exactly 1, not 0", id="null"),
        pytest.param({**I2V, "images": [URL, URL]}, "exactly 1, not 2", id="one too many"),
        pytest.param({**FRAMES, "images": [URL]}, "exactly 2, not 1", id="one too few"),
    ],
)
def test_the_number_of_pictures_is_exact(service: Service, body: dict[str, Any], count: str) -> None:
    said = {"code": "invalid_request", "message": f"images: it must hold {count}", "data": None}
    assert service.submit(body) == (400, said)


PICTURES = {
    "a gif": (data_uri(encoded(400, 400, "gif"), "gif"), "the format gif is not supported"),
    "alpha": (data_uri(encoded(400, 400, mode="RGBA")), "an alpha channel is not supported"),
    "small": (data_uri(encoded(359, 400)), "359x400 pixels are too small, the least side is 360"),
    "large": (data_uri(encoded(400, 2001)), "400x2001 pixels are too large, the longest side is 2000"),
    "heavy": (
        data_uri(encoded(400, 400) + b"\0" * 10_000_000),
        f"{len(encoded(400, 400)) + 10_000_000} bytes are too many, the most is 10000000",
    ),
    "no picture": (data_uri(b"x"), "`images[0]` is not a picture that can be read"),
    "a path": ("a.png", "it must be an http(s) address or a data URI"),
    "broken base64": ("data:image/png;base64,a", "it is not valid base64"),
}


@pytest.mark.parametrize(("picture", "said"), [pytest.param(*case, id=name) for name, case in PICTURES.items()])
def test_a_picture_outside_of_the_limits_fails_the_task_later(service: Service, picture: str, said: str) -> None:
    found = service.ended({**I2V, "images": [picture]})
    assert (found["status"], found["fail_reason"]) == ("FAILURE", f"InvalidParameter: images[0]: {said}")


def test_the_last_picture_is_looked_at_too(service: Service) -> None:
    found = service.ended({**FRAMES, "images": [URL, "a.png"]})
    assert found["fail_reason"].startswith("InvalidParameter: images[1]: ")


@pytest.mark.parametrize("kind", ["jpeg", "png", "bmp", "webp"])
def test_a_picture_within_the_limits_is_rendered(service: Service, kind: str) -> None:
    for side in (360, 2000):
        assert service.ended({**I2V, "images": [data_uri(encoded(side, 400, kind), kind)]})["status"] == "SUCCESS"


# --- what is changed in silence ----------------------------------------------------------------------------


def test_long_prompts_are_cut_in_silence(service: Service) -> None:
    service.accepted({**T2V, "prompt": "狐" * 801, "negative_prompt": "x" * 600})
    assert service.house.last.clip.prompt == "狐" * 800
    assert service.house.notes == service.house.last.changed
    assert service.house.notes == [
        "`prompt` was cut from 801 to 800 characters",
        "`negative_prompt` was cut from 600 to 500 characters",
    ]
    service.accepted({**T2V, "prompt": "狐" * 800, "negative_prompt": "x" * 500})
    assert not service.house.last.changed


@pytest.mark.parametrize(
    ("model", "sent", "seconds", "notes"),
    [
        pytest.param("wan2.2-t2v-plus", 5, 5, [], id="the fixed one"),
        pytest.param("wan2.2-t2v-plus", 10, 5, ["`duration` 10 counts as 5"], id="another"),
        pytest.param("wan2.2-t2v-plus", 0, 5, ["`duration` 0 counts as 5"], id="none at all"),
        pytest.param(
            "wan2.2-t2v-plus", "5", 5, ["`duration` was sent as a string: taken as a number"], id="a string"
        ),
        pytest.param("wanx2.1-i2v-turbo", 3, 3, [], id="a short one where upstream has it"),
        pytest.param("wanx2.1-i2v-turbo", 2, 5, ["`duration` 2 counts as 5"], id="one that is too short"),
    ],
)
def test_a_duration_is_five_seconds_in_silence(
    service: Service, model: str, sent: Any, seconds: float, notes: list[str]
) -> None:
    more = {"images": [data_uri(encoded(400, 400))]} if "i2v" in model else {}
    service.accepted({**T2V, "model": model, "duration": sent, **more})
    clip = service.house.last.clip
    assert (clip.duration, clip.fps, service.house.notes) == (seconds, 30.0, notes)


@pytest.mark.parametrize(
    ("sent", "rewritten", "noted"),
    [
        pytest.param({}, True, True, id="not sent"),
        pytest.param({"prompt_extend": True}, True, False, id="asked for"),
        pytest.param({"prompt_extend": "true"}, True, False, id="asked for as a string"),
        pytest.param({"prompt_extend": False}, False, False, id="not wanted"),
        pytest.param({"prompt_extend": "false"}, False, False, id="not wanted as a string"),
    ],
)
def test_a_prompt_is_rewritten_unless_that_is_ruled_out(
    service: Service, sent: dict[str, Any], rewritten: bool, noted: bool
) -> None:
    service.accepted({"model": "wan2.2-t2v-plus", "prompt": "a fox", **sent})
    assert (service.house.last.clip.prompt != "a fox") is rewritten
    said = "the prompt was rewritten: `prompt_extend` is true upstream where it is not sent"
    assert service.house.notes == ([said] if noted else [])


def test_fields_of_the_other_page_are_ignored_in_silence(service: Service) -> None:
    service.accepted({**T2V, "images": [URL], "resolution": "480P", "template": "x", "watermark": True})
    service.accepted({**I2V, "size": "832*480", "fps": 60})
    assert [note.partition(":")[0] for note in service.house.notes] == [
        "`images` is ignored",
        "`resolution` is ignored",
        "`size` is ignored",
        "`fps` is ignored",
        "`images[0]` is an address",
    ]
    assert service.size == (1280, 720)


def test_a_prompt_is_not_needed_with_a_picture(service: Service) -> None:
    service.accepted({"model": "wan2.2-i2v-plus", "images": [URL]})
    assert service.house.last.clip.prompt == ""


def test_without_a_seed_one_is_drawn_and_not_told(service: Service) -> None:
    found = service.ended(T2V)
    assert service.house.last.clip.seed is not None
    assert "seed" not in found


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"model": None}, "model: it is required", id="no model"),
        pytest.param({"model": 5}, "model: it must be a string", id="a number for a model"),
        pytest.param({"prompt": None}, "prompt: it is required", id="no prompt"),
        pytest.param({"duration": "five"}, "duration: it must be an integer", id="a word for a duration"),
        pytest.param({"duration": 5.0}, "duration: it must be an integer", id="a fraction for a duration"),
        pytest.param({"prompt_extend": "yes"}, "prompt_extend: it must be a boolean", id="another word for yes"),
        pytest.param({"watermark": "no"}, "watermark: it must be a boolean", id="a word for no"),
        pytest.param({"template": {}}, "template: it must be a string", id="a template that is none"),
        pytest.param({**I2V, "images": URL}, "images: it must be an array of strings", id="one picture, no list"),
        pytest.param({**I2V, "images": [5]}, "images: it must be an array of strings", id="a number for a picture"),
    ],
)
def test_a_bad_parameter_is_an_invalid_request(service: Service, fields: dict[str, Any], message: str) -> None:
    said = {"code": "invalid_request", "message": message, "data": None}
    assert service.submit({**T2V, **fields}) == (400, said)
    assert not service.house.tasks


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_bounds_is_refused_upstream(service: Service, seed: int) -> None:
    status, said = service.submit({**T2V, "seed": seed})
    words = ("InvalidParameter", "seed must be in [0, 2147483647]")
    assert (status, upstream_words(said)) == (400, words)
    service.accepted({**T2V, "seed": 2**31 - 1})


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"seed": NaN}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_the_gateway_s_own_error(service: Service, body: bytes) -> None:
    status, said = service.submit(body)
    assert (status, said["error"]["type"]) == (400, "new_api_error")
    assert said["error"]["message"].startswith("the body is not")


@pytest.mark.parametrize("model", ["sora-2", "wan2.1-t2v-turbo", "grok-video-3"])
def test_another_model_has_no_channel(service: Service, model: str) -> None:
    status, said = service.submit({**T2V, "model": model})
    assert (status, said["error"]["type"], "code" in said["error"]) == (503, "new_api_error", False)
    assert said["error"]["message"].startswith(f"no available channel for model {model} (request id: 2026")


@pytest.mark.parametrize(("verb", "path"), [("POST", PLACE), ("GET", (*PLACE, "x"))])
def test_a_key_is_refused(service: Service, verb: str, path: tuple[str, ...]) -> None:
    for headers in ({}, {"authorization": "Bearer bad"}):
        answer = service.ask(verb, path, headers=headers)
        error = json.loads(answer.body)["error"]
        request_id = answer.headers["X-Oneapi-Request-Id"]
        wanted = {"message": f"invalid token (request id: {request_id})", "type": "new_api_error"}
        assert (answer.status, error) == (401, wanted)
    answer = service.ask(verb, path, headers={"authorization": "Bearer unpaid"})
    assert (answer.status, json.loads(answer.body)["code"]) == (403, "quota_not_enough")


@pytest.mark.parametrize("verdict", ["too fast", "too many"])
def test_a_limit_is_told_in_three_shapes(service: Service, verdict: Any) -> None:
    service.house.verdict = verdict
    first, second, third, fourth = (service.submit(T2V) for _ in range(4))
    assert first == (
        429,
        {"code": "fail_to_fetch_task", "message": "当前分组上游负载已饱和，请稍后再试", "data": None},
    )
    assert second[1]["error"]["type"] == "new_api_error"
    assert (third, fourth) == ((429, None), first)
    assert not service.house.tasks


def test_faults_speak_as_the_family_does(service: Service, as_described: Held) -> None:
    twin, request = service.twin, Request(verb="POST", path=PLACE)
    answers = [twin.overloaded(request), twin.broken(request), twin.timed_out(request)]
    assert [answer.status for answer in answers] == [503, 500, 504]
    for answer in answers:
        as_described(twin, request, answer)
    limited = [twin.throttled(request, retry_after=0.5) for _ in range(3)]
    assert [(answer.status, answer.headers["Retry-After"]) for answer in limited] == [(429, "1")] * 3
    assert limited[2].body == b""


@pytest.mark.parametrize(
    ("verb", "path"),
    [("PUT", PLACE), ("GET", PLACE), ("GET", (*PLACE, "")), ("POST", ("videos",)), ("GET", (*PLACE, "a", "b"))],
)
def test_what_is_not_served_is_not_found(service: Service, verb: str, path: tuple[str, ...]) -> None:
    answer = service.ask(verb, path)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (404, "not_found")
    assert service.twin.call_of(Request(verb=verb, path=path)) is None


def test_the_example_in_the_description_is_accepted(service: Service) -> None:
    described = service.twin.paths()["/yutoai/v2/videos/generations"]["post"]["requestBody"]["content"]
    (example,) = described["application/json"]["schema"]["examples"]
    service.accepted(example)


# --- any bytes ---------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*T2V.values(), URL, "5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["model", "prompt", "negative_prompt", "duration", "size", "resolution", "images", "prompt_extend", "seed"]
BODIES = st.binary() | st.builds(
    lambda known, more: json.dumps({**known, **more}).encode(),
    st.sampled_from([T2V, I2V, FRAMES]),
    st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=4),
)
REQUESTS = st.builds(
    Request,
    verb=st.sampled_from(["POST", "GET", "PUT"]),
    path=st.just(PLACE) | st.text().map(lambda task_id: (*PLACE, task_id)) | st.lists(st.text()).map(tuple),
    headers=st.sampled_from([KEY, {}, {"Authorization": "\udc00"}]),
    body=BODIES,
)


@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_no_request_is_too_strange_and_every_answer_is_as_described(
    fake_house: type[FakeHouse], as_described: Held, requests: list[Request]
) -> None:
    twin = YutoAI(fake_house())
    for request in requests:
        answer = twin.answer(request)
        as_described(twin, request, answer)
        assert answer.status < 500 or answer.status == 503
