"""Microseconds per template: `python tests/benchmarks/templates.py`. Run by hand; nothing is asserted."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from vidspec import prompt
from vidspec.prompt import bounded

if TYPE_CHECKING:
    from collections.abc import Callable

SCOPE: dict[str, object] = {
    "hero": "a ferryman in a yellow oilskin",
    "weather": "rain",
    "tags": ["exterior", "night", "harbour"],
    "shot": {"id": "s010", "scene": "harbour"},
}
SOURCES = {
    "names only": "{{ hero }} casts off in the {{ weather }}, {{ shot.scene }}, 35mm, slow push in",
    "one filter": "{{ hero | upper }} casts off in the rain, 35mm, slow push in",
    "if and for": "{% if weather == 'rain' %}wet{% else %}dry{% endif %}{% for t in tags %}, {{ t }}{% endfor %}",
}


def microseconds(action: Callable[[int], object], times: int) -> float:
    """The best of five rounds."""
    best = float("inf")
    for _ in range(5):
        begin = perf_counter()
        for number in range(times):
            action(number)
        best = min(best, perf_counter() - begin)
    return best / times * 1e6


def measure(source: str) -> dict[str, float]:
    """Compile distinct sources (no cache helps), expand one."""
    jinja = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, cache_size=0)
    ours, walked, theirs = prompt.compile(source), bounded.template(source), jinja.from_string(source)
    return {
        "compile": microseconds(lambda n: prompt.compile.__wrapped__(f"{n} {source}"), 500),
        "expand": microseconds(lambda _: ours.expand(SCOPE), 5000),
        "walked compile": microseconds(lambda n: bounded.template(f"{n} {source}"), 500),
        "walked expand": microseconds(lambda _: walked.expand(SCOPE), 2000),
        "jinja compile": microseconds(lambda n: jinja.from_string(f"{n} {source}"), 200),
        "jinja expand": microseconds(lambda _: theirs.render(SCOPE), 2000),
    }


def main() -> None:
    """Print one table."""
    print(f"{'':12}{'ours':>18}{'always walked':>18}{'jinja2':>18}{'times as fast':>18}   (compile / expand)")
    for name, source in SOURCES.items():
        us = measure(source)
        pairs = [(us[f"{way}compile"], us[f"{way}expand"]) for way in ("", "walked ", "jinja ")]
        pairs.append((pairs[2][0] / pairs[0][0], pairs[2][1] / pairs[0][1]))
        print(f"{name:12}" + "".join(f"{f'{one:.1f} / {two:.2f}':>18}" for one, two in pairs))


if __name__ == "__main__":
    main()
