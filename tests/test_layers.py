"""The architecture as data, and every edge held against it: imports inside functions and for types count too."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import vidspec

PACKAGE = Path(vidspec.__file__).parent
NAME = "vidspec"

ROWS = [
    "__main__",
    "cli",
    "commands api",
    "watch choosing",
    "production",
    "conduct rehearsal report",
    "summary",
    "clearance portion frozen recorded export",
    "engine project sandbox",
    "run",
    "remote landing drawer graph_text",
    "download ingredients desk divergence_text plan_markdown chains reproducible",
    "studio ledger hold progress crash plan_table http journal site history deposit merge_driver runlog",
    "resolve selection folder catalogue lanes shared inspection join resending",
    "animatic planning drafting store divergence acceptance miniature",
    "continuity",
    "planned merge",
    "budget unfold check inputs account outputs trust state difference delivered reconcile",
    "locktext stills scope shotlist phrases contrast",
    "shape schema prompt providers console media picture lockscan",
    "lockform",
    "shot lock",
    "document take schedule events wire pacing",
    "capability errors fingerprint graph syntax scalar waves",
    "diagnostic",
    NAME,
]
"""A room imports only from rows below its own. The modules of a package are one room; the last row is `vidspec`."""

OWNERS = {
    "yaml": {"document"},
    "jsonschema": {"schema"},
    "referencing": {"schema"},
    "jinja2": {"prompt", "report"},
    "click": {"cli"},
    "rich": {"progress"},
    "av": {"media", "join", "miniature"},
    "PIL": {"picture", "media", "animatic", "join", "miniature"},
    "httpx": {"http"},
    "h11": {"http", "sandbox", "watch"},
    "obstore": {"shared"},
    "opentimelineio": {"export"},
    "trio": {
        "engine",
        "remote",
        "desk",
        "drawer",
        "http",
        "download",
        "sandbox",
        "conduct",
        "watch",
        "commands.sandbox",
        "commands.watch",
    },
}
"""Who may import a library: a module, or every module of a package. Nobody else, and nothing else."""

FORBIDDEN = {"utils", "util", "helpers", "common", "base", "core", "manager", "handler", "service", "misc"}
MOST_LINES = 450


class Edge(NamedTuple):
    """One import: who, what, and where it is written."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported} at line {self.line}"


def module_name(path: Path) -> str:
    """`engine`, `commands.render`, `providers`; `vidspec` for the package itself."""
    return (
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".") or NAME
    )


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The top-level module or package that a module is in."""
    return module.partition(".")[0]


def imports(module: str) -> list[Edge]:
    """Everything that a module imports, wherever in it: ours without the package's name, others by their top."""
    found = []
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import at line {node.lineno}"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if ours(name) in FILES else str(node.module) for name in inner]
        found += [Edge(module, ours(name) or name.partition(".")[0], node.lineno) for name in names]
    return found


def ours(name: str) -> str:
    """A module of ours by the name it has in this file; empty for what is not ours."""
    if name == NAME:
        return NAME
    return name.removeprefix(f"{NAME}.") if name.startswith(f"{NAME}.") else ""


EDGES = [edge for module in FILES for edge in imports(module)]
INNER = [edge for edge in EDGES if edge.imported in FILES and edge.imported != edge.importer]
ROW = {name: number for number, row in enumerate(ROWS) for name in row.split()}


def test_every_module_has_its_row_and_every_row_its_modules() -> None:
    assert {room(module) for module in FILES} == set(ROW)
    assert sum(len(row.split()) for row in ROWS) == len(ROW)


def test_a_module_imports_only_from_rows_below_its_own() -> None:
    wrong = [
        str(edge)
        for edge in INNER
        if edge.importer != NAME  # its names are looked up when they are asked for
        and room(edge.importer) != room(edge.imported)
        and ROW[room(edge.imported)] <= ROW[room(edge.importer)]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "package", ["commands", "animatic", "cli", "prompt", "providers", "report", "export", "join", "watch"]
)
def test_the_modules_of_a_package_do_not_import_each_other_in_a_circle(package: str) -> None:
    from vidspec import graph

    needs: dict[str, list[str]] = {}
    for edge in INNER:
        if room(edge.importer) == room(edge.imported) == package:
            needs.setdefault(edge.importer, []).append(edge.imported)
    found = graph.circle(needs)
    assert found is None, " → ".join(found or [])


def test_commands_do_not_import_each_other() -> None:
    wrong = [str(edge) for edge in INNER if room(edge.importer) == "commands" and room(edge.imported) == "commands"]
    assert not wrong, "\n".join(wrong)


def test_every_library_has_its_owners_and_nobody_else_imports_it() -> None:
    outer = [edge for edge in EDGES if edge.imported not in FILES and edge.imported not in sys.stdlib_module_names]
    wrong = [
        str(edge) for edge in outer if not {edge.importer, room(edge.importer)} & OWNERS.get(edge.imported, set())
    ]
    assert not wrong, "\n".join(wrong)
    assert {edge.imported for edge in outer} == set(OWNERS)


@pytest.mark.parametrize("module", FILES)
def test_a_module_has_a_name_that_says_something_and_is_short_enough_to_read(module: str) -> None:
    assert FORBIDDEN.isdisjoint(module.split("."))
    lines = FILES[module].read_text("utf-8").count("\n")
    assert lines <= MOST_LINES, f"{module} has {lines} lines"


def test_the_picture_in_the_package_is_the_one_that_is_held_to() -> None:
    table = str(vidspec.__doc__).partition("::\n")[2]
    drawn = [re.split(r" {2,}", line.strip())[0] for line in table.strip().splitlines()]
    assert drawn == ROWS[1:-1]
