"""Money and the lockfile: how going by it might pay twice, pay unasked, lose a clip, or say what is not so.

The whole command line runs, against a provider that lives in this process and in virtual time.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio
from PIL import Image
from trio.testing import MockClock

import vidspec
from vidspec import clearance, hold, locktext
from vidspec.errors import Refusal, Unavailable, UsageError
from vidspec.frozen import open_frozen
from vidspec.journal import Journal
from vidspec.ledger import Ledger
from vidspec.lock import Cost, Output, Record
from vidspec.project import read_lock
from vidspec.state import Flight

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Film, House

    from vidspec.state import Move

ONE = "- {id: a, prompt: one}"
TWO = f"{ONE}\n- {{id: b, prompt: two}}"
I2V = "model: Wan-AI/Wan2.2-I2V-A14B"
FROM_A = f"{ONE}\n- {{id: b, prompt: two, {I2V}, first_frame: {{shot: a, at: last}}}}"
CHAIN = f"{FROM_A}\n- {{id: c, prompt: three, {I2V}, first_frame: {{shot: b, at: last}}}}"
BUDGET = "budget: {cny: 1}\n"


def forget(film: Film) -> None:
    """As a clone on another machine has it: nothing that is local or large."""
    for folder in (".vidspec", "renders"):
        shutil.rmtree(film.project / folder, ignore_errors=True)


def place(film: Film, slate: str) -> Path:
    return film.project / f"renders/{slate[:-4]}/{slate}.mp4"


def change(film: Film, work: Callable[[str, Record], Record]) -> None:
    """Have every record of the lockfile changed."""
    lock = read_lock(film.lock)
    for slate in list(lock):
        record = lock.get(slate)
        assert record is not None
        lock.put(slate, work(slate, record))
    Ledger(lock, film.lock).write()


def without_request_ids(film: Film) -> None:
    change(film, lambda _slate, record: replace(record, request_id=None))


def flight_of(record: Record) -> Flight:
    """A request that made a recorded clip, as the journal has it."""
    assert record.output is not None
    return Flight(
        slate=f"{record.shot}-t{record.take:02}",
        move="accepted",
        record=record.as_sent(),
        output=record.output.path,
        base_url="",
        since=0.0,
        request_id=record.request_id,
    )


def stuck(house: House) -> None:
    """Nothing that is asked for is there yet."""
    house.looks = [house.reply({"status": "InProgress"})] * 400


def fly(film: Film, slate: str, move: Move, request_id: str | None = "r900") -> None:
    """As a killed run leaves it: what the list asks for now is under way, or in doubt."""
    film.afloat(slate, move, request_id)


# --- a former render that is asked for again ------------------------------------------------------------------


def test_an_edit_undone_in_a_clone_is_collected_and_stands_in_the_lockfile_once(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    assert film.render().returncode == 0
    forget(film)
    film.write(ONE)
    assert film.planned() == {"a-t01": "collect"}
    assert film.render().returncode == 0
    record = film.record("a-t01")
    assert (record.request_id, [one.request_id for one in record.superseded]) == ("r1", ["r2"])
    assert house.sent == ["one", "another"]
    assert film.planned() == {"a-t01": "keep"}


def test_what_a_source_that_goes_back_was_used_for_goes_back_too_free(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write(FROM_A.replace("one", "uno"))
    assert film.render("--with-dependants").returncode == 0
    film.write(FROM_A)
    assert film.planned() == {"a-t01": "restore", "b-t01": "restore"}
    assert film.render().returncode == 0
    assert house.sent == ["one", "two", "uno", "two"]
    assert film.planned("--with-dependants") == {"a-t01": "keep", "b-t01": "keep"}


# --- the same, asked for in other words -------------------------------------------------------------------------


def test_a_frame_that_is_named_otherwise_and_is_the_same_is_not_paid_for_again(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    seconds = film.record("a-t01").output.duration  # type: ignore[union-attr]
    assert seconds is not None
    film.write(FROM_A.replace("at: last", f"at: {seconds - 0.001:.3f}"))
    assert film.planned() == {"a-t01": "keep", "b-t01": "render"}
    before = film.record("b-t01")
    assert film.render().returncode == 0
    assert house.sent == ["one", "two"]
    record = film.record("b-t01")
    assert record.frames is not None
    assert record.frames["first_frame"]["at"] != "last"
    assert replace(record, frames=None) == replace(before, frames=None)
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}
    assert film.render("--resubmit", "b-t01").returncode == 0
    assert house.sent == ["one", "two", "two"]


def test_a_source_that_was_paid_for_again_and_gave_the_same_frame_costs_no_other_take(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    house.links = [house.clip(1)]
    assert film.render("--resubmit", "a-t01").returncode == 0
    film.write(FROM_A.replace("one", "uno"))
    house.links = [house.clip(1)]
    assert film.render("--with-dependants").returncode == 0
    assert house.sent == ["one", "two", "one", "uno"]
    assert film.planned("--with-dependants") == {"a-t01": "keep", "b-t01": "keep"}


def test_a_render_that_was_paid_for_stays_in_the_lockfile_when_the_next_has_the_same_bytes(
    film: Film, house: House
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    house.links = [house.clip(1)]
    assert film.render("--resubmit", "a-t01").returncode == 0
    record = film.record("a-t01")
    assert (record.request_id, [one.request_id for one in record.superseded]) == ("r2", ["r1"])


# --- edits that were accepted ---------------------------------------------------------------------------------


def test_an_accepted_edit_stays_accepted_when_the_shot_it_begins_with_is_renamed(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    edited = FROM_A.replace("prompt: two", "prompt: other")
    film.write(edited)
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    film.write(edited.replace("id: a", "id: z").replace("shot: a", "shot: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.planned() == {"z-t01": "restore", "b-t01": "keep"}
    assert film.render().returncode == 0
    assert film.vidspec("diff", "shots.yaml").returncode == 0
    assert house.sent == ["one", "two"]


def test_an_accepted_change_of_model_stays_accepted_when_its_shot_is_renamed(film: Film, house: House) -> None:
    """The seed that nobody wrote follows from the slate, and is not the recorded one at another model."""
    film.write(ONE)
    assert film.render().returncode == 0
    other = "- {id: a, prompt: one, provider: nebula, model: wan2.5-t2v-preview, resolution: 720p}"
    film.write(other)
    accepted = film.vidspec("accept", "shots.yaml", "a")
    assert accepted.returncode == 0, accepted.stderr
    film.write(other.replace("id: a", "id: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.planned() == {"z-t01": "restore"}
    film.write(other.replace("id: a", "id: z").replace("720p", "1080p"))
    assert film.planned() == {"z-t01": "render"}


def test_nothing_is_paid_for_an_accepted_edit_because_the_clip_behind_it_is_made_anew(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    edited = FROM_A.replace("prompt: two", "prompt: other")
    film.write(edited)
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    film.write(edited.replace("prompt: one", "prompt: uno"))
    assert film.planned() == {"a-t01": "render", "b-t01": "keep"}
    assert film.render().returncode == 0
    assert house.sent == ["one", "two", "uno"]
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}
    assert film.planned("--with-dependants") == {"a-t01": "keep", "b-t01": "render"}
    assert film.vidspec("diff", "shots.yaml").returncode == 1
    film.write(edited.replace("prompt: one", "prompt: uno").replace("prompt: other", "prompt: third"))
    assert film.planned() == {"a-t01": "keep", "b-t01": "render"}


def test_an_accepted_edit_of_which_a_branch_has_another_render_is_merged_with_all_that_was_paid(
    film: Film, house: House
) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    base = film.lock.read_bytes()
    edited = TWO.replace("prompt: two", "prompt: other")
    film.write(edited)
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    assert film.render("--resubmit", "a-t01").returncode == 0
    (film.project / "ours.lock").write_bytes(film.lock.read_bytes())
    (film.project / "base.lock").write_bytes(base)
    film.lock.write_bytes(base)
    assert film.render().returncode == 0
    merged = film.vidspec("lock", "merge", "ours.lock", "shots.lock", "--base", "base.lock", "-o", "shots.lock")
    assert merged.returncode == 0, merged.stderr
    sent = len(house.sent)
    assert film.render().returncode == 0
    assert (len(house.sent), film.planned()) == (sent, {"a-t01": "keep", "b-t01": "keep"})
    ids = {one.request_id for _, each in read_lock(film.lock).items() for one in (each, *each.superseded)}
    assert ids == {f"r{number}" for number in range(1, len(house.sent) + 1)}
    assert film.record("b-t01").accepted is None


def test_an_accepted_edit_whose_source_has_changed_can_be_accepted_with_that_and_no_further(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    edited = FROM_A.replace("prompt: two", "prompt: other")
    film.write(edited)
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    film.write(edited.replace("prompt: one", "prompt: uno"))
    refused = film.vidspec("accept", "shots.yaml", "b")
    assert (refused.returncode, "needs a-t01" in refused.stderr) == (2, True)
    assert film.render().returncode == 0
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    assert film.vidspec("diff", "shots.yaml").returncode == 0
    assert film.planned("--with-dependants") == {"a-t01": "keep", "b-t01": "keep"}
    film.write(edited.replace("prompt: one", "prompt: ein"))
    assert film.render().returncode == 0
    assert film.vidspec("diff", "shots.yaml").returncode == 1
    assert house.sent == ["one", "two", "uno", "ein"]


def test_what_was_accepted_and_moved_meets_a_branch_that_rendered_it_and_nothing_is_lost(
    film: Film, house: House
) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    base = film.lock.read_bytes()
    (film.project / "base.lock").write_bytes(base)
    edited = TWO.replace("prompt: two", "prompt: other")
    film.write(edited)
    assert film.render().returncode == 0
    (film.project / "theirs.lock").write_bytes(film.lock.read_bytes())
    forget(film)
    film.lock.write_bytes(base)
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    assert film.render("--resubmit", "a-t01").returncode == 0
    film.write(edited.replace("id: b", "id: z"))
    assert film.vidspec("lock", "mv", "shots.yaml", "b", "z").returncode == 0
    merged = film.vidspec("lock", "merge", "shots.lock", "theirs.lock", "--base", "base.lock", "-o", "shots.lock")
    assert merged.returncode == 0, merged.stderr
    sent = list(house.sent)
    assert film.render().returncode == 0
    assert film.planned() == {"a-t01": "keep", "z-t01": "keep"}
    ids = {one.request_id for _, each in read_lock(film.lock).items() for one in (each, *each.superseded)}
    assert (house.sent, ids) == (sent, {f"r{number}" for number in range(1, len(sent) + 1)})


def test_what_was_taken_back_while_its_clip_was_fetched_stays_taken_back(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    assert film.vidspec("accept", "shots.yaml", "a").returncode == 0
    forget(film)
    stuck(house)
    assert film.vidspec("restore", "shots.yaml").returncode == 1
    house.looks.clear()
    assert film.vidspec("accept", "shots.yaml", "a", "--undo").returncode == 0
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert film.planned() == {"a-t01": "render"}


def test_an_edit_stays_accepted_when_the_clip_it_was_accepted_for_is_fetched_or_made_again(
    film: Film, house: House
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    assert film.vidspec("accept", "shots.yaml", "a").returncode == 0
    forget(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert film.planned() == {"a-t01": "keep"}
    assert film.render("--frozen", "--resubmit", "a-t01").returncode == 0
    assert film.planned() == {"a-t01": "keep"}
    assert house.sent == ["one", "one"]


def test_a_shot_has_one_chosen_take_also_where_another_was_chosen_while_the_first_was_fetched(
    film: Film, house: House
) -> None:
    film.write("- {id: a, prompt: one, takes: 2}")
    assert film.render().returncode == 0
    change(film, lambda slate, record: replace(record, chosen=slate == "a-t01" or None))
    forget(film)
    stuck(house)
    assert film.vidspec("restore", "shots.yaml", "--select", "a-t01").returncode == 1
    house.looks.clear()
    change(film, lambda slate, record: replace(record, chosen=slate == "a-t02" or None))
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert [slate for slate, record in read_lock(film.lock).items() if record.chosen] == ["a-t02"]


# --- another branch -------------------------------------------------------------------------------------------


def test_a_branch_that_was_checked_out_is_told_by_its_own_lockfile(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    lock = film.lock.read_bytes()
    film.write("- {id: a, prompt: another}")
    assert film.render().returncode == 0
    film.write(ONE)
    film.lock.write_bytes(lock)
    assert film.vidspec("diff", "shots.yaml").returncode == 0
    assert "changed" in film.vidspec("verify", "shots.yaml").stdout
    ended = film.render("--locked")
    assert (ended.returncode, house.sent) == (0, ["one", "another"]), ended.stderr
    assert place(film, "a-t01").read_bytes() == house.clip(1)


def test_a_lockfile_that_was_thrown_away_after_a_run_costs_nothing(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    lock = film.lock.read_bytes()
    film.write("- {id: a, prompt: another}\n- {id: b, prompt: two}")
    assert film.render().returncode == 0
    film.lock.write_bytes(lock)
    assert film.planned() == {"a-t01": "restore", "b-t01": "keep"}
    assert film.render().returncode == 0
    assert film.record("a-t01").request_id == "r2"
    assert house.sent == ["one", "another", "two"]


# --- locked ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["--draft", "--rehearse"])
def test_locked_holds_a_draft_and_a_rehearsal_to_the_lockfile_too(film: Film, house: House, kind: str) -> None:
    film.write("- {id: a, prompt: one, duration: 5}")
    assert film.render().returncode == 0
    film.shots("- {id: a, prompt: one, size: 64x36, duration: 0.2, fps: 10}")
    assert film.render().returncode == 0
    assert film.render("--locked", kind).returncode == 0
    film.shots("- {id: a, prompt: other, size: 64x36, duration: 0.2, fps: 10}")
    ended = film.render("--locked", kind)
    assert ended.returncode == 3
    assert "a-t01: prompt: one → other" in ended.stderr


def test_locked_says_of_what_is_under_way_for_the_first_time_that_it_was_never_rendered(
    film: Film, house: House
) -> None:
    film.write(ONE)
    fly(film, "a-t01", "accepted")
    ended = film.render("--locked")
    assert (ended.returncode, house.sent, house.asked) == (3, [], [])
    assert film.render().returncode == 0
    assert film.render("--locked").returncode == 0


# --- frozen, and what is under way ----------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["accepted", "running", "expired"])
def test_what_is_under_way_for_an_edit_takes_no_place_of_what_the_lockfile_has(
    film: Film, house: House, move: Move
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    fly(film, "a-t01", move)
    before = film.lock.read_bytes()
    assert film.render("--frozen").returncode == 0
    place(film, "a-t01").unlink()
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "done: 1 take restored in 0.0 s"), ended.stdout
    assert "still at providers" not in ended.stdout
    assert (film.lock.read_bytes(), place(film, "a-t01").read_bytes()) == (before, house.clip(1))
    shutil.rmtree(film.project / ".vidspec/objects")
    place(film, "a-t01").unlink()
    ended = film.vidspec("restore", "shots.yaml")
    assert ended.returncode == 1
    assert "another request is under way as r900: a render of the list collects it" in ended.stdout
    assert film.render("--frozen").returncode == 1
    assert film.render().returncode == 0
    assert (film.record("a-t01").request_id, house.sent) == ("r900", ["one"])


def test_a_doubt_about_an_edit_keeps_no_clip_of_the_lockfile_back_and_stays(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    fly(film, "a-t01", "in_doubt")
    place(film, "a-t01").unlink()
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, "in doubt" in ended.stdout) == (0, False), ended.stdout
    assert place(film, "a-t01").read_bytes() == house.clip(1)
    assert film.planned() == {"a-t01": "decide"}
    assert film.render("--frozen").returncode == 1
    assert house.sent == ["one"]


@pytest.mark.parametrize("move", ["in_doubt", "accepted", "expired"])
def test_what_is_open_about_an_edit_is_not_given_up_by_asking_for_the_former_take_once_more(
    film: Film, house: House, move: Move
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write("- {id: a, prompt: another}")
    fly(film, "a-t01", move)
    ended = film.render("--frozen", "--resubmit", "a-t01")
    assert (ended.returncode, house.sent, film.flights["a-t01"].move) == (1, ["one"], move), ended.stdout
    assert film.record("a-t01").request_id == "r1"
    assert film.planned() == {"a-t01": "decide" if move == "in_doubt" else "collect"}


def test_what_is_asked_for_once_more_and_left_for_later_is_not_given_up(film: Film, house: House) -> None:
    film.write(TWO)
    fly(film, "b-t01", "in_doubt")
    ended = film.render("--max-takes", "1", "--resubmit", "b-t01")
    assert (ended.returncode, house.sent) == (0, ["one"]), ended.stderr
    assert film.flights["b-t01"].move == "in_doubt"
    assert film.planned() == {"a-t01": "keep", "b-t01": "decide"}


def test_damaged_bytes_beside_a_request_under_way_are_said_and_the_request_stays(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    digest = film.record("a-t01").output
    assert digest is not None
    film.write("- {id: a, prompt: another}")
    fly(film, "a-t01", "in_doubt")
    place(film, "a-t01").unlink()
    name = digest.sha256.removeprefix("sha256:")
    (film.project / f".vidspec/objects/{name[:2]}/{name[2:]}").write_bytes(b"damaged")
    ended = film.vidspec("restore", "shots.yaml")
    assert ended.returncode == 1
    assert "kept no more, or damaged" in ended.stdout
    assert film.flights["a-t01"].move == "in_doubt"


def test_what_was_sent_again_by_frozen_is_collected_by_frozen_and_not_sent_a_third_time(
    film: Film, house: House
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    stuck(house)
    assert film.render("--frozen", "--resubmit", "a-t01").returncode == 1
    house.looks.clear()
    (film.project / "shots.yaml").unlink()
    ended = film.render("--frozen", "--resubmit", "a-t01", "--max-cost", "1cny")
    assert ended.returncode == 3
    assert film.render("--frozen").returncode == 0
    assert film.render("--frozen").stdout == "done: 1 take kept\n"
    assert (house.sent, film.record("a-t01").request_id) == (["one", "one"], "r2")


def test_frozen_says_nothing_of_takes_that_it_does_not_look_at(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    fly(film, "b-t01", "accepted")
    found = vidspec.plan(vidspec.load("shots.yaml", frozen=True))
    assert ([one.slate for one in found.takes], found.orphans, found.hints) == (["a-t01"], (), ())
    assert film.render("--frozen").returncode == 0
    assert film.flights["b-t01"].move == "accepted"


def test_a_frozen_run_goes_by_the_lockfile_as_it_is_when_it_begins(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    opened = vidspec.load("shots.yaml", frozen=True)
    film.write("- {id: a, prompt: another}")
    assert film.render().returncode == 0
    shutil.rmtree(film.project / ".vidspec/objects")
    rendered(opened, yes=True)
    assert (house.sent, film.record("a-t01").request_id) == (["one", "another"], "r2")


# --- frozen, and frames of other takes ------------------------------------------------------------------------


def remade(film: Film) -> None:
    """A take whose source was rendered anew since, in a clone."""
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write(FROM_A.replace("prompt: one", "prompt: uno"))
    assert film.render().returncode == 0
    forget(film)


def test_a_take_made_from_a_clip_that_is_no_more_is_restored_free(film: Film, house: House) -> None:
    remade(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert place(film, "b-t01").read_bytes() == house.clip(2)
    assert house.sent == ["one", "two", "uno"]


@pytest.mark.parametrize("options", [(), ("--resubmit", "b-t01")], ids=["lost", "asked for once more"])
def test_frozen_sends_no_other_frame_for_the_one_that_was_sent(
    film: Film, house: House, options: tuple[str, ...]
) -> None:
    remade(film)
    without_request_ids(film)
    assert film.render("--frozen", "--select", "a").returncode == 0
    sent, before = len(house.sent), film.lock.read_bytes()
    ended = film.render("--frozen", *options)
    assert (ended.returncode, len(house.sent), film.lock.read_bytes()) == (2, sent, before)
    assert "b-t01: its first_frame is from a clip that `a-t01` has no more" in ended.stderr


def test_a_frame_that_other_machines_keep_is_sent_again_as_it_was(film: Film, house: House) -> None:
    shared = film.project.parent / "shared"
    shared.mkdir()
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write(FROM_A.replace("prompt: one", "prompt: uno"))
    assert film.render().returncode == 0
    assert film.vidspec("push", "shots.yaml", "--store", str(shared)).returncode == 0
    forget(film)
    before = film.record("b-t01")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDSPEC_STORE", str(shared))
        ended = film.render("--frozen", "--resubmit", "b-t01")
    assert ended.returncode == 0, ended.stderr
    after = film.record("b-t01")
    assert (after.fingerprint, after.frames) == (before.fingerprint, before.frames)


def test_frozen_renders_nothing_anew_because_its_source_is_another_now(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write(FROM_A.replace("prompt: one", "prompt: uno"))
    assert film.render().returncode == 0
    shutil.rmtree(film.project / ".vidspec/objects")
    ended = film.render("--frozen")
    assert (ended.returncode, ended.stdout) == (0, "done: 2 takes kept\n")
    frozen = vidspec.plan(vidspec.load(film.project / "shots.yaml", frozen=True), dependants=True)
    assert [one.action for one in frozen.takes] == ["keep", "keep"]


def test_takes_that_are_all_lost_are_rendered_again_one_from_the_other(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    forget(film)
    without_request_ids(film)
    ended = film.render("--frozen")
    assert (ended.returncode, house.sent) == (0, ["one", "two", "one", "two"]), ended.stderr
    assert "2 takes again" not in ended.stderr
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}


def test_a_take_whose_source_was_pruned_is_restored_free(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write("- {id: b, prompt: two}")
    assert film.vidspec("lock", "prune", "shots.yaml").returncode == 0
    forget(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert (place(film, "b-t01").read_bytes(), house.sent) == (house.clip(2), ["one", "two"])


def test_what_is_kept_is_restored_whether_its_source_was_asked_for_or_not(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    frames = film.record("b-t01").frames
    assert frames is not None
    name = frames["first_frame"]["sha256"].removeprefix("sha256:")
    (film.project / f".vidspec/objects/{name[:2]}/{name[2:]}").unlink()
    shutil.rmtree(film.project / "renders")
    ended = film.vidspec("restore", "shots.yaml", "--select", "b")
    assert (ended.returncode, house.asked) == (0, ["r1", "r2"]), ended.stdout
    assert place(film, "b-t01").exists()
    assert not place(film, "a-t01").exists()


# --- frozen, and what somebody has written into the lockfile --------------------------------------------------


def rewritten(film: Film, setting: str, value: Any) -> None:
    change(film, lambda _slate, record: replace(record, request={**(record.request or {}), setting: value}))


ODD: list[tuple[str, Any, str]] = [
    ("mode", None, "`request.mode` must be a text, not `null`"),
    ("mode", ["x"], "`request.mode` must be a text, not a list"),
    ("prompt", 5, "`request.prompt` must be a text, not `5`"),
    ("references", None, "`request.references` must be a list, not `null`"),
    ("references", [1], "must be a text, not `1`"),
    ("references", "sha256:00", "`request.references` must be a list"),
    ("duration", "long", "`request.duration` must be a number"),
    ("camera", "push in", "`request.camera` must be a list"),
    ("size", 5, "`request.size` must be a text, not `5`"),
    ("watermark", 1, "`request.watermark` must be true or false, not `1`"),
    ("options", [], "`request.options` must be a mapping, not a list"),
]


@pytest.mark.parametrize(("setting", "value", "said"), ODD, ids=[f"{setting} {value}" for setting, value, _ in ODD])
@pytest.mark.parametrize(
    "command", ["restore", "render --frozen", "plan", "diff", "verify", "push --dry-run --store", "status"]
)
def test_what_is_no_request_is_said_with_its_place_and_nothing_is_done(
    film: Film, house: House, command: str, setting: str, value: Any, said: str
) -> None:
    film.write("- {id: a, prompt: other}")
    assert film.render().returncode == 0
    rewritten(film, setting, value)
    film.write(ONE)
    name, *options = command.split()
    options += [str(film.project)] if "--store" in options else []
    ended = film.vidspec(name, "shots.yaml", *options)
    assert (ended.returncode, house.sent) == (2, ["other"]), ended.stderr
    assert "shots.lock:" in ended.stderr
    assert said in ended.stderr


@pytest.mark.parametrize("value", ["x", "https:", "sha256:00", "data:x"])
def test_what_is_neither_a_digest_nor_an_address_is_said(film: Film, house: House, value: str) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    rewritten(film, "first_frame", value)
    ended = film.vidspec("restore", "shots.yaml")
    assert ended.returncode == 2
    assert f"has the text `{value}` as its `first_frame`, which is neither a digest nor an address" in ended.stderr


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("style", "noir", "does not know its setting `style`"),
        ("duration", 1e30, "has no `duration: 1e+30`"),
        ("camera", ["fly"], "has no camera moves"),
        ("options", {"x": 1}, "has no option `x`"),
        ("size", "9999x9999", "has no `size: 9999x9999`"),
        ("prompt", "", "needs a `prompt`"),
        ("first_frame", f"sha256:{'0' * 64}", "its pictures make it image_to_video"),
    ],
)
def test_what_a_model_does_not_take_is_said_before_it_is_sent_and_hinders_no_restore(
    film: Film, house: House, setting: str, value: Any, said: str
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    rewritten(film, setting, value)
    place(film, "a-t01").unlink()
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    ended = film.render("--frozen", "--resubmit", "a-t01")
    assert (ended.returncode, house.sent) == (2, ["one"])
    assert said in ended.stderr


def test_a_frame_of_nobody_is_said(film: Film, house: House) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    odd: Any
    for odd in (3, {"slate": 5, "at": "last"}, {"slate": "a-t01"}, {"slate": "a-t01", "at": []}, {"at": "last"}):
        change(film, lambda _slate, record, new=odd: replace(record, frames={"first_frame": new}))  # type: ignore[misc]
        ended = film.vidspec("restore", "shots.yaml")
        assert ended.returncode == 2
        assert "does not say which frame its `first_frame` is" in ended.stderr


@pytest.mark.parametrize("path", ["shots.yaml", ".git/x.mp4", ".vidspec/journal/x.mp4"])
def test_nothing_but_a_clip_is_written_over_whatever_a_lockfile_says(film: Film, house: House, path: str) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    text = film.lock.read_text("utf-8").replace("renders/a/a-t01.mp4", path)
    film.lock.write_text(text, "utf-8")
    before = (film.project / "shots.yaml").read_bytes()
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, (film.project / "shots.yaml").read_bytes()) == (2, before)
    assert f"names the output `{path}`" in ended.stderr


def test_a_picture_that_many_takes_were_made_from_is_read_once(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (1280, 720), "red").save(film.project / "a.png")
    film.write(f"- {{id: a, prompt: one, {I2V}, first_frame: a.png, takes: 6}}")
    assert film.render().returncode == 0
    read: list[Path] = []

    def has_digest(path: Path, _digest: str) -> bool:
        read.append(path)
        return True

    monkeypatch.setattr("vidspec.frozen.has_digest", has_digest)
    assert len(open_frozen(film.project / "shots.yaml").takes) == 6
    assert read == [film.project / "a.png"]


@pytest.mark.parametrize("path", ["a\0b.png", "../a.png", "x" * 5000], ids=["null", "above", "long"])
def test_a_path_of_a_picture_that_is_none_is_passed_over(film: Film, house: House, path: str) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    rewritten(film, "first_frame", f"sha256:{'0' * 64}")
    change(film, lambda _slate, record: replace(record, pictures={"first_frame": path}))
    pushed = film.vidspec("push", "shots.yaml", "--dry-run", "--store", str(film.project))
    assert (pushed.returncode, pushed.stderr) == (0, "")
    place(film, "a-t01").unlink()
    assert film.vidspec("restore", "shots.yaml").returncode == 0


def test_the_price_of_a_remix_is_that_of_the_clip_it_is_made_from(project: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    output = Output(path="renders/a/a-t01.mp4", sha256=digest, bytes=1)
    asked = {"mode": "text_to_video", "prompt": "one", "duration": 8, "size": "1280x720"}
    first = Record(
        shot="a", take=1, provider="nebula", model="sora-2", fingerprint=digest, request=asked, output=output
    )
    again = {"mode": "remix", "prompt": "two", "remix_of": digest}
    source = {"remix_of": {"slate": "a-t01", "of": digest, "sha256": digest}}
    second = replace(
        first, shot="b", request=again, frames=source, output=replace(output, path="renders/b/b-t01.mp4")
    )
    third = replace(second, shot="c", output=replace(output, path="renders/c/c-t01.mp4"))
    lock = vidspec.Lock({"a-t01": first, "b-t01": second, "c-t01": third})
    (project / "shots.lock").write_text(locktext.dump(lock), "utf-8")
    found = vidspec.plan(open_frozen(project / "shots.yaml"))
    assert [one.again for one in found.takes] == [Cost(amount=0.8, currency="usd")] * 3


def test_the_budget_of_a_list_that_is_not_read_holds_nothing_and_max_cost_does(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.write(ONE, BUDGET)
    again = ("--frozen", "--resubmit", "a-t01")
    assert film.render(*again, "--max-cost", "1cny").returncode == 3
    assert film.vidspec("render", "shots.yaml", *again).returncode == 3
    assert house.sent == ["one"]
    assert film.render(*again, "--max-cost", "2cny").returncode == 0
    assert house.sent == ["one", "one"]


# --- restore --------------------------------------------------------------------------------------------------


def test_a_wrong_address_once_does_not_keep_a_clip_from_being_restored(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    forget(film)
    monkeypatch.setenv("VIDSPEC_SILICONFLOW_BASE_URL", "http://127.0.0.1:9/v1")
    house.looks = [Unavailable("poll: refused")] * 9000
    assert film.vidspec("restore", "shots.yaml").returncode == 1
    monkeypatch.delenv("VIDSPEC_SILICONFLOW_BASE_URL")
    house.looks = []
    ended = film.vidspec("restore", "shots.yaml")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert house.sent == ["one"]
    assert place(film, "a-t01").read_bytes() == house.clip(1)


def test_what_was_delivered_and_not_yet_written_down_is_restored_too(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    written = film.lock.read_text("utf-8")
    late = film.record("b-t01")
    with Journal(film.path) as log:
        log.adopt(flight_of(late))
        log.note("b-t01", "succeeded")
        log.note("b-t01", "delivered", record=late)
    film.lock.write_text(written[: written.index("  b-t01:")] + '  b-t01:\n    shot: "b"\n    take: 1\n', "utf-8")
    place(film, "b-t01").unlink()
    assert "missing" in film.vidspec("verify", "shots.yaml").stdout
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert "missing" not in film.vidspec("verify", "shots.yaml").stdout
    assert house.sent == ["one", "two"]


@pytest.mark.parametrize("command", [["restore"], ["render", "--frozen", "--yes"]], ids=["restore", "frozen"])
def test_two_records_of_one_output_are_told_and_neither_clip_is_written_over(
    film: Film, house: House, command: list[str]
) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    there = place(film, "a-t01").read_bytes()
    path = "renders/A/a-t01.mp4"
    change(film, lambda slate, one: replace(one, output=replace(one.output, path=path)) if slate[0] == "b" else one)  # type: ignore[type-var]
    ended = film.vidspec(*command, "shots.yaml")
    assert ended.returncode == 2
    assert f"the records of `a-t01` and `b-t01` name one output, `{path}`" in ended.stderr
    assert place(film, "a-t01").read_bytes() == there


@pytest.mark.parametrize(
    "command",
    [["verify"], ["restore"], ["render", "--frozen", "--yes"], ["render", "--yes"], ["plan"]],
    ids=" ".join,
)
def test_a_lockfile_on_a_drive_that_is_not_there_is_none_that_was_never_written(
    film: Film, house: House, command: list[str]
) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    film.lock.rename(film.project.parent / "drive")
    film.lock.symlink_to("drive/shots.lock")
    ended = film.vidspec(*command, "shots.yaml")
    assert (ended.returncode, house.sent, film.lock.is_symlink()) == (2, ["one"], True)
    assert "it is a link" in ended.stderr


def test_a_run_that_is_told_as_json_counts_what_it_had_nothing_to_do_for(film: Film, house: House) -> None:
    def kept(*options: str) -> int:
        ended = film.render("--json", *options)
        assert ended.returncode == 0
        found: int = json.loads(ended.stdout.splitlines()[-1])["kept"]
        return found

    film.write("- {id: a, prompt: one, takes: 3}")
    assert kept() == 0
    film.write("- {id: a, prompt: one, takes: 4}")
    assert (kept(), kept(), kept("--select", "a-t0[12]")) == (3, 4, 2)
    assert len(house.sent) == 4


def test_nothing_is_sent_while_there_is_no_place_for_what_will_come(film: Film, house: House) -> None:
    film.write(TWO)
    (film.project / "renders").mkdir()
    (film.project / "renders/b").write_text("not a folder")
    ended = film.render()
    assert (ended.returncode, house.sent) == (2, [])
    assert "`renders/b` is no folder" in ended.stderr


def test_what_is_kept_is_brought_back_without_a_key(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    shared = film.project.parent / "shared"
    shared.mkdir()
    assert film.vidspec("push", "shots.yaml", "--store", str(shared)).returncode == 0
    monkeypatch.delenv("SILICONFLOW_API_KEY")
    place(film, "a-t01").unlink()
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    forget(film)
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, sorted(house.asked)) == (1, ["r1", "r2"])
    assert "`SILICONFLOW_API_KEY` is not set" in ended.stderr
    ended = film.vidspec("restore", "shots.yaml", "--store", str(shared))
    assert (ended.returncode, sorted(house.asked)) == (0, ["r1", "r2"]), ended.stderr
    place(film, "a-t01").unlink()
    for kept in (film.project / ".vidspec/objects").rglob("*"):
        if kept.is_file():
            kept.write_bytes(b"damaged")
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, "kept no more, or damaged" in ended.stdout) == (1, True)


def test_restore_goes_by_the_lockfile_while_the_list_is_edited_and_the_edit_is_still_to_be_paid(
    film: Film, house: House
) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    before = film.lock.read_bytes()
    film.write(TWO.replace("two", "other"))
    forget(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert film.planned() == {"a-t01": "keep", "b-t01": "render"}
    read = locktext.parse(before.decode(), "shots.lock").get("b-t01")
    assert read is not None
    assert replace(film.record("b-t01"), rendered_at=None) == replace(read, rendered_at=None)


class Dead(BaseException):
    """The process is gone."""


def die_at(patch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Kill the process at a step that leaves a trace: a line of the journal, or a file that gets its name."""
    left, write, named = [step], os.write, Path.replace

    def written(descriptor: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise Dead
        return write(descriptor, data)

    def replaced(part: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Dead
        return named(part, target)

    patch.setattr(os, "write", written)
    patch.setattr(Path, "replace", replaced)
    patch.setattr(os, "ftruncate", lambda *_: None)
    return left


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False], ids=["kept here", "at the provider"])
def test_wherever_a_restore_dies_the_next_one_brings_everything_back_and_the_lockfile_is_as_it_was(
    film: Film, house: House, kept: bool
) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    marked = f"sha256:{'1' * 64}"
    change(film, lambda slate, record: replace(record, chosen=True, accepted=marked if slate == "a-t01" else None))
    before = film.lock.read_text("utf-8")
    film.write("- {id: a, prompt: another}")
    for step in range(100):
        shutil.rmtree(film.project / "renders")
        if not kept:
            forget(film)
        with pytest.MonkeyPatch.context() as patch, suppress(Dead, BaseExceptionGroup):
            left = die_at(patch, step)
            film.vidspec("restore", "shots.yaml")
        ended = film.vidspec("restore", "shots.yaml")
        assert ended.returncode == 0, (step, ended.stdout, ended.stderr)
        for number, slate in ((1, "a-t01"), (2, "b-t01")):
            assert place(film, slate).read_bytes() == house.clip(number)
            assert replace(film.record(slate), rendered_at=None) == replace(
                locktext.parse(before, "shots.lock").get(slate),  # type: ignore[type-var]
                rendered_at=None,
            )
        if left[0] >= 0:
            break
    assert 3 < step < 99
    assert house.sent == ["one", "two"]


