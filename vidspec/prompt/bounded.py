"""Every template that is more than names in text: read by jinja2's parser, expanded here, step by step.

jinja2 would turn the template into Python code, and what that code may cost is hard to bound: one multiplication
or one filter inside C can take the memory of the machine. So nothing is turned into code. The tree that jinja2
reads is walked by `_Run`, which knows the kinds of nodes listed here and in `expressions` and no others, pays for
every node and every character from one purse, and never touches an attribute of a Python object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from vidspec.prompt.expressions import EXPRESSIONS, Evaluation, at
from vidspec.prompt.filters import Flaw, items, text
from vidspec.prompt.grammar import placed, read, undefined
from vidspec.prompt.template import MAX_TEXT, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vidspec.prompt.template import TemplateFault

MAX_STEPS = 10_000

_NEWLINE = re.compile(r"\r\n?")


def template(source: str) -> Template:
    """Read a template, whatever is in it. Raises TemplateFault."""
    normal = _NEWLINE.sub("\n", source)
    try:
        script = read(normal, EXPRESSIONS.keys())
    except Flaw as flaw:
        raise placed(normal, flaw) from None
    except RecursionError:
        raise placed(normal, Flaw("nested too deeply", code="E303")) from None

    def expand(scope: Mapping[str, object]) -> str:
        try:
            for offset, name in script.needed:
                if name not in scope:
                    raise undefined(name, scope, offset)
            run = _Run(scope)
            run.statements(script.body)
        except Flaw as flaw:
            raise placed(normal, flaw) from None
        except RecursionError:
            raise placed(normal, Flaw("nested too deeply", code="E303")) from None
        return "".join(run.out)

    return Template(source, script.names, expand)


def undefined_names(source: str, scope: Mapping[str, object]) -> list[TemplateFault]:
    """A fault for every name that a template needs and the scope has not; none where it cannot even be read."""
    normal = _NEWLINE.sub("\n", source)
    try:
        script = read(normal, EXPRESSIONS.keys())
    except (Flaw, RecursionError):
        return []
    missing = [(offset, name) for offset, name in script.needed if name not in scope]
    return [placed(normal, undefined(name, scope, offset)) for offset, name in missing]


class _Run(Evaluation):
    """One expansion: what it has written, and how many steps it may still make."""

    def __init__(self, scope: Mapping[str, object]) -> None:
        super().__init__(scope)
        self.out: list[str] = []
        self.size = 0
        self.steps = MAX_STEPS

    def statements(self, body: list[nodes.Node]) -> None:
        for node in body:
            try:
                self.pay(1)
                _STATEMENTS[type(node)](self, node)
            except Flaw as flaw:
                raise at(flaw, node) from None

    def step(self, count: int) -> None:
        self.steps -= count
        if self.steps < 0:
            raise Flaw(f"more than {MAX_STEPS:,} steps", code="E303")

    def write(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > MAX_TEXT:
            raise Flaw(f"the text grows beyond {MAX_TEXT:,} characters", code="E303")
        self.out.append(piece)

    def bind(self, target: nodes.Node, value: object) -> None:
        """Give a value to a name, or its items to several."""
        if isinstance(target, nodes.Name):
            self.names[target.name] = value
            return
        assert isinstance(target, nodes.Tuple)
        values = items(value)
        if len(values) != len(target.items):
            raise Flaw(f"{len(values)} values for {len(target.items)} names", offset=target.items[0].lineno)
        for one, part in zip(target.items, values, strict=True):
            self.bind(one, part)

    def inside(self) -> dict[str, object]:
        """Begin a scope of its own; gives the outer one, to be put back."""
        outer = self.names
        self.pay(len(outer))
        self.names = outer.copy()
        return outer


def _output(run: _Run, node: nodes.Output) -> None:
    for child in node.nodes:
        try:
            run.write(child.data if isinstance(child, nodes.TemplateData) else text(run.value(child)))
        except Flaw as flaw:
            raise at(flaw, child) from None


def _if(run: _Run, node: nodes.If) -> None:
    branches = ((branch.test, branch.body) for branch in (node, *node.elif_))
    run.statements(next((body for test, body in branches if run.value(test)), node.else_))


def _for(run: _Run, node: nodes.For) -> None:
    sequence = items(run.value(node.iter))
    run.step(len(sequence))
    if node.test is not None:
        sequence = [item for item in sequence if _passes(run, node, item)]
    for index, item in enumerate(sequence):
        outer = run.inside()
        run.bind(node.target, item)
        run.names["loop"] = _loop(index, len(sequence))
        run.statements(node.body)
        run.names = outer
    if not sequence:
        outer = run.inside()
        run.statements(node.else_)
        run.names = outer


def _passes(run: _Run, node: nodes.For, item: object) -> bool:
    assert node.test is not None
    outer = run.inside()
    run.bind(node.target, item)
    passes = bool(run.value(node.test))
    run.names = outer
    return passes


def _loop(index: int, length: int) -> dict[str, object]:
    return {
        "index": index + 1,
        "index0": index,
        "revindex": length - index,
        "revindex0": length - index - 1,
        "first": index == 0,
        "last": index == length - 1,
        "length": length,
    }


def _assign(run: _Run, node: nodes.Assign) -> None:
    run.bind(node.target, run.value(node.node))


def _assign_block(run: _Run, node: nodes.AssignBlock) -> None:
    outer, written_before, size = run.inside(), run.out, run.size
    run.out, run.size = [], 0
    run.statements(node.body)
    run.captured = run.made("".join(run.out))
    value = run.captured if node.filter is None else run.value(node.filter)
    run.names, run.out, run.size = outer, written_before, size
    run.bind(node.target, value)


_STATEMENTS: dict[type[nodes.Node], Callable[[_Run, Any], None]] = {
    nodes.Output: _output,
    nodes.If: _if,
    nodes.For: _for,
    nodes.Assign: _assign,
    nodes.AssignBlock: _assign_block,
}
