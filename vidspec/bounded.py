"""Every template that is more than names in text: read by jinja2's parser, expanded here, step by step.

jinja2 would turn the template into Python code, and what that code may cost is hard to bound: one multiplication
or one filter inside C can take the memory of the machine. So nothing is turned into code. The tree that jinja2
reads is walked by `_Run`, which knows the kinds of nodes listed at the end of this module and no others, pays for
every node and every character from one purse, and never touches an attribute of a Python object.
"""

from __future__ import annotations

import operator
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from vidspec.diagnostic import shown
from vidspec.filters import FILTERS, MISSING, TESTS, Absent, Flaw, fits, items, kind, member, text
from vidspec.grammar import MAX_NUMBER, meant, placed, read, undefined
from vidspec.prompt import MAX_TEXT, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_ITEMS = 10_000
MAX_STEPS = 10_000
MAX_WORK = 500_000

_NEWLINE = re.compile(r"\r\n?")


def template(source: str) -> Template:
    """Read a template, whatever is in it. Raises TemplateFault."""
    normal = _NEWLINE.sub("\n", source)
    try:
        script = read(normal, _EXPRESSIONS.keys())
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


class _Run:
    """One expansion: its names, what it has written, and what is left in its purse."""

    def __init__(self, scope: Mapping[str, object]) -> None:
        self.scope = scope
        self.names: dict[str, object] = {}
        self.out: list[str] = []
        self.size = 0
        self.captured = ""
        self.steps = MAX_STEPS
        self.work = MAX_WORK

    def statements(self, body: list[nodes.Node]) -> None:
        for node in body:
            try:
                self.pay(1)
                _STATEMENTS[type(node)](self, node)
            except Flaw as flaw:
                raise _at(flaw, node) from None

    def value(self, node: nodes.Node) -> Any:
        """What an expression comes to."""
        found = self.attempt(node)
        if type(found) is Absent:
            raise _at(found.flaw, node)
        return found

    def attempt(self, node: nodes.Node) -> Any:
        """What an expression comes to, which may be Absent."""
        try:
            self.pay(1)
            return _EXPRESSIONS[type(node)](self, node)
        except Flaw as flaw:
            raise _at(flaw, node) from None
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
            raise _at(_reason(error), node) from None

    def pay(self, cost: int) -> None:
        self.work -= cost
        if self.work < 0:
            raise Flaw("too much work for one template", f"at most {MAX_WORK:,} characters in all", code="E303")

    def step(self, count: int) -> None:
        self.steps -= count
        if self.steps < 0:
            raise Flaw(f"more than {MAX_STEPS:,} steps", code="E303")

    def weigh(self, *values: object) -> None:
        """Pay for looking at values through and through; what holds itself many times costs many times."""
        rest = list(values)
        while rest:
            value = rest.pop()
            if isinstance(value, str | list | tuple | range | dict):
                self.pay(len(value))
                if isinstance(value, list | tuple):
                    rest.extend(value)
                elif isinstance(value, dict):
                    rest.extend(value.values())

    def made(self, value: Any) -> Any:
        """Measure and pay for a value that was not there before."""
        if isinstance(value, str):
            fits(len(value))
            self.pay(len(value))
        elif isinstance(value, list | tuple | range):
            fits(len(value), MAX_ITEMS, "items")
            self.pay(len(value))
        elif isinstance(value, int):
            if abs(value) > MAX_NUMBER:
                raise Flaw("a number beyond 64 bits", code="E303")
        elif isinstance(value, float) and not isfinite(value):
            raise Flaw("a number that is not finite", code="E303")
        return value

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


def _at(flaw: Flaw, node: nodes.Node) -> Flaw:
    if flaw.offset is None:
        flaw.offset = _begin(node)
    return flaw


def _begin(node: nodes.Node) -> int:
    """Jinja places a call at its bracket and a comparison at its end."""
    if isinstance(node, nodes.Compare):
        return _begin(node.expr)
    return node.node.lineno if isinstance(node, nodes.Call) else node.lineno


def _reason(error: Exception) -> Flaw:
    if isinstance(error, ZeroDivisionError):
        return Flaw("division by zero")
    if isinstance(error, ValueError):
        return Flaw("a value that cannot be used here")
    if isinstance(error, OverflowError | RecursionError | MemoryError):
        return Flaw("a value that grows too large", code="E303")
    return Flaw("a value of the wrong kind")