# --- takes behind others --------------------------------------------------------------------------------------


def test_a_take_that_is_left_stale_is_brought_back_as_it_was_when_its_clip_is_lost(
    film: Film, house: House
) -> None:
    film.write(FROM_A)
    assert film.render().returncode == 0
    film.write(FROM_A.replace("one", "uno"))
    assert film.render().returncode == 0
    place(film, "b-t01").unlink()
    assert film.planned() == {"a-t01": "keep", "b-t01": "restore"}
    assert film.render().returncode == 0
    shutil.rmtree(film.project / ".vidspec/objects")
    place(film, "b-t01").unlink()
    house.looks = [house.reply({"message": "gone"}, 404)]
    assert film.render().returncode == 1
    assert film.render().returncode == 0
    assert place(film, "b-t01").read_bytes() == house.clip(2)
    assert house.sent == ["one", "two", "uno"]


def test_what_is_behind_one_that_fails_is_left_as_it_was(film: Film, house: House) -> None:
    film.write(CHAIN)
    assert film.render().returncode == 0
    film.write(CHAIN.replace("one", "uno"))
    house.submits = [house.reply({"requestId": "r4"}), house.reply({"message": "no"}, 400)]
    assert film.render("--with-dependants").returncode == 1
    assert house.sent[3:] == ["uno", "two"]
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep", "c-t01": "keep"}
    assert place(film, "c-t01").read_bytes() == house.clip(3)
    assert film.render("--with-dependants").returncode == 1
    assert house.sent[3:] == ["uno", "two"]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (("--only-new",), []),
        (("--max-takes", "1"), ["uno"]),
        (("--select", "a"), ["uno"]),
        (("--max-takes", "2"), ["uno", "two"]),
    ],
    ids=["only what is new", "one take", "one shot", "two takes"],
)
def test_dependants_are_bounded_as_everything_else(
    film: Film, house: House, options: tuple[str, ...], sent: list[str]
) -> None:
    film.write(CHAIN)
    assert film.render().returncode == 0
    film.write(CHAIN.replace("one", "uno"))
    ended = film.render("--with-dependants", *options)
    assert (ended.returncode, house.sent[3:]) == (0, sent), ended.stdout


