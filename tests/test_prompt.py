"""What templates mean, what they may not do, and where their faults are said to be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, TemplateError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as JINJA_TESTS

import vidspec
from vidspec import prompt
from vidspec.errors import VidspecError
from vidspec.prompt import MAX_TEXT, RESERVED, TemplateFault, bounded, is_template, variable_fault
from vidspec.prompt.filters import FILTERS, TESTS, Flaw
from vidspec.prompt.filters import text as printed

if TYPE_CHECKING:
    from collections.abc import Callable

SCOPE: dict[str, object] = {
    "hero": "a ferryman",
    "weather": "rain",
    "n": 3,
    "half": 0.5,
    "wet": True,
    "nothing": None,
    "tags": ["night", "Harbour", "night"],
    "cast": [{"name": "Ada", "age": 31}, {"name": "Bo", "age": 7}],
    "shot": {"id": "s010", "scene": "harbour", "lens": {"mm": 35}},
    "long": "x" * 15_000,
}

steady = settings(derandomize=True, deadline=None, database=None)


def expand(source: str, **more: object) -> str:
    return prompt.compile(source).expand({**SCOPE, **more})


def fault(source: str, **more: object) -> TemplateFault:
    with pytest.raises(TemplateFault) as caught:
        expand(source, **more)
    return caught.value


def where(source: str, found: TemplateFault) -> int:
    """The offset in the source, found as a caller finds it in raw YAML."""
    assert found.snippet
    start = -len(found.snippet)
    for _ in range(found.occurrence + 1):
        start = source.index(found.snippet, start + len(found.snippet))
    return start + found.offset


MEANINGS = {
    "text without tags": ("a ferry, 35mm {50%}", "a ferry, 35mm {50%}"),
    "nothing": ("", ""),
    "a name": ("{{ hero }} waits", "a ferryman waits"),
    "a name without spaces": ("{{hero}}", "a ferryman"),
    "a name over lines": ("{{\n  hero\n}}", "a ferryman"),
    "a key": ("{{ shot.lens.mm }}mm", "35mm"),
    "a key in brackets": ("{{ shot['lens'].mm }}", "35"),
    "a key that is called like a method": ("{{ x.items }}", "mine"),
    "an item": ("{{ tags[0] }} {{ tags[-1] }} {{ tags.1 }}", "night night Harbour"),
    "a slice": ("{{ hero[2:7] }} {{ tags[::2] | join('+') }}", "ferry night+night"),
    "numbers": ("{{ n }} {{ half }} {{ -n }}", "3 0.5 -3"),
    "true and false as YAML writes them": ("{{ wet }} {{ not wet }} {{ wet ~ '' }}", "true false true"),
    "braces that are no tags": ("{ {hero} } {{ n }}}", "{ {hero} } 3}"),
    "a percent sign": ("100% {{ n }} %s", "100% 3 %s"),
    "a comment": ("a{# not {{ here }} #}b", "ab"),
    "raw": ("{% raw %}{{ hero }}{% endraw %}", "{{ hero }}"),
    "white space control": ("a  {{- n -}}  b {%- if wet +%} c {%- endif %}", "a3b c"),
    "a last line break": ("{{ n }}\n", "3\n"),
    "line breaks of Windows": ("{{ n }}\r\nb", "3\nb"),
    "blocks keep their line breaks": ("{% if wet %}\nx\n{% endif %}\n", "\nx\n\n"),
    "if and else": ("{% if n > 3 %}a{% elif n == 3 %}b{% else %}c{% endif %}", "b"),
    "for": (
        "{% for t in tags %}{{ loop.index }}{{ t }}{{ '' if loop.last else ', ' }}{% endfor %}",
        "1night, 2Harbour, 3night",
    ),
    "for with a condition": (
        "{% for t in tags if t != 'night' %}{{ t }} {{ loop.length }}{% endfor %}",
        "Harbour 1",
    ),
    "for else": ("{% for t in [] %}x{% else %}none{% endfor %}", "none"),
    "for over pairs": ("{% for k, v in {'a': 1, 'b': 2} | items %}{{ k }}{{ v }}{% endfor %}", "a1b2"),
    "for over keys": ("{% for k in shot %}{{ k }},{% endfor %}", "id,scene,lens,"),
    "for over letters": ("{% for c in 'abc' %}{{ c }}-{% endfor %}", "a-b-c-"),
    "for over a range": ("{% for i in range(2, 8, 3) %}{{ i }}{% endfor %}", "25"),
    "cycle": ("{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
    "loops inside loops": (
        "{% for a in [1, 2] %}{% for b in [3] %}{{ a }}{{ loop.length }}{% endfor %}{{ loop.index }}{% endfor %}",
        "111212",
    ),
    "set": ("{% set x = n + 1 %}{{ x }}", "4"),
    "set of several": ("{% set a, b = [1, 2] %}{{ b }}{{ a }}", "21"),
    "a set block": ("{% set x %}<{{ n }}>{% endset %}{{ x }}{{ x }}", "<3><3>"),
    "a set block through filters": ("{% set x | trim | upper %} a {% endset %}{{ x }}", "A"),
    "set in both branches": ("{% if wet %}{% set x = 1 %}{% else %}{% set x = 2 %}{% endif %}{{ x }}", "1"),
    "set in a loop stays there": (
        "{% set x = 1 %}{% for i in [5] %}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
        "51",
    ),
    "set over a given name": ("{% set hero = 'b' %}{{ hero }}", "b"),
    "inline if": ("{{ 'dark' if weather == 'rain' else 'bright' }}", "dark"),
    "a mapping to look up in": ("{{ {'rain': 'wet', 'fog': 'grey'}[weather] }}", "wet"),
    "joining": ("{{ n ~ '-' ~ half }}", "3-0.5"),
    "arithmetic": ("{{ 7 // 2 }} {{ 7 % 4 }} {{ 7 / 2 }} {{ 2 * 3 - 1 }} {{ 'ab' * 2 }}", "3 3 3.5 5 abab"),
    "adding lists and texts": ("{{ ([1] + [2]) | join }}{{ 'a' + 'b' }}", "12ab"),
    "comparing": ("{{ 1 < n <= 3 }} {{ n != 3 }} {{ 'rr' in 'ferry' }} {{ 9 not in [1] }}", "true false true true"),
    "and, or, not": ("{{ '' or 'b' }} {{ wet and 'c' }} {{ not nothing }}", "b c true"),
    "an absent name that is asked for": ("{{ absent is defined }} {{ hero is defined }}", "false true"),
    "an absent name under its own condition": ("{% if absent is defined %}{{ absent }}{% else %}-{% endif %}", "-"),
    "a default for an absent name": ("{{ absent | default('y') }}{{ absent | d }}", "y"),
    "a default for an absent key": ("{{ shot.absent | default('y') }}", "y"),
    "a default for an absent item": ("{{ tags[9] | default('y') }}", "y"),
    "a default for null": ("{{ nothing | default('y', true) }}", "y"),
    "a default for the first of none": ("{{ [] | first | default('y') }}", "y"),
    "an escape": (r"{{ 'a\u00e9\n\\' }}", "aé\n\\"),
    "texts side by side": ("{{ 'a' 'b' }}", "ab"),
}


@pytest.mark.parametrize(("source", "text"), MEANINGS.values(), ids=MEANINGS)
def test_a_template_means_what_it_says(source: str, text: str) -> None:
    assert expand(source, x={"items": "mine"}) == text


FILTERED = {
    "abs": ("-3 | abs", "3"),
    "capitalize": ("'aB c' | capitalize", "Ab c"),
    "count": ("tags | count", "3"),
    "first": ("tags | first", "night"),
    "float": ("'1.5' | float", "1.5"),
    "float of no number": ("'x' | float(2)", "2"),
    "format": ("'%03d %.1f %s' | format(n, half, hero)", "003 0.5 a ferryman"),
    "int": ("'42.9' | int", "42"),
    "int of no number": ("'x' | int(7)", "7"),
    "int in another base": ("'ff' | int(base=16)", "255"),
    "items": ("(shot.lens | items | first)[0]", "mm"),
    "join": ("tags | join(', ')", "night, Harbour, night"),
    "join of a key": ("cast | join('+', attribute='name')", "Ada+Bo"),
    "last": ("tags | last", "night"),
    "length": ("hero | length", "10"),
    "list": ("'abc' | list | join('.')", "a.b.c"),
    "lower": ("'ABC' | lower", "abc"),
    "map": ("cast | map(attribute='name') | join", "AdaBo"),
    "max": ("[1, 3, 2] | max", "3"),
    "min": ("cast | map(attribute='age') | min", "7"),
    "replace": ("hero | replace('r', 'R', 2)", "a feRRyman"),
    "reverse": ("'abc' | reverse ~ ([1, 2] | reverse | join)", "cba21"),
    "round": ("2.567 | round(1)", "2.6"),
    "round down": ("2.567 | round(1, 'floor')", "2.5"),
    "round up": ("2.511 | round(1, method='ceil')", "2.6"),
    "sort": ("tags | sort | join(' ')", "Harbour night night"),
    "sort by a key": ("(cast | sort(attribute='age') | first).name", "Bo"),
    "sort backwards": ("[1, 3, 2] | sort(reverse=true) | join", "321"),
    "string": ("12 | string | length", "2"),
    "title": ('"the captain\'s (old) well-worn coat" | title', "The Captain's (Old) Well-Worn Coat"),
    "trim": ("'  a ' | trim ~ ('xax' | trim('x'))", "aa"),
    "truncate": ("'one two three four' | truncate(9)", "one..."),
    "truncate inside a word": ("'one two three' | truncate(7, true, '…', 0)", "one tw…"),
    "truncate with leeway": ("'one two' | truncate(6)", "one two"),
    "unique": ("['a', 'A', 'b'] | unique | join", "ab"),
    "upper": ("n | upper", "3"),
    "wordcount": ("'one two, three' | wordcount", "3"),
}


@pytest.mark.parametrize(("expression", "text"), FILTERED.values(), ids=FILTERED)
def test_a_filter_does_what_its_name_says(expression: str, text: str) -> None:
    assert expand(f"{{{{ {expression} }}}}") == text


@pytest.mark.parametrize(("expression", "text"), FILTERED.values(), ids=FILTERED)
def test_a_filter_does_what_it_does_in_jinja(expression: str, text: str) -> None:
    assert Environment(autoescape=False).from_string(f"{{{{ {expression} }}}}").render(SCOPE) == text


TESTED = {
    "boolean": "wet is boolean", "divisibleby": "9 is divisibleby n", "eq": "n is eq 3", "even": "2 is even",
    "false": "false is false", "float": "half is float", "ge": "n is ge 3", "gt": "n is gt 2",
    "in": "n is in [3]", "integer": "n is integer", "iterable": "tags is iterable", "le": "n is le 3",
    "lower": "'a' is lower", "lt": "n is lt 4", "mapping": "shot is mapping", "ne": "n is ne 4",
    "none": "nothing is none", "number": "half is number", "odd": "n is odd", "sequence": "tags is sequence",
    "string": "hero is string", "true": "wet is true", "undefined": "shot.x is undefined", "upper": "'A' is upper",
    "defined": "shot.id is defined", "not": "n is not none", "with brackets": "9 is divisibleby(3)",
}  # fmt: skip


@pytest.mark.parametrize("condition", TESTED.values(), ids=TESTED)
def test_a_test_holds_here_as_in_jinja(condition: str) -> None:
    assert expand(f"{{{{ {condition} }}}}") == "true"
    assert Environment(autoescape=False).from_string(f"{{{{ {condition} }}}}").render(SCOPE) == "True"


def test_every_filter_and_test_is_one_of_jinjas_and_is_shown_above() -> None:
    assert set(FILTERS) <= set(JINJA_FILTERS)
    assert set(TESTS) <= set(JINJA_TESTS)
    assert set(FILTERS) - {"d", "default"} <= {name.split()[0] for name in FILTERED}
    assert set(TESTS) <= set(TESTED)


# `«` marks the place that the fault is to point at; it is not part of the source.
FAULTS = {
    "an absent name": ("a {{ «heor }}", "E302", "`heor` is not defined", "the nearest name is `hero`"),
    "an absent name that is also in the text": ("heor {{ n }} {{ «heor }}", "E302", "`heor` is not defined", None),
    "the first of two absent names": ("{{ «zzz }}{{ yyy }}", "E302", "`zzz` is not defined", None),
    "an absent name in a branch not taken": (
        "{% if not wet %}{{ «heor }}{% endif %}",
        "E302",
        "`heor` is not defined",
        None,
    ),
    "an absent name before a wrong key": ("{{ shot.idd }}{{ «heor }}", "E302", "`heor` is not defined", None),
    "a name set only perhaps": (
        "{% if not wet %}{% set y = 1 %}{% endif %}{{ «y }}",
        "E302",
        "`y` is not defined",
        None,
    ),
    "a name set only in a loop": (
        "{% for i in tags %}{% set y = 1 %}{% endfor %}{{ «y }}",
        "E302",
        "`y` is not defined",
        None,
    ),
    "a name of Jinja's that is not here": ("{{ «lipsum }}", "E302", "`lipsum` is not defined", None),
    "loop outside a loop": ("{{ «loop.index }}", "E302", "`loop` is not defined", None),
    "an absent key": ("{{ shot.«scen }}", "E302", "`shot` has no `scen`", "the nearest name is `scene`"),
    "an absent key of a key": ("{{ shot.lens . «f }}", "E302", "`shot.lens` has no `f`", "the names are `mm`"),
    "an absent key after a filter": ("{{ hero | upper }}{{ shot.«scen }}", "E302", "`shot` has no `scen`", None),
    "a key of a text": ("{{ hero.«name }}", "E302", "`hero` is text and has no `name`", ""),
    "an absent item": ("{{ tags«[7] }}", "E302", "`tags` is a list and has no `7`", None),
    "an absent key in a map": ("{{ cast | «map(attribute='x') | join }}", "E302", "`x` is not in every item", None),
    "an open print": ("a\n«{{ hero", "E301", "`{{` is never closed", "it ends with `}}`"),
    "an open tag": ("{{ n }}«{% if wet", "E301", "`{%` is never closed", "it ends with `%}`"),
    "an open comment": ("a «{# b", "E301", "`{#` is never closed", "it ends with `#}`"),
    "an open raw": ("«{% raw %}{{ a }}", "E301", "`raw` is never closed", "it ends with `{% endraw %}`"),
    "an open if": (
        "{% if n %}{% endif %}«{% if wet %}x",
        "E301",
        "`if` is never closed",
        "it ends with `{% endif %}`",
    ),
    "an open for in an if": (
        "{% if wet %}{% for i in tags %}x{% «endif %}",
        "E301",
        "`endif` where `endfor` should be",
        "",
    ),
    "an open set block": ("«{% set x %}", "E301", "`set` is never closed", "it ends with `{% endset %}`"),
    "half a closing brace": ("{{ hero «}", "E301", "`}` closes nothing", "a variable is written `{{ name }}`"),
    "an open bracket": ("{{ (n «}}", "E301", "`}` where `)` should be", ""),
    "an open quote": ("{{ n }}{{ «'a }}", "E301", "a text that begins with `'` is never closed", ""),
    "two names": ("{{ hero «weather }}", "E301", "`weather` is not expected here", "`}}` would be"),
    "nothing to print": ("{{ «}}", "E301", "an expression is missing before `}}`", ""),
    "half an expression": ("{{ n + «}}", "E301", "an expression is missing before `}}`", ""),
    "a strange character": ("{{ hero «? }}", "E301", "`?` is not expected here", ""),
    "an unknown tag": ("{% «fro i in tags %}{% endfor %}", "E301", "there is no tag `fro`", "the nearest is `for`"),
    "an end without a beginning": ("x{% «endif %}", "E301", "`endif` without `if`", ""),
    "an unknown escape": (r"{{ «'\d' }}", "E301", "a `\\` that begins no escape", "a backslash is written `\\\\`"),
    "half a character": (r"{{ «'\ud800' }}", "E301", "half of a character", None),
    "setting what is no name": ("{% set «1 = 2 %}", "E301", "only names can be set", ""),
    "a macro": (
        "{% «macro m() %}{% endmacro %}",
        "E303",
        "the tag `macro` is not for shot lists",
        "the tags are `if`, `for`, `set`, `raw`",
    ),
    "an include": ("{% «include 'x' %}", "E303", "the tag `include` is not for shot lists", None),
    "an import": ("{% «import 'x' as y %}", "E303", "the tag `import` is not for shot lists", None),
    "a filter block": (
        "{% «filter upper %}{% endfilter %}",
        "E303",
        "the tag `filter` is not for shot lists",
        None,
    ),
    "a method": ("{{ hero.«upper() }}", "E303", "`upper` cannot be called", "it is a filter: `{{ x | upper }}`"),
    "a method of a mapping": (
        "{{ shot.«items() }}",
        "E303",
        "`items` cannot be called",
        "it is a filter: `{{ x | items }}`",
    ),
    "a function": (
        "{{ «dict(a=1) }}",
        "E303",
        "`dict` cannot be called",
        "what can be called is `range` and `loop.cycle`",
    ),
    "a filter that is not here": ("{{ n | «center }}", "E303", "there is no filter `center` for shot lists", None),
    "a mistyped filter": (
        "{{ n | «uper }}",
        "E303",
        "there is no filter `uper` for shot lists",
        "the nearest is `upper`",
    ),
    "a test that is not here": ("{{ n is «callable }}", "E303", "there is no test `callable` for shot lists", None),
    "wrong arguments": (
        "{{ n | «replace('a') }}",
        "E303",
        "`replace` does not take these arguments",
        "it is written `replace(old, new, count=None)`",
    ),
    "unpacked arguments": ("{{ n | «default(*tags) }}", "E303", "`*` in arguments is not for shot lists", None),
    "a power": ("{{ «2 ** 3 }}", "E303", "`**` is not for shot lists", None),
    "percent on text": (
        "{{ «hero % 3 }}",
        "E303",
        "`%` on text is not for shot lists",
        "write `{{ '%03d' | format(x) }}`",
    ),
    "setting a reserved name": ("{% set «shot = 1 %}", "E303", "`shot` cannot be set", ""),
    "looping with a reserved name": ("{% for «take in tags %}{% endfor %}", "E303", "`take` cannot be set", ""),
    "setting an attribute": ("{% set «shot.id = 1 %}", "E303", "setting an attribute is not for shot lists", None),
    "a recursive loop": (
        "{% «for i in tags recursive %}{% endfor %}",
        "E303",
        "`recursive` loops are not for shot lists",
        None,
    ),
    "a long range": ("{{ «range(10001) | length }}", "E303", "a value of more than 10,000 items", None),
    "a long text": ("{{ «long ~ long }}", "E303", "a value of more than 20,000 characters", None),
    "a long result": ("{{ long }}{{ «long }}", "E303", "the text grows beyond 20,000 characters", None),
    "a long loop": (
        "{% for i in range(200) %}{% «for j in range(200) %}{% endfor %}{% endfor %}",
        "E303",
        "more than 10,000 steps",
        None,
    ),
    "a large number": ("{{ n * «99999999999999999999 }}", "E303", "a number beyond 64 bits", None),
    "printing null": ("{{ «nothing }}", "E304", "null cannot be printed", "write `{{ x | default('…', true) }}`"),
    "printing a list": ("{{ n }}{{ «tags }}", "E304", "a list cannot be printed", "write `{{ x | join(', ') }}`"),
    "printing a mapping": ("{{ «shot }}", "E304", "a mapping cannot be printed", None),
    "adding text and a number": (
        "{{ n }}{{ «hero + n }}",
        "E304",
        "`+` does not go with text and a number",
        "`~` joins text and numbers",
    ),
    "comparing text and a number": ("{{ «hero < n }}", "E304", "`<` does not go with text and a number", ""),
    "dividing by zero": ("{{ «n // 0 }}", "E304", "division by zero", ""),
    "looping over a number": ("{% «for i in n %}{% endfor %}", "E304", "a number is not a list", None),
    "sorting what has no order": (
        "{{ [1, 'a'] | «sort | join }}",
        "E304",
        "`sort` does not work on a list like this",
        None,
    ),
    "too few values": ("{% for «a, b in tags %}{% endfor %}", "E304", "5 values for 2 names", None),
    "if without else": ("{{ «'x' if not wet }}", "E304", "an `if` that has no `else` and is false", None),
    "the first of nothing": ("{{ [] | «first }}", "E304", "the list is empty", None),
}


@pytest.mark.parametrize(("marked", "code", "message", "advice"), FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_is_wrong_and_where(
    marked: str, code: str, message: str | None, advice: str | None
) -> None:
    source = marked.replace("«", "")
    found = fault(source)
    assert (found.code, where(source, found)) == (code, marked.index("«"))
    assert message in (None, found.message)
    assert advice in (None, found.help)


def test_a_fault_is_an_error_that_vidspec_says_on_purpose() -> None:
    found = fault("{{ heor }}")
    assert isinstance(found, VidspecError)
    assert (str(found), found.exit_code) == ("`heor` is not defined", 2)


def test_a_fault_in_a_source_with_line_breaks_of_windows_is_found() -> None:
    source = "a\r\nb {{ heor | upper }}"
    assert where(source, fault(source)) == source.index("heor")


def test_a_source_beyond_the_cap_is_refused() -> None:
    assert expand("x" * MAX_TEXT) == "x" * MAX_TEXT
    found = fault("x" * (MAX_TEXT + 1))
    assert (found.code, found.snippet) == ("E303", None)


@pytest.mark.parametrize("source", ["{{ many }}", "{{ many ~ '' }}", "{{ [many] | join }}"])
def test_a_given_number_of_thousands_of_digits_is_not_printed(source: str) -> None:
    assert fault(source, many=10**5000).code == "E303"


def test_a_name_without_end_is_quoted_and_pointed_at_in_part() -> None:
    source = "{{ n | upper }}{{ " + "a" * 19_000 + " }}"
    found = fault(source)
    assert len(found.message) < 100
    assert where(source, found) == source.index("aaa")


@pytest.mark.parametrize("depth", [1, 50, 60, 64, 65, 66, 70, 500])
def test_empty_blocks_in_blocks_are_read_or_refused(depth: int) -> None:
    source = "{% set a %}" * depth + "{% endset %}" * depth
    if depth <= 65:
        assert expand(source) == ""
    else:
        assert fault(source).code == "E303"


def test_a_template_met_with_little_stack_left_ends_in_text_or_in_a_fault() -> None:
    verdicts = _child(
        "import sys; from vidspec import prompt; from vidspec.prompt import bounded\n"
        "source = '{% for i in [1] %}{% if a %}{{ (a | upper) ~ [a, [a]][1][0] }}{% endif %}{% endfor %}'\n"
        "made = bounded.template(source)\n"
        "def at(depth, act):\n"
        "    return act() if depth == 0 else at(depth - 1, act)\n"
        "for left in range(20, 200):\n"
        "    for act in (lambda: made.expand({'a': 'x'}), lambda: bounded.template(source).source):\n"
        "        try:\n"
        "            print(at(sys.getrecursionlimit() - left, act))\n"
        "        except prompt.TemplateFault as fault:\n"
        "            print(fault.code)\n"
    )
    assert {"Xx", "E303"} <= set(verdicts.splitlines())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("text", set(), id="text"),
        pytest.param("{{ a }} {{ shot.b }} {{ a }}", {"a", "shot"}, id="simple"),
        pytest.param("{{ a | upper }}{% if b %}{{ c[d] }}{% endif %}", {"a", "b", "c", "d"}, id="expressions"),
        pytest.param("{% for i in xs %}{{ i }}{{ loop.index }}{% endfor %}", {"xs"}, id="a loop"),
        pytest.param("{% set a = b %}{{ a }}", {"b"}, id="set"),
        pytest.param("{{ a }}{% set a = 1 %}", {"a"}, id="set after it was read"),
        pytest.param("{% if c %}{% set a = 1 %}{% endif %}{{ a }}", {"a", "c"}, id="set perhaps"),
        pytest.param("{{ a | default('x') }}{{ b is defined }}", {"a", "b"}, id="optional"),
        pytest.param("{{ range(n) | join }}", {"n"}, id="range"),
    ],
)
def test_the_names_of_a_template_are_those_it_reads_from_outside(source: str, names: set[str]) -> None:
    assert prompt.compile(source).names == names


def test_compiling_twice_gives_the_same_template() -> None:
    assert prompt.compile("{{ a | upper }}") is prompt.compile("{{ a | upper }}")


@pytest.mark.parametrize("text", ["{{", "{% x", "a {# b"])
def test_a_text_with_an_opening_tag_is_a_template(text: str) -> None:
    assert is_template(text)


@pytest.mark.parametrize("text", ["", "a", "{ { }}", "}} %} #}", "{a}"])
def test_a_text_without_an_opening_tag_is_no_template(text: str) -> None:
    assert not is_template(text)


@pytest.mark.parametrize("name", ["hero", "_x", "Weather2", "defined"])
def test_a_plain_name_may_be_a_variable(name: str) -> None:
    assert variable_fault(name) is None


@pytest.mark.parametrize("name", ["", "2x", "my-var", "a b", "é", "a.b", "x\n"])
def test_what_is_no_name_may_not_be_a_variable(name: str) -> None:
    assert "is not a name" in (variable_fault(name) or "")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_name_may_not_be_a_variable(name: str) -> None:
    assert f"`{name}` is a " in (variable_fault(name) or "")


def test_every_constant_and_word_that_jinja_would_not_read_as_a_variable_is_reserved() -> None:
    words = {
        "true",
        "false",
        "none",
        "True",
        "False",
        "None",
        "not",
        "and",
        "or",
        "if",
        "in",
        "is",
        "else",
        "self",
        "loop",
    }
    assert words | {"shot", "slate", "take", "title", "range"} <= RESERVED


# -- what it costs


def _child(code: str, *arguments: str, stdin: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(vidspec.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        input=stdin, capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return done.stdout


def test_names_in_text_are_expanded_without_loading_jinja() -> None:
    loaded = _child(
        "import sys; from vidspec import prompt\n"
        "assert prompt.compile('{{ a }} {{ b.c }}').expand({'a': 1, 'b': {'c': 2}}) == '1 2'\n"
        "print('jinja2' in sys.modules)\n"
        "assert prompt.compile('{{ a | upper }}').expand({'a': 'x'}) == 'X'\n"
        "print('jinja2' in sys.modules)"
    )
    assert loaded.split() == ["False", "True"]


DOUBLE = "{% set x = x ~ x %}"
PAIR = "{% set a = [a, a] %}{% set b = [b, b] %}"
ATTACKS = {
    "multiplied text": "{{ 'a' * 10**9 }}",
    "text times a large number": "{{ 'a' * 1000000000 }}",
    "a large number times text": "{{ 1000000000 * 'a' }}",
    "a list times a large number": "{{ ([0] * 1000000000) | length }}",
    "a tuple times a large number": "{{ ((1, 2) * 1000000000) | length }}",
    "nested multiplication": "{{ 'a' * 20000 * 20000 }}",
    "a power": "{{ 2 ** 10 ** 10 }}",
    "a product of products": "{{ " + "*".join(["9999999999"] * 500) + " }}",
    "a product by set": "{% set x = 9 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
    "a number without end": "{{ " + "9" * 19_000 + " }}",
    "a hexadecimal number without end": "{{ 0x" + "f" * 19_000 + " }}",
    "a float without end": "{{ 1e999 }}",
    "a float that overflows": "{{ 1e308 * 10 }}",
    "int of a long text": "{{ ('9' * 19000) | int + 1e308 | int }}",
    "int of a long text in base 16": "{{ ('f' * 19000) | int(base=16) }}",
    "percent format": "{{ '%1000000000d' % 1 }}",
    "percent format by a test": "{{ '%1000000000d' is even }}",
    "percent format by another test": "{{ '%1000000000d' is divisibleby 7 }}",
    "percent format by a name": "{% set f = '%1000000000d' %}{{ f % n }}",
    "the format filter": "{{ '%1000000000d' | format(1) }}",
    "the format filter with a star": "{{ '%*d' | format(1000000000, 1) }}",
    "the format filter with precision": "{{ '%.1000000000f' | format(1) }}",
    "the format filter, often": "{{ ('%99d' * 5000) | format(" + "1," * 5000 + ") }}",
    "the format filter with long texts": "{{ ('%s' * 2000) | format(" + "long," * 2000 + ") }}",
    "str.format": "{{ '{:>1000000000}'.format(1) }}",
    "str.format_map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "str.ljust": "{{ 'a'.ljust(1000000000) }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "indent": "{{ 'a\\nb' | indent(1000000000) }}",
    "wordwrap": "{{ long | wordwrap(1) }}",
    "slice": "{{ [1] | slice(1000000000) | list }}",
    "batch": "{{ [1] | batch(1000000000, 0) | list }}",
    "replace": "{{ long | replace('x', long) }}",
    "replace of nothing": "{{ long | replace('', long) }}",
    "replace with a count": "{{ long | replace('x', long, 99999999) }}",
    "join with a long separator": "{{ range(10000) | join(long) }}",
    "join of long texts": "{{ ([long] * 10000) | join }}",
    "round to many decimals": "{{ 1 | round(1000000000) }}",
    "round to few decimals": "{{ 1 | round(-1000000000) }}",
    "round up text": "{{ 'aaaa' | round(10, 'ceil') }}",
    "truncate to a longer end": "{{ long | truncate(5, true, long) }}",
    "map along a long path": "{{ ('x' * 9000) | list | map(attribute='" + "0." * 4000 + "0') | join }}",
    "map along a long path of letters": "{{ range(9000) | map(attribute='0.0.0.0.0.0.0.0.0.0') | join }}",
    "sort of long texts": "{{ ([long] * 9000) | sort | length }}",
    "unique of long texts": "{{ ([long] * 9000) | unique | length }}",
    "max of long texts": "{{ ([long] * 9000) | max | length }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "cycler": "{{ cycler(1).next() }}",
    "joiner": "{{ joiner('a')() }}",
    "namespace": "{% set ns = namespace(x='a') %}{{ ns.x }}",
    "dict": "{{ dict(a=long) }}",
    "a large range": "{% for i in range(1000000000) %}{% endfor %}",
    "a range beyond what has a length": "{{ range(-9223372036854775807, 9223372036854775807) | length }}",
    "a range of text": "{{ range('9') | join }}",
    "a range of nothing": "{{ range(0, 1, 0) | join }}",
    "loops in loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "loops in loops in sets": "{% set x %}" + "{% for a in range(99) %}" * 9 + "{% endfor %}" * 9 + "{% endset %}",
    "loops with a condition": "{% for a in range(9999) if 'x' in long ~ long %}{% endfor %}",
    "loops with a condition that loops": "{% for a in range(9999) if range(9999) | sort | length %}{% endfor %}",
    "a loop over a long text": "{% for c in long %}{% endfor %}",
    "a loop with a large body": "{% for a in range(9999) %}" + "{% if a %}{% endif %}" * 900 + "{% endfor %}",
    "a loop of filters": "{% for a in range(9999) %}" + "{% set x = long | title %}" * 600 + "{% endfor %}",
    "a loop of comparisons": "{% for a in range(9999) %}"
    + "{{ '' if long ~ a == long else '' }}" * 500
    + "{% endfor %}",
    "a loop of searches": "{% for a in range(9999) %}{% if 'x' * 9999 ~ 'y' in long %}{% endif %}{% endfor %}",
    "a loop of copies of names": "".join(f"{{% set x{i} = 1 %}}" for i in range(900))
    + "{% for a in range(9999) %}{% endfor %}",
    "a loop of slices": "{% for a in range(9999) %}" + "{% set x = long[1:] %}" * 700 + "{% endfor %}",
    "a loop of lists": "{% for a in range(9999) %}{% set x = range(9999) | list %}{% endfor %}",
    "a loop of output": "{% for a in range(9999) %}{{ long }}{% endfor %}",
    "a loop of text": "{% for a in range(9999) %}" + "a" * 9999 + "{% endfor %}",
    "doubling by set": "{% set x = 'a' %}" + DOUBLE * 800 + "{{ x }}",
    "doubling by set blocks": "{% set x = 'a' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 400,
    "doubling of a list": "{% set x = [1] %}" + "{% set x = x + x %}" * 400,
    "doubling by format": "{% set x = '%s%s' %}" + "{% set x = x | replace('%s', x) %}" * 400,
    "lists that hold themselves, compared": "{% set a = [1] %}{% set b = [1] %}" + PAIR * 60 + "{{ a == b }}",
    "lists that hold themselves, searched": "{% set a = [1] %}{% set b = [1] %}" + PAIR * 60 + "{{ a in [b] }}",
    "lists that hold themselves, sorted": "{% set a = [1] %}{% set b = [1] %}"
    + PAIR * 60
    + "{{ [a, b] | sort | length }}",
    "lists that hold themselves, printed": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a ~ '' }}",
    "tuples that hold themselves, hashed": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 60 + "{{ {a: 1} }}",
    "tuples that hold themselves, as keys": "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 60 + "{{ {1: 1}[a] }}",
    "tuples that hold themselves, unique": "{% set a = (1,) %}"
    + "{% set a = (a, a) %}" * 60
    + "{{ [a] | unique | first }}",
    "a list in a list in a list": "{% set a = [] %}{% set b = [] %}"
    + "{% set a = [a] %}{% set b = [b] %}" * 500
    + "{{ (a == b) + {} }}",
    "deep parentheses": "{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}",
    "deep parentheses that never close": "{{ " + "(" * 19_000,
    "deep lists": "{{ " + "[" * 9000 + "]" * 9000 + " }}",
    "deep mappings": "{{ " + "{1:" * 4900 + "1" + "}" * 4900 + " }}",
    "deep not": "{{ " + "not " * 4900 + "1 }}",
    "deep minus": "{{ " + "-" * 19_000 + "1 }}",
    "deep inline if": "{{ " + "1 if 0 else " * 1600 + "1 }}",
    "deep sums": "{{ " + "1+" * 9000 + "1 }}",
    "deep filters": "{{ 'a'" + "|upper" * 3000 + " }}",
    "deep attributes": "{{ shot" + ".a" * 9000 + " }}",
    "deep items": "{{ tags" + "[0]" * 6000 + " }}",
    "deep calls": "{{ range" + "(1)" * 6000 + " }}",
    "deep ifs": "{% if n %}" * 900 + "{% endif %}" * 900,
    "deep fors": "{% for a in tags %}" * 600 + "{% endfor %}" * 600,
    "deep sets": "{% set a %}" * 800 + "{% endset %}" * 800,
    "deep tests": "{{ " + "n is in(" * 2000 + "1" + ")" * 2000 + " }}",
    "long comparisons": "{{ " + "1 <= " * 3900 + "'a' }}",
    "long elif": "{% if zzz %}" + "{% elif zzz %}" * 1300 + "{% endif %}",
    "many tags": "{{ a|d }}" * 2200 + "{{ zzz }}",
    "many open tags": "{{" * 9999,
    "many open statements": "{%" * 9999,
    "many open comments": "{#" * 9999,
    "many open raws": "{% raw %}" * 2000,
    "many quotes": "{{ " + "'" * 19_997,
    "many underscored digits": "{{ " + "1_" * 9000 + " }}",
    "white space without end": "{{" + " " * 19_000 + "{%" + "\n" * 900,
    "the class": "{{ ''.__class__.__mro__ }}",
    "the class by an item": "{{ ''['__class__'] }}",
    "the class by attr": "{{ '' | attr('__class__') }}",
    "the class by map": "{{ [''] | map(attribute='__class__') | list }}",
    "the class by sort": "{{ [''] | sort(attribute='__class__') | list }}",
    "the class by join": "{{ [''] | join(attribute='__class__') }}",
    "the class in wide letters": "{{ ''.__ｃlass__ }}",
    "the class by an escape": "{{ ''['\\x5f\\x5fclass__'] }}",
    "globals": "{{ self.__init__.__globals__ }}",
    "globals of range": "{{ range.__globals__ }}",
    "globals of cycle": "{% for a in tags %}{{ loop.cycle.__globals__ }}{% endfor %}",
    "self": "{{ self }}",
    "the context": "{{ context }}{{ environment }}{{ _get }}",
    "map by a filter": "{{ tags | map('upper') | join }}",
    "a random choice": "{{ tags | random }}",
    "select": "{{ tags | select('defined') | join }}",
    "tojson": "{{ shot | tojson }}",
    "pprint": "{{ shot | pprint }}",
    "debug": "{% debug %}",
    "do": "{% do tags.append(1) %}",
    "append": "{{ tags.append(1) }}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "call": "{% call m() %}{% endcall %}",
    "block": "{% block a %}{{ self.a() }}{% endblock %}",
    "extends": "{% extends 'x' %}",
    "from": "{% from 'x' import y %}",
    "with": "{% with a = 1 %}{% endwith %}",
    "autoescape": "{% autoescape true %}{% endautoescape %}",
    "a slice among several": "{{ tags[1:2, 3] }}",
    "a slice with step zero": "{{ tags[::0] | join }}",
    "a slice of a mapping": "{{ shot[1:] }}",
    "a list as a key": "{{ {[1]: 2} }}",
    "a lone surrogate": "{{ '\\ud800' }}",
    "a null character in a name": "{{ a\0b }}",
}

_ATTACKED = """
import json, os, resource, sys
from vidspec import prompt
from vidspec.prompt import bounded

