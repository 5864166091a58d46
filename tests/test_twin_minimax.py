"""The twins of MiniMax and Gately, as their documents say that the services behave."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vidspec.animatic.camera import MOVES
from vidspec.sandbox.minimax import MiniMax
from vidspec.sandbox.twin import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeHouse

    from vidspec.sandbox.twin import Twin

    Held = Callable[[Twin, Request, Answer], Any]

KEY = {"authorization": "Bearer good"}
URL = "https://assets.example.net/a.png"
OK = {"status_code": 0, "status_msg": "success"}
T2V = {"model": "MiniMax-Hailuo-2.3", "prompt": "a kettle", "prompt_optimizer": False}
OLD = {"model": "T2V-01", "prompt": "a kettle", "prompt_optimizer": False}
SUBJECT = [{"type": "character", "image": [URL]}]
ADDRESSED = "is an address: not fetched offline"


def encoded(width: int, height: int, kind: str = "png") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(target, kind)
    return target.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


class Service:
    """The twin in its house, every answer of which is held against its description."""

    def __init__(self, house: FakeHouse, held: Held, name: str) -> None:
        self.house = house
        self.twin = MiniMax(house, name)
        self._held = held

    def ask(
        self, verb: str, path: str, query: dict[str, str] | None = None, body: Any = None, **sent: Any
    ) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = sent.get("headers", KEY)
        request = Request(verb=verb, path=tuple(path.split("/")), query=query or {}, headers=headers, body=data)
        answer = self.twin.answer(request)
        self._held(self.twin, request, answer)
        return answer

    def said(self, *asked: Any, status: int = 200, **sent: Any) -> Any:
        answer = self.ask(*asked, **sent)
        assert answer.status == status
        return json.loads(answer.body)

    def submit(self, fields: dict[str, Any]) -> Any:
        return self.said("POST", "video_generation", None, fields)

    def accepted(self, fields: dict[str, Any]) -> str:
        said = self.submit(fields)
        assert said.get("base_resp", OK) == OK, said
        return str(said["task_id"])

    def refusal(self, fields: dict[str, Any]) -> tuple[int, str]:
        said = self.submit(fields)
        assert said["task_id"] == ""
        assert not self.house.tasks
        return said["base_resp"]["status_code"], said["base_resp"]["status_msg"]

    def query(self, task_id: str) -> Any:
        return self.said("GET", "query/video_generation", {"task_id": task_id})

    def file(self, file_id: str) -> Any:
        return self.said("GET", "files/retrieve", {"file_id": file_id})

    @property
    def size(self) -> tuple[int, int]:
        return self.house.last.clip.width, self.house.last.clip.height


@pytest.fixture
def service(fake_house: type[FakeHouse], as_described: Held) -> Service:
    return Service(fake_house(), as_described, "minimax")


@pytest.fixture
def gately(fake_house: type[FakeHouse], as_described: Held) -> Service:
    return Service(fake_house(), as_described, "gately")


# --- a task's life -----------------------------------------------------------------------------------------


def test_a_task_goes_from_its_preparation_to_a_file(service: Service) -> None:
    task_id = service.accepted(T2V)
    seen = []
    for service.house.time in (0, 2, 3, 9, 10, 249):
        found = service.query(task_id)
        seen.append(found.pop("status"))
        assert found == {"task_id": task_id, "file_id": "", "video_width": 0, "video_height": 0, "base_resp": OK}
    assert seen == ["Preparing", "Preparing", "Queueing", "Queueing", "Processing", "Processing"]
    service.house.time = 260
    found = service.query(task_id)
    assert (found["status"], found["video_width"], found["video_height"]) == ("Success", 1366, 768)
    file_id = found["file_id"]
    assert service.file(file_id)["file"] == {
        "file_id": int(file_id),
        "bytes": len(f"the clip of {task_id}"),
        "created_at": 1_767_225_600 + 250,
        "filename": "output.mp4",
        "purpose": "video_generation",
        "download_url": service.house.links[0],
    }
    assert "life=3600&" in service.house.links[0]


def test_a_file_s_number_does_not_survive_a_float(service: Service) -> None:
    for _ in range(20):
        service.accepted(T2V)
    service.house.time = 1000
    files = [service.query(task_id)["file_id"] for task_id in service.house.tasks]
    assert all(int(file_id) < 2**63 for file_id in files)
    assert any(int(float(file_id)) != int(file_id) for file_id in files)


def test_a_file_can_be_looked_up_again_for_a_fresh_link(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.time = 1000
    file_id = service.query(task_id)["file_id"]
    first, second = (service.file(file_id)["file"]["download_url"] for _ in range(2))
    assert first != second


def test_the_bytes_can_be_had_with_the_key(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.time = 1000
    query = {"file_id": service.query(task_id)["file_id"]}
    answer = service.ask("GET", "files/retrieve_content", query)
    assert (answer.headers["Content-Type"], answer.body) == ("video/mp4", f"the clip of {task_id}".encode())
    said = service.said("GET", "files/retrieve_content", query, headers={})
    assert said["base_resp"]["status_code"] == 1004


def test_a_file_is_not_there_before_its_task_has_succeeded(service: Service) -> None:
    service.accepted(T2V)
    file_id = service.house.last.facts["file_id"]
    for path in ("files/retrieve", "files/retrieve_content"):
        said = service.said("GET", path, {"file_id": file_id})
        assert said["base_resp"] == {
            "status_code": 2013,
            "status_msg": "invalid params, file_id: it does not exist",
        }


@pytest.mark.parametrize("query", [{}, {"task_id": "", "file_id": ""}, {"task_id": "1", "file_id": "9" * 5000}])
def test_what_does_not_exist_is_a_bad_parameter(service: Service, query: dict[str, str]) -> None:
    for path, name in (("query/video_generation", "task_id"), ("files/retrieve", "file_id")):
        said = service.said("GET", path, query)
        wrong = {"status_code": 2013, "status_msg": f"invalid params, {name}: it does not exist"}
        assert said == {"base_resp": wrong}


def test_a_task_that_was_moderated_fails_with_its_code(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.last.error = service.twin.moderated()
    service.house.time = 1000
    assert service.query(task_id) == {
        "task_id": task_id,
        "status": "Fail",
        "file_id": "",
        "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"},
    }


@pytest.mark.parametrize("time", [0, 50, 1000])
def test_a_state_of_a_fault_s_choosing_hides_the_true_one(service: Service, time: float) -> None:
    task_id = service.accepted(T2V)
    service.house.last.word = "ARCHIVING"
    service.house.time = time
    found = service.query(task_id)
    assert (found["status"], found["file_id"], found["video_width"]) == ("ARCHIVING", "", 0)


def test_a_task_that_comes_late_is_not_found_at_first(service: Service) -> None:
    task_id = service.accepted(T2V)
    service.house.last.appears = 5
    assert service.query(task_id)["base_resp"]["status_code"] == 2013
    service.house.time = 5
    assert service.query(task_id)["status"] == "Queueing"


# --- models and modes --------------------------------------------------------------------------------------

BODY: dict[str, dict[str, Any]] = {
    "t2v": {"prompt": "a kettle"},
    "i2v": {"first_frame_image": URL},
    "fl2v": {"first_frame_image": URL, "last_frame_image": URL},
    "s2v": {"subject_reference": SUBJECT},
}
OFFERED: dict[tuple[str, str], dict[str, tuple[int, ...]]] = {
    ("MiniMax-Hailuo-2.3", "t2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-2.3", "i2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-2.3-Fast", "i2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "t2v"): {"768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "i2v"): {"512P": (6, 10), "768P": (6, 10), "1080P": (6,)},
    ("MiniMax-Hailuo-02", "fl2v"): {"768P": (6, 10), "1080P": (6,)},
    ("T2V-01-Director", "t2v"): {"720P": (6,)},
    ("T2V-01", "t2v"): {"720P": (6,)},
    ("I2V-01-Director", "i2v"): {"720P": (6,)},
    ("I2V-01", "i2v"): {"720P": (6,)},
    ("I2V-01-live", "i2v"): {"720P": (6,)},
}
MODELS = [*dict.fromkeys(model for model, _ in OFFERED), "S2V-01"]
SIZES = {"512P": (910, 512), "720P": (1280, 720), "768P": (1366, 768), "1080P": (1920, 1080)}


@pytest.mark.parametrize(("model", "mode"), OFFERED)
@pytest.mark.parametrize("resolution", SIZES)
@pytest.mark.parametrize("duration", [6, 10])
def test_a_model_takes_the_lengths_of_its_mode_and_resolution(
    service: Service, model: str, mode: str, resolution: str, duration: int
) -> None:
    body = {"model": model, **BODY[mode], "resolution": resolution, "duration": duration}
    offered = OFFERED[model, mode]
    if duration in offered.get(resolution, ()):
        service.accepted(body)
        assert (service.size, service.house.last.clip.duration) == (SIZES[resolution], duration)
        assert service.house.typical == [(240, 300) if duration == 6 else (480, 540)]
    else:
        code, message = service.refusal(body)
        wrong = "duration" if resolution in offered else "resolution"
        assert (code, message.startswith(f"invalid params, {wrong}: ")) == (2013, True)


@pytest.mark.parametrize(("model", "mode"), [*OFFERED, ("S2V-01", "s2v")])
def test_a_model_has_usual_settings(service: Service, model: str, mode: str) -> None:
    service.accepted({"model": model, **BODY[mode]})
    clip = service.house.last.clip
    assert (service.size, clip.duration, clip.fps) == (SIZES["720P" if "01" in model else "768P"], 6.0, 24.0)
    assert (clip.label, clip.seed) == (f"MiniMax {model}", None)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("mode", "field"),
    [("t2v", ""), ("i2v", "first_frame_image"), ("fl2v", "last_frame_image"), ("s2v", "subject_reference")],
)
def test_a_mode_that_a_model_lacks_is_a_bad_parameter(service: Service, model: str, mode: str, field: str) -> None:
    body = {"model": model, "prompt": "x", **BODY[mode]}
    if (model, mode) in {*OFFERED, ("S2V-01", "s2v")}:
        service.accepted(body)
    else:
        code, message = service.refusal(body)
        needed = "subject_reference" if model == "S2V-01" else "first_frame_image"
        said = f"{field}: {model} does not support it" if field else f"{needed}: {model} needs it"
        assert (code, message) == (2013, f"invalid params, {said}")


def test_a_last_frame_needs_no_first_one(service: Service) -> None:
    service.accepted({"model": "MiniMax-Hailuo-02", "last_frame_image": data_uri(encoded(500, 1000))})
    assert (service.size, [part for part, _ in service.house.last.clip.pictures]) == ((768, 1536), ["last_frame"])


def test_a_subject_goes_with_no_frame(service: Service) -> None:
    body = {"model": "S2V-01", "subject_reference": SUBJECT, "first_frame_image": URL}
    assert service.refusal(body) == (2013, "invalid params, first_frame_image: S2V-01 does not support it here")


def test_a_subject_s_picture_does_not_shape_the_clip(service: Service) -> None:
    data = encoded(400, 800)
    service.accepted({"model": "S2V-01", "subject_reference": [{"type": "character", "image": [data_uri(data)]}]})
    assert (service.size, service.house.last.clip.pictures) == ((1280, 720), (("reference", data),))


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("x", id="a text"),
        pytest.param([], id="nobody"),
        pytest.param([*SUBJECT, *SUBJECT], id="two"),
        pytest.param([{"type": "object", "image": [URL]}], id="a thing"),
        pytest.param([{"type": "character", "image": URL}], id="no list"),
        pytest.param([{"type": "character", "image": [URL, URL]}], id="two pictures"),
        pytest.param([{"type": "character", "image": [5]}], id="no text"),
    ],
)
def test_a_subject_is_one_character_with_one_picture(service: Service, subject: Any) -> None:
    code, message = service.refusal({"model": "S2V-01", "subject_reference": subject})
    assert (code, message.startswith("invalid params, subject_reference: it must be [")) == (2013, True)


# --- pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "resolution", "size"),
    [
        pytest.param((1600, 900), "768P", (1366, 768), id="wide"),
        pytest.param((900, 1600), "1080P", (1080, 1920), id="tall"),
        pytest.param((500, 500), "512P", (512, 512), id="square"),
        pytest.param((1000, 400), "768P", (1920, 768), id="as wide as may be"),
        pytest.param((400, 1000), "768P", (768, 1920), id="as tall as may be"),
    ],
)
def test_the_first_frame_gives_the_clip_its_ratio(
    service: Service, picture: tuple[int, int], resolution: str, size: tuple[int, int]
) -> None:
    data = encoded(*picture)
    body = {"model": "MiniMax-Hailuo-02", "first_frame_image": data_uri(data), "resolution": resolution}
    service.accepted(body)
    assert (service.size, service.house.last.clip.pictures) == (size, (("first_frame", data),))
    assert service.house.notes == []


PICTURES = {
    "a format": (data_uri(encoded(400, 400, "gif"), "gif"), "the format gif is not supported"),
    "a short side": (data_uri(encoded(300, 400)), "300x400 pixels are too small, the least side is 301"),
    "too wide": (data_uri(encoded(1003, 401)), "1003x401 pixels, the ratio must be from 0.4 to 2.5"),
    "too tall": (data_uri(encoded(401, 1003)), "401x1003 pixels, the ratio must be from 0.4 to 2.5"),
    "no picture": (data_uri(b"x"), "`first_frame_image` is not a picture that can be read"),
    "bare base64": (base64.b64encode(encoded(400, 400)).decode(), "it must be an http(s) address or a data URI"),
    "a path": ("a.png", "it must be an http(s) address or a data URI"),
    "nothing": ("", "it must be an http(s) address or a data URI"),
    "a number": (5, "it must be a string"),
}


@pytest.mark.parametrize(("picture", "said"), [pytest.param(*case, id=name) for name, case in PICTURES.items()])
def test_a_picture_outside_of_the_limits_is_a_bad_parameter(service: Service, picture: Any, said: str) -> None:
    body = {"model": "I2V-01", "first_frame_image": picture}
    assert service.refusal(body) == (2013, f"invalid params, first_frame_image: {said}")


@pytest.mark.slow
def test_a_picture_stays_below_twenty_million_bytes(service: Service) -> None:
    whole = encoded(400, 400, "webp")
    body = {"model": "I2V-01"}
    just = data_uri(whole + b"\0" * (19_999_999 - len(whole)), "webp")
    over = data_uri(whole + b"\0" * (20_000_000 - len(whole)), "webp")
    said = "invalid params, first_frame_image: 20000000 bytes are too many, the most is 19999999"
    assert service.refusal({**body, "first_frame_image": over}) == (2013, said)
    service.accepted({**body, "first_frame_image": just})


# --- the prompt --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "text", "moves", "notes"),
    [
        pytest.param("[Push in]a kettle", "a kettle", ("push in",), [], id="one"),
        pytest.param("[Pan left,Pedestal up]a", "a", ("pan left", "pedestal up"), [], id="two at once"),
        pytest.param("[Pan left, Pedestal up]a", "a", ("pan left", "pedestal up"), [], id="a blank between"),
        pytest.param("a [Shake]b [Shake,Zoom in]c", "a b c", ("shake", "zoom in"), [], id="one after the other"),
        pytest.param("no brackets", "no brackets", (), [], id="none"),
        pytest.param(
            "[Push out]a", "[Push out]a", (), ["`[Push out]` is no camera command: ignored"], id="an unknown one"
        ),
        pytest.param(
            "[push in]a", "[push in]a", (), ["`[push in]` is no camera command: ignored"], id="no capital"
        ),
        pytest.param("[]a", "[]a", (), ["`[]` is no camera command: ignored"], id="an empty one"),
        pytest.param(
            "[Tilt up,Fly]a", "a", ("tilt up",), ["`[Fly]` is no camera command: ignored"], id="known and unknown"
        ),
        pytest.param(
            "[Shake,Zoom in,Tilt up,Pan left]",
            "",
            ("shake", "zoom in", "tilt up", "pan left"),
            ["`[Shake,Zoom in,Tilt up,Pan left]` holds more than 3 commands: it may not be followed"],
            id="four",
        ),
    ],
)
def test_camera_commands_stand_in_brackets(
    service: Service, prompt: str, text: str, moves: tuple[str, ...], notes: list[str]
) -> None:
    service.accepted({**T2V, "prompt": prompt})
    clip = service.house.last.clip
    assert (clip.prompt, clip.camera, service.house.notes) == (text, moves, notes)


def test_every_move_that_can_be_drawn_is_a_command(service: Service) -> None:
    for move in MOVES:
        service.accepted({**T2V, "prompt": f"[{move.capitalize()}]"})
        assert service.house.last.clip.camera == (move,)


@pytest.mark.parametrize("model", MODELS)
def test_commands_stay_text_where_a_model_obeys_none(service: Service, model: str) -> None:
    mode = next((mode for known, mode in OFFERED if known == model), "s2v")
    service.accepted({"model": model, **BODY[mode], "prompt": "[Shake]a", "prompt_optimizer": False})
    clip = service.house.last.clip
    if model in ("T2V-01", "I2V-01", "I2V-01-live", "S2V-01"):
        assert (clip.prompt, clip.camera) == ("[Shake]a", ())
        assert f"`[Shake]` stays as text: `{model}` obeys no camera commands" in service.house.notes
    else:
        assert (clip.prompt, clip.camera) == ("a", ("shake",))


@pytest.mark.parametrize(
    ("sent", "rewritten", "noted"),
    [
        pytest.param({}, True, True, id="not sent"),
        pytest.param({"prompt_optimizer": None}, True, True, id="null"),
        pytest.param({"prompt_optimizer": True}, True, False, id="asked for"),
        pytest.param({"prompt_optimizer": False}, False, False, id="not wanted"),
    ],
)
def test_a_prompt_is_rewritten_in_silence_unless_that_is_ruled_out(
    service: Service, sent: dict[str, Any], rewritten: bool, noted: bool
) -> None:
    service.accepted({"model": "T2V-01", "prompt": "a kettle.", **sent})
    assert (service.house.last.clip.prompt != "a kettle.") is rewritten
    said = ["the prompt was rewritten: `prompt_optimizer` is true where it is not sent"]
    assert service.house.notes == service.house.last.changed == (said if noted else [])


def test_a_prompt_has_two_thousand_characters_at_most(service: Service) -> None:
    assert service.refusal({**T2V, "prompt": "码" * 2001}) == (
        2013,
        "invalid params, prompt: it is longer than 2000 characters",
    )
    service.accepted({**T2V, "prompt": "码" * 2000})


@pytest.mark.parametrize(
    ("prompt", "code", "message"),
    [
        pytest.param("an NSFW kettle", 1026, "input new_sensitive", id="sensitive"),
        pytest.param("a\u200bb\u200bc", 1042, "too many invisible characters", id="invisible"),
    ],
)
def test_a_prompt_is_refused_for_what_it_holds(service: Service, prompt: str, code: int, message: str) -> None:
    assert service.refusal({**T2V, "prompt": prompt}) == (code, message)


def test_a_few_invisible_characters_and_line_breaks_are_fine(service: Service) -> None:
    service.accepted({**T2V, "prompt": "a ferryman 👨‍👩‍👧 waits for all of them\n\n\n\n\n"})


# --- what is ignored, and what is refused ------------------------------------------------------------------


def test_fields_that_it_does_not_know_are_ignored_in_silence(service: Service) -> None:
    service.accepted({**T2V, "seed": 7, "negative_prompt": "text"})
    model = T2V["model"]
    assert service.house.notes == [
        f"`seed` is ignored: `{model}` has no such field",
        f"`negative_prompt` is ignored: `{model}` has no such field",
    ]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        pytest.param(
            {**OLD, "fast_pretreatment": True},
            "`fast_pretreatment` is ignored: `T2V-01` has no such field",
            id="haste",
        ),
        pytest.param({**T2V, "fast_pretreatment": True}, None, id="haste where it counts"),
        pytest.param(
            {**T2V, "aigc_watermark": True},
            "`aigc_watermark` is taken: the sandbox draws no watermark",
            id="watermark",
        ),
        pytest.param(
            {**T2V, "callback_url": "https://a.example.net"},
            "`callback_url` is not called by the sandbox",
            id="callback",
        ),
        pytest.param(
            {"model": "S2V-01", "subject_reference": SUBJECT, "duration": "x"},
            "`duration` is ignored: `S2V-01` has no such field",
            id="a subject's length",
        ),
    ],
)
def test_what_has_no_effect_is_noted(service: Service, body: dict[str, Any], note: str | None) -> None:
    service.accepted(body)
    assert [said for said in service.house.notes if ADDRESSED not in said] == ([note] if note else [])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"model": None}, "model: it is required", id="no model"),
        pytest.param({"model": "MiniMax-H3"}, "model: it does not exist", id="a model of the second protocol"),
        pytest.param({"prompt": None}, "prompt: it is required", id="no prompt"),
        pytest.param({"prompt": 5}, "prompt: it must be a string", id="a number for a prompt"),
        pytest.param({"duration": "6"}, "duration: it must be an integer", id="a text for a duration"),
        pytest.param({"duration": 5}, "duration: MiniMax-Hailuo-2.3 supports 6, 10 at 768P", id="another duration"),
        pytest.param(
            {"resolution": "768p"}, "resolution: MiniMax-Hailuo-2.3 supports 768P, 1080P here", id="small p"
        ),
        pytest.param({"prompt_optimizer": "false"}, "prompt_optimizer: it must be a boolean", id="a text for no"),
        pytest.param({"callback_url": 5}, "callback_url: it must be a string", id="a number for an address"),
    ],
)
def test_a_bad_parameter_is_named(service: Service, fields: dict[str, Any], message: str) -> None:
    assert service.refusal({**T2V, **fields}) == (2013, f"invalid params, {message}")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_a_bad_parameter(service: Service, body: bytes) -> None:
    said = service.said("POST", "video_generation", None, body)
    assert (said["task_id"], said["base_resp"]["status_code"]) == ("", 2013)


# --- errors ------------------------------------------------------------------------------------------------

CALLS = {
    "submit": ("POST", "video_generation"),
    "poll": ("GET", "query/video_generation"),
    "result": ("GET", "files/retrieve"),
    "download": ("GET", "files/retrieve_content"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("headers", "on_submit", "else_code"),
    [
        pytest.param({}, 1004, 1004, id="no key"),
        pytest.param({"authorization": "Bearer bad"}, 2049, 1004, id="a bad key"),
        pytest.param({"Authorization": "Bearer unpaid"}, 1008, 1004, id="an empty account"),
    ],
)
def test_a_key_is_refused_as_the_call_lists_its_codes(
    service: Service, call: str, headers: dict[str, str], on_submit: int, else_code: int
) -> None:
    said = service.said(*CALLS[call], None, T2V, headers=headers)
    assert said["base_resp"]["status_code"] == (on_submit if call == "submit" else else_code)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("too fast", (1002, "rate limit")), ("too many", (1041, "connection limit"))],
)
def test_limits_have_their_codes(service: Service, verdict: Any, said: tuple[int, str]) -> None:
    service.house.verdict = verdict
    assert service.refusal(T2V) == said


@pytest.mark.parametrize("call", CALLS)
def test_faults_speak_as_the_service_does(service: Service, as_described: Held, call: str) -> None:
    verb, path = CALLS[call]
    twin, request = service.twin, Request(verb=verb, path=tuple(path.split("/")))
    answers = [
        twin.throttled(request, retry_after=2),
        twin.overloaded(request),
        twin.broken(request),
        twin.timed_out(request),
    ]
    codes = [as_described(twin, request, answer)["base_resp"]["status_code"] for answer in answers]
    assert codes == [1002, 1033, 1013 if call in ("result", "download") else 1024, 1001]
    assert [answer.status for answer in answers] == [200] * 4
    assert (answers[0].headers["Retry-After"], twin.call_of(request)) == ("2", call)


def test_every_answer_has_a_trace(service: Service) -> None:
    traces = [service.ask(*CALLS[call], None, T2V).headers["Trace-Id"] for call in CALLS]
    assert len(set(traces)) == len(CALLS)


@pytest.mark.parametrize(("verb", "path"), [("GET", "video_generation"), ("POST", "files/retrieve"), ("GET", "")])
def test_what_is_not_served_is_not_found(service: Service, gately: Service, verb: str, path: str) -> None:
    for one in (service, gately):
        assert one.ask(verb, path).body == b"404 page not found"


# --- Gately ------------------------------------------------------------------------------------------------


def test_gately_is_minimax_without_base_resp(gately: Service) -> None:
    assert (gately.twin.prefix, gately.twin.title) == ("/gately/v1", "Gately")
    said = gately.submit({"model": "T2V-01-Director", "prompt": "[Push in, Tilt up]a", "prompt_optimizer": False})
    task_id = said.pop("task_id")
    assert (said, gately.house.last.clip.camera) == ({}, ("push in", "tilt up"))
    gately.house.time = 1000
    found = gately.query(task_id)
    file_id = found.pop("file_id")
    assert found == {"task_id": task_id, "status": "Success", "video_width": 1280, "video_height": 720}
    assert set(gately.file(file_id)) == {"file"}
    answer = gately.ask("GET", "files/retrieve_content", {"file_id": file_id})
    assert (answer.body, "Trace-Id" in answer.headers) == (f"the clip of {task_id}".encode(), False)


@pytest.mark.parametrize("model", MODELS)
def test_gately_has_the_first_series_alone(gately: Service, model: str) -> None:
    mode = next((mode for known, mode in OFFERED if known == model), "s2v")
    body = {"model": model, **BODY[mode]}
    if "Hailuo" in model:
        said = gately.said("POST", "video_generation", None, body, status=400)
        assert said == {"error": "invalid params, model: it does not exist"}
    else:
        gately.accepted(body)


def test_gately_ignores_what_its_page_does_not_show(gately: Service) -> None:
    gately.accepted({**OLD, "duration": 10, "resolution": "1080P", "last_frame_image": URL, "callback_url": 5})
    assert [note.split()[0] for note in gately.house.notes] == [
        "`duration`",
        "`resolution`",
        "`last_frame_image`",
        "`callback_url`",
    ]
    assert (gately.size, gately.house.last.clip.duration) == ((1280, 720), 6.0)


def test_gately_takes_a_picture_as_bare_base64(gately: Service) -> None:
    data = encoded(400, 800)
    gately.accepted({"model": "I2V-01", "first_frame_image": base64.b64encode(data).decode()})
    assert (gately.house.last.clip.pictures, gately.size) == ((("first_frame", data),), (720, 1440))
    gately.accepted({"model": "I2V-01", "first_frame_image": URL})
    said = "`first_frame_image` was taken as an address: Gately's page speaks of base64 alone"
    assert said in gately.house.notes


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        pytest.param({"headers": {}}, 401, "not authorized", id="no key"),
        pytest.param({"headers": {"authorization": "Bearer bad"}}, 401, "invalid api key", id="a bad key"),
        pytest.param({"headers": {"authorization": "unpaid"}}, 400, "insufficient balance", id="an empty account"),
        pytest.param({"body": {**OLD, "prompt": "nsfw"}}, 400, "input new_sensitive", id="sensitive"),
        pytest.param({"body": b"x"}, 400, "invalid params, the body is not valid JSON", id="no JSON"),
    ],
)
def test_gately_refuses_with_a_status(gately: Service, sent: dict[str, Any], status: int, error: str) -> None:
    said = gately.said("POST", "video_generation", **{"body": OLD, **sent}, status=status)
    assert said == {"error": error}


@pytest.mark.parametrize("verdict", ["too fast", "too many"])
def test_gately_s_limits_are_429(gately: Service, verdict: Any) -> None:
    gately.house.verdict = verdict
    said = gately.said("POST", "video_generation", None, OLD, status=429)
    assert said == {"error": "Rate limit exceeded" if verdict == "too fast" else "connection limit"}


def test_gately_s_faults_and_failed_tasks(gately: Service, as_described: Held) -> None:
    twin, request = gately.twin, Request(verb="GET", path=("query", "video_generation"))
    answers = [
        twin.throttled(request, retry_after=None),
        twin.overloaded(request),
        twin.broken(request),
        twin.timed_out(request),
    ]
    assert [answer.status for answer in answers] == [429, 500, 500, 500]
    assert all(as_described(twin, request, answer)["error"] for answer in answers)
    task_id = gately.accepted(OLD)
    gately.house.last.error = twin.moderated()
    gately.house.time = 1000
    assert gately.query(task_id) == {
        "task_id": task_id,
        "status": "Fail",
        "file_id": "",
        "error": "output new_sensitive",
    }


def test_the_example_in_the_description_is_accepted(service: Service, gately: Service) -> None:
    for one in (service, gately):
        described = one.twin.paths()[f"{one.twin.prefix}/video_generation"]["post"]["requestBody"]["content"]
        (example,) = described["application/json"]["schema"]["examples"]
        one.accepted(example)


# --- any bytes ---------------------------------------------------------------------------------------------

WORDS = ["T2V-01-Director", "I2V-01", "MiniMax-Hailuo-02", "S2V-01", "768P", 6, 10, URL, "[Shake]", data_uri(b"x")]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["model", "prompt", "prompt_optimizer", "first_frame_image", "last_frame_image", "subject_reference"]
NAMES += ["duration", "resolution", "callback_url", "fast_pretreatment", "seed"]
BODIES = st.binary() | st.builds(
    lambda known, more: json.dumps({**known, **more}).encode(),
    st.sampled_from([T2V, OLD, {"model": "MiniMax-Hailuo-02", **BODY["fl2v"]}, {"model": "S2V-01", **BODY["s2v"]}]),
    st.dictionaries(st.sampled_from(NAMES) | st.text(), VALUES, max_size=4),
)
REQUESTS = st.builds(
    Request,
    verb=st.sampled_from(["POST", "GET", "PUT"]),
    path=st.sampled_from([tuple(path.split("/")) for _, path in CALLS.values()]) | st.lists(st.text()).map(tuple),
    query=st.dictionaries(st.sampled_from(["task_id", "file_id"]), st.text()),
    headers=st.sampled_from([KEY, {}, {"Authorization": "\udc00"}]),
    body=BODIES,
)


@pytest.mark.parametrize("name", ["minimax", "gately"])
@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_no_request_is_too_strange_and_every_answer_is_as_described(
    fake_house: type[FakeHouse], as_described: Held, name: str, requests: list[Request]
) -> None:
    twin = MiniMax(fake_house(), name)
    for request in requests:
        answer = twin.answer(request)
        as_described(twin, request, answer)
        assert answer.status < 500
