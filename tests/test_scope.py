"""Variables: expanded late, once, and only when they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from vidspec import scope as scopes
from vidspec.prompt import TemplateFault
from vidspec.scope import Scope, VariableFault


def scope(overrides: dict[str, Any] | None = None, used: set[str] | None = None, **values: Any) -> Scope:
    return Scope(values, "Night ferry", set() if used is None else used, overrides)


def test_a_variable_may_name_another_that_stands_below_it() -> None:
    assert scope(look="{{ weather }}, 35mm", weather="rain").expand("{{ look }}", {}) == "rain, 35mm"


def test_a_variable_of_the_list_may_name_one_that_only_a_shot_has() -> None:
    outer = scope(look="{{ weather }}, 35mm")
    assert outer.over({"weather": "fog"}).expand("{{ look }}", {}) == "fog, 35mm"
    assert outer.over({"weather": "sun"}).expand("{{ look }}", {}) == "sun, 35mm"
    with pytest.raises(VariableFault, match="`weather` is not defined"):
        outer.expand("{{ look }}", {})


def test_nothing_laid_over_a_scope_is_the_scope_itself() -> None:
    outer = scope(a=1)
    assert outer.over({}) is outer
    assert outer.over({"b": 2}) is not outer


def test_lists_and_mappings_of_a_variable_are_expanded_inside() -> None:
    inside = scope(cast=[{"name": "{{ hero }}"}, 7, None], hero="Ada")
    assert inside.expand("{{ cast[0].name }} {{ cast[1] }}", {}) == "Ada 7"


def test_a_variable_that_is_not_asked_for_may_make_no_sense() -> None:
    inside = scope(broken="{{ nothing }}", circle="{{ circle }}", a="fine")
    assert inside.expand("{{ a }}{% if false %}{{ broken }}{{ circle }}{% endif %}", {}) == "fine"


def test_a_text_that_comes_out_of_a_variable_is_not_expanded_again() -> None:
    inside = scope(open="{% raw %}{{{% endraw %}", a="{{ open }} b }}")
    assert inside.expand("{{ a }}", {}) == "{{ b }}"


def test_what_is_given_for_one_text_stands_over_the_variables() -> None:
    assert scope(shot="mine").expand("{{ shot.id }}", {"shot": {"id": "s010"}}) == "s010"


def test_what_is_given_for_one_text_is_not_there_inside_variables() -> None:
    with pytest.raises(VariableFault) as caught:
        scope(name="{{ slate }}").expand("{{ name }}", {"slate": "s010-t01"})
    assert (caught.value.name, caught.value.fault.code) == ("name", "E302")


def test_the_command_line_overrides_the_list_and_is_remembered() -> None:
    inside = scope({"weather": "fog"}, weather="rain", look="{{ weather }}")
    assert inside.expand("{{ look }}", {}) == "fog"
    assert inside.over({"other": 1}).overrides == {"weather": "fog"}


def test_the_title_is_a_text_of_the_users_too() -> None:
    inside = Scope({"boat": "ferry"}, "Night {{ boat }}", set())
    assert inside.expand("{{ title }}", {}) == inside.over({"x": 1}).expand("{{ title }}", {}) == "Night ferry"


def test_every_name_that_is_asked_for_is_collected_from_inside_variables_too() -> None:
    used: set[str] = set()
    scope(used=used, a="{{ b }}", b="c").over({"z": 1}).expand("{{ a }} {{ q is defined }}", {})
    assert used == {"a", "b", "q"}


def test_a_variable_is_expanded_once() -> None:
    inside = scope(cast=["{{ hero }}"], hero="Ada")
    assert inside._value("cast") is inside._value("cast")


# --- faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        pytest.param("{{ hreo }}", "the nearest name is `hero`", id="a variable"),
        pytest.param("{{ slat }}", "the nearest name is `slate`", id="a given name"),
        pytest.param("{{ titel }}", "the nearest name is `title`", id="the title"),
        pytest.param("{{ shot.idd }}", "the nearest name is `id`", id="a key of a given mapping, not a variable"),
        pytest.param("{{ zzz }}", "the names are `hero`, `idle`, `shot`, `slate`, `title`", id="nothing near"),
    ],
)
def test_an_undefined_name_is_answered_with_the_names_that_there_are(text: str, advice: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        scope(hero="Ada", idle=1).expand(text, {"shot": {"id": "s"}, "slate": "s-t01"})
    assert (caught.value.code, caught.value.help) == ("E302", advice)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param({"a": "{{ a }}"}, "a → a", id="itself"),
        pytest.param({"a": "{{ b }}", "b": "{{ c }}", "c": "{{ b }}"}, "b → c → b", id="behind another"),
        pytest.param({"a": ["{{ b }}"], "b": {"k": "{{ a }}"}}, "a → b → a", id="inside lists and mappings"),
    ],
)
def test_variables_in_a_circle_are_named(values: dict[str, Any], names: str) -> None:
    with pytest.raises(VariableFault) as caught:
        Scope(values, "", set()).expand("{{ a }}", {})
    assert (caught.value.fault.code, caught.value.fault.message) == ("E305", f"variables in a circle: {names}")


def test_after_a_fault_the_other_variables_can_still_be_read() -> None:
    inside = scope(a="{{ b }}", b="{{ a }}", c="fine", d="{{ zzz }}")
    for text in ("{{ a }}", "{{ d }}", "{{ b }}"):
        with pytest.raises(VariableFault):
            inside.expand(text, {})
    assert inside.expand("{{ c }}", {}) == "fine"


def test_a_chain_has_a_greatest_length() -> None:
    def chain(length: int) -> Scope:
        links = {f"v{n}": f"{{{{ v{n + 1} }}}}" for n in range(length - 1)}
        return Scope({**links, f"v{length - 1}": "end"}, "", set())

    assert chain(scopes.MAX_DEPTH).expand("{{ v0 }}", {}) == "end"
    with pytest.raises(VariableFault, match="a chain of too many variables"):
        chain(scopes.MAX_DEPTH + 1).expand("{{ v0 }}", {})


@pytest.mark.parametrize(
    "link", ["{{ v%d }}", "{{ ((((v%d ~ ''))) | upper) ~ (1 + (2 * (3 - 1))) }}"], ids=["plain", "nested"]
)
def test_a_chain_without_end_is_a_fault_and_breaks_nothing(link: str) -> None:
    with pytest.raises(VariableFault):
        Scope({f"v{n}": link % (n + 1) for n in range(5000)}, "", set()).expand("{{ v0 }}", {})
