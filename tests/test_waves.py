from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidspec import waves

FILM = {"a": [], "b": ["a"], "c": ["b", "a"], "d": [], "e": ["d", "c"], "f": ["gone"], "g": ["a", "a"]}
"""`e` is made from `c`, and that from `b`; `f` needs what is there already."""


def test_a_take_is_one_generation_behind_the_last_that_it_needs() -> None:
    assert waves.generations(FILM) == {"a": 1, "b": 2, "c": 3, "d": 1, "e": 4, "f": 1, "g": 2}


def test_what_remains_behind_a_take_is_the_longest_chain_that_begins_with_it() -> None:
    assert waves.remaining(FILM) == {"a": 4, "b": 3, "c": 2, "d": 2, "e": 1, "f": 1, "g": 1}


def test_waves_hold_what_could_be_made_at_once_in_the_order_of_the_list() -> None:
    assert waves.waves(FILM) == [["a", "d", "f"], ["b", "g"], ["c"], ["e"]]
    assert waves.waves({}) == []


@pytest.mark.parametrize(
    ("end", "found"), [("e", ["a", "b", "c", "e"]), ("g", ["a", "g"]), ("d", ["d"]), ("f", ["f"])]
)
def test_a_chain_leads_to_its_end_by_the_longest_way(end: str, found: list[str]) -> None:
    assert waves.chain(end, FILM, waves.generations(FILM)) == found


def test_of_two_ways_of_one_length_the_one_that_is_needed_first_is_gone() -> None:
    needs = {"a": [], "b": [], "c": ["b", "a"]}
    assert waves.chain("c", needs, waves.generations(needs)) == ["b", "c"]


def test_chains_end_where_nothing_is_made_from_a_take_that_was_made_from_others() -> None:
    assert waves.ends(FILM) == ["e", "g"]


def test_takes_that_stand_alone_are_not_connected() -> None:
    assert waves.connected(FILM) == {"a", "b", "c", "d", "e", "g"}
    assert waves.connected({"a": [], "b": ["gone"]}) == set()


def test_a_part_of_a_graph_has_its_own_edges_alone() -> None:
    assert waves.among({"b", "c"}, FILM) == {"b": [], "c": ["b"]}


def test_who_is_needed_is_told_of_each_that_needs_it_once() -> None:
    assert waves.needed_by(FILM) == {"a": ["b", "c", "g"], "b": ["c"], "d": ["e"], "c": ["e"]}


def test_a_chain_may_be_as_long_as_a_list() -> None:
    needs = {f"s{number}": [f"s{number - 1}"] if number else [] for number in range(20_000)}
    generation = waves.generations(needs)
    assert generation["s19999"] == waves.remaining(needs)["s0"] == 20_000
    assert len(waves.chain("s19999", needs, generation)) == 20_000


@given(st.data())
def test_generations_are_by_the_definition_whatever_the_order(data: st.DataObject) -> None:
    count = data.draw(st.integers(min_value=1, max_value=10))
    order = data.draw(st.permutations(range(count)))
    needs = {
        f"s{number}": [f"s{one}" for one in data.draw(st.sets(st.sampled_from(order[:place]), max_size=3))]
        if place
        else []
        for place, number in enumerate(order)
    }
    needs = {slate: needs[slate] for slate in data.draw(st.permutations(list(needs)))}

    def deepest(slate: str) -> int:
        return 1 + max(map(deepest, needs[slate]), default=0)

    found = waves.generations(needs)
    assert found == {slate: deepest(slate) for slate in needs}
    assert sum(map(len, waves.waves(needs))) == count
    for end in waves.ends(needs):
        chain = waves.chain(end, needs, found)
        assert len(chain) == found[end]
        assert all(one in needs[other] for one, other in pairwise(chain))
    assert max(waves.remaining(needs).values()) == max(found.values())