# --- the commands that work on lockfiles ----------------------------------------------------------------------


def test_a_move_that_was_cut_off_is_gone_on_with(film: Film, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    two = "- {id: a, prompt: one, takes: 2}"
    film.write(two)
    assert film.render("--select", "a-t01").returncode == 0
    fly(film, "a-t02", "accepted")
    film.write(two.replace("id: a", "id: z"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "write", _dies)
        with suppress(Dead):
            film.vidspec("lock", "mv", "shots.yaml", "a", "z")
    assert film.flights["z-t02"].move == "accepted"
    again = film.vidspec("lock", "mv", "shots.yaml", "a", "z")
    assert again.returncode == 0, again.stderr
    assert film.planned() == {"z-t01": "restore", "z-t02": "collect"}
    assert film.render().returncode == 0
    assert (list(read_lock(film.lock)), house.sent) == (["z-t01", "z-t02"], ["one"])


def _dies(_ledger: Ledger) -> None:
    raise Dead


def test_nothing_is_moved_over_what_was_paid_for_once(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    change(
        film,
        lambda slate, record: record if slate == "a-t01" else Record(shot="b", take=1, superseded=(record,)),
    )
    ended = film.vidspec("lock", "mv", "shots.yaml", "a", "b")
    assert ended.returncode == 2
    assert film.record("b-t01").superseded


def test_a_shot_is_moved_whatever_stands_under_frames_in_the_journal(film: Film, house: House) -> None:
    film.write(ONE)
    fly(film, "a-t01", "accepted")
    with Journal(film.path) as log:
        odd = replace(film.flights["a-t01"].record, frames={"first_frame": "x", "last_frame": {"slate": ["a-t01"]}})
        log.note("a-t01", "running")
        log.note("a-t01", "expired", record=odd)
    assert film.vidspec("lock", "mv", "shots.yaml", "a", "z").returncode == 0
    assert film.flights["z-t01"].record.frames == odd.frames


@pytest.mark.parametrize("out", ["shots.yaml", "renders/a/a-t01.mp4"])
def test_a_merge_writes_over_nothing_but_a_lockfile(film: Film, house: House, out: str) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    before = (film.project / out).read_bytes()
    ended = film.vidspec("lock", "merge", "shots.lock", "shots.lock", "-o", out)
    assert (ended.returncode, (film.project / out).read_bytes()) == (2, before)
    assert ended.stderr == f"error: cannot write `{out}`: it is no lockfile, and would be overwritten\n"


def test_a_merge_goes_over_a_lockfile_of_any_name_and_the_marks_of_a_conflict(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    text = film.lock.read_text("utf-8")
    out = film.project / "merged"
    for written in ("", f"<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"):
        out.write_text(written, "utf-8")
        assert film.vidspec("lock", "merge", "shots.lock", "shots.lock", "-o", "merged").returncode == 0
        assert out.read_text("utf-8") == text


def test_a_merge_is_written_to_a_pipe_and_takes_no_place_of_it(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    pipe, heard = film.project / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    ended = film.vidspec("lock", "merge", "shots.lock", "shots.lock", "-o", "pipe")
    reader.join(10)
    assert (ended.returncode, pipe.is_fifo(), heard) == (0, True, [film.lock.read_bytes()])


def test_prune_leaves_what_is_under_way_and_a_render_collects_it(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    fly(film, "b-t01", "accepted")
    film.write(ONE)
    assert film.vidspec("lock", "prune", "shots.yaml").returncode == 1
    assert film.render().returncode == 0
    assert (house.sent, house.asked) == (["one"], ["r1", "r900"])
    assert film.vidspec("lock", "prune", "shots.yaml").returncode == 0
    (aside,) = (film.project / ".vidspec/pruned").iterdir()
    film.write(TWO)
    assert film.vidspec("lock", "merge", "shots.lock", str(aside), "-o", "shots.lock").returncode == 0
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}


# --- lockfiles of other systems and releases ------------------------------------------------------------------


def test_the_line_ends_of_windows_cost_nothing(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    text = film.lock.read_bytes()
    film.lock.write_bytes(text.replace(b"\n", b"\r\n"))
    film.write(TWO.replace("two", "other"))
    assert film.vidspec("accept", "shots.yaml", "b").returncode == 0
    film.lock.write_bytes(film.lock.read_bytes().replace(b"\n", b"\r\n"))
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}
    assert film.render("--frozen").stdout == "done: 2 takes kept\n"
    assert film.render("--locked").returncode == 0


def test_what_a_newer_release_says_of_a_take_stays_when_this_one_renders_it(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    text = film.lock.read_text("utf-8").replace("vidspec_lock: 1\n", "vidspec_lock: 1.4\n")
    for shot in "ab":
        head = f'    shot: "{shot}"\n    take: 1\n'
        text = text.replace(head, f'{head}    note: "of {shot}"\n')
    film.lock.write_text(text.replace("      bytes:", '      colour: "log"\n      bytes:'), "utf-8")
    assert film.render().returncode == 0
    assert '    take: 1\n    note: "of b"\n    provider' in film.lock.read_text("utf-8")
    before = film.lock.read_text("utf-8")
    forget(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    after = film.lock.read_text("utf-8")
    assert _undated(after) == _undated(before)
    assert after.count('colour: "log"') == 1
    film.write(TWO.replace("one", "uno"))
    assert film.render().returncode == 0
    (former,) = film.record("a-t01").superseded
    assert [one.name for one in former.unknown] == ["note", "colour"]


def _undated(text: str) -> list[str]:
    return [line for line in text.splitlines() if "rendered_at" not in line]


@pytest.mark.slow
def test_a_huge_lockfile_is_gone_by_all_the_same(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    record, lock = film.record("a-t01"), vidspec.Lock()
    for number in range(1, 3001):
        assert record.output is not None
        output = replace(record.output, path=f"renders/a/a-t{number:02d}.mp4")
        lock.put(f"a-t{number:02d}", replace(record, take=number, output=output, superseded=(record,)))
    Ledger(lock, film.lock).write()
    ended = film.vidspec("restore", "shots.yaml", "--select", "a-t2999")
    assert (ended.returncode, ended.stdout.splitlines()[0]) == (0, "done: 1 take restored in 0.0 s"), ended.stderr


# --- from Python ----------------------------------------------------------------------------------------------


def rendered(film: vidspec.Opened, **options: Any) -> vidspec.Outcome:
    async def main() -> vidspec.Outcome:
        return await vidspec.render(film, **options)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_python_pays_nothing_without_a_yes_and_nothing_beyond_what_it_allows(film: Film, house: House) -> None:
    film.write(TWO)
    with pytest.raises(Refusal):
        rendered(vidspec.load("shots.yaml"))
    for allowed, kind in (({"cny": 3}, Refusal), ({"cny": float("nan")}, UsageError), ({"usd": 10}, Refusal)):
        with pytest.raises(kind):
            rendered(vidspec.load("shots.yaml"), yes=True, max_cost=allowed)
    assert (house.sent, film.lock.exists()) == ([], False)


def test_a_run_that_python_cancels_loses_nothing(film: Film, house: House) -> None:
    film.write(TWO)
    house.fetching = 5

    async def main() -> None:
        with trio.move_on_after(3.5):
            await vidspec.render(vidspec.load("shots.yaml"), yes=True)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert {flight.move for flight in film.flights.values()} == {"accepted"}
    house.fetching = 0
    assert len(rendered(vidspec.load("shots.yaml"), only_free=True).tally.collected) == 2
    assert house.sent == ["one", "two"]


def test_two_runs_of_one_project_in_one_nursery_are_one(film: Film, house: House) -> None:
    film.write(TWO)
    refused: list[Refusal] = []

    async def one() -> None:
        try:
            await vidspec.render(vidspec.load("shots.yaml"), yes=True)
        except Refusal as refusal:
            refused.append(refusal)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            nursery.start_soon(one)

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert (len(refused), house.sent) == (1, ["one", "two"])
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}


def test_a_listener_that_fails_costs_nothing(film: Film, house: House) -> None:
    film.write(TWO)

    def heard(event: vidspec.Event) -> None:
        if event.event == "submitted":
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        rendered(vidspec.load("shots.yaml"), yes=True, on_event=heard)
    assert {flight.move for flight in film.flights.values()} == {"accepted"}
    assert len(rendered(vidspec.load("shots.yaml"), yes=True).tally.collected) == len(house.sent)


def test_python_says_what_does_not_go_with_a_lockfile_alone(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    with pytest.raises(UsageError, match="`variables` have no place"):
        vidspec.load("shots.yaml", frozen=True, variables={"sky": "moon"})
    with pytest.raises(UsageError, match="`draft` draws what a list says"):
        rendered(vidspec.load("shots.yaml", frozen=True), draft=True)


def test_a_plan_by_the_lockfile_looks_at_bytes_as_its_render_does(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    data = place(film, "a-t01").read_bytes()
    place(film, "a-t01").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (planned,) = vidspec.plan(vidspec.load("shots.yaml", frozen=True)).takes
    assert planned.action == "restore"


def test_a_price_that_has_changed_while_the_project_was_held_by_another_is_asked_for_again(
    film: Film, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.write(ONE)
    asked: list[list[Cost | None]] = []

    def agree(work: Any, _ask: Any) -> None:
        asked.append([one.cost for one in work])

    monkeypatch.setattr(clearance, "consent", agree)
    holding = hold.hold

    def late(folder: Path) -> Any:
        """Another run has been at work until now: the take has a record by which it costs nothing that is known."""
        monkeypatch.setattr("vidspec.planning.price_of", lambda _take: Cost(amount=9, currency="cny"))
        return holding(folder)

    monkeypatch.setattr(hold, "hold", late)
    with suppress(Refusal):
        rendered(vidspec.load("shots.yaml"))
    assert [[one.amount for one in costs if one] for costs in asked] == [[2.0], [9]]


def test_an_adopted_flight_says_nothing_of_its_take(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    change(film, lambda _slate, record: replace(record, chosen=True, accepted=f"sha256:{'1' * 64}"))
    forget(film)
    stuck(house)
    assert film.vidspec("restore", "shots.yaml").returncode == 1
    flight: Flight = film.flights["a-t01"]
    assert (flight.record.chosen, flight.record.accepted, flight.request_id) == (None, None, "r1")
