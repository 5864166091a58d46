"""One take of which two lockfiles tell: by example, and as the laws that any number of them must keep."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec.lock import Cost, Output, Record, Unknown
from vidspec.reconcile import reconciled

STUB = Record(shot="s010", take=1)


def render(number: int, at: int = 0, **changes: Any) -> Record:
    """A render of the take; `at` is the minute in which it was made, by default that of its number."""
    digest = f"sha256:{number:064d}"
    made = Record(
        shot="s010",
        take=1,
        provider="siliconflow",
        model="m",
        fingerprint=digest,
        request={"prompt": f"prompt {number}"},
        request_id=f"r{number}",
        output=Output(path="renders/s010/s010-t01.mp4", sha256=digest, bytes=number),
        rendered_at=f"2026-11-20T10:{at or number:02d}:00Z",
        cost=Cost(amount=2.0, currency="cny"),
    )
    return replace(made, **changes)


X, Y, Z = render(1), render(2), render(3)


def over(head: Record, *under: Record) -> Record:
    """A record with others under it."""
    return replace(head, superseded=under)


def merged(a: Record | None, b: Record | None, former: Record | None = None) -> Record | None:
    """What becomes of a take; the same, and said in the same words, whichever side is which."""
    one, other = reconciled(a, b, former), reconciled(b, a, former)
    assert one == other
    return one[0]


def moved(record: Record, path: str) -> Record:
    """The same render, at another place."""
    assert record.output
    return replace(record, output=replace(record.output, path=path))


# --- without a record that both come from ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(None, X, X, id="on one side only"),
        pytest.param(STUB, X, X, id="rendered on one side"),
        pytest.param(STUB, over(Y, X), over(Y, X), id="rendered twice on one side"),
        pytest.param(X, X, X, id="the same"),
        pytest.param(X, Y, over(Y, X), id="rendered on both, the latest is the record"),
        pytest.param(over(X, Z), over(X, Y), over(Z, Y, X), id="each with another former one"),
        pytest.param(X, over(Y, X), over(Y, X), id="rendered anew on one side"),
        pytest.param(over(X, Y), Y, over(X, Y), id="an edit undone on one side"),
        pytest.param(over(X, Y), over(Y, X), over(X, Y), id="an edit undone, and both know all"),
        pytest.param(over(STUB, X), X, X, id="only a former one on one side"),
        pytest.param(render(4, 7), render(5, 7), over(render(5, 7), render(4, 7)), id="in the same minute"),
        pytest.param(X, render(1, 9), render(1, 9), id="one request fetched twice"),
        pytest.param(over(Y, X), over(Z, X), over(Z, Y, X), id="each former one once"),
        pytest.param(
            over(replace(X, trace_id="t"), X), STUB, replace(X, trace_id="t"), id="told twice on one side"
        ),
    ],
)
def test_of_two_records_nothing_is_lost_and_the_one_that_knows_more_has_the_last_word(
    a: Record, b: Record, expected: Record
) -> None:
    assert merged(a, b) == expected


def test_clips_drawn_here_are_told_apart_by_what_was_asked_for() -> None:
    drawn = [render(1, number, request_id=None, fingerprint=f"sha256:{number:064d}") for number in (3, 2, 3)]
    assert merged(drawn[0], drawn[1]) == over(drawn[0], drawn[1])
    assert merged(drawn[0], drawn[2]) == drawn[0]


def test_what_one_side_alone_knows_of_a_render_is_kept() -> None:
    assert merged(replace(X, trace_id="t1"), replace(X, seed_used=7)) == replace(X, trace_id="t1", seed_used=7)


def test_what_was_sent_is_never_put_together_from_two_records() -> None:
    a, b = replace(X, model="a", seed=2), replace(X, model="b", seed=1)
    assert merged(a, b) in (a, b)


# --- with the record that both come from -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "former", "expected"),
    [
        pytest.param(over(Y, X), X, X, over(Y, X), id="rendered anew on one side"),
        pytest.param(over(X, Y), over(Y, X), over(Y, X), over(X, Y), id="an edit undone on one side"),
        pytest.param(over(Y, X), over(Z, X), X, over(Z, Y, X), id="rendered anew on both"),
        pytest.param(over(X, Z), over(Z, Y), Z, over(X, Z, Y), id="only one has another record than before"),
        pytest.param(STUB, None, STUB, None, id="removed, and never rendered"),
        pytest.param(None, X, X, None, id="removed, and left alone"),
        pytest.param(None, over(Y, X), X, over(Y, X), id="removed, and rendered anew"),
        pytest.param(None, replace(X, chosen=True), X, replace(X, chosen=True), id="removed, and chosen"),
        pytest.param(STUB, X, X, STUB, id="removed and listed again, and left alone"),
        pytest.param(STUB, over(Y, X), X, over(Y, X), id="removed and listed again, and rendered anew"),
        pytest.param(STUB, replace(X, chosen=True), X, X, id="removed and listed again, and chosen"),
        pytest.param(moved(X, "a.mp4"), over(Y, X), X, over(Y, moved(X, "a.mp4")), id="moved, and rendered anew"),
        pytest.param(moved(X, "a.mp4"), replace(X, trace_id="t"), X, moved(replace(X, trace_id="t"), "a.mp4"),
                     id="another field on each side"),
        pytest.param(replace(X, trace_id=None), moved(replace(X, trace_id="t"), "a.mp4"), replace(X, trace_id="t"),
                     moved(X, "a.mp4"), id="a field taken away on one side"),
        pytest.param(X, Y, STUB, over(Y, X), id="rendered on both for the first time"),
    ],
)  # fmt: skip
def test_what_one_side_alone_has_changed_stands(
    a: Record | None, b: Record | None, former: Record, expected: Record | None
) -> None:
    assert merged(a, b, former) == expected


ACCEPTED, OTHER = replace(X, accepted="sha256:1"), replace(X, accepted="sha256:2")


@pytest.mark.parametrize(
    ("a", "b", "former", "mark"),
    [
        pytest.param(ACCEPTED, X, None, "sha256:1", id="on one side"),
        pytest.param(ACCEPTED, OTHER, None, "sha256:2", id="another on each"),
        pytest.param(ACCEPTED, moved(X, "a.mp4"), X, "sha256:1", id="and moved on the other"),
        pytest.param(ACCEPTED, moved(X, "a.mp4"), None, "sha256:1", id="and moved on the other, without a base"),
        pytest.param(moved(X, "a.mp4"), OTHER, OTHER, None, id="taken back, and moved"),
        pytest.param(ACCEPTED, over(Y, X), X, None, id="rendered anew on the other: it was about the former clip"),
        pytest.param(ACCEPTED, over(Y, X), None, None, id="rendered anew on the other, without a base"),
        pytest.param(ACCEPTED, replace(over(Y, X), accepted="sha256:9"), X, "sha256:9", id="each about its clip"),
    ],
)
def test_an_accepted_edit_stays_with_the_clip_that_it_was_accepted_for(
    a: Record, b: Record, former: Record | None, mark: str | None
) -> None:
    found = merged(a, b, former)
    assert found
    assert found.accepted == mark
    assert all(one.accepted is None for one in found.superseded)


# --- what a later release has written --------------------------------------------------------------------------

GRADE = Unknown("grade", "A", "request_id", "1.2")
CODEC = Unknown("codec", "av1", "output.bytes", "1.2")
NOTE = Unknown("note", "the good one", "take", "1.3")


def replaced(field: Unknown, value: str) -> Unknown:
    """The same field with another value."""
    return field._replace(value=value)


@pytest.mark.parametrize(
    ("a", "b", "former", "expected"),
    [
        pytest.param((GRADE,), (), None, {GRADE}, id="on one side"),
        pytest.param((GRADE,), (CODEC,), (), {GRADE, CODEC}, id="one on each side"),
        pytest.param((GRADE,), (replaced(GRADE, "B"),), (GRADE,), {replaced(GRADE, "B")}, id="changed on one side"),
        pytest.param((), (GRADE,), (GRADE,), set(), id="taken away on one side"),
        pytest.param((GRADE,), (GRADE._replace(after="output.bytes"),), None,
                     {GRADE, GRADE._replace(after="output.bytes")}, id="of one name in two places"),
    ],
)  # fmt: skip
def test_fields_of_a_later_release_go_each_their_own_way(
    a: tuple[Unknown, ...], b: tuple[Unknown, ...], former: tuple[Unknown, ...] | None, expected: set[Unknown]
) -> None:
    base = None if former is None else replace(X, unknown=former, trace_id="before")
    found = merged(replace(X, unknown=a, trace_id="t1"), replace(X, unknown=b, trace_id="t2"), base)
    assert found
    assert set(found.unknown) == expected


@pytest.mark.parametrize("former", [None, STUB], ids=["no base", "with a base"])
def test_what_a_later_release_says_of_a_take_outlives_its_first_render(former: Record | None) -> None:
    assert merged(replace(STUB, unknown=(NOTE,)), X, former) == replace(X, unknown=(NOTE,))
    assert merged(replace(STUB, unknown=(NOTE,)), STUB, former) == replace(STUB, unknown=(NOTE,))


# --- what is said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("former", [None, STUB, Z], ids=["no base", "never rendered before", "rendered before"])
def test_two_paid_renders_of_one_take_are_said_with_their_ids_and_dates(former: Record | None) -> None:
    _, said = reconciled(X, Y, former)
    assert said == (
        "was rendered on both sides: the record is `r2` of 2026-11-20T10:02:00Z; "
        "kept under it: `r1` of 2026-11-20T10:01:00Z"
    )


@pytest.mark.parametrize(
    ("a", "b", "former"),
    [
        pytest.param(STUB, X, None, id="rendered on one side"),
        pytest.param(over(Y, X), X, None, id="one knows of the other's"),
        pytest.param(moved(X, "a.mp4"), over(Y, X), X, id="one has only moved it"),
        pytest.param(X, render(1, 9), None, id="one request fetched twice"),
        pytest.param(None, X, X, id="removed"),
    ],
)
def test_where_nothing_has_to_be_decided_nothing_is_said(
    a: Record | None, b: Record | None, former: Record | None
) -> None:
    assert reconciled(a, b, former)[1] == ""


def test_what_stays_although_one_side_has_removed_it_is_said() -> None:
    assert reconciled(None, over(Y, X), X)[1] == "was removed on one side and changed on the other: it stays"


# --- laws ------------------------------------------------------------------------------------------------------

DIGESTS = [f"sha256:{number:064d}" for number in range(1, 5)]
RENDERS = [
    moved(
        replace(
            render(number, [3, 1, 2, 1][number - 1] + later),
            request_id=None if number == 4 else f"r{number}",
            unknown=newer,
        ),
        path,
    )
    for number in (1, 2, 3, 4)
    for later in (0, 4)
    for path in ("a.mp4", "b.mp4")
    for newer in ((), (GRADE,), (CODEC, replaced(GRADE, "B")))
]


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record that knows up to three renders of a small world, in any order, some of them told twice."""
    known = draw(st.lists(st.sampled_from(RENDERS), max_size=3))
    accepted = draw(st.sampled_from(["stub", None, None, *DIGESTS[:2]]))
    return replace(over(*known), accepted=accepted) if known and accepted != "stub" else over(STUB, *known)


