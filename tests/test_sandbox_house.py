"""A house: books, limits, chance and clips of one provider, on a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from vidspec.sandbox.films import Film
from vidspec.sandbox.house import EPOCH, LocalHouse
from vidspec.sandbox.links import Links
from vidspec.sandbox.timing import Limits
from vidspec.sandbox.twin import Clip, Request, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLIP = Clip(prompt="a ferry", label="Wan", width=64, height=36, duration=1.0)
TYPICAL = (60.0, 120.0)


class Instant:
    """Films that are ready when they are told to be."""

    def __init__(self, folder: Path) -> None:
        self.films: list[Film] = []
        self.at_once = True
        self._folder = folder

    def order(self, clip: Clip) -> Film:
        film = Film(path=self._folder / f"{len(self.films)}.mp4", remarks=("a remark",))
        self.films.append(film)
        if self.at_once:
            self.finish(film, clip.prompt.encode())
        return film

    def finish(self, film: Film, data: bytes = b"clip") -> None:
        film.path.write_bytes(data)
        film.size = len(data)


class Home:
    """A house, and what moves it."""

    def __init__(self, folder: Path) -> None:
        self.time = 0.0
        self.films = Instant(folder)
        self._ids = 0

    def house(self, limits: Limits | None = None, *, name: str = "siliconflow", seed: int = 0) -> LocalHouse:
        links = Links("http://127.0.0.1:1", b"secret", lambda: EPOCH + self.time)
        return LocalHouse(
            name,
            base="http://127.0.0.1:1",
            clock=lambda: self.time,
            films=self.films,
            links=links,
            limits=limits or Limits(),
            seed=seed,
        )

    def accepted(self, house: LocalHouse, *, prompt: str = "a ferry") -> Task:
        self._ids += 1
        return house.accept(f"task-{self._ids}", "m", replace(CLIP, prompt=prompt), typical=TYPICAL)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


# --- the life of a task ------------------------------------------------------------------------------------------


def test_a_task_is_queued_then_running_then_there(home: Home) -> None:
    house = home.house()
    home.time = 5.0
    task = home.accepted(house)
    assert (task.accepted, task.provider, task.model) == (5.0, "siliconflow", "m")
    seen = []
    for at in (5.0, task.begins - 0.01, task.begins, (task.begins + task.ends) / 2, task.ends - 0.01, task.ends):
        home.time = at
        seen.append((house.stage(task), house.share(task)))
    assert seen == [
        ("queued", 0), ("queued", 0), ("running", 0), ("running", 50), ("running", 99), ("succeeded", 100),
    ]  # fmt: skip
    assert house.size(task) == 7
    assert house.data(task) == b"a ferry"


def test_a_task_whose_clip_is_still_being_drawn_goes_on_running(home: Home) -> None:
    house = home.house()
    home.films.at_once = False
    task = home.accepted(house)
    home.time = task.ends + 1000
    assert (house.stage(task), house.share(task), house.size(task), house.data(task)) == ("running", 99, 0, b"")
    home.films.finish(home.films.films[0])
    assert (house.stage(task), house.share(task), house.data(task)) == ("succeeded", 100, b"clip")


def test_a_task_with_an_error_fails_when_its_time_has_come_drawn_or_not(home: Home) -> None:
    house = home.house()
    home.films.at_once = False
    task = home.accepted(house)
    task.error = {"message": "no"}
    home.time = task.ends - 0.01
    assert house.stage(task) == "running"
    home.time = task.ends
    assert (house.stage(task), house.share(task)) == ("failed", 99)


def test_a_task_can_be_found_from_when_it_appears(home: Home) -> None:
    house = home.house()
    task = home.accepted(house)
    task.appears = 10.0
    home.time = 9.9
    assert house.task(task.id) is None
    home.time = 10.0
    assert house.task(task.id) is task
    assert house.task("another") is None


@pytest.mark.parametrize(("until", "later"), [(20.0, None), (None, "ARCHIVING")], ids=["for a while", "for good"])
def test_a_state_of_our_own_is_said_until_its_time_is_over(
    home: Home, until: float | None, later: str | None
) -> None:
    house = home.house()
    task = home.accepted(house)
    house.say(task, "ARCHIVING", until)
    home.time = 19.9
    assert house.task(task.id) is task
    assert task.word == "ARCHIVING"
    home.time = 20.0
    assert house.task(task.id) is task
    assert task.word == later


def test_a_clip_that_cannot_be_drawn_as_asked_is_remarked_upon(home: Home) -> None:
    house = home.house()
    task = house.accept("a", "m", replace(CLIP, width=65), typical=TYPICAL)
    assert task.clip.width == 64
    assert house.remarks(task) == ("drawn as 64x36 instead of 65x36", "a remark")
    assert task.changed == []


def test_whoever_hears_of_a_new_task_may_change_it(home: Home) -> None:
    house = home.house()

    def moderate(task: Task) -> None:
        task.error = {"code": 1}

    house.on_accept = moderate
    assert home.accepted(house).error == {"code": 1}


# --- limits ------------------------------------------------------------------------------------------------------


def test_so_many_submits_are_let_in_within_a_minute(home: Home) -> None:
    house = home.house(Limits(per_minute=2))
    for second in (0.0, 30.0):
        home.time = second
        assert house.may_submit("m") == "yes"
        home.accepted(house)
    home.time = 59.9
    assert house.may_submit("n") == "too fast"
    assert house.submits_this_minute() == 2
    home.time = 60.0
    assert house.may_submit("m") == "yes"
    assert house.said_no == {"too fast": 1, "too many": 0}


def test_asking_whether_one_may_submit_is_no_submit(home: Home) -> None:
    house = home.house(Limits(per_minute=1, in_flight=1))
    assert [house.may_submit("m") for _ in range(3)] == ["yes"] * 3


def test_so_many_tasks_may_be_unfinished_at_once(home: Home) -> None:
    house = home.house(Limits(in_flight=2))
    tasks = [home.accepted(house) for _ in range(2)]
    assert house.may_submit("m") == "too many"
    home.time = min(task.ends for task in tasks)
    assert house.may_submit("m") == "yes"
    assert len(house.unfinished()) == 1
    home.accepted(house)
    assert house.may_submit("m") == "too many"
    assert house.said_no == {"too fast": 0, "too many": 2}


def test_a_task_that_failed_is_finished_and_one_not_yet_drawn_is_not(home: Home) -> None:
    house = home.house(Limits(in_flight=2))
    home.films.at_once = False
    failed, undrawn = home.accepted(house), home.accepted(house)
    failed.error = {"code": 1}
    home.time = 10_000.0
    assert house.unfinished() == [undrawn]


def test_slots_refuse_nothing_and_make_tasks_wait(home: Home) -> None:
    house = home.house(Limits(slots=1))
    first, second = home.accepted(house), home.accepted(house)
    assert house.may_submit("m") == "yes"
    assert second.begins == first.ends


# --- keys --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("Bearer x", True),
        ("bearer sk-1", True),
        ("Bearer bad", False),
        ("Bearer bad-key", False),
        ("Bearer ", False),
        ("Bearer", False),
        ("Basic x", False),
        ("x", False),
        ("", False),
    ],
)
def test_any_bearer_token_is_a_good_key_but_one_that_begins_with_bad(home: Home, value: str, good: bool) -> None:
    house = home.house()
    for name in ("Authorization", "authorization"):
        assert house.key_is_good(Request(verb="GET", path=(), headers={name: value})) is good


def test_a_request_without_a_key_has_no_good_one(home: Home) -> None:
    assert not home.house().key_is_good(Request(verb="GET", path=()))


# --- chance ------------------------------------------------------------------------------------------------------


def drawn(house: LocalHouse) -> list[object]:
    return [house.number(1, 10**9), house.word(12), house.word(5, "ab"), house.number(-3, -3)]


def test_the_same_requests_have_the_same_ids_in_every_run(home: Home) -> None:
    assert drawn(home.house()) == drawn(home.house())
    assert drawn(home.house()) != drawn(home.house(seed=1))
    assert drawn(home.house()) != drawn(home.house(name="minimax"))


def test_times_do_not_depend_on_what_else_was_drawn(home: Home) -> None:
    one, other = home.house(), home.house(seed=9)
    drawn(other)
    first, second = home.accepted(one), home.accepted(other)
    assert (first.begins, first.ends) == (second.begins, second.ends)


def test_numbers_and_words_are_within_what_was_asked(home: Home) -> None:
    house = home.house()
    assert {house.number(1, 3) for _ in range(200)} == {1, 2, 3}
    assert set(house.word(400)) <= set("0123456789abcdefghijklmnopqrstuvwxyz")
    assert house.word(0) == ""


def test_a_timestamp_is_the_date_of_opening_and_the_seconds_since(home: Home) -> None:
    house = home.house()
    home.time = 12.9
    assert (house.unix(), house.now()) == (EPOCH + 12, 12.9)


# --- links and notes ---------------------------------------------------------------------------------------------


def test_a_link_leads_to_the_clip_of_a_finished_task_alone(home: Home) -> None:
    house = home.house()
    task = home.accepted(house)
    link = urlsplit(house.link(task, life=600))
    assert f"{link.scheme}://{link.netloc}" == house.base
    _, files, provider, token, name = link.path.split("/")
    assert (files, provider, name) == ("files", "siliconflow", "clip.mp4")
    assert task.id not in token
    assert house.task_of_token(token) is None
    home.time = task.ends
    assert house.task_of_token(token) is task
    assert house.task_of_token("0" * 32) is None


def test_a_link_that_is_asked_for_later_lives_longer(home: Home) -> None:
    house = home.house()
    task = home.accepted(house)
    first = house.link(task, life=600)
    home.time = 5.0
    assert house.link(task, life=600) != first


def test_what_was_changed_in_silence_is_kept_with_the_task_and_told_once(home: Home) -> None:
    house = home.house()
    house.note(None, "a header was ignored")
    task = home.accepted(house)
    house.note(task, "the prompt was cut")
    seen = house.seen()
    assert task.changed == ["the prompt was cut"]
    assert (seen.task, seen.changed) == (task, ["a header was ignored", "the prompt was cut"])
    again = house.seen()
    assert (again.task, again.changed) == (None, [])


def test_the_task_that_was_looked_at_is_seen(home: Home) -> None:
    house = home.house()
    task = home.accepted(house)
    house.seen()
    look: Callable[[], Task | None] = lambda: house.task(task.id)  # noqa: E731
    assert look() is house.seen().task is task
