"""The sandbox without sockets: routes, faults, what is kept, and that nothing brings it down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidspec.sandbox.drill import Drill
from vidspec.sandbox.faults import Fault, fault
from vidspec.sandbox.films import Film
from vidspec.sandbox.house import LocalHouse
from vidspec.sandbox.incoming import Headers, Incoming
from vidspec.sandbox.links import Links
from vidspec.sandbox.opened import PAGES
from vidspec.sandbox.site import Place, Sandbox
from vidspec.sandbox.timing import LIMITS
from vidspec.sandbox.twins import TWINS, open_twin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vidspec.sandbox.delivery import Delivery
    from vidspec.sandbox.twin import Answer, Clip, Request

BASE = "http://127.0.0.1:8807"
KEY = {"Authorization": "Bearer x"}
SUBMIT = {"model": "Wan-AI/Wan2.2-T2V-A14B", "prompt": "a ferry", "image_size": "1280x720"}


class Desk:
    """A sandbox on a clock that is moved by hand, whose clips are there at once."""

    def __init__(self, folder: Path, *faults: Fault, names: tuple[str, ...] = ("siliconflow", "minimax")) -> None:
        self.time = 0.0
        self.heard: list[str] = []
        self._clip = Film(path=folder / "clip.mp4")
        self._clip.path.write_bytes(bytes(range(200)))
        self._clip.size = 200
        links = Links(BASE, b"secret", self.now)
        places = {}
        for name in names:
            house = LocalHouse(name, base=BASE, clock=self.now, films=self, links=links, limits=LIMITS[name])
            places[name] = Place(open_twin(name, house), house)
        self.sandbox = Sandbox(
            BASE,
            places,
            drill=Drill(faults),
            file_links=links,
            now=self.now,
            pages=PAGES,
            listener=lambda exchange: self.heard.append(exchange.path),
        )

    def now(self) -> float:
        return self.time

    def order(self, clip: Clip) -> Film:
        return self._clip

    def deliver(
        self, verb: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Delivery:
        return self.sandbox.respond(
            Incoming(verb=verb, target=target, headers=Headers((headers or {}).items()), body=body)
        )

    def ask(self, verb: str, target: str, value: Any = None, **headers: str) -> Answer:
        body = b"" if value is None else json.dumps(value).encode()
        return self.deliver(verb, target, body, headers).answer

    def submit(self, **changed: Any) -> str:
        """Submit to SiliconFlow; the id."""
        answer = self.ask("POST", "/siliconflow/v1/video/submit", {**SUBMIT, **changed}, **KEY)
        assert answer.status == 200, answer.body
        return str(json.loads(answer.body)["requestId"])

    def poll(self, task_id: str) -> Any:
        answer = self.ask("POST", "/siliconflow/v1/video/status", {"requestId": task_id}, **KEY)
        return json.loads(answer.body)

    def link(self) -> str:
        """Path and query of a finished clip."""
        task_id = self.submit()
        self.time += 100_000
        parts = urlsplit(self.poll(task_id)["results"]["videos"][0]["url"])
        return f"{parts.path}?{parts.query}"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- routes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TWINS)
def test_every_twin_of_the_registry_is_opened_and_served_under_its_prefix(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path, names=(name,))
    twin = desk.sandbox.places[name].twin
    assert twin.name == name
    assert twin.prefix.startswith(f"/{name}/v")
    assert desk.sandbox.base_url(name) == f"{BASE}{twin.prefix}"
    desk.ask("GET", f"{twin.prefix}/nowhere")
    assert desk.sandbox.history.counts[name] == 1


def test_a_clip_is_made_asked_for_and_fetched(desk: Desk) -> None:
    task_id = desk.submit()
    assert desk.poll(task_id)["status"] == "InQueue"
    link = desk.link()
    answer = desk.ask("GET", link)
    assert (answer.status, answer.body) == (200, bytes(range(200)))
    assert desk.ask("GET", link, Range="bytes=0-9").body == bytes(range(10))
    desk.time += 601
    assert desk.ask("GET", link).status == 403


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("/files", 404, id="folder"),
        pytest.param("/files/nobody/0/clip.mp4", 404, id="nobody's"),
        pytest.param("/files/minimax/0/clip.mp4", 403, id="unsigned"),
        pytest.param("/files/minimax/0/clip.mp4/more", 404, id="deeper"),
        pytest.param("/nothing", 404, id="nothing"),
        pytest.param("/siliconflow", 404, id="half a prefix"),
        pytest.param("/siliconflow/v1x/video/submit", 404, id="another prefix"),
        pytest.param("*", 404, id="star"),
        pytest.param("/elsewhere/minimax", 200, id="elsewhere"),
    ],
)
def test_what_is_not_served_is_told_so(desk: Desk, target: str, status: int) -> None:
    assert desk.ask("GET", target).status == status


@pytest.mark.parametrize("page", PAGES)
def test_the_sandboxs_own_pages_can_only_be_read_and_are_not_kept(desk: Desk, page: str) -> None:
    assert desk.ask("GET", page).status == desk.ask("HEAD", f"{page}?a=b").status == 200
    assert not desk.sandbox.history.exchanges
    answer = desk.ask("DELETE", page)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


# --- what is kept ------------------------------------------------------------------------------------------------


def test_every_exchange_is_kept_with_what_it_was_about(desk: Desk) -> None:
    link = desk.link()
    desk.ask("GET", link, **KEY)
    submit, poll, download = desk.sandbox.history.exchanges
    assert (submit.number, submit.call, submit.status, submit.key) == (1, "submit", 200, True)
    assert (poll.call, poll.task, poll.model) == ("poll", submit.task, SUBMIT["model"])
    assert (download.call, download.task, download.status, download.time) == ("download", submit.task, 400, 100_000)
    assert desk.heard == [submit.path, poll.path, download.path]
    assert "signature" not in download.path
    assert "Bearer" not in repr(list(desk.sandbox.history.exchanges))


def test_what_is_changed_in_silence_is_kept(desk: Desk) -> None:
    task_id = desk.submit(negative_prompt="rain", cfg=7)
    ((provider, task, change),) = desk.sandbox.changes()
    assert (provider, task) == ("siliconflow", task_id)
    assert "cfg" in change
    assert desk.sandbox.history.exchanges[0].changed == (change,)


def test_what_is_no_request_is_kept_too(desk: Desk) -> None:
    assert desk.sandbox.refuse(400, "bad HTTP").status == 400
    (kept,) = desk.sandbox.history.exchanges
    assert (kept.verb, kept.path, kept.status, kept.provider) == ("?", "bad HTTP", 400, None)


def test_a_long_path_is_kept_in_part(desk: Desk) -> None:
    desk.ask("GET", "/" + "a" * 5000)
    assert len(desk.sandbox.history.exchanges[0].path) == 300


# --- faults ------------------------------------------------------------------------------------------------------


def test_a_refused_submit_leaves_nothing_behind(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("throttled", retry_after=7.0), fault("broken", calls=("submit",)))
    house = desk.sandbox.places["siliconflow"].house
    answers = [desk.ask("POST", "/siliconflow/v1/video/submit", SUBMIT, **KEY) for _ in range(2)]
    assert [answer.status for answer in answers] == [429, 500]
    assert answers[0].headers["Retry-After"] == "7"
    assert not house.tasks
    assert house.submits_this_minute() == 0
    assert [one.fault for one in desk.sandbox.history.exchanges] == ["throttled", "broken"]
    desk.submit()


@pytest.mark.parametrize("kind", ["drop", "reset", "cut", "html", "empty", "garbage", "timed_out", "hang"])
def test_a_submit_whose_answer_is_lost_was_carried_out(tmp_path: Path, kind: str) -> None:
    desk = Desk(tmp_path, fault(kind, calls=("submit",)))
    desk.ask("POST", "/siliconflow/v1/video/submit", SUBMIT, **KEY)
    (kept,) = desk.sandbox.history.exchanges
    assert list(desk.sandbox.places["siliconflow"].house.tasks) == [kept.task]
    assert kept.fault == kind
    assert (kept.status is None) == (kind in ("drop", "reset", "hang"))


def test_a_model_that_is_named_by_its_task_alone_is_found(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        fault("broken", calls=("poll",), model="*I2V*", times=None),
        fault("link_expired", model="*T2V*"),
    )
    link = desk.link()
    assert desk.ask("GET", link).status == 403
    assert desk.ask("GET", link).status == 200
    assert not [one for one in desk.sandbox.history.exchanges if one.fault == "broken"]


def test_a_look_at_a_clip_without_fetching_it_is_no_download(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("link_expired"))
    link = desk.link()
    assert desk.ask("HEAD", link).status == 200
    assert desk.ask("GET", link).status == 403


def test_an_answer_is_redirected_to_another_host_where_a_clip_can_be_had_and_nothing_else(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("redirect", calls=("submit",)), fault("redirect", calls=("download",)))
    answer = desk.ask("POST", "/siliconflow/v1/video/submit", SUBMIT, **KEY)
    assert (answer.status, answer.headers["Location"]) == (302, "http://localhost:8807/elsewhere/siliconflow")
    assert desk.ask("POST", "/elsewhere/siliconflow", SUBMIT).headers["Content-Type"].startswith("text/html")
    link = desk.link()
    moved = desk.ask("GET", link)
    assert moved.headers["Location"] == f"http://localhost:8807{link}"
    assert desk.ask("GET", link).status == 200


def test_moderation_fails_a_task_in_the_twins_own_words(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("moderation", first=2))
    good, bad = desk.submit(), desk.submit()
    desk.time += 100_000
    assert [desk.poll(task_id)["status"] for task_id in (good, bad)] == ["Succeed", "Failed"]
    twin, house = desk.sandbox.places["siliconflow"]
    assert house.tasks[bad].error == twin.moderated()


def test_a_late_row_cannot_be_found_at_first(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("late_row", seconds=15.0))
    desk.time = 3.0
    task_id = desk.submit()
    desk.time = 17.9
    assert "status" not in desk.poll(task_id)
    desk.time = 18.0
    assert desk.poll(task_id)["status"]


def test_an_unknown_state_is_said_for_as_long_as_is_written(tmp_path: Path) -> None:
    desk = Desk(tmp_path, fault("unknown_state", word="PENDING_REVIEW", seconds=60.0))
    task_id = desk.submit()
    desk.time = 59.0
    assert desk.poll(task_id)["status"] == "PENDING_REVIEW"
    desk.time = 100_000.0
    assert desk.poll(task_id)["status"] == "Succeed"


# --- nothing brings it down --------------------------------------------------------------------------------------


def test_a_page_that_fails_is_an_answer_and_a_bug_that_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(desk.sandbox.drill, "rules")
    assert desk.ask("GET", "/state.json").status == 500
    assert len(desk.sandbox.history.bugs) == 1
    assert desk.ask("GET", "/").status == 200


def test_a_twin_that_fails_is_told_apart_from_a_provider_that_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_request: Request) -> Answer:
        raise ZeroDivisionError("here")

    monkeypatch.setattr(desk.sandbox.places["siliconflow"].twin, "answer", fail)
    assert desk.ask("POST", "/siliconflow/v1/video/submit", SUBMIT).status == 500
    (kept,) = desk.sandbox.history.exchanges
    assert kept.bug
    assert "ZeroDivisionError: here" in kept.bug
    assert desk.sandbox.history.bugs == [kept.bug]


PATHS = st.sampled_from(
    [
        "siliconflow/v1/video/submit", "siliconflow/v1/video/status", "minimax/v1/video_generation",
        "minimax/v1/query/video_generation", "minimax/v1/files/retrieve", "nebula/v1/video/generations",
        "nebula/v1/video/generations/a", "yutoai/v2/videos/generations", "gately/v1/video_generation",
        "files/minimax/0/clip.mp4", "", "state.json",
    ]
)  # fmt: skip
FIELD = st.sampled_from(
    [
        "model",
        "prompt",
        "size",
        "image",
        "image_size",
        "seed",
        "duration",
        "metadata",
        "content",
        "text",
        "requestId",
    ]
) | st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD, inner, max_size=4),
    max_leaves=8,
)
BODIES = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=PATHS | st.text(max_size=30),
    query=st.text(max_size=20),
    verb=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "X"]),
    body=BODIES,
    key=st.sampled_from(["", "Bearer x", "Bearer bad", "Bearer unpaid"]),
)
def test_any_request_gets_an_answer_and_none_is_a_bug(
    tmp_path: Path, path: str, query: str, verb: str, body: bytes, key: str
) -> None:
    desk = Desk(tmp_path, names=tuple(TWINS))
    delivery = desk.deliver(verb, f"/{path}?{query}", body, {"Authorization": key} if key else {})
    assert 200 <= delivery.answer.status < 600
    assert not desk.sandbox.history.bugs