def joined(a: Record, b: Record) -> Record:
    found, _ = reconciled(a, b, None)
    assert found
    return found


def paid(*found: Record | None) -> set[tuple[str | None, str | None]]:
    """The requests and clips that records know of."""
    tops = [record for record in found if record is not None]
    known = [one for record in tops for one in (record, *record.superseded)]
    return {(one.request_id, one.output.sha256) for one in known if one.output}


law = partial(settings, deadline=None)


@pytest.mark.slow
@pytest.mark.slow
@law(max_examples=300)
@given(records(), records(), st.none() | records())
def test_which_side_is_which_makes_no_difference(a: Record, b: Record, former: Record | None) -> None:
    assert repr(reconciled(a, b, former)) == repr(reconciled(b, a, former))


@pytest.mark.slow
@law(max_examples=1000)
@given(records(), records(), records())
def test_without_a_base_the_order_of_merging_makes_no_difference(a: Record, b: Record, c: Record) -> None:
    assert repr(joined(joined(a, b), c)) == repr(joined(a, joined(b, c)))


@pytest.mark.slow
@law(max_examples=200)
@given(records(), records())
def test_merging_again_what_is_merged_changes_nothing(a: Record, b: Record) -> None:
    assert joined(a, a) == a
    assert joined(joined(a, b), b) == joined(a, b)


@pytest.mark.slow
@law(max_examples=300)
@given(records(), records(), st.none() | records())
def test_no_paid_render_is_lost_unless_the_base_shows_that_it_was_left_alone_on_one_side(
    a: Record, b: Record, former: Record | None
) -> None:
    found, _ = reconciled(a, b, former)
    assert paid(found) <= paid(a, b)
    if former not in (a, b):
        assert paid(found) == paid(a, b)


@pytest.mark.slow
@law(max_examples=200)
@given(records(), records())
def test_a_side_that_has_changed_nothing_gives_way(a: Record, former: Record) -> None:
    assert reconciled(a, former, former) == (a, "")
    assert reconciled(None, former, former) == (None, "")
