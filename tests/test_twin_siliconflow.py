"""The twin of SiliconFlow, as its documents say that the service behaves."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vidspec.sandbox.siliconflow import SiliconFlow
from vidspec.sandbox.twin import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeHouse

    from vidspec.sandbox.twin import Twin

T2V = {"model": "Wan-AI/Wan2.2-T2V-A14B", "prompt": "a paper boat", "image_size": "1280x720"}
I2V = {**T2V, "model": "Wan-AI/Wan2.2-I2V-A14B", "image": "https://assets.example.net/boat.png"}
KEY = {"authorization": "Bearer good"}


def png(width: int = 400, height: int = 300) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(target, "png")
    return target.getvalue()


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


class Service:
    """The twin in its house, every answer of which is held against its description."""

    def __init__(self, house: FakeHouse, held: Callable[[Twin, Request, Answer], Any]) -> None:
        self.house = house
        self.twin = SiliconFlow(house)
        self._held = held

    def post(self, call: str, body: Any, headers: dict[str, str] = KEY) -> tuple[int, Any]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(verb="POST", path=("video", call), headers=headers, body=sent)
        answer = self.twin.answer(request)
        assert answer.headers["x-siliconcloud-trace-id"].startswith("ti_")
        return answer.status, self._held(self.twin, request, answer)

    def submit(self, **fields: Any) -> str:
        status, body = self.post("submit", {**T2V, **fields})
        assert status == 200
        return str(body["requestId"])

    def status(self, request_id: str) -> Any:
        status, body = self.post("status", {"requestId": request_id})
        assert status == 200
        return body


@pytest.fixture
def service(fake_house: type[FakeHouse], as_described: Callable[[Twin, Request, Answer], Any]) -> Service:
    return Service(fake_house(), as_described)


# --- a request's life --------------------------------------------------------------------------------------


def test_a_request_goes_from_the_queue_to_a_link_that_lives_ten_minutes(service: Service) -> None:
    request_id = service.submit(seed=4711, negative_prompt="text")
    seen = []
    for service.house.time in (0, 10, 99, 100):
        seen.append(service.status(request_id)["status"])
    assert seen == ["InQueue", "InProgress", "InProgress", "Succeed"]
    assert service.status(request_id) == {
        "status": "Succeed",
        "reason": "",
        "results": {"videos": [{"url": service.house.links[-1]}], "timings": {"inference": 90.0}, "seed": 4711},
    }
    assert "life=600&" in service.house.links[-1]
    assert service.house.typical == [(90, 240)]
    assert service.house.notes == []


@pytest.mark.parametrize(
    ("size", "pixels"), [("1280x720", (1280, 720)), ("720x1280", (720, 1280)), ("960x960", (960, 960))]
)
def test_the_clip_is_what_was_asked_for(service: Service, size: str, pixels: tuple[int, int]) -> None:
    service.submit(image_size=size, seed=5)
    clip = service.house.last.clip
    assert ((clip.width, clip.height), clip.duration, clip.fps, clip.seed) == (pixels, 5.0, 16.0, 5)
    assert (clip.prompt, clip.label, clip.pictures) == ("a paper boat", "SiliconFlow Wan2.2-T2V-A14B", ())


def test_without_a_seed_one_is_drawn_and_told(service: Service) -> None:
    ids = [service.submit() for _ in range(2)]
    service.house.time = 1000
    told = [service.status(request_id)["results"]["seed"] for request_id in ids]
    assert told == [task.clip.seed for task in service.house.tasks.values()]
    assert told[0] != told[1]


def test_results_are_absent_null_or_empty_before_success_and_stay_so(service: Service) -> None:
    ids = [service.submit() for _ in range(30)]
    first = [service.status(request_id).get("results", "absent") for request_id in ids]
    empty = {"videos": [], "timings": {"inference": 0}, "seed": 0}
    assert all(shape in first for shape in ("absent", None, empty))
    assert [service.status(request_id).get("results", "absent") for request_id in ids] == first


def test_a_request_that_was_moderated_fails_with_a_reason(service: Service) -> None:
    request_id = service.submit()
    service.house.last.error = service.twin.moderated()
    service.house.time = 1000
    assert service.status(request_id) == {"status": "Failed", "reason": "content policy", "results": None}


def test_a_prompt_for_the_filter_fails(service: Service) -> None:
    request_id = service.submit(prompt="something NSFW")
    service.house.time = 1000
    assert service.status(request_id)["reason"] == "content policy"


@pytest.mark.parametrize("time", [0, 50, 1000])
def test_a_state_of_a_fault_s_choosing_hides_the_true_one(service: Service, time: float) -> None:
    request_id = service.submit()
    service.house.last.word = "ARCHIVING"
    service.house.time = time
    found = service.status(request_id)
    assert (found["status"], found["reason"]) == ("ARCHIVING", "")
    assert not service.house.links


def test_a_row_that_comes_late_is_not_found_at_first(service: Service) -> None:
    request_id = service.submit()
    service.house.last.appears = 5
    assert service.post("status", {"requestId": request_id})[0] == 400
    service.house.time = 5
    assert service.status(request_id)["status"] == "InQueue"


def test_looking_does_not_change_what_chance_brings(fake_house: type[FakeHouse]) -> None:
    ids = []
    for looks in (0, 5):
        house = fake_house()
        twin = SiliconFlow(house)
        for _ in range(2):
            body = json.dumps(T2V).encode()
            answer = twin.answer(Request(verb="POST", path=("video", "submit"), headers=KEY, body=body))
            for _ in range(looks):
                twin.answer(Request(verb="POST", path=("video", "status"), headers=KEY, body=answer.body))
        ids.append(list(house.tasks))
    assert ids[0] == ids[1]


# --- pictures ----------------------------------------------------------------------------------------------


def test_a_picture_in_the_request_is_the_first_frame(service: Service) -> None:
    data = png()
    service.submit(**{**I2V, "image": data_uri(data)})
    assert service.house.last.clip.pictures == (("first_frame", data),)
    assert service.house.notes == []


def test_an_address_is_not_fetched(service: Service) -> None:
    service.submit(**I2V)
    assert service.house.last.clip.pictures == ()
    assert service.house.notes == service.house.last.changed == ["`image` is an address: not fetched offline"]


def test_bytes_that_are_no_picture_fail_the_request_later(service: Service) -> None:
    request_id = service.submit(**{**I2V, "image": data_uri(b"not a picture")})
    service.house.time = 1000
    assert service.status(request_id) == {
        "status": "Failed",
        "reason": "invalid image: `image` is not a picture that can be read",
        "results": None,
    }


def test_a_media_type_that_is_wrong_is_passed_over_in_silence(service: Service) -> None:
    service.submit(**{**I2V, "image": data_uri(png(), "image/jpeg")})
    assert service.house.notes == ["`image` says `image/jpeg` and is a png: the bytes count"]


# --- what is ignored, and what is refused ------------------------------------------------------------------


def test_fields_that_it_does_not_know_are_ignored_in_silence(service: Service) -> None:
    service.submit(duration=10, image="https://a.example.net/a.png", fps=None)
    model = T2V["model"]
    assert service.house.notes == [
        f"`duration` is ignored: `{model}` has no such field",
        f"`image` is ignored: `{model}` has no such field",
    ]
    assert service.house.last.changed == service.house.notes


BAD: dict[str, tuple[Any, str]] = {
    "no model": ({"model": None}, "model: it is required"),
    "an unknown model": ({"model": "sora-2"}, "Model does not exist. Please check it carefully."),
    "a model that is no text": ({"model": ["a"]}, "model: it must be a string"),
    "no prompt": ({"prompt": None}, "prompt: it is required"),
    "an empty prompt": ({"prompt": " "}, "prompt: it is required"),
    "no size": ({"image_size": None}, "image_size: it is required"),
    "a size written otherwise": (
        {"image_size": "1280*720"},
        "image_size: it must be one of 1280x720, 720x1280, 960x960",
    ),
    "a seed that is a text": ({"seed": "4711"}, "seed: it must be an integer"),
    "a seed that is true": ({"seed": True}, "seed: it must be an integer"),
    "a seed with a fraction": ({"seed": 1.5}, "seed: it must be an integer"),
    "a huge seed": ({"seed": 2**63}, f"seed: it must be from {-(2**63)} to {2**63 - 1}"),
    "a negative prompt that is a list": ({"negative_prompt": []}, "negative_prompt: it must be a string"),
    "no picture": ({**I2V, "image": None}, "image: it is required"),
    "a picture that is a path": ({**I2V, "image": "a.png"}, "image: it must be an http(s) address or a data URI"),
    "a picture in other letters": ({**I2V, "image": "data:image/png,%89PNG"}, "image: a data URI must hold base64"),
    "a picture in broken base64": ({**I2V, "image": "data:image/png;base64,a"}, "image: it is not valid base64"),
}


@pytest.mark.parametrize(("fields", "message"), [pytest.param(*case, id=name) for name, case in BAD.items()])
def test_a_bad_parameter_is_refused_by_number(service: Service, fields: Any, message: str) -> None:
    assert service.post("submit", {**T2V, **fields}) == (400, {"code": 20012, "message": message, "data": None})
    assert not service.house.tasks


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"\xff\xfe{}", id="other bytes"),
        pytest.param(b'{"seed": NaN}', id="not a number"),
        pytest.param(b'{"seed": 1e999}', id="infinite"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"seed": ' + b"1" * 5000 + b"}", id="endless digits"),
    ],
)
@pytest.mark.parametrize("call", ["submit", "status"])
def test_a_body_that_cannot_be_read_is_a_bad_request(service: Service, call: str, body: bytes) -> None:
    status, said = service.post(call, body)
    assert (status, said["code"]) == (400, 20012)
    assert said["message"].startswith("the body is not")


def test_half_a_surrogate_pair_comes_to_no_harm(service: Service) -> None:
    status, _ = service.post("submit", json.dumps({**T2V, "prompt": "a \ud83d b", "\udc00": 1}).encode())
    assert (status, service.house.last.clip.prompt) == (200, "a ? b")
    assert service.house.notes[0].startswith("`?` is ignored")


def test_a_request_that_it_does_not_know_is_a_bad_parameter(service: Service) -> None:
    said = {"code": 20012, "message": "requestId does not exist.", "data": None}
    assert service.post("status", {"requestId": "gone"}) == (400, said)
    assert service.post("status", {})[1]["message"] == "requestId: it is required"


def test_the_example_in_the_description_is_accepted(service: Service) -> None:
    described = service.twin.paths()["/siliconflow/v1/video/submit"]["post"]["requestBody"]["content"]
    (example,) = described["application/json"]["schema"]["examples"]
    assert service.post("submit", example)[0] == 200


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["submit", "status"])
@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        pytest.param({}, 401, "Invalid token", id="no key"),
        pytest.param({"authorization": "Bearer bad"}, 401, "Invalid token", id="a bad key"),
        pytest.param({"authorization": "Bearer unpaid"}, 403, "Forbidden", id="an empty account"),
    ],
)
def test_a_key_is_refused_with_a_bare_string(
    service: Service, call: str, headers: dict[str, str], status: int, said: str
) -> None:
    assert service.post(call, T2V, headers) == (status, said)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        pytest.param("GET", ("video", "submit"), id="another verb"),
        pytest.param("POST", ("video",), id="another path"),
        pytest.param("POST", ("video", "submit", ""), id="a slash too many"),
        pytest.param("POST", (), id="no path"),
    ],
)
def test_what_is_not_served_is_not_found(service: Service, verb: str, path: tuple[str, ...]) -> None:
    request = Request(verb=verb, path=path, headers=KEY)
    answer = service.twin.answer(request)
    assert (answer.status, json.loads(answer.body)) == (404, "404 page not found")
    assert service.twin.call_of(request) is None


@pytest.mark.parametrize(
    ("verdict", "limit"), [("too fast", "RPM limit reached."), ("too many", "concurrency limit reached.")]
)
def test_a_limit_is_named_at_the_end_of_a_message_without_a_code(
    service: Service, verdict: Any, limit: str
) -> None:
    service.house.verdict = verdict
    message = f"Request was rejected due to rate limiting. Details:{limit}"
    assert service.post("submit", T2V) == (429, {"message": message, "data": None})
    assert not service.house.tasks


def test_faults_speak_as_the_service_does(
    service: Service, as_described: Callable[[Twin, Request, Answer], Any]
) -> None:
    twin, request = service.twin, Request(verb="POST", path=("video", "status"))
    answers = [
        twin.throttled(request, retry_after=None),
        twin.overloaded(request),
        twin.broken(request),
        twin.timed_out(request),
    ]
    said = [as_described(twin, request, answer) for answer in answers]
    assert [answer.status for answer in answers] == [429, 503, 500, 504]
    assert ("code" in said[0], said[1]["code"], isinstance(said[3], str)) == (False, 50505, True)
    assert "Retry-After" not in answers[0].headers
    assert twin.throttled(request, retry_after=1.5).headers["Retry-After"] == "2"


# --- any bytes ---------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*T2V.values(), *I2V]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.binary() | st.builds(
    lambda known, more: json.dumps({**known, **more}).encode(),
    st.sampled_from([T2V, I2V, {"requestId": "x"}]),
    st.dictionaries(
        st.sampled_from([*I2V, "seed", "negative_prompt", "requestId"]) | st.text(), VALUES, max_size=4
    ),
)
REQUESTS = st.builds(
    Request,
    verb=st.sampled_from(["POST", "GET", "PUT", "\udc00"]),
    path=st.sampled_from([("video", "submit"), ("video", "status")]) | st.lists(st.text(), max_size=3).map(tuple),
    query=st.dictionaries(st.text(), st.text(), max_size=2),
    headers=st.sampled_from([KEY, {}, {"Authorization": "\udc00"}]),
    body=BODIES,
)


@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_no_request_is_too_strange_and_every_answer_is_as_described(
    fake_house: type[FakeHouse], as_described: Callable[[Twin, Request, Answer], Any], requests: list[Request]
) -> None:
    twin = SiliconFlow(fake_house())
    for request in requests:
        answer = twin.answer(request)
        as_described(twin, request, answer)
        assert answer.status < 500
