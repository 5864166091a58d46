"""Which edits can be accepted as they are, in plans over real lists, lockfiles and clips."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

from vidspec import acceptance
from vidspec.divergence import InPlace
from vidspec.lock import Output, Record
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import open_lists, read_lock
from vidspec.state import Flight, Move

if TYPE_CHECKING:
    from vidspec.acceptance import Acceptance
    from vidspec.lock import Lock
    from vidspec.planned import Plan

Shots = Callable[..., Path]
Vidspec = Callable[..., CompletedProcess[str]]
Edited = Callable[[str, str], "Film"]

CHAIN = """
- {id: a, prompt: one}
- {id: b, prompt: two, first_frame: {shot: a, at: last}}
- {id: c, prompt: three, first_frame: {shot: b, at: last}}
- {id: d, prompt: four}
"""


class Film:
    """A list that was rendered and has been edited since."""

    def __init__(self, path: Path) -> None:
        (self.opened,), _ = open_lists([path], {})
        self.lock: Lock = read_lock(self.opened.lock_path)
        self.flights: dict[str, Flight] = {}

    def plan(self, flights: Mapping[str, Flight] | None = None) -> Plan:
        return self.opened.plan(self.lock, Afloat(flights=self.flights if flights is None else flights))

    def fly(self, slate: str, move: Move, **facts: Any) -> None:
        """Have a request under way for what the list asks for now."""
        (take,) = (take for take in self.opened.takes if take.slate == slate)
        record = self.lock.get(slate)
        assert record
        sent = replace(record, request=take.request, fingerprint=take.fingerprint, output=None, superseded=())
        self.flights[slate] = Flight(
            slate=slate, move=move, record=sent, output=take.output, base_url="", since=0.0, **facts
        )

    def recorded(self, flights: Mapping[str, Flight]) -> Plan:
        takes = self.opened.takes
        return plan(takes, self.lock, InPlace(takes, self.lock), (), Afloat(flights=flights))

    def accept(self, *slates: str) -> Acceptance:
        return acceptance.accept(self.lock, self.flights, set(slates), self.recorded, self.plan)

    def undo(self, *slates: str) -> Acceptance:
        return acceptance.undo(self.lock, self.flights, set(slates), self.plan)

    def standing(self) -> dict[str, tuple[str, str]]:
        """Action and state of every take by the lock as it is now."""
        return {one.slate: (one.action, one.state) for one in self.plan().takes}


@pytest.fixture
def edited(shots: Shots, vidspec: Vidspec) -> Edited:
    """Renders a list, then edits it."""

    def make(before: str, after: str) -> Film:
        shots(before)
        assert vidspec("render", "shots.yaml").returncode == 0
        return Film(shots(after))

    return make


KEPT, WAIVED = ("keep", "done"), ("keep", "waived")


def test_an_accepted_edit_is_kept_and_so_is_all_that_would_have_followed_from_it(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("one", "uno"))
    found = film.accept("a-t01")
    assert (found.done, found.already, dict(found.refused)) == (("a-t01",), (), {})
    assert set(found.unpaid) == {"a-t01", "b-t01", "c-t01"}
    assert film.standing() == {"a-t01": WAIVED, "b-t01": KEPT, "c-t01": KEPT, "d-t01": KEPT}


def test_of_takes_that_need_each_other_only_those_are_marked_that_were_edited(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("one", "uno").replace("three", "tre"))
    found = film.accept("c-t01", "b-t01", "a-t01")
    assert found.done == ("a-t01", "c-t01")
    assert found.refused == {"b-t01": "is as it was rendered"}
    assert [slate for slate, record in film.lock.items() if record.accepted] == ["a-t01", "c-t01"]
    assert film.standing() == {"a-t01": WAIVED, "b-t01": KEPT, "c-t01": WAIVED, "d-t01": KEPT}


def test_what_needs_a_frame_that_will_be_another_waits_for_that_decision(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("one", "uno").replace("three", "tre"))
    found = film.accept("c-t01")
    assert found.done == ()
    assert found.refused == {"c-t01": "needs b-t01, which is to be rendered anew: accept or render that first"}
    assert not any(record.accepted for _, record in film.lock.items())


def test_a_frame_of_a_clip_that_was_rendered_anew_can_be_accepted(
    edited: Edited, shots: Shots, vidspec: Vidspec
) -> None:
    edited(CHAIN, CHAIN.replace("one", "uno"))
    assert vidspec("render", "shots.yaml", "--select", "a").returncode == 0
    film = Film(shots(CHAIN.replace("one", "uno")))
    assert film.standing()["b-t01"] == ("render", "stale")
    assert film.accept("b-t01").done == ("b-t01",)
    assert film.standing() == {"a-t01": KEPT, "b-t01": WAIVED, "c-t01": KEPT, "d-t01": KEPT}


def test_what_is_left_stale_behind_a_clip_that_costs_can_be_accepted(shots: Shots) -> None:
    """Nothing is spent on it by itself, and it is a difference until somebody says that it is none."""
    text = "- {{id: a, prompt: {}}}\n- {{id: b, prompt: x, first_frame: {{shot: a, at: last}}}}"
    film = Film(shots(text.format("one"), defaults="{provider: nebula, model: sora-2, size: 1280x720}"))
    first, second = film.opened.takes
    for take, clip, of in ((first, "2", None), (second, "3", "1")):
        request = dict(take.request)
        frames = None
        if of:
            request["first_frame"] = f"sha256:{'f' * 64}"
            frames = {
                "first_frame": {"slate": "a-t01", "at": "last", "of": of * 8, "sha256": request["first_frame"]}
            }
        film.lock.put(
            take.slate,
            Record(
                shot=take.shot,
                take=1,
                provider=take.provider,
                model=take.model,
                fingerprint=take.fingerprint,
                request=request,
                defaulted=tuple(take.defaulted),
                frames=frames,
                request_id="r1",
                output=Output(path=take.output, sha256=f"sha256:{clip * 64}", bytes=4),
            ),
        )
    (recorded,) = (one for one in film.recorded({}).takes if one.slate == "b-t01")
    assert recorded.is_left
    assert film.accept("b-t01").done == ("b-t01",)
    assert film.accept("b-t01").already == ("b-t01",)


def test_an_edit_that_would_be_brought_back_free_may_be_accepted_too(
    edited: Edited, shots: Shots, vidspec: Vidspec
) -> None:
    edited(CHAIN, CHAIN.replace("four", "quattro"))
    assert vidspec("render", "shots.yaml").returncode == 0
    film = Film(shots(CHAIN))
    assert film.standing()["d-t01"] == ("restore", "stale")
    found = film.accept("d-t01")
    assert (found.done, found.unpaid) == (("d-t01",), {})
    assert film.standing()["d-t01"] == WAIVED
    record = film.lock.get("d-t01")
    assert record
    assert record.request
    assert record.request["prompt"] == "quattro"


def test_an_edit_of_an_accepted_edit_is_stale_again_and_may_be_accepted_anew(edited: Edited, shots: Shots) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    film.accept("d-t01")
    lock = film.lock
    film = Film(shots(CHAIN.replace("four", "quatre")))
    film.lock = lock
    assert film.standing()["d-t01"] == ("render", "stale")
    assert film.accept("d-t01").done == ("d-t01",)
    assert film.standing()["d-t01"] == WAIVED


def test_a_list_that_goes_back_to_what_was_rendered_needs_no_mark(edited: Edited, shots: Shots) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    film.accept("d-t01")
    lock = film.lock
    film = Film(shots(CHAIN))
    film.lock = lock
    assert film.standing()["d-t01"] == KEPT


def test_what_is_accepted_already_is_said_to_be(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    film.accept("d-t01")
    found = film.accept("d-t01")
    assert (found.done, found.already, dict(found.refused)) == ((), ("d-t01",), {})
    assert film.standing()["d-t01"] == WAIVED


def test_a_clip_that_is_missing_but_kept_may_be_accepted_and_is_brought_back(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    shutil.rmtree(film.opened.shot_list.project / "renders/d")
    assert film.accept("d-t01").done == ("d-t01",)
    assert film.standing()["d-t01"] == ("restore", "missing")


def test_an_edit_can_be_accepted_where_the_clip_is_not_to_be_had_which_is_told(edited: Edited) -> None:
    """The mark is for every machine, and the clip may be on another."""
    film = edited(CHAIN, CHAIN.replace("four", "quattro").replace("one", "uno"))
    project = film.opened.shot_list.project
    before = film.lock.get("d-t01")
    shutil.rmtree(project / "renders/d")
    shutil.rmtree(project / ".vidspec/objects", ignore_errors=True)
    found = film.accept("d-t01", "a-t01")
    assert (found.done, found.lost) == (("a-t01", "d-t01"), ["d-t01"])
    assert set(found.unpaid) == {"a-t01", "b-t01", "c-t01"}
    assert film.standing()["d-t01"] == ("render", "stale")
    record = film.lock.get("d-t01")
    assert record
    assert replace(record, accepted=None) == before


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        ("accepted", "is under way: a render collects it, free"),
        ("running", "is under way: a render collects it, free"),
        ("in_doubt", "is in doubt: first say what became of it, with `vidspec adopt` or `--resubmit`"),
    ],
)
def test_what_a_provider_has_or_may_have_is_refused(edited: Edited, move: Move, reason: str) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    film.fly("d-t01", move, request_id="r1")
    found = film.accept("d-t01")
    assert (found.done, found.refused) == ((), {"d-t01": reason})


def test_an_edit_that_has_failed_may_stay_as_it_was_before(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("four", "quattro"))
    film.fly("d-t01", "failed", blame="moderation", reason="the prompt was refused")
    assert film.standing()["d-t01"] == ("failed", "failed")
    assert film.accept("d-t01").done == ("d-t01",)
    assert film.standing()["d-t01"] == WAIVED


@pytest.mark.parametrize(
    ("after", "slate", "reason"),
    [
        pytest.param(CHAIN, "d-t01", "is as it was rendered", id="unchanged"),
        pytest.param(
            f"{CHAIN}- {{id: e, prompt: x}}", "e-t01", "was never rendered: there is no clip to keep", id="new"
        ),
    ],
)
def test_where_nothing_was_edited_there_is_nothing_to_accept(
    edited: Edited, after: str, slate: str, reason: str
) -> None:
    found = edited(CHAIN, after).accept(slate)
    assert (found.done, found.already, found.refused) == ((), (), {slate: reason})


def test_a_missing_clip_is_no_edit(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN)
    shutil.rmtree(film.opened.shot_list.project / "renders/d")
    assert film.accept("d-t01").refused == {"d-t01": "is as it was rendered"}


def test_a_mark_can_be_taken_away_and_all_is_stale_as_before(edited: Edited) -> None:
    film = edited(CHAIN, CHAIN.replace("one", "uno"))
    before = film.standing()
    film.accept("a-t01")
    found = film.undo("a-t01", "d-t01")
    assert (found.done, found.refused) == (("a-t01",), {"d-t01": "has no accepted edit"})
    assert set(found.paid_again) == {"a-t01", "b-t01", "c-t01"}
    assert film.standing() == before


def test_a_chain_is_accepted_from_its_beginning_however_long_it_is(edited: Edited) -> None:
    entries = ["- {id: s00, prompt: x}"]
    entries += [f"- {{id: s{n:02}, prompt: x, first_frame: {{shot: s{n - 1:02}}}}}" for n in range(1, 8)]
    before = "\n".join(entries)
    film = edited(before, before.replace("prompt: x", "prompt: y"))
    found = film.accept(*(take.slate for take in film.opened.takes))
    assert len(found.done) == 8
    assert set(film.standing().values()) == {WAIVED}
