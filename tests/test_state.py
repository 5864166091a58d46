from __future__ import annotations

import pytest

from vidspec.lock import Record
from vidspec.state import COLLECTABLE, DOUBTFUL, LEGAL, UNMADE, Flight, IllegalMove, Move, check

RECORD = Record(shot="s010", take=1)
PAIRS = [(before, after) for before in LEGAL for after in LEGAL if after is not None]


def flight(move: Move, blame: str | None = None) -> Flight:
    return Flight(
        slate="s010-t01",
        move=move,
        record=RECORD,
        output="a.mp4",
        base_url="https://a.example",
        since=0.0,
        blame=blame,
    )


def named(pair: tuple[Move | None, Move]) -> str:
    return f"{pair[0]}-{pair[1]}"


@pytest.mark.parametrize("pair", PAIRS, ids=named)
def test_a_move_is_legal_exactly_where_the_table_has_it(pair: tuple[Move | None, Move]) -> None:
    before, after = pair
    if after in LEGAL[before]:
        check(before, after, "s010-t01")
    else:
        with pytest.raises(IllegalMove, match=after):
            check(before, after, "s010-t01")


def reachable(start: Move, barred: set[Move]) -> set[Move]:
    """Every move that can follow, one after another, without any of the barred ones."""
    found: set[Move] = set()
    open_moves = [start]
    while open_moves:
        for after in LEGAL[open_moves.pop()] - barred - found:
            found.add(after)
            open_moves.append(after)
    return found


ENDS: set[Move] = {"refused", "failed", "cancelled", "delivered", "decided"}


@pytest.mark.parametrize("start", sorted(COLLECTABLE | DOUBTFUL))
def test_no_second_submit_without_an_end_or_a_decision(start: Move) -> None:
    assert "intended" not in reachable(start, ENDS)


def test_every_move_is_reached_from_nothing() -> None:
    found: set[Move] = set()
    for first in LEGAL[None]:
        found |= {first} | reachable(first, set())
    assert found == {move for move in LEGAL if move is not None}


def test_a_take_is_collectable_doubtful_unmade_or_done_and_never_two_of_them() -> None:
    moves = {move for move in LEGAL if move is not None}
    assert not COLLECTABLE & DOUBTFUL
    assert not (COLLECTABLE | DOUBTFUL) & UNMADE
    assert moves - COLLECTABLE - DOUBTFUL - UNMADE == {"delivered", "decided"}


@pytest.mark.parametrize(
    ("move", "blame", "again"),
    [
        ("failed", "moderation", True),
        ("refused", "input", True),
        ("failed", "provider", True),
        ("refused", "rate", False),
        ("refused", "key", False),
        ("refused", "billing", False),
        ("running", "input", False),
    ],
)  # fmt: skip
def test_a_failure_is_kept_where_the_same_request_would_meet_it_again(move: Move, blame: str, again: bool) -> None:
    assert flight(move, blame).fails_again is again


def test_a_flight_moves_only_as_the_table_allows() -> None:
    accepted = flight("intended").moved("accepted", 5.0, request_id="r1")
    assert (accepted.move, accepted.since, accepted.request_id) == ("accepted", 5.0, "r1")
    assert accepted.collectable
    with pytest.raises(IllegalMove, match="s010-t01: `intended` cannot follow `accepted`"):
        accepted.moved("intended", 6.0)
