"""What the sandbox shows of itself: the state as JSON, the page, and the description in OpenAPI."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from vidspec.sandbox import openapi, page, view
from vidspec.sandbox.drill import Drill
from vidspec.sandbox.faults import fault
from vidspec.sandbox.films import Film
from vidspec.sandbox.house import LocalHouse
from vidspec.sandbox.incoming import Headers, Incoming
from vidspec.sandbox.links import Links
from vidspec.sandbox.opened import PAGES
from vidspec.sandbox.site import Place, Sandbox
from vidspec.sandbox.timing import LIMITS, Limits
from vidspec.sandbox.twins import TWINS, open_twin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vidspec.sandbox.twin import Clip

BASE = "http://127.0.0.1:8807"
HTML = "<script>alert(1)</script>&\u2028"


class Shown:
    """A sandbox of all twins on a clock that stands, whose clips are never drawn."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.time = 1.0
        links = Links(BASE, b"secret", self.now)
        places = {}
        for name in TWINS:
            house = LocalHouse(
                name, base=BASE, clock=self.now, films=self, links=links, limits=limits or LIMITS[name]
            )
            places[name] = Place(open_twin(name, house), house)
        drill = Drill([fault("throttled", providers=("minimax",), place="f.yaml:3"), fault("broken", chance=0.0)])
        self.sandbox = Sandbox(BASE, places, drill=drill, file_links=links, now=self.now, pages=PAGES)

    def now(self) -> float:
        return self.time

    def order(self, clip: Clip) -> Film:
        return Film(path=Path("nowhere.mp4"), remarks=("drawn otherwise",))

    def submit(self, prompt: str = "a ferry", key: str = "x", **more: Any) -> int:
        value = {"model": "Wan-AI/Wan2.2-T2V-A14B", "prompt": prompt, "image_size": "1280x720", **more}
        return self.post("/siliconflow/v1/video/submit", value, key)

    def post(self, target: str, value: Any, key: str = "x") -> int:
        headers = Headers({"Authorization": f"Bearer {key}"}.items())
        body = json.dumps(value).encode()
        delivery = self.sandbox.respond(Incoming(verb="POST", target=target, headers=headers, body=body))
        return delivery.answer.status

    @property
    def value(self) -> Any:
        return json.loads(view.answer(self.sandbox).body)

    def provider(self, name: str = "siliconflow") -> Any:
        return next(one for one in self.value["providers"] if one["name"] == name)


@pytest.fixture
def shown() -> Shown:
    return Shown()


# --- state -------------------------------------------------------------------------------------------------------


def test_the_state_tells_of_every_provider_and_fits_its_own_description(shown: Shown) -> None:
    shown.submit(cfg=1)
    shown.submit(key="bad")
    shown.post("/minimax/v1/video_generation", {"model": "MiniMax-Hailuo-02"})
    shown.post("/nowhere", {})
    state = shown.value
    assert [one["name"] for one in state["providers"]] == list(TWINS)
    described = openapi.value(shown.sandbox)
    schema = {"$ref": "#/components/schemas/State", "components": described["components"]}
    assert [error.message for error in Draft202012Validator(schema).iter_errors(state)] == []
    assert state["elsewhere"]["requests"] == len(state["elsewhere"]["recent"]) == 1


def test_a_task_is_told_with_all_that_happened_to_it(shown: Shown) -> None:
    shown.submit(cfg=1, seed=5)
    (task,) = shown.provider()["tasks"]
    assert (task["stage"], task["share"], task["seed"], task["bytes"]) == ("queued", 0, 5, 0)
    assert task["clip"] == "1280x720, 5 s, 16 fps"
    assert task["accepted"] < task["begins"] < task["ends"]
    assert "cfg" in task["changed"][0]
    assert task["remarks"] == ["drawn otherwise"]
    assert shown.provider()["counts"]["changed"] == 1


def test_limits_are_told_with_how_often_they_said_no() -> None:
    shown = Shown(Limits(per_minute=2, in_flight=3))
    assert [shown.submit() for _ in range(4)] == [200, 200, 429, 429]
    assert shown.provider()["limits"] == {
        "per_minute": 2, "in_flight": 3, "slots": None,
        "this_minute": 2, "unfinished": 2, "too_fast": 2, "too_many": 0,
    }  # fmt: skip


def test_faults_are_told_with_how_often_they_happened(shown: Shown) -> None:
    shown.post("/minimax/v1/video_generation", {})
    one, other = shown.value["faults"]
    assert (one["fault"], one["place"], one["matched"], one["fired"], one["of"]) == (
        "throttled",
        "f.yaml:3",
        1,
        1,
        1,
    )
    assert (other["chance"], other["fired"], other["of"]) == (0.0, 0, None)


