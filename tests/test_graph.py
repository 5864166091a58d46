"""What needs what: circles, needs and dependants, held against slow and simple definitions."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from vidspec import graph

steady = settings(derandomize=True, deadline=None, database=None, max_examples=300)
NODES = "abcdef"
GRAPHS = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=3), max_size=6)


def reachable(start: str, needs: dict[str, list[str]]) -> set[str]:
    """All that `start` needs, directly or not, by widening until nothing is added."""
    found: set[str] = set(needs.get(start, ()))
    while more := {far for near in found for far in needs.get(near, ())} - found:
        found |= more
    return found


def test_a_circle_is_named_from_where_it_is_met_to_where_it_closes() -> None:
    assert graph.circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert graph.circle({"a": ["a"]}) == ["a", "a"]
    assert graph.circle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}) is None
    assert graph.circle({}) is None


def test_a_chain_as_long_as_a_long_list_is_walked() -> None:
    needs = {str(number): [str(number + 1)] for number in range(50_000)}
    assert graph.circle(needs) is None
    assert len(graph.with_needs(["0"], needs)) == 50_001
    assert len(graph.dependants(["50000"], needs)) == 50_000
    found = graph.circle({**needs, "50000": ["0"]})
    assert found is not None
    assert (len(found), found[0], found[-1]) == (50_002, "0", "0")


@steady
@given(needs=GRAPHS)
def test_a_circle_is_found_exactly_where_something_needs_itself(needs: dict[str, list[str]]) -> None:
    found = graph.circle(needs)
    assert (found is not None) == any(node in reachable(node, needs) for node in NODES)
    if found is not None:
        assert found[0] == found[-1]
        assert len(set(found)) == len(found) - 1
        assert all(after in needs[before] for before, after in pairwise(found))


@steady
@given(needs=GRAPHS, start=st.sets(st.sampled_from(NODES)))
def test_needs_and_dependants_are_the_two_directions_of_one_graph(
    needs: dict[str, list[str]], start: set[str]
) -> None:
    assert graph.with_needs(start, needs) == start | {far for one in start for far in reachable(one, needs)}
    assert graph.dependants(start, needs) == {one for one in NODES if reachable(one, needs) & start} - start