scope = {"n": 3, "long": "x" * 15000, "tags": ["a", "b"], "shot": {"id": "s010"}}

def attacked(source):
    resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    try:
        return "text of %d characters" % len(prompt.compile(source).expand(scope))
    except prompt.TemplateFault as fault:
        assert fault.snippet is None or fault.snippet in source, fault.snippet
        return fault.code
    except BaseException as error:
        return type(error).__name__

for line in sys.stdin:
    name, source = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, attacked(source).encode())
        os._exit(0)
    os.close(writing)
    verdict = os.read(reading, 1000).decode()
    os.close(reading)
    _, status, used = os.wait4(child, 0)
    verdict = verdict or "died with status %d" % status
    print(json.dumps([name, [verdict, used.ru_utime + used.ru_stime, used.ru_maxrss]]), flush=True)
"""


@pytest.fixture(scope="module")
def attacked() -> dict[str, tuple[str, float, int]]:
    """What became of every attack in a process of its own: verdict, seconds of processor time, peak in KiB."""
    lines = _child(_ATTACKED, stdin="".join(json.dumps(pair) + "\n" for pair in ATTACKS.items()))
    return dict(json.loads(line) for line in lines.splitlines())


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_one_fault_soon_and_in_little_memory(
    name: str, attacked: dict[str, tuple[str, float, int]]
) -> None:
    assert len(ATTACKS[name]) <= MAX_TEXT, "the attack itself is to be read, not refused for its length"
    verdict, seconds, kibibytes = attacked[name]
    assert verdict in {"E301", "E302", "E303", "E304"}
    assert seconds < 2
    assert kibibytes < 300 * 1024


# -- properties

_NAMES = "a b hero shot a.b shot.id shot.lens.mm b.c true loop self e5 a.if"
_names = st.sampled_from(_NAMES.split())
_spaces = st.sampled_from(["", " ", "  ", "\n", "\t", "\u00a0"])
_tags = st.builds(lambda before, name, after: "{{" + before + name + after + "}}", _spaces, _names, _spaces)
_texts = st.one_of(st.text(alphabet="ab {}%#.\n\r-'é", max_size=6), st.sampled_from(["{", "}", "%", "{ ", "-"]))
_sources = st.lists(_tags | _texts, max_size=6).map("".join)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_keys = st.sampled_from(["b", "c", "id", "lens", "mm", "if"])
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=4,
)
_scopes = st.dictionaries(st.sampled_from(["a", "b", "hero", "shot", "e5", "true"]), _values, max_size=5)


def _verdict(template: Callable[[str], prompt.Template], source: str, scope: dict[str, object]) -> object:
    try:
        made = template(source)
        return made.expand(scope), made.names
    except TemplateFault as fault:
        return {**vars(fault)}


@settings(steady, max_examples=800)
@given(_sources, _scopes)
def test_the_short_way_and_the_long_way_give_the_same_text_and_the_same_faults(
    source: str, scope: dict[str, object]
) -> None:
    assert _verdict(prompt.compile.__wrapped__, source, scope) == _verdict(bounded.template, source, scope)


_TOKENS = (
    "{{ }} {% %} {%- -%} {# #} if else elif endif for in endfor set endset raw endraw is not and or ( ) [ ] { } ."
    " , : | + - * / // % ~ ** = == != < > ' \" \\ a shot tags n 'x' 1 0 -1 1.5 9223372036854775807 upper default"
    " join sort first format range loop true none defined in @ é 1_0 0x1f recursive import macro"
)
_tokens = st.sampled_from(_TOKENS.split())
_soups = st.lists(_tokens | st.just("\n"), max_size=25).map(" ".join)


@settings(steady, max_examples=1000)
@given(_soups | st.lists(_tokens, max_size=12).map(lambda words: "{{ " + " ".join(words) + " }}"))
def test_whatever_is_written_ends_in_text_or_in_a_fault_within_the_source(source: str) -> None:
    try:
        bounded.template(source).expand({**SCOPE, "a": "x"})
    except TemplateFault as found:
        assert found.snippet is None or 0 <= where(source, found) <= len(source)  # noqa: PT017  (text is as good)


_ATOMS = "n m hero half tags shot.id shot 'it' 2 0 '3' [1,n] absent"
_atoms = st.sampled_from(_ATOMS.split())
_operators = st.sampled_from(["+", "-", "*", "//", "%", "==", "<", "in", "and", "or"])
_filters = st.sampled_from(["length", "first", "last", "default(7)", "int", "reverse | list", "sort"])
_tests = st.sampled_from(["defined", "string", "number", "none", "mapping"])
_items = st.sampled_from(["tags[0]", "tags[-1:]", "hero[::2]", "'abc'[1]", "shot['id']", "tags[n]"])
_expressions = st.recursive(
    _atoms | _items,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, _operators, inner),
        st.builds("({} ~ {})".format, st.sampled_from(["m", "'-'"]), st.sampled_from(["half", "'x'"])),
        st.builds("({} | {})".format, inner, _filters),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("({} is {})".format, inner, _tests),
    ),
    max_leaves=5,
)
_targets = st.sampled_from(["x", "n", "hero", "y"])
_pieces = st.sampled_from([" a\n", "{{ x }}", "{{ y }}", "{{ loop.index }}", "{{- n -}} ", "{# c #}"])
_statements = st.recursive(
    st.one_of(
        _pieces,
        st.builds("{{{{ {} }}}}".format, _expressions),
        st.builds("{{% set {} = {} %}}".format, _targets, _expressions),
    ),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, _expressions, inner, inner),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, _expressions, inner),
        st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, _targets, _expressions, inner),
        st.builds("{{% for x in tags if {} %}}{}{{% else %}}{}{{% endfor %}}".format, _expressions, inner, inner),
        st.builds("{{% set {} %}}{}{{% endset %}}".format, _targets, inner),
    ),
    max_leaves=6,
)

JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, finalize=printed)


@settings(steady, max_examples=800)
@given(_statements)
def test_what_expands_here_and_in_jinja_expands_to_the_same_text(source: str) -> None:
    scope: dict[str, Any] = {**SCOPE, "m": 5, "x": "X"}
    try:
        ours = bounded.template(source).expand(scope)
        theirs = JINJA.from_string(source).render(scope)
    except (TemplateFault, TemplateError, Flaw, TypeError, ValueError, ArithmeticError):
        return
    assert ours == theirs
