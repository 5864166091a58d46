"""The twins of Nebula and LeapX, as the gateway's documents say that it behaves."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from PIL import Image

from vidspec.sandbox.nebula import FAMILIES, Nebula
from vidspec.sandbox.nebula_errors import too_many
from vidspec.sandbox.nebula_seedance import KINDS, RATIOS, SIZES, STOCK
from vidspec.sandbox.twin import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeHouse

    from vidspec.sandbox.twin import Twin

PLACE = ("video", "generations")
KEY = {"authorization": "Bearer good"}
JSON_TYPE = {"Content-Type": "application/json"}
DAY = 86400

SORA = {"model": "sora-2", "prompt": "a lighthouse at dawn"}
OLD_VEO = {"model": "veo-3.0-fast-generate-001", "prompt": "a seed sprouts"}
VEO = {"model": "veo-3.1-fast-generate-preview", "prompt": "a seed sprouts"}
WAN = {"model": "wan2.5-t2v-preview", "prompt": "rain on a tin roof"}
WAN_I2V = {"model": "wan2.5-i2v-preview", "prompt": "the cat blinks", "image": "https://assets.example.net/cat.jpg"}
T2V = "doubao-seedance-1-0-lite-t2v-250428"
I2V = "doubao-seedance-1-0-lite-i2v-250428"
PRO = "doubao-seedance-1-0-pro-250528"
NEW = "doubao-seedance-1-5-pro-251215"
ADDRESS = "https://assets.example.net/still.png"


def picture(width: int = 400, height: int = 400, kind: str = "png", *, rubbish: int = 0) -> str:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(target, kind)
    return data_uri(target.getvalue() + bytes(rubbish), f"image/{kind}")


def data_uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def image(url: str = ADDRESS, role: str | None = None) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, **({"role": role} if role else {})}


def seedance(*content: dict[str, Any], model: str = T2V) -> dict[str, Any]:
    return {"model": model, "metadata": {"content": list(content)}}


class Gateway:
    """A twin in its house, every answer of which is held against its description."""

    def __init__(
        self, house: FakeHouse, held: Callable[[Twin, Request, Answer], Any], name: Literal["nebula", "leapx"]
    ) -> None:
        self.house = house
        self.twin = Nebula(house, name=name)
        self._held = held

    def ask(self, request: Request) -> tuple[int, Any]:
        answer = self.twin.answer(request)
        assert answer.headers["X-Oneapi-Request-Id"].startswith("2026")
        return answer.status, self._held(self.twin, request, answer)

    def post(self, body: Any, headers: dict[str, str] = KEY) -> tuple[int, Any]:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask(Request(verb="POST", path=PLACE, headers=headers, body=sent))

    def submit(self, body: dict[str, Any], **fields: Any) -> str:
        status, answer = self.post({**body, **fields})
        assert status == 200, answer
        return str(answer["task_id"])

    def refused(self, body: dict[str, Any], **fields: Any) -> Any:
        """The body of a refusal with status 400; nothing may have been accepted."""
        status, answer = self.post({**body, **fields})
        assert (status, self.house.tasks) == (400, {})
        return answer

    def query(self, task_id: str) -> Any:
        status, answer = self.ask(Request(verb="GET", path=(*PLACE, task_id), headers=KEY))
        assert status == 200, answer
        return answer

    def finished(self, body: dict[str, Any], **fields: Any) -> Any:
        task_id = self.submit(body, **fields)
        self.house.time = self.house.last.ends
        return self.query(task_id)

    def changes(self, body: dict[str, Any], **fields: Any) -> str:
        """What was changed in silence, as one text."""
        self.submit(body, **fields)
        assert self.house.last.changed == self.house.notes
        return "\n".join(self.house.notes)


@pytest.fixture
def gateway(fake_house: type[FakeHouse], as_described: Callable[[Twin, Request, Answer], Any]) -> Gateway:
    return Gateway(fake_house(), as_described, "nebula")


@pytest.fixture
def leapx(fake_house: type[FakeHouse], as_described: Callable[[Twin, Request, Answer], Any]) -> Gateway:
    return Gateway(fake_house(), as_described, "leapx")


# --- keys, paths and bodies --------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bad"}], ids=["no key", "a bad key"])
def test_a_bad_key_is_told_with_the_id_of_the_request_and_without_a_code(
    gateway: Gateway, headers: dict[str, str]
) -> None:
    answer = gateway.twin.answer(Request(verb="POST", path=PLACE, headers=headers, body=json.dumps(WAN).encode()))
    error = json.loads(answer.body)["error"]
    assert answer.status == 401
    assert error == {
        "message": f"invalid token (request id: {answer.headers['X-Oneapi-Request-Id']})",
        "type": "new_api_error",
    }


def test_an_account_without_quota_is_refused(
    fake_house: type[FakeHouse], as_described: Callable[[Twin, Request, Answer], Any]
) -> None:
    class Generous(fake_house):  # type: ignore[misc, valid-type]
        def key_is_good(self, request: Request) -> bool:
            return True

    gateway = Gateway(Generous(), as_described, "nebula")
    status, body = gateway.post(WAN, {"Authorization": "Bearer unpaid"})
    assert (status, body) == (
        403,
        {"code": "quota_not_enough", "message": "user quota is not enough", "data": None},
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff{}", b'{"model": NaN}', b"[" * 200_000, b'{"model": 7}', b'{"model": ""}']
)
def test_a_body_that_cannot_be_read_is_refused_by_the_software_in_front(gateway: Gateway, body: bytes) -> None:
    status, answer = gateway.post(body)
    assert status == 400
    assert answer["error"]["type"] == "new_api_error"
    assert "(request id: 2026" in answer["error"]["message"]


def test_a_model_without_a_channel_is_a_503(gateway: Gateway) -> None:
    status, answer = gateway.post({"model": "kling-3", "prompt": "x"})
    assert status == 503
    assert answer["error"]["message"].startswith("no available channel for model kling-3 (request id: ")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        pytest.param(JSON_TYPE, b"", 400, id="said to be JSON, and empty"),
        pytest.param({"content-type": "application/json; charset=utf-8"}, b"", 400, id="whatever its case"),
        pytest.param(JSON_TYPE, b"{", 400, id="no JSON"),
        pytest.param(JSON_TYPE, b"{}", 200, id="JSON"),
        pytest.param({}, b"", 200, id="no type"),
        pytest.param({"Content-Type": "text/plain"}, b"", 200, id="another type"),
    ],
)
def test_a_query_that_claims_a_body_is_parsed(
    gateway: Gateway, headers: dict[str, str], body: bytes, status: int
) -> None:
    task_id = gateway.submit(WAN)
    found, answer = gateway.ask(Request(verb="GET", path=(*PLACE, task_id), headers=KEY | headers, body=body))
    assert found == status
    assert found == 200 or answer["error"]["type"] == "new_api_error"


@pytest.mark.parametrize(
    ("verb", "path", "call"),
    [
        ("POST", PLACE, "submit"),
        ("GET", (*PLACE, "an id/with a slash"), "poll"),
        ("GET", (*PLACE, "download"), "result"),
        ("GET", PLACE, None),
        ("GET", (*PLACE, ""), None),
        ("GET", (*PLACE, "a", "b"), None),
        ("DELETE", (*PLACE, "a"), None),
        ("POST", ("video", "submit"), None),
        ("GET", (), None),
        ("GET", ("\ud800",), None),
    ],
)
def test_a_request_is_known_for_the_call_that_it_is(
    gateway: Gateway, verb: str, path: tuple[str, ...], call: str | None
) -> None:
    request = Request(verb=verb, path=path, headers=KEY)
    assert gateway.twin.call_of(request) == call
    assert (gateway.ask(request)[0] == 404) is (call is None)


def test_a_task_that_nobody_knows_yet_or_at_all_does_not_exist(gateway: Gateway) -> None:
    task_id = gateway.submit(WAN)
    gateway.house.last.appears = 8
    request = Request(verb="GET", path=(*PLACE, task_id), headers=KEY)
    expected = (400, {"code": "task_not_exist", "message": "task_not_exist", "data": None})
    assert gateway.ask(request) == expected
    gateway.house.time = 8
    assert gateway.ask(request)[0] == 200
    assert gateway.ask(Request(verb="GET", path=(*PLACE, "another"), headers=KEY)) == expected


# --- limits and faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["too fast", "too many"])
def test_too_many_submits_are_a_429_in_four_spellings(
    gateway: Gateway, verdict: Literal["too fast", "too many"]
) -> None:
    gateway.house.verdict = verdict
    seen = [gateway.post(WAN) for _ in range(40)]
    assert {status for status, _ in seen} == {429}
    bodies = [body for _, body in seen]
    assert None in bodies
    said = [body for body in bodies if body]
    codes = {body.get("code") or body["error"]["code"] for body in said}
    assert codes == {"fail_to_fetch_task", "rate_limit_exceeded"}
    assert any(json.loads(body["message"])["code"] == "Throttling.RateLimit" for body in said
               if str(body.get("message", "")).startswith("{"))  # fmt: skip
    assert gateway.house.tasks == {}


def test_a_throttled_seedance_submit_may_have_status_200_and_no_id(gateway: Gateway) -> None:
    gateway.house.verdict = "too fast"
    seen = [gateway.post(seedance(text("x"))) for _ in range(60)]
    assert {status for status, _ in seen} == {429, 200}
    told = next(body for status, body in seen if status == 200)
    assert told["code"] == "api_error"
    assert "(429)" in told["message"]


def test_the_spelling_of_a_429_leaves_the_chance_of_the_house_alone(gateway: Gateway) -> None:
    before = gateway.house.word(8)
    other = type(gateway.house)()
    assert other.word(8) == before
    for _ in range(5):
        gateway.twin.throttled(Request(verb="POST", path=PLACE), retry_after=None)
    assert gateway.house.word(8) == other.word(8)


@pytest.mark.parametrize(
    ("path", "body"),
    [(PLACE, WAN), (PLACE, seedance(text("x"))), ((*PLACE, "x"), None), ((*PLACE, "download"), None)],
    ids=["submit", "seedance submit", "poll", "result"],
)
def test_faults_are_told_as_described(
    gateway: Gateway, as_described: Callable[[Twin, Request, Answer], Any], path: tuple[str, ...], body: Any
) -> None:
    verb = "POST" if body else "GET"
    request = Request(verb=verb, path=path, headers=KEY, body=json.dumps(body).encode())
    twin = gateway.twin
    for _ in range(12):
        told = {
            "overloaded": twin.overloaded(request),
            "broken": twin.broken(request),
            "timed_out": twin.timed_out(request),
            "throttled": twin.throttled(request, retry_after=2.5),
        }
        for answer in told.values():
            as_described(twin, request, answer)
            assert answer.headers["X-Oneapi-Request-Id"]
        assert [told[name].status for name in ("overloaded", "broken", "timed_out")] == [503, 500, 504]
        assert told["throttled"].headers["Retry-After"] == "3"
    assert "Retry-After" not in twin.throttled(request, retry_after=None).headers


def test_faults_of_a_request_that_cannot_be_read_are_told_all_the_same(gateway: Gateway) -> None:
    request = Request(verb="POST", path=PLACE, body=b"\xff\xfe")
    assert gateway.twin.overloaded(request).status == 503
    assert gateway.twin.throttled(request, retry_after=None).status == 429


def test_there_are_four_spellings_of_a_429_and_a_fifth_for_seedance() -> None:
    traces = [f"{number:08x}" for number in range(60)]
    for seedance_too, count in ((False, 4), (True, 5)):
        answers = [too_many(trace, seedance=seedance_too) for trace in traces]
        assert len({(answer.status, answer.body[:45]) for answer in answers}) == count
        assert answers == [too_many(trace, seedance=seedance_too) for trace in traces]


@pytest.mark.parametrize("body", [SORA, VEO, WAN, seedance(text("x"))], ids=["sora", "veo", "wan", "seedance"])
def test_a_word_of_a_faults_choosing_stands_for_the_state(gateway: Gateway, leapx: Gateway, body: Any) -> None:
    for place in (gateway, leapx):
        task_id = place.submit(body)
        place.house.last.word = "ARCHIVING"
        place.house.time = 10_000
        answer = place.query(task_id)
        row = answer if place is gateway else answer["data"]
        assert row["status"] == "ARCHIVING"
        assert "url" not in row
        place.house.last.word = None
        answer = place.query(task_id)
        assert (answer if place is gateway else answer["data"])["status"] in ("succeeded", "SUCCESS", "IN_PROGRESS")


@pytest.mark.parametrize("body", [SORA, VEO, WAN, seedance(text("x"))], ids=["sora", "veo", "wan", "seedance"])
def test_any_error_that_a_task_is_given_can_be_told(gateway: Gateway, leapx: Gateway, body: Any) -> None:
    for place in (gateway, leapx):
        task_id = place.submit(body)
        place.house.time = 10_000
        for error in ({}, {"code": 7, "message": None}, {"reason": "x"}, place.twin.moderated()):
            place.house.last.error = error
            place.house.last.facts.pop("look", None)
            place.query(task_id)


# --- Sora --------------------------------------------------------------------------------------------------


def test_a_sora_task_is_answered_flat_and_has_no_address(gateway: Gateway) -> None:
    task_id = gateway.submit(SORA, seconds="8", size="1280x720")
    assert task_id.startswith("video_")
    begun = 1_767_225_600
    flat = {
        "task_id": task_id, "id": task_id, "object": "video", "model": "sora-2", "created_at": begun,
        "prompt": "a lighthouse at dawn", "seconds": "8", "size": "1280x720", "width": 1280, "height": 720,
        "n_seconds": 8,
    }  # fmt: skip
    assert gateway.query(task_id) == {**flat, "status": "queued", "progress": 0, "completed_at": 0}
    gateway.house.time = 55
    assert gateway.query(task_id) == {**flat, "status": "in_progress", "progress": 50, "completed_at": 0}
    gateway.house.time = 100
    done = {**flat, "status": "succeeded", "progress": 100, "completed_at": begun + 100}
    assert gateway.query(task_id) == done
    assert (gateway.house.links, gateway.house.notes) == ([], [])


def test_a_sora_submit_is_answered_with_what_was_made_of_it(gateway: Gateway) -> None:
    status, answer = gateway.post({**SORA, "seconds": 12})
    assert status == 200
    assert (answer["status"], answer["format"]) == ("submitted", "mp4")
    assert (answer["metadata"]["seconds"], answer["metadata"]["size"]) == ("12", "720x1280")


@pytest.mark.parametrize("seconds", [5, "5", "8s", "", 8.5, True, [8], {}, -4, 10**300], ids=repr)
def test_other_lengths_become_four_seconds(gateway: Gateway, seconds: Any) -> None:
    assert "becomes 4" in gateway.changes(SORA, seconds=seconds)
    assert gateway.house.last.clip.duration == 4


@pytest.mark.parametrize("seconds", [8, "8", 8.0], ids=repr)
def test_a_length_that_is_taken_is_taken_as_text_or_number(gateway: Gateway, seconds: Any) -> None:
    assert gateway.changes(SORA, seconds=seconds) == ""
    assert gateway.house.last.clip.duration == 8


@pytest.mark.parametrize(
    "fields",
    [{"size": "1280*720"}, {"size": "1024x1792"}, {"size": 7}, {"width": 1920, "height": 1080}, {"width": 1280},
     {"size": [1280, 720]}],
    ids=str,
)  # fmt: skip
def test_other_sizes_become_upright(gateway: Gateway, fields: dict[str, Any]) -> None:
    assert "becomes 720x1280" in gateway.changes(SORA, **fields)
    clip = gateway.house.last.clip
    assert (clip.width, clip.height) == (720, 1280)


def test_width_and_height_stand_for_a_size_where_there_is_none(gateway: Gateway) -> None:
    assert gateway.changes(SORA, width=1280, height=720) == ""
    assert (gateway.house.last.clip.width, gateway.house.last.clip.height) == (1280, 720)
    assert "`width` and `height` are ignored" in gateway.changes(SORA, size="720x1280", width=1280, height=720)
    assert (gateway.house.last.clip.width, gateway.house.last.clip.height) == (720, 1280)


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        pytest.param(picture(720, 1280), "", id="the size of the clip"),
        pytest.param(picture(720, 1280).partition(",")[2], "", id="bare base64"),
        pytest.param(picture(1280, 720), "1280x720 and must match the requested size 720x1280", id="another size"),
        pytest.param(picture(720, 1280, "gif"), "format gif", id="another format"),
        pytest.param(picture(720, 1280, rubbish=10_000_000), "too many", id="more than 10 MB"),
        pytest.param(data_uri(b"no picture", "image/png"), "not a picture", id="no picture"),
    ],
)
def test_a_reference_that_does_not_fit_fails_the_task(gateway: Gateway, reference: str, fault: str) -> None:
    report = gateway.finished(SORA, input_reference=reference)
    if not fault:
        assert report["status"] == "succeeded"
        assert [part for part, _ in gateway.house.last.clip.pictures] == ["first_frame"]
        return
    assert (report["status"], report["failure_reason"]) == ("failed", "invalid_input_reference")
    assert report["error"]["code"] == "invalid_input_reference"
    assert fault in report["error"]["message"]


def test_fields_of_others_are_ignored_by_sora(gateway: Gateway) -> None:
    told = gateway.changes(SORA, image=ADDRESS, seed=7, duration=8, negative_prompt="text", user="me")
    for field in ("image", "seed", "duration", "negative_prompt"):
        assert f"`{field}` is ignored" in told
    assert "user" not in told
    assert gateway.house.last.clip.duration == 4


def test_two_sora_clips_of_one_prompt_differ(gateway: Gateway) -> None:
    for _ in range(2):
        gateway.submit(SORA)
    first, second = gateway.house.tasks.values()
    assert first.clip.seed != second.clip.seed


def test_a_sora_task_that_is_moderated_says_so_twice(gateway: Gateway) -> None:
    report = gateway.finished(SORA, prompt="NSFW")
    assert report["failure_reason"] == report["error"]["code"] == "content_policy_violation"


def test_a_remix_takes_the_prompt_and_nothing_else(gateway: Gateway) -> None:
    first = gateway.submit(SORA, seconds="12", size="1280x720")
    gateway.house.time = 1000
    told = gateway.changes({**SORA, "prompt": "snow"}, remix_from_video_id=first, seconds="4", size="720x1280")
    assert "`seconds` is ignored" in told
    assert "`size` is ignored" in told
    clip = gateway.house.last.clip
    assert (clip.prompt, clip.duration, clip.width, clip.height) == ("snow", 12, 1280, 720)
    report = gateway.query(gateway.house.last.id)
    assert (report["seconds"], report["size"], report["prompt"]) == ("12", "1280x720", "snow")


@pytest.mark.parametrize(
    ("make", "time", "code"),
    [
        pytest.param(lambda gateway: "task_1", 1000, "invalid_request", id="another prefix"),
        pytest.param(lambda gateway: "video_nobody", 1000, "task_not_exist", id="unknown"),
        pytest.param(lambda gateway: gateway.submit(SORA), 50, "invalid_request", id="not finished"),
        pytest.param(lambda gateway: gateway.submit(SORA), 2 * DAY, "task_not_exist", id="a day old"),
    ],
)
def test_a_remix_of_what_cannot_be_remixed_is_refused(
    gateway: Gateway, make: Callable[[Gateway], str], time: float, code: str
) -> None:
    remixed = make(gateway)
    gateway.house.time = time
    status, answer = gateway.post({**SORA, "remix_from_video_id": remixed})
    assert (status, answer["code"]) == (400, code)


def test_the_front_ends_word_for_a_remix_makes_a_new_video(gateway: Gateway) -> None:
    first = gateway.submit(SORA)
    gateway.house.time = 1000
    assert "NO remix" in gateway.changes(SORA, remix_video_id=first)


def test_a_sora_clip_is_fetched_as_base64_inside_json(gateway: Gateway) -> None:
    task_id = gateway.submit(SORA)
    request = Request(verb="GET", path=(*PLACE, "download"), query={"id": task_id}, headers=KEY)
    status, answer = gateway.ask(request)
    assert (status, answer["code"]) == (400, "api_error")
    gateway.house.time = 100
    status, answer = gateway.ask(request)
    clip = gateway.house.data(gateway.house.last)
    assert status == 200
    assert answer == {
        "success": True, "task_id": task_id, "generation_id": task_id, "format": "mp4", "size": len(clip),
        "base64": base64.b64encode(clip).decode(), "data_url": data_uri(clip, "video/mp4"),
    }  # fmt: skip
    gateway.house.time = 101 + DAY
    assert gateway.ask(request)[1]["code"] == "task_not_exist"


@pytest.mark.parametrize(
    ("query", "code"), [({}, "missing_task_id"), ({"id": ""}, "missing_task_id"), ({"id": "x"}, "task_not_exist")]
)
def test_a_download_needs_the_id_of_a_task(gateway: Gateway, query: dict[str, str], code: str) -> None:
    status, answer = gateway.ask(Request(verb="GET", path=(*PLACE, "download"), query=query, headers=KEY))
    assert (status, answer["code"]) == (400, code)


def test_only_sora_clips_are_downloaded(gateway: Gateway) -> None:
    task_id = gateway.submit(WAN)
    gateway.house.time = 1000
    request = Request(verb="GET", path=(*PLACE, "download"), query={"id": task_id}, headers=KEY)
    assert gateway.ask(request)[1]["code"] == "invalid_request"


# --- Veo ---------------------------------------------------------------------------------------------------


def test_a_veo_submit_is_answered_with_a_long_id_alone(gateway: Gateway) -> None:
    status, answer = gateway.post(VEO)
    assert status == 200
    assert set(answer) == {"task_id"}
    assert len(answer["task_id"]) > 150
    assert base64.urlsafe_b64decode(f"{answer['task_id']}===").startswith(b"projects/")


def test_a_veo_task_goes_from_submitted_to_a_link(gateway: Gateway) -> None:
    task_id = gateway.submit(VEO)
    assert gateway.query(task_id) == {"task_id": task_id, "status": "submitted", "format": "mp4"}
    gateway.house.time = 20
    assert gateway.query(task_id)["status"] == "in_progress"
    gateway.house.time = 100
    metadata = {"response": {"raiMediaFilteredCount": 0}}
    report = gateway.query(task_id)
    expected = {"task_id": task_id, "status": "succeeded", "format": "mp4", "metadata": metadata}
    assert report == {**expected, "url": gateway.house.links[-1]}
    assert gateway.query(task_id)["url"] != report["url"]


def test_samples_come_as_an_array(gateway: Gateway) -> None:
    report = gateway.finished(VEO, sampleCount=3)
    assert report["url"] == gateway.house.links[-3:]
    assert len({url.partition("&")[0] for url in report["url"]}) == 3


def test_an_older_model_puts_the_clip_into_the_answer_for_half_a_day(gateway: Gateway) -> None:
    report = gateway.finished(OLD_VEO)
    assert report["url"] == data_uri(gateway.house.data(gateway.house.last), "video/mp4")
    gateway.house.time = gateway.house.last.ends + DAY / 2 + 1
    assert gateway.query(report["task_id"])["url"] == "expired"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"durationSeconds": 8, "aspectRatio": "9:16", "lastFrame": ADDRESS}, id="camels"),
        pytest.param({"duration_seconds": 8, "aspect_ratio": "9:16", "last_frame": ADDRESS}, id="snakes"),
        pytest.param(
            {"metadata": {"durationSeconds": 8, "aspect_ratio": "9:16", "lastFrame": ADDRESS}}, id="in metadata"
        ),
        pytest.param({"metadata": {"durationSeconds": 4}, "durationSeconds": 8, "aspectRatio": "9:16"}, id="both"),
    ],
)
def test_veo_takes_both_spellings_and_metadata(gateway: Gateway, fields: dict[str, Any]) -> None:
    gateway.submit(VEO, image=ADDRESS, resolution="720p", seed=77, **fields)
    clip = gateway.house.last.clip
    assert (clip.duration, clip.width, clip.height, clip.seed) == (8, 720, 1280, 77)


def test_veo_has_defaults(gateway: Gateway) -> None:
    assert gateway.changes(VEO) == ""
    clip = gateway.house.last.clip
    assert (clip.duration, clip.width, clip.height, clip.fps) == (4, 1920, 1080, 24)


@pytest.mark.parametrize(
    ("model", "fields", "told"),
    [
        (VEO, {"duration": 8}, "`duration` is not `durationSeconds`"),
        (VEO, {"generateAudio": False}, "always has audio"),
        (OLD_VEO, {"generate_audio": False}, "always has audio"),
        (OLD_VEO, {"sampleCount": 2}, "makes one video"),
        (VEO, {"negative_prompt": "text"}, "`negative_prompt` is ignored"),
        (VEO, {"durationSeconds": 8, "duration_seconds": 6}, "`duration_seconds` is ignored"),
        (VEO, {"image": ADDRESS}, "not fetched offline"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_veo_ignores_is_noted(
    gateway: Gateway, model: dict[str, Any], fields: dict[str, Any], told: str
) -> None:
    assert told in gateway.changes(model, **fields)


def test_a_model_with_a_switch_for_audio_obeys_it(gateway: Gateway) -> None:
    assert gateway.changes(VEO, model="veo-3.1-generate-preview", generateAudio=False) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"durationSeconds": 5}, {"durationSeconds": 12}, {"aspectRatio": "1:1"}, {"resolution": "480p"},
        {"personGeneration": "all"}, {"fps": 30}, {"sampleCount": 5}, {"sampleCount": 0}, {"seed": -1},
        {"seed": 2**32}, {"lastFrame": ADDRESS},
        {"model": OLD_VEO["model"], "image": ADDRESS, "lastFrame": ADDRESS},
    ],
    ids=str,
)  # fmt: skip
def test_what_veo_does_not_take_is_refused_upstream(gateway: Gateway, fields: dict[str, Any]) -> None:
    answer = gateway.refused(VEO, **fields)
    assert answer["code"] == "fail_to_fetch_task"
    assert json.loads(answer["message"])["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "fields",
    [{"prompt": ""}, {"prompt": 7}, {"image": "still.png"}, {"image": "data:,x"}, {"durationSeconds": "8"},
     {"seed": 2**70}, {"addWatermark": "no"}, {"metadata": []}],
    ids=str,
)  # fmt: skip
def test_what_is_no_value_of_a_field_is_refused_at_the_gateway(gateway: Gateway, fields: dict[str, Any]) -> None:
    assert gateway.refused(VEO, **fields)["code"] == "invalid_request"


def test_veo_shows_its_pictures(gateway: Gateway) -> None:
    gateway.submit(VEO, image=picture(), lastFrame=picture(kind="jpeg"))
    assert [part for part, _ in gateway.house.last.clip.pictures] == ["first_frame", "last_frame"]


def test_a_filtered_veo_clip_is_a_success_without_a_video(gateway: Gateway) -> None:
    task_id = gateway.submit(VEO)
    gateway.house.last.error = gateway.twin.moderated()
    gateway.house.time = 1000
    assert gateway.query(task_id) == {
        "task_id": task_id,
        "status": "succeeded",
        "format": "mp4",
        "metadata": {"response": {"raiMediaFilteredCount": 1}},
    }


def test_a_bad_prompt_or_picture_fails_a_veo_task_with_a_number_for_a_code(gateway: Gateway) -> None:
    report = gateway.finished(VEO, prompt="nsfw")
    assert (report["status"], report["error"]) == ("failed", {"code": 400, "message": "Prompt violates policy"})
    assert gateway.finished(VEO, image=data_uri(b"x", "image/png"))["error"]["code"] == 400


# --- Wan ---------------------------------------------------------------------------------------------------


def test_a_wan_task_is_in_progress_while_it_is_pending(gateway: Gateway) -> None:
    status, answer = gateway.post({**WAN, "seed": 5})
    task_id = answer["task_id"]
    assert (status, answer["status"], answer["format"]) == (200, "submitted", "mp4")
    metadata = answer["metadata"]
    assert (metadata["model_price"], metadata["requested_seconds"], metadata["billing_pending"]) == (
        0.0738,
        5,
        True,
    )
    assert metadata["output"] == {"task_id": task_id, "task_status": "PENDING"}
    seen = []
    for gateway.house.time in (0, 10):
        report = gateway.query(task_id)
        seen.append((report["status"], report["metadata"]["output"]["task_status"]))
    assert seen == [("in_progress", "PENDING"), ("in_progress", "RUNNING")]
    gateway.house.time = 70
    report = gateway.query(task_id)
    url = gateway.house.links[-1]
    assert f"life={DAY}" in url
    assert report == {
        "task_id": task_id, "status": "succeeded", "format": "mp4", "url": url,
        "metadata": {
            "billing_pending": False, "usage": {"video_count": 1, "duration": 5, "resolution": "720p"},
            "output": {
                "task_id": task_id, "task_status": "SUCCEEDED", "video_url": url,
                "submit_time": "2026-01-01 08:00:00.000", "end_time": "2026-01-01 08:01:10.000",
            },
        },
    }  # fmt: skip


def test_wans_times_are_to_the_millisecond(gateway: Gateway) -> None:
    gateway.house.time = 0.75
    gateway.submit(WAN)
    gateway.house.last.begins, gateway.house.last.ends = 1.0, 1.25
    gateway.house.time = 2
    output = gateway.query(gateway.house.last.id)["metadata"]["output"]
    times = (output["submit_time"], output["end_time"])
    assert times == ("2026-01-01 08:00:00.750", "2026-01-01 08:00:01.250")


def test_a_wan_failure_is_told_below_the_metadata_alone(gateway: Gateway) -> None:
    report = gateway.finished(WAN, prompt="nsfw")
    output = report["metadata"]["output"]
    assert set(report) == {"task_id", "status", "format", "metadata"}
    assert (report["status"], output["task_status"]) == ("failed", "FAILED")
    assert output["code"] == "InvalidParameter.DataInspection"
    assert output["message"]


def test_under_an_unknown_state_wans_metadata_tells_the_truth(gateway: Gateway) -> None:
    task_id = gateway.submit(WAN)
    gateway.house.last.word = "unknown"
    gateway.house.time = 1000
    report = gateway.query(task_id)
    assert (report["status"], report["metadata"]["output"]["task_status"]) == ("unknown", "SUCCEEDED")
    assert report["url"] == gateway.house.links[-1]


@pytest.mark.parametrize("duration", [4, 6, 15, "10", 10.5, None, True, [], {}], ids=repr)
def test_other_wan_lengths_become_five_seconds(gateway: Gateway, duration: Any) -> None:
    told = gateway.changes(WAN, duration=duration)
    assert ("becomes 5" in told) is (duration is not None)
    assert gateway.house.last.clip.duration == 5
    assert gateway.house.typical == [(60, 120)]


def test_ten_seconds_of_wan_take_longer(gateway: Gateway) -> None:
    assert gateway.changes(WAN, duration=10) == ""
    assert gateway.house.typical == [(120, 180)]


@pytest.mark.parametrize(
    ("fields", "size", "tier", "told"),
    [
        ({}, (1280, 720), "720p", ""),
        ({"size": "832*1088"}, (832, 1088), "720p", ""),
        ({"size": "624*624", "resolution": "480p"}, (624, 624), "480p", ""),
        ({"size": "1920*1080", "resolution": "480p"}, (1920, 1080), "1080p", "`resolution` is ignored"),
        ({"resolution": "480p"}, (832, 480), "480p", ""),
    ],
    ids=str,
)
def test_the_size_of_a_wan_clip_has_an_asterisk(
    gateway: Gateway, fields: dict[str, Any], size: tuple[int, int], tier: str, told: str
) -> None:
    assert told in gateway.changes(WAN, **fields)
    clip = gateway.house.last.clip
    assert (clip.width, clip.height) == size
    gateway.house.time = 1000
    assert gateway.query(gateway.house.last.id)["metadata"]["usage"]["resolution"] == tier


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (WAN, {"size": "1280x720"}), (WAN, {"size": "1*1"}), (WAN, {"resolution": "4k"}), (WAN, {"image": ADDRESS}),
        (WAN, {"seed": -1}), (WAN, {"seed": 2**31}), (WAN_I2V, {"image": None}), (WAN_I2V, {"resolution": "720P"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_wan_does_not_take_is_told_as_json_inside_the_message(
    gateway: Gateway, body: dict[str, Any], fields: dict[str, Any]
) -> None:
    answer = gateway.refused(body, **fields)
    inner = json.loads(answer["message"])
    assert (answer["code"], inner["code"], set(inner)) == (
        "fail_to_fetch_task",
        "InvalidParameter",
        {"request_id", "code", "message"},
    )


@pytest.mark.parametrize(
    ("body", "fields", "told"),
    [
        (WAN, {"negative_prompt": "text"}, "`negative_prompt` is ignored"),
        (WAN, {"watermark": True}, "`watermark` is ignored"),
        (WAN, {"aspect_ratio": "1:1"}, "`aspect_ratio` is ignored"),
        (WAN_I2V, {"size": "1280*720"}, "`size` is ignored"),
        (WAN, {"generate_audio": True, "audio_url": "https://a.example.net/a.mp3"}, "`generate_audio` is ignored"),
        (WAN_I2V, {"image": picture(rubbish=6_000_000)}, "5 MB of the guide"),
    ],
    ids=["negative prompt", "watermark", "ratio", "size with a picture", "audio twice", "a large picture"],
)
def test_what_wan_ignores_is_noted(gateway: Gateway, body: Any, fields: dict[str, Any], told: str) -> None:
    assert told in gateway.changes(body, **fields)


@pytest.mark.parametrize(
    ("size", "tier", "expected"),
    [((400, 400), "720p", (960, 960)), ((1920, 1080), "480p", (848, 480)), ((400, 1600), "1080p", (720, 2880))],
    ids=str,
)
def test_a_clip_from_a_picture_has_the_pictures_ratio(
    gateway: Gateway, size: tuple[int, int], tier: str, expected: tuple[int, int]
) -> None:
    gateway.submit(WAN_I2V, image=picture(*size), resolution=tier)
    clip = gateway.house.last.clip
    assert (clip.width, clip.height) == expected
    assert [part for part, _ in clip.pictures] == ["first_frame"]


@pytest.mark.parametrize(
    "given_picture",
    [picture(359, 500), picture(2001, 500), picture(kind="gif"), picture(rubbish=10_000_000)],
    ids=["too small", "too large", "a format", "bytes"],
)
def test_a_picture_out_of_bounds_fails_a_wan_task(gateway: Gateway, given_picture: str) -> None:
    output = gateway.finished(WAN_I2V, image=given_picture)["metadata"]["output"]
    assert output["message"].startswith("image rejected: ")


# --- Seedance ----------------------------------------------------------------------------------------------


def test_a_seedance_task_tells_what_was_used(gateway: Gateway) -> None:
    words = "a tram turns a corner --ratio 16:9 --rs 720p --dur 5 --wm false --seed 9"
    status, answer = gateway.post(seedance(text(words)))
    task_id = answer["task_id"]
    assert (status, answer) == (200, {"task_id": task_id, "status": "submitted"})
    assert task_id.startswith("cgt-2026")
    assert gateway.query(task_id) == {"task_id": task_id, "status": "queued", "format": "mp4"}
    gateway.house.time = 20
    assert gateway.query(task_id) == {"task_id": task_id, "status": "in_progress", "format": "mp4"}
    gateway.house.time = 50
    report = gateway.query(task_id)
    metadata = report.pop("metadata")
    assert report == {
        "task_id": task_id,
        "status": "succeeded",
        "format": "mp4",
        "url": metadata["content"]["video_url"],
    }
    used = {name: metadata[name] for name in ("seed", "resolution", "ratio", "duration", "framespersecond")}
    assert used == {"seed": 9, "resolution": "720p", "ratio": "16:9", "duration": 5, "framespersecond": 24}
    clip = gateway.house.last.clip
    assert (clip.prompt, clip.seed, clip.duration, clip.width, clip.height) == (
        "a tram turns a corner",
        9,
        5,
        1248,
        704,
    )
    assert gateway.house.notes == []


def test_a_seed_of_minus_one_is_drawn_and_told(gateway: Gateway) -> None:
    for words in ("x --seed -1", "x"):
        report = gateway.finished(seedance(text(words)))
        assert report["metadata"]["seed"] == gateway.house.last.clip.seed
        assert report["metadata"]["seed"] >= 0


def test_every_size_can_be_filmed_and_is_of_its_ratio() -> None:
    for sizes in SIZES.values():
        for (width, height), ratio in zip(sizes, RATIOS, strict=True):
            across, _, down = ratio.partition(":")
            assert (width % 2, height % 2) == (0, 0)
            assert width / height == pytest.approx(int(across) / int(down), rel=0.05)


@pytest.mark.parametrize(
    ("model", "flags", "told", "setting"),
    [
        (T2V, "--ratio 2:1", "`--ratio 2:1` is ignored: 16:9 is used", ("ratio", "16:9")),
        (T2V, "--ratio adaptive", "`--ratio adaptive` is ignored", ("ratio", "16:9")),
        (PRO, "--ratio adaptive", "no picture to look at", ("ratio", "16:9")),
        (T2V, "--dur 13", "`--duration 13` is ignored: 5 is used", ("duration", 5)),
        (T2V, "--dur five", "`--duration five` is ignored", ("duration", 5)),
        (T2V, "--dur 2", "the documents disagree", ("duration", 2)),
        (NEW, "--dur 3", "`--duration 3` is ignored", ("duration", 5)),
        (NEW, "--rs 1080p", "`--resolution 1080p` is ignored: 720p is used", ("resolution", "720p")),
        (f"{NEW}-noAudio", "--rs 1080p", "`--resolution 1080p` is ignored", ("resolution", "720p")),
        (PRO, "--rs 720P", "`--resolution 720P` is ignored", ("resolution", "720p")),
        (T2V, "--fps 30", "`--framespersecond 30` is ignored", ("framespersecond", 24)),
        (T2V, "--wm 1", "`--watermark 1` is ignored", None),
        (T2V, "--seed 4294967296", "`--seed 4294967296` is ignored", None),
        (T2V, "--zoom 2", "unknown flag `--zoom 2`", None),
    ],
)
def test_a_bad_flag_is_passed_over_in_silence(
    gateway: Gateway, model: str, flags: str, told: str, setting: tuple[str, Any] | None
) -> None:
    assert told in gateway.changes(seedance(text(f"x {flags}"), model=model))
    gateway.house.time = 1000
    metadata = gateway.query(gateway.house.last.id)["metadata"]
    assert setting is None or metadata[setting[0]] == setting[1]


def test_a_fixed_camera_stands_still(gateway: Gateway) -> None:
    gateway.submit(seedance(text("x --cf true")))
    assert gateway.house.last.clip.camera == ("static shot",)
    references = seedance(text("x --cf true"), image(role="reference_image"), model=I2V)
    assert "`--camerafixed true` is ignored" in gateway.changes(references)
    assert not gateway.house.last.clip.camera


def test_content_at_the_top_counts_where_there_is_no_metadata(gateway: Gateway) -> None:
    told = gateway.changes({"model": T2V, "content": [text("a tram --dur 8")], "prompt": "not used"})
    assert "`prompt` is ignored" in told
    assert (gateway.house.last.clip.prompt, gateway.house.last.clip.duration) == ("a tram", 8)


@pytest.mark.parametrize(
    "body",
    [{"metadata": {}}, {"metadata": {"content": []}}, {"metadata": {"content": None, "ratio": "1:1"}}, {}],
    ids=["empty metadata", "empty content", "null content", "neither"],
)
def test_without_content_a_video_of_a_stock_sentence_is_made(gateway: Gateway, body: dict[str, Any]) -> None:
    told = gateway.changes({"model": T2V, "prompt": "what was meant", **body})
    assert "THERE IS NO `content`" in told
    assert "`prompt` is ignored" in told
    assert gateway.house.last.clip.prompt == STOCK == "视频生成请求"


def test_other_keys_of_the_metadata_are_dropped(gateway: Gateway) -> None:
    metadata = {
        "content": [text("x")],
        "seed": 7,
        "return_last_frame": True,
        "callback_url": "https://a.example.net",
    }
    told = gateway.changes({"model": T2V, "metadata": metadata, "duration": 10})
    assert "`seed` is ignored" in told
    assert "`duration` is ignored" in told
    assert "`callback_url` is not called" in told
    assert "return_last_frame" not in told


@pytest.mark.parametrize(
    ("model", "content", "parts"),
    [
        pytest.param(I2V, [image(picture())], ["first_frame"], id="a picture without a role"),
        pytest.param(I2V, [image(picture(), "first_frame")], ["first_frame"], id="a first frame"),
        pytest.param(
            I2V, [image(picture(), "last_frame"), image(picture(), "first_frame")], ["last_frame", "first_frame"],
            id="both ends",
        ),
        pytest.param(I2V, [image(picture(), "reference_image")] * 4, ["reference"] * 4, id="four references"),
        pytest.param(PRO, [image(picture())], ["first_frame"], id="the pro model"),
        pytest.param(
            NEW, [image(picture(), "first_frame"), image(picture(), "last_frame")], ["first_frame", "last_frame"],
            id="the new model",
        ),
    ],
)  # fmt: skip
def test_pictures_have_their_roles(
    gateway: Gateway, model: str, content: list[dict[str, Any]], parts: list[str]
) -> None:
    assert gateway.finished(seedance(text("x"), *content, model=model))["status"] == "succeeded"
    assert [part for part, _ in gateway.house.last.clip.pictures] == parts


@pytest.mark.parametrize(
    ("model", "content"),
    [
        pytest.param(T2V, [text("x"), image()], id="a picture for text to video"),
        pytest.param(T2V, [image()], id="a picture alone for text to video"),
        pytest.param(I2V, [text("x")], id="no picture for picture to video"),
        pytest.param(PRO, [image(role="first_frame"), image(role="last_frame")], id="a last frame for 1.0 pro"),
        pytest.param(PRO, [text("x"), image(role="reference_image")], id="a reference for 1.0 pro"),
        pytest.param(NEW, [text("x"), image(role="reference_image")], id="a reference for 1.5 pro"),
        pytest.param(I2V, [image(role="reference_image")] * 5, id="five references"),
        pytest.param(I2V, [image(role="reference_image"), image(role="first_frame")], id="a mixture"),
        pytest.param(I2V, [image(role="first_frame")] * 2, id="two first frames"),
        pytest.param(I2V, [image(role="last_frame")], id="a last frame alone"),
        pytest.param(I2V, [image(), image()], id="two without a role"),
        pytest.param(I2V, [image(role="start")], id="an unknown role"),
        pytest.param(I2V, [image("still.png")], id="no address"),
        pytest.param(T2V, [{"type": "video_url"}], id="an unknown kind"),
    ],
)
def test_what_seedance_does_not_take_is_an_api_error(
    gateway: Gateway, model: str, content: list[dict[str, Any]]
) -> None:
    answer = gateway.refused(seedance(*content, model=model))
    assert answer["code"] == "api_error"
    assert json.loads(answer["message"].partition(": ")[2])["error"]["code"] == "InvalidParameter"


@pytest.mark.parametrize(
    "metadata",
    ["x", {"content": "x"}, {"content": ["x"]}, {"content": [{"type": "image_url", "image_url": ADDRESS}]},
     {"content": [text("x")], "return_last_frame": "yes"}, {"content": [{"type": "text", "text": 7}]}],
    ids=str,
)  # fmt: skip
def test_metadata_of_another_shape_is_refused_at_the_gateway(gateway: Gateway, metadata: Any) -> None:
    assert gateway.refused({"model": T2V, "metadata": metadata})["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("given_picture", "fault"),
    [
        (picture(299, 400), "too small"),
        (picture(6001, 2401), "too large"),
        (picture(1300, 400), "ratio"),
        (picture(rubbish=10_000_000), "too many"),
        (data_uri(b"", "image/png"), "empty"),
    ],
    ids=["small", "large", "narrow", "bytes", "nothing"],
)
def test_a_picture_out_of_bounds_fails_a_seedance_task(gateway: Gateway, given_picture: str, fault: str) -> None:
    report = gateway.finished(seedance(text("x"), image(given_picture), model=I2V))
    assert report["status"] == "failed"
    assert report["error"]["code"] == "InvalidParameter"
    assert fault in report["error"]["message"]


@pytest.mark.parametrize(
    ("size", "ratio"), [((1920, 1080), "16:9"), ((900, 1200), "3:4"), ((1000, 990), "1:1"), ((1200, 500), "21:9")]
)
def test_an_adaptive_clip_has_the_nearest_ratio(gateway: Gateway, size: tuple[int, int], ratio: str) -> None:
    report = gateway.finished(seedance(text("x"), image(picture(*size)), model=I2V))
    assert report["metadata"]["ratio"] == ratio


def test_references_are_not_adaptive_and_not_1080p(gateway: Gateway) -> None:
    words = text("x --ratio adaptive --rs 1080p")
    told = gateway.changes(seedance(words, image(role="reference_image"), model=I2V))
    assert "`--ratio adaptive` is ignored" in told
    assert "`--resolution 1080p` is ignored" in told


def test_a_model_without_audio_has_the_same_name_upstream(gateway: Gateway) -> None:
    report = gateway.finished(seedance(text("x"), model=f"{NEW}-noAudio"))
    assert report["metadata"]["model"] == NEW


# --- the older backend -------------------------------------------------------------------------------------


def test_leapx_answers_submits_with_an_id_and_queries_in_an_envelope(leapx: Gateway) -> None:
    status, answer = leapx.post(seedance(text("x --seed 9 --rs 720p --dur 5")))
    task_id = answer["task_id"]
    assert (status, answer) == (200, {"task_id": task_id})
    leapx.house.time = 90
    begun = 1_767_225_600
    row = leapx.query(task_id)
    assert (row["code"], row["message"]) == ("success", "")
    raw = row["data"].pop("data")
    assert row["data"] == {
        "task_id": task_id, "action": "video_generation", "status": "SUCCESS", "fail_reason": "",
        "submit_time": begun, "start_time": begun + 10, "finish_time": begun + 50, "progress": "100%",
    }  # fmt: skip
    assert (raw["id"], raw["status"], raw["content"]["video_url"]) == (task_id, "succeeded", leapx.house.links[-1])
    assert (raw["seed"], raw["usage"]["total_tokens"]) == (9, 103818)


def test_leapx_looks_upstream_every_fifteen_seconds(leapx: Gateway) -> None:
    leapx.house.time = 4
    task_id = leapx.submit(WAN)
    seen = []
    for leapx.house.time in (4, 13.9, 14.9, 15, 20, 74, 75):
        row = leapx.query(task_id)["data"]
        seen.append((leapx.house.time, row["status"]))
    assert seen == [
        (4, "NOT_START"), (13.9, "NOT_START"), (14.9, "NOT_START"), (15, "IN_PROGRESS"), (20, "IN_PROGRESS"),
        (74, "IN_PROGRESS"), (75, "SUCCESS"),
    ]  # fmt: skip


def test_leapx_sees_nothing_new_between_two_looks_even_if_the_first_question_comes_late(leapx: Gateway) -> None:
    task_id = leapx.submit(WAN)
    leapx.house.time = 29
    assert leapx.query(task_id)["data"]["status"] == "IN_PROGRESS"
    leapx.house.time = 74
    row = leapx.query(task_id)["data"]
    assert (row["status"], row["finish_time"], row["data"]["output"]["task_status"]) == (
        "IN_PROGRESS",
        0,
        "RUNNING",
    )


def test_a_task_in_leapxs_queue_has_not_begun(leapx: Gateway) -> None:
    leapx.house.time = 14
    task_id = leapx.submit(WAN)
    leapx.house.time = 15
    row = leapx.query(task_id)["data"]
    assert (row["status"], row["progress"], row["start_time"]) == ("QUEUED", "0%", 0)


def test_leapx_keeps_a_link_as_it_was_signed_first(leapx: Gateway) -> None:
    task_id = leapx.submit(WAN)
    urls = set()
    for leapx.house.time in (90, 1000, 2 * DAY):
        urls.add(leapx.query(task_id)["data"]["data"]["output"]["video_url"])
    assert urls == {leapx.house.links[0]}


@pytest.mark.parametrize("body", [SORA, WAN, seedance(text("nsfw"))], ids=["sora", "wan", "seedance"])
def test_leapx_tells_why_a_task_failed(leapx: Gateway, body: Any) -> None:
    task_id = leapx.submit({**body, "prompt": "nsfw"})
    leapx.house.time = 1000
    row = leapx.query(task_id)["data"]
    assert (row["status"], row["progress"]) == ("FAILURE", "100%")
    assert "http" not in row["fail_reason"]
    assert row["fail_reason"]


def test_leapx_puts_veos_link_where_the_reason_of_a_failure_would_be(leapx: Gateway) -> None:
    row = leapx.finished(VEO)["data"]
    assert row["status"] == "IN_PROGRESS"
    leapx.house.time = 1000
    row = leapx.query(row["task_id"])["data"]
    assert (row["status"], row["fail_reason"]) == ("SUCCESS", leapx.house.links[-1])
    assert row["data"]["video_url"] == leapx.house.links[-1]


def test_leapx_reports_a_filtered_clip_as_a_success_without_one(leapx: Gateway) -> None:
    task_id = leapx.submit(VEO)
    leapx.house.last.error = leapx.twin.moderated()
    leapx.house.time = 1000
    row = leapx.query(task_id)["data"]
    assert (row["status"], row["fail_reason"]) == ("SUCCESS", "")
    assert row["data"]["response"] == {"raiMediaFilteredCount": 1}


def test_leapx_hands_out_sora_clips_once_it_has_seen_them(leapx: Gateway) -> None:
    task_id = leapx.submit(SORA)
    request = Request(verb="GET", path=(*PLACE, "download"), query={"id": task_id}, headers=KEY)
    leapx.house.time = 104
    assert leapx.ask(request)[0] == 400
    leapx.house.time = 105
    assert leapx.ask(request)[0] == 200
    assert "url" not in json.dumps(leapx.query(task_id))


# --- whatever comes ----------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 13),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["", "x", "4", "8", "1280x720", "1280*720", "720p", "480p", "16:9", "9:16", ADDRESS, "data:;base64,AA==",
         "video_x", "\ud800", "nsfw", "x --dur 5 --rs 480p --seed -1", "allow_all"]
    ),
)  # fmt: skip
ITEMS = st.one_of(
    st.builds(text, VALUES),
    st.builds(image, VALUES, st.sampled_from([None, "first_frame", "last_frame", "reference_image", "x"])),
    VALUES,
)
FIELDS = [
    "prompt", "seconds", "size", "width", "height", "input_reference", "remix_from_video_id", "user",
    "durationSeconds", "duration_seconds", "aspectRatio", "resolution", "fps", "image", "lastFrame",
    "generateAudio", "personGeneration", "addWatermark", "seed", "sampleCount", "duration", "smart_rewrite",
    "generate_audio", "audio_url", "content", "metadata",
]  # fmt: skip
SOME = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5)
PATHS = st.one_of(
    st.just(PLACE),
    st.builds(lambda last: (*PLACE, last), st.text()),
    st.lists(st.text(), max_size=3).map(tuple),
)
BODIES = st.builds(
    lambda model, fields, metadata: {"prompt": "x", **fields, **metadata, "model": model},
    st.sampled_from(list(FAMILIES)),
    SOME,
    st.one_of(
        st.just({}),
        st.builds(lambda content: {"metadata": {"content": content}}, st.lists(ITEMS, max_size=3)),
        st.builds(lambda fields: {"metadata": fields}, SOME),
    ),
)


@pytest.mark.parametrize("name", ["nebula", "leapx"])
def test_any_body_is_answered_as_described_and_what_is_described_is_taken(
    name: Literal["nebula", "leapx"],
    fake_house: type[FakeHouse],
    as_described: Callable[[Twin, Request, Answer], Any],
) -> None:
    gateway = Gateway(fake_house(), as_described, name)
    described = gateway.twin.paths()[f"/{name}/v1/video/generations"]["post"]["requestBody"]
    request = Draft202012Validator(described["content"]["application/json"]["schema"])

    @given(BODIES)
    @settings(max_examples=150, deadline=None)
    def answered(body: dict[str, Any]) -> None:
        status, answer = gateway.post(body)
        assert status in (200, 400)
        if status == 400:
            sent = json.loads(json.dumps(body))
            finite = "NaN" not in json.dumps(body) and "Infinity" not in json.dumps(body)
            assert not (finite and request.is_valid(sent)), answer
            return
        task = gateway.house.last
        assert (task.clip.width % 2, task.clip.height % 2) == (0, 0)
        for moment in (task.accepted, task.begins, task.ends + 15):
            gateway.house.time = moment
            gateway.query(task.id)
        gateway.ask(Request(verb="GET", path=(*PLACE, "download"), query={"id": task.id}, headers=KEY))

    answered()


@pytest.mark.parametrize("name", ["nebula", "leapx"])
def test_whatever_the_bytes_are_there_is_an_answer(
    name: Literal["nebula", "leapx"],
    fake_house: type[FakeHouse],
    as_described: Callable[[Twin, Request, Answer], Any],
) -> None:
    gateway = Gateway(fake_house(), as_described, name)

    @given(
        st.sampled_from(["GET", "POST", "PUT", ""]),
        PATHS,
        st.dictionaries(st.sampled_from(["id", "x"]), st.text(), max_size=2),
        st.sampled_from([{}, KEY, KEY | JSON_TYPE]),
        st.one_of(st.binary(), st.text().map(lambda words: words.encode("utf-8", "replace"))),
    )
    @settings(max_examples=150, deadline=None)
    def answered(
        verb: str, path: tuple[str, ...], query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> None:
        request = Request(verb=verb, path=path, query=query, headers=headers, body=body)
        assert gateway.ask(request)[0] in (400, 401, 404)
        for answer in (gateway.twin.overloaded(request), gateway.twin.throttled(request, retry_after=None)):
            assert answer.status in (503, 429)

    answered()


def test_every_model_is_described(gateway: Gateway) -> None:
    body = gateway.twin.paths()["/nebula/v1/video/generations"]["post"]["requestBody"]
    request = Draft202012Validator(body["content"]["application/json"]["schema"])
    bodies = [SORA, VEO, OLD_VEO, WAN, WAN_I2V]
    bodies += [
        seedance(*([text("x")] if kind.text else [text("x"), image(role="first_frame")]), model=model)
        for model, kind in KINDS.items()
    ]
    for sent in bodies:
        assert request.is_valid(sent), sent
        gateway.submit(sent)
    assert not request.is_valid({"model": "another", "prompt": "x"})