def _output(run: _Run, node: nodes.Output) -> None:
    for child in node.nodes:
        try:
            run.write(child.data if isinstance(child, nodes.TemplateData) else text(run.value(child)))
        except Flaw as flaw:
            raise _at(flaw, child) from None


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


def _name(run: _Run, node: nodes.Name) -> object:
    value = run.names.get(node.name, MISSING)
    if value is MISSING:
        value = run.scope.get(node.name, MISSING)
    if value is MISSING:
        return Absent(undefined(node.name, [*run.names, *run.scope], node.lineno))
    return value


def _getattr(run: _Run, node: nodes.Getattr) -> object:
    value = run.value(node.node)
    found = member(value, node.attr)
    return Absent(_no_member(node, value, node.attr)) if found is MISSING else found


def _getitem(run: _Run, node: nodes.Getitem) -> object:
    value = run.value(node.node)
    if isinstance(node.arg, nodes.Slice):
        parts = (node.arg.start, node.arg.stop, node.arg.step)
        piece = slice(*(None if part is None else _whole("a slice", run.value(part)) for part in parts))
        if isinstance(value, dict):
            raise Flaw("a mapping has no slices")
        return run.made(items(value)[piece])
    key = run.value(node.arg)
    found = member(value, key)
    return Absent(_no_member(node, value, key)) if found is MISSING else found


def _whole(what: str, value: object) -> Any:
    if not isinstance(value, int):
        raise Flaw(f"{what} takes whole numbers, not {kind(value)}")
    return value


def _no_member(node: nodes.Getattr | nodes.Getitem, value: object, key: object) -> Flaw:
    whole = _spelled(node.node)
    plain = isinstance(key, str | int | float)
    named = shown(key) if plain else "such item"
    if not isinstance(value, dict):
        return Flaw(f"{whole} is {kind(value)} and has no {named}", code="E302", offset=node.lineno)
    return Flaw(f"{whole} has no {named}", meant(str(key), value) if plain else "", code="E302", offset=node.lineno)


def _spelled(node: nodes.Node) -> str:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        return "the value"
    return shown(".".join([node.name, *reversed(parts)]))


def _collection(run: _Run, node: nodes.Tuple | nodes.List) -> object:
    values = [run.value(item) for item in node.items]
    return run.made(tuple(values) if isinstance(node, nodes.Tuple) else values)


def _dict(run: _Run, node: nodes.Dict) -> object:
    pairs = {}
    for pair in node.items:
        key = run.value(pair.key)
        if not (key is None or isinstance(key, str | int | float)):
            raise Flaw(f"{kind(key)} cannot be a key", offset=pair.key.lineno)
        pairs[key] = run.value(pair.value)
    run.pay(len(pairs))
    return pairs


def _filter(run: _Run, node: nodes.Filter) -> object:
    if node.node is None:
        value = run.captured
    else:
        value = run.attempt(node.node) if node.name in ("d", "default") else run.value(node.node)
    positional = [run.value(arg) for arg in node.args]
    named = {str(pair.key): run.value(pair.value) for pair in node.kwargs}
    run.weigh(value, *positional, *named.values())
    try:
        return run.made(FILTERS[node.name](value, *positional, **named))
    except (TypeError, ValueError, AttributeError):
        raise Flaw(f"`{node.name}` does not work on {kind(value)} like this") from None


def _test(run: _Run, node: nodes.Test) -> object:
    value = run.attempt(node.node) if node.name in ("defined", "undefined") else run.value(node.node)
    positional = [run.value(arg) for arg in node.args]
    named = {str(pair.key): run.value(pair.value) for pair in node.kwargs}
    run.weigh(value, *positional, *named.values())
    try:
        return bool(TESTS[node.name](value, *positional, **named))
    except TypeError:
        raise Flaw(f"`is {node.name}` does not work on {kind(value)} like this") from None


def _call(run: _Run, node: nodes.Call) -> object:
    arguments = [run.value(arg) for arg in node.args]
    if isinstance(node.node, nodes.Name):
        return run.made(range(*(_whole("`range`", argument) for argument in arguments)))
    loop: Any = run.names["loop"]
    return arguments[loop["index0"] % len(arguments)]


