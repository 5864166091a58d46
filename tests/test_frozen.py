"""Rendering from the lockfile: `--locked`, `--frozen`, `restore`; on this machine, and in a clone on another."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from vidspec.errors import LockError, UsageError
from vidspec.frozen import open_frozen

if TYPE_CHECKING:
    from conftest import Film, House

Shots = Callable[..., Path]
Vidspec = Callable[..., subprocess.CompletedProcess[str]]

ONE = "- {id: a, prompt: one}"
TWO = f"{ONE}\n- {{id: b, prompt: two}}"
I2V = "model: Wan-AI/Wan2.2-I2V-A14B"


def clone(film: Film) -> None:
    """As a clone on another machine has it: what git keeps, and nothing that is local or large."""
    for folder in (".vidspec", "renders"):
        shutil.rmtree(film.project / folder, ignore_errors=True)


# --- locked ------------------------------------------------------------------------------------------------


def test_locked_refuses_what_the_lockfile_does_not_record_and_says_what(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    film.write("- {id: a, prompt: another}\n- {id: b, prompt: two}")
    ended = film.render("--locked")
    assert (ended.returncode, house.sent) == (3, ["one"])
    assert ended.stderr.splitlines() == [
        "error: list and lockfile differ, which `--locked` does not allow; nothing was submitted",
        "  a-t01: prompt: one → another",
        "  b-t01: never rendered",
    ]


def test_locked_names_what_is_no_longer_in_the_list(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    film.write(ONE)
    ended = film.render("--locked")
    assert ended.returncode == 3
    assert "  b-t01: no longer in the list" in ended.stderr


def test_a_missing_output_is_no_difference_to_locked(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render("--locked").returncode == 3
    assert film.render().returncode == 0
    (film.project / "renders/a/a-t01.mp4").unlink()
    ended = film.render("--locked")
    assert (ended.returncode, house.sent) == (0, ["one"]), ended.stderr


def test_locked_looks_at_what_is_selected_alone(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    assert film.render("--locked", "--select", "a").returncode == 0
    assert film.render("--locked", "--exclude", "b").returncode == 0


# --- frozen ------------------------------------------------------------------------------------------------


def test_frozen_goes_by_the_lockfile_whatever_the_list_says(film: Film, house: House) -> None:
    film.write("- {id: a, prompt: one, seed: 7}")
    assert film.render().returncode == 0
    before = film.lock.read_bytes()
    film.write("- {id: a, prompt: {{ nonsense")
    (film.project / "renders/a/a-t01.mp4").write_bytes(b"other")
    ended = film.render("--frozen")
    assert (ended.returncode, house.sent) == (0, ["one"]), ended.stderr
    assert film.lock.read_bytes() == before
    assert (film.project / "renders/a/a-t01.mp4").read_bytes() == house.clip(1)


def test_frozen_needs_no_list_and_takes_the_lockfile_itself(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    (film.project / "shots.yaml").unlink()
    clone(film)
    ended = film.vidspec("render", "shots.lock", "--frozen", "--yes")
    assert (ended.returncode, house.sent, house.asked[-1]) == (0, ["one"], "r1"), ended.stderr
    assert (film.project / "renders/a/a-t01.mp4").read_bytes() == house.clip(1)


def test_frozen_sends_the_same_request_again_where_nobody_has_the_clip(film: Film, house: House) -> None:
    film.write("- {id: a, prompt: one, seed: 7}")
    assert film.render().returncode == 0
    before = film.record("a-t01")
    clone(film)
    house.looks = [house.reply({"message": "gone"}, 404)]
    assert film.render("--frozen").returncode == 1
    ended = film.render("--frozen", "--resubmit", "a-t01")
    assert (ended.returncode, house.sent) == (0, ["one", "one"]), ended.stderr
    after = film.record("a-t01")
    assert (after.fingerprint, after.seed, after.request) == (before.fingerprint, 7, before.request)
    assert "again" in ended.stdout
    assert "a-t01: the same was sent, and other bytes came" in ended.stdout
    film.write("- {id: a, prompt: one, seed: 7}")
    assert film.planned() == {"a-t01": "keep"}


def test_what_was_never_rendered_is_left_in_the_lockfile_by_frozen(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render("--select", "a").returncode == 0
    before = film.lock.read_bytes()
    assert film.render("--frozen").returncode == 0
    assert (film.lock.read_bytes(), house.sent) == (before, ["one"])


def test_a_picture_is_found_by_its_bytes_wherever_it_is_in_the_project(film: Film, house: House) -> None:
    Image.new("RGB", (1280, 720), "red").save(film.project / "a.png")
    film.write(f"- {{id: a, prompt: one, {I2V}, first_frame: a.png}}")
    assert film.render().returncode == 0, film.render().stderr
    record = film.record("a-t01")
    assert record.pictures == {"first_frame": "a.png"}
    clone(film)
    (film.project / "moved").mkdir()
    (film.project / "a.png").rename(film.project / "moved/b.png")
    assert film.render("--frozen", "--resubmit", "a-t01").returncode == 0
    assert film.record("a-t01").fingerprint == record.fingerprint
    assert len(house.sent) == 2


def test_a_picture_that_was_sent_is_kept(film: Film, house: House) -> None:
    Image.new("RGB", (1280, 720), "red").save(film.project / "a.png")
    film.write(f"- {{id: a, prompt: one, {I2V}, first_frame: a.png}}")
    assert film.render().returncode == 0
    (film.project / "a.png").unlink()
    assert film.render("--frozen", "--resubmit", "a-t01").returncode == 0
    assert len(house.sent) == 2


def test_a_picture_that_is_nowhere_is_said_before_anything_is_sent(film: Film, house: House) -> None:
    Image.new("RGB", (1280, 720), "red").save(film.project / "a.png")
    film.write(f"- {{id: a, prompt: one, {I2V}, first_frame: a.png}}")
    assert film.render().returncode == 0
    clone(film)
    Image.new("RGB", (1280, 720), "blue").save(film.project / "a.png")
    ended = film.render("--frozen", "--resubmit", "a-t01")
    assert (ended.returncode, len(house.sent)) == (2, 1)
    assert "a-t01: its first_frame (sha256:" in ended.stderr
    assert "neither in the project nor kept" in ended.stderr


@pytest.mark.parametrize("path", ["../a.png", "/{outside}/a.png", "link/a.png"], ids=["above", "absolute", "link"])
def test_a_picture_outside_the_project_is_not_read_whatever_a_lockfile_says(
    film: Film, house: House, path: str
) -> None:
    Image.new("RGB", (1280, 720), "red").save(film.project / "a.png")
    film.write(f"- {{id: a, prompt: one, {I2V}, first_frame: a.png}}")
    assert film.render().returncode == 0
    clone(film)
    (film.project / "a.png").rename(film.project.parent / "a.png")
    (film.project / "link").symlink_to("..")
    path = path.replace("/{outside}", str(film.project.parent))
    text = film.lock.read_text("utf-8").replace('first_frame: "a.png"', f'first_frame: "{path}"')
    film.lock.write_text(text, "utf-8")
    assert film.render("--frozen", "--resubmit", "a-t01").returncode == 2
    assert len(house.sent) == 1


def test_a_frame_of_another_take_is_the_same_one_again(film: Film, house: House) -> None:
    film.write(f"{ONE}\n- {{id: b, prompt: two, {I2V}, first_frame: {{shot: a, at: last}}}}")
    assert film.render().returncode == 0
    before = film.record("b-t01")
    ended = film.render("--frozen", "--resubmit", "b-t01")
    assert (ended.returncode, house.sent) == (0, ["one", "two", "two"]), ended.stderr
    after = film.record("b-t01")
    assert (after.fingerprint, after.frames) == (before.fingerprint, before.frames)
    assert film.planned() == {"a-t01": "keep", "b-t01": "keep"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("render", "gone.yaml", "--frozen"), "there is no lockfile gone.lock"),
        (("restore", "gone.yaml"), "there is no lockfile gone.lock"),
        (("render", "shots.yaml", "--frozen", "--draft"), "`--frozen` goes with neither"),
        (("render", "shots.yaml", "--frozen", "--rehearse"), "`--frozen` goes with neither"),
        (("render", "shots.yaml", "--frozen", "--var", "a=b"), "`--var` has no place"),
    ],
    ids=["no lockfile", "nothing to restore from", "drafts", "rehearsal", "variables"],
)
def test_what_cannot_be_frozen_is_said(film: Film, house: House, arguments: tuple[str, ...], said: str) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    ended = film.vidspec(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_lockfile_of_takes_that_were_never_rendered_holds_nothing_to_go_by(film: Film) -> None:
    film.write(ONE)
    film.afloat("a-t01", "in_doubt")
    with pytest.raises(UsageError, match="has been rendered yet"):
        open_frozen(film.project / "shots.yaml")


def test_a_model_that_no_table_has_is_said(film: Film, house: House) -> None:
    film.write(ONE)
    assert film.render().returncode == 0
    text = film.lock.read_text("utf-8").replace("Wan2.2-T2V-A14B", "Wan9-T2V")
    film.lock.write_text(text, "utf-8")
    with pytest.raises(LockError, match=r"`a-t01` names `siliconflow` and `Wan-AI/Wan9-T2V`"):
        open_frozen(film.project / "shots.yaml")


# --- restore -----------------------------------------------------------------------------------------------


def test_restore_brings_back_what_is_kept_and_what_was_changed(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    whole = (film.project / "renders/a/a-t01.mp4").read_bytes()
    (film.project / "renders/a/a-t01.mp4").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (film.project / "renders/b/b-t01.mp4").unlink()
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, len(house.sent), len(house.asked)) == (0, 2, 2), ended.stderr
    assert ended.stdout.startswith("done: 2 takes restored")
    assert (film.project / "renders/a/a-t01.mp4").read_bytes() == whole


def test_restore_asks_the_provider_for_what_is_kept_nowhere_and_pays_nothing(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    clone(film)
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, house.sent) == (0, ["one", "two"]), ended.stderr
    assert "2 takes collected" in ended.stdout
    assert film.vidspec("verify", "shots.yaml").stdout.endswith("2 clips: 2 mismatch\n")  # of another size


def test_restore_names_what_can_only_be_had_for_money(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    text = film.lock.read_text("utf-8").replace('    request_id: "r2"\n', "")
    film.lock.write_text(text, "utf-8")
    clone(film)
    ended = film.vidspec("restore", "shots.yaml")
    assert (ended.returncode, house.sent) == (1, ["one", "two"]), ended.stdout
    assert "lost      b-t01: the output is missing" in ended.stdout
    assert "1 take cannot be had without paying: about 2.00 cny" in ended.stdout
    assert (film.project / "renders/a/a-t01.mp4").exists()


def test_restore_goes_to_the_store_that_others_filled_before_it_asks_the_provider(film: Film, house: House) -> None:
    shared = film.project.parent / "shared"
    shared.mkdir()
    film.write(TWO)
    assert film.render().returncode == 0
    assert film.vidspec("push", "shots.yaml", "--store", str(shared)).returncode == 0
    clone(film)
    asked = len(house.asked)
    ended = film.vidspec("restore", "shots.yaml", "--store", str(shared))
    assert (ended.returncode, len(house.asked)) == (0, asked), ended.stderr
    assert "2 takes restored" in ended.stdout


def test_takes_that_are_drawn_here_are_drawn_again(shots: Shots, project: Path, vidspec: Vidspec) -> None:
    shots("- {id: a, prompt: one}")
    assert vidspec("render", "shots.yaml").returncode == 0
    before = (project / "renders/a/a-t01.mp4").read_bytes()
    for folder in (".vidspec", "renders"):
        shutil.rmtree(project / folder)
    ended = vidspec("restore", "shots.yaml")
    assert ended.returncode == 0, ended.stderr
    assert (project / "renders/a/a-t01.mp4").read_bytes() == before
    assert "a-t01: the same bytes came out as before" in ended.stdout


def test_a_clone_restores_verifies_and_renders_one_edit_at_its_price(film: Film, house: House) -> None:
    film.write(TWO)
    assert film.render().returncode == 0
    clone(film)
    assert film.vidspec("restore", "shots.yaml").returncode == 0
    assert film.vidspec("verify", "shots.yaml").stdout.endswith("2 clips: 2 mismatch\n")  # of another size
    film.write("- {id: a, prompt: one}\n- {id: b, prompt: three}")
    plan = film.vidspec("plan", "shots.yaml").stdout
    assert "total: 1 keep, 1 render" in plan
    assert "about 2.00 cny" in plan
    assert film.vidspec("diff", "shots.yaml").returncode == 1
    assert film.render().returncode == 0
    assert house.sent == ["one", "two", "three"]
    assert film.vidspec("diff", "shots.yaml").returncode == 0