def test_of_a_thousand_tasks_the_newest_are_shown_and_all_are_counted() -> None:
    shown = Shown(Limits())
    for number in range(1000):
        assert shown.submit(prompt=f"{number} {'long ' * 200}") == 200
    found = shown.provider()
    assert found["counts"]["tasks"] == found["counts"]["requests"] == found["counts"]["queued"] == 1000
    assert len(found["tasks"]) == len(found["recent"]) == view.MOST_ROWS
    assert found["tasks"][0]["prompt"].startswith("999 ")
    assert found["recent"][0]["number"] == 1000
    assert len(view.answer(shown.sandbox).body) < 300_000


def test_half_a_character_can_be_told(shown: Shown) -> None:
    assert shown.submit(prompt="a \ud83d b") == 200
    assert shown.provider()["tasks"][0]["prompt"] == "a ? b"


# --- page --------------------------------------------------------------------------------------------------------


def test_the_page_has_nothing_from_outside_and_never_reads_text_as_html(shown: Shown) -> None:
    text = page.answer(shown.sandbox).body.decode()
    assert not re.findall(r"(?:src|href)=\"(?!/|data:,)[^\"]*\"", text)
    assert "http" not in text
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", text)
    assert not re.findall(r" on[a-z]+=| style=", text)


def test_the_policy_of_the_page_lets_its_own_script_and_style_run_and_no_other(shown: Shown) -> None:
    answer = page.answer(shown.sandbox)
    policy = answer.headers["Content-Security-Policy"]
    for element in ("script", "style"):
        (inner,) = re.findall(rf"<{element}>(.*?)</{element}>", answer.body.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_page_is_the_same_whatever_was_asked_so_that_no_prompt_is_in_it(shown: Shown) -> None:
    before = page.answer(shown.sandbox)
    shown.submit(prompt=HTML)
    assert page.answer(shown.sandbox) == before
    assert shown.provider()["tasks"][0]["prompt"] == HTML


def test_the_page_names_every_field_of_the_state_that_it_shows(shown: Shown) -> None:
    shown.submit()
    text = page.answer(shown.sandbox).body.decode()
    exchange, task = shown.provider()["recent"][0], shown.provider()["tasks"][0]
    used = {found[1] for found in re.finditer(r"\b(?:task|exchange|fault|limits|counts)\.([a-z_]+)\b", text)}
    known = {*task, *exchange, *shown.value["faults"][0], *shown.provider()["limits"], *shown.provider()["counts"]}
    assert used <= known


# --- OpenAPI -----------------------------------------------------------------------------------------------------


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def test_the_description_is_of_all_that_is_served(shown: Shown) -> None:
    described = json.loads(openapi.answer(shown.sandbox).body)
    assert described["openapi"].startswith("3.1.")
    assert described["servers"] == [{"url": BASE}]
    for name, place in shown.sandbox.places.items():
        assert [path for path in described["paths"] if path.startswith(f"{place.twin.prefix}/")], name
    assert set(PAGES) <= set(described["paths"])


def test_every_operation_has_answers_and_declares_the_names_in_its_path(shown: Shown) -> None:
    described = openapi.value(shown.sandbox)
    for path, verb, operation in operations(described):
        assert path.startswith("/")
        assert verb in ("get", "post", "put", "delete")
        assert operation["responses"], path
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d|default", status)
            assert answer["description"]
        declared = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        assert sorted(declared) == sorted(re.findall(r"\{([^}]+)\}", path))
        assert all(one["required"] for one in operation.get("parameters", ()) if one["in"] == "path")
        assert {*operation["tags"]} <= {tag["name"] for tag in described["tags"]}


def test_every_schema_in_the_description_is_one_and_every_reference_leads_somewhere(shown: Shown) -> None:
    described = openapi.value(shown.sandbox)
    found = list(schemas(described))
    assert len(found) > 50
    for schema in found:
        Draft202012Validator.check_schema(schema)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert names <= set(described["components"]["schemas"])


def schemas(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from described["components"]["schemas"].values()
    for _, _, operation in operations(described):
        yield from (one["schema"] for one in operation.get("parameters", ()))
        for message in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from (media["schema"] for media in message.get("content", {}).values() if "schema" in media)


def test_the_pages_and_files_want_no_key_and_the_providers_do(shown: Shown) -> None:
    described = openapi.value(shown.sandbox)
    assert described["security"] == [{"key": []}]
    for path, _, operation in operations(described):
        own = path in PAGES or path.startswith("/files/")
        assert (operation.get("security") == []) == own, path