def _concat(run: _Run, node: nodes.Concat) -> object:
    parts = [text(run.value(part)) for part in node.nodes]
    fits(sum(map(len, parts)))
    return run.made("".join(parts))


def _compare(run: _Run, node: nodes.Compare) -> object:
    left = run.value(node.expr)
    for operand in node.ops:
        right = run.value(operand.expr)
        run.weigh(left, right)
        symbol, compare = _COMPARE[operand.op]
        try:
            if not compare(left, right):
                return False
        except TypeError:
            raise Flaw(f"`{symbol}` does not go with {kind(left)} and {kind(right)}") from None
        left = right
    return True


def _binary(run: _Run, node: nodes.BinExpr) -> object:
    left, right = run.value(node.left), run.value(node.right)
    symbol, function = _BINARY[type(node)]
    if symbol == "%" and isinstance(left, str):
        raise Flaw("`%` on text is not for shot lists", "write `{{ '%03d' | format(x) }}`", code="E303")
    if symbol == "*":
        _fits_times(left, right)
    elif symbol == "+" and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        fits(len(left) + len(right))
    try:
        return run.made(function(left, right))
    except TypeError:
        advice = "`~` joins text and numbers" if symbol == "+" else ""
        raise Flaw(f"`{symbol}` does not go with {kind(left)} and {kind(right)}", advice) from None


def _fits_times(left: object, right: object) -> None:
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(times, int):
            fits(len(sequence) * times)


def _unary(run: _Run, node: nodes.UnaryExpr) -> object:
    value = run.value(node.node)
    if isinstance(node, nodes.Not):
        return not value
    if not isinstance(value, int | float):
        raise Flaw(f"{kind(value)} is not a number")
    return run.made(-value if isinstance(node, nodes.Neg) else +value)


def _and(run: _Run, node: nodes.And) -> object:
    return run.value(node.left) and run.value(node.right)


def _or(run: _Run, node: nodes.Or) -> object:
    return run.value(node.left) or run.value(node.right)


def _condition(run: _Run, node: nodes.CondExpr) -> object:
    if run.value(node.test):
        return run.value(node.expr1)
    if node.expr2 is None:
        return Absent(Flaw("an `if` that has no `else` and is false", "write `{{ a if b else '' }}`"))
    return run.value(node.expr2)


def _constant(_: _Run, node: nodes.Const) -> object:
    return node.value


_STATEMENTS: dict[type[nodes.Node], Callable[[_Run, Any], None]] = {
    nodes.Output: _output,
    nodes.If: _if,
    nodes.For: _for,
    nodes.Assign: _assign,
    nodes.AssignBlock: _assign_block,
}
_EXPRESSIONS: dict[type[nodes.Node], Callable[[_Run, Any], object]] = {
    nodes.Const: _constant,
    nodes.Name: _name,
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Tuple: _collection,
    nodes.List: _collection,
    nodes.Dict: _dict,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.Call: _call,
    nodes.Concat: _concat,
    nodes.Compare: _compare,
    nodes.Add: _binary,
    nodes.Sub: _binary,
    nodes.Mul: _binary,
    nodes.Div: _binary,
    nodes.FloorDiv: _binary,
    nodes.Mod: _binary,
    nodes.Not: _unary,
    nodes.Neg: _unary,
    nodes.Pos: _unary,
    nodes.And: _and,
    nodes.Or: _or,
    nodes.CondExpr: _condition,
}
_BINARY: dict[type[nodes.Node], tuple[str, Callable[[Any, Any], object]]] = {
    nodes.Add: ("+", operator.add),
    nodes.Sub: ("-", operator.sub),
    nodes.Mul: ("*", operator.mul),
    nodes.Div: ("/", operator.truediv),
    nodes.FloorDiv: ("//", operator.floordiv),
    nodes.Mod: ("%", operator.mod),
}
_COMPARE: dict[str, tuple[str, Callable[[Any, Any], object]]] = {
    "eq": ("==", operator.eq),
    "ne": ("!=", operator.ne),
    "gt": (">", operator.gt),
    "gteq": (">=", operator.ge),
    "lt": ("<", operator.lt),
    "lteq": ("<=", operator.le),
    "in": ("in", lambda left, right: left in right),
    "notin": ("not in", lambda left, right: left not in right),
}
