"""What an expression comes to: one function for each kind of node that templates may use."""

from __future__ import annotations

import operator
from math import isfinite
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from vidspec.diagnostic import shown
from vidspec.prompt.filters import FILTERS, MISSING, TESTS, Absent, Flaw, fits, items, kind, member, text
from vidspec.prompt.grammar import MAX_NUMBER, meant, undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


MAX_ITEMS = 10_000
MAX_WORK = 500_000


class Evaluation:
    """The names that expressions read, and the purse that all their work is paid from."""

    def __init__(self, scope: Mapping[str, object]) -> None:
        self.scope = scope
        self.names: dict[str, object] = {}
        self.captured = ""
        self.work = MAX_WORK

    def value(self, node: nodes.Node) -> Any:
        """What an expression comes to."""
        found = self.attempt(node)
        if type(found) is Absent:
            raise at(found.flaw, node)
        return found

    def attempt(self, node: nodes.Node) -> Any:
        """What an expression comes to, which may be Absent."""
        try:
            self.pay(1)
            return EXPRESSIONS[type(node)](self, node)
        except Flaw as flaw:
            raise at(flaw, node) from None
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
            raise at(reason(error), node) from None

    def pay(self, cost: int) -> None:
        self.work -= cost
        if self.work < 0:
            raise Flaw("too much work for one template", f"at most {MAX_WORK:,} characters in all", code="E303")

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


def at(flaw: Flaw, node: nodes.Node) -> Flaw:
    if flaw.offset is None:
        flaw.offset = _begin(node)
    return flaw


def _begin(node: nodes.Node) -> int:
    """Jinja places a call at its bracket and a comparison at its end."""
    if isinstance(node, nodes.Compare):
        return _begin(node.expr)
    return node.node.lineno if isinstance(node, nodes.Call) else node.lineno


def reason(error: Exception) -> Flaw:
    if isinstance(error, ZeroDivisionError):
        return Flaw("division by zero")
    if isinstance(error, ValueError):
        return Flaw("a value that cannot be used here")
    if isinstance(error, OverflowError | RecursionError | MemoryError):
        return Flaw("a value that grows too large", code="E303")
    return Flaw("a value of the wrong kind")


def _name(run: Evaluation, node: nodes.Name) -> object:
    value = run.names.get(node.name, MISSING)
    if value is MISSING:
        value = run.scope.get(node.name, MISSING)
    if value is MISSING:
        return Absent(undefined(node.name, [*run.names, *run.scope], node.lineno))
    return value


def _getattr(run: Evaluation, node: nodes.Getattr) -> object:
    value = run.value(node.node)
    found = member(value, node.attr)
    return Absent(_no_member(node, value, node.attr)) if found is MISSING else found


def _getitem(run: Evaluation, node: nodes.Getitem) -> object:
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


def _collection(run: Evaluation, node: nodes.Tuple | nodes.List) -> object:
    values = [run.value(item) for item in node.items]
    return run.made(tuple(values) if isinstance(node, nodes.Tuple) else values)


def _dict(run: Evaluation, node: nodes.Dict) -> object:
    pairs = {}
    for pair in node.items:
        key = run.value(pair.key)
        if not (key is None or isinstance(key, str | int | float)):
            raise Flaw(f"{kind(key)} cannot be a key", offset=pair.key.lineno)
        pairs[key] = run.value(pair.value)
    run.pay(len(pairs))
    return pairs


def _filter(run: Evaluation, node: nodes.Filter) -> object:
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


def _test(run: Evaluation, node: nodes.Test) -> object:
    value = run.attempt(node.node) if node.name in ("defined", "undefined") else run.value(node.node)
    positional = [run.value(arg) for arg in node.args]
    named = {str(pair.key): run.value(pair.value) for pair in node.kwargs}
    run.weigh(value, *positional, *named.values())
    try:
        return bool(TESTS[node.name](value, *positional, **named))
    except TypeError:
        raise Flaw(f"`is {node.name}` does not work on {kind(value)} like this") from None


def _call(run: Evaluation, node: nodes.Call) -> object:
    arguments = [run.value(arg) for arg in node.args]
    if isinstance(node.node, nodes.Name):
        return run.made(range(*(_whole("`range`", argument) for argument in arguments)))
    loop: Any = run.names["loop"]
    return arguments[loop["index0"] % len(arguments)]


def _concat(run: Evaluation, node: nodes.Concat) -> object:
    parts = [text(run.value(part)) for part in node.nodes]
    fits(sum(map(len, parts)))
    return run.made("".join(parts))


def _compare(run: Evaluation, node: nodes.Compare) -> object:
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


def _binary(run: Evaluation, node: nodes.BinExpr) -> object:
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


def _unary(run: Evaluation, node: nodes.UnaryExpr) -> object:
    value = run.value(node.node)
    if isinstance(node, nodes.Not):
        return not value
    if not isinstance(value, int | float):
        raise Flaw(f"{kind(value)} is not a number")
    return run.made(-value if isinstance(node, nodes.Neg) else +value)


def _and(run: Evaluation, node: nodes.And) -> object:
    return run.value(node.left) and run.value(node.right)


def _or(run: Evaluation, node: nodes.Or) -> object:
    return run.value(node.left) or run.value(node.right)


def _condition(run: Evaluation, node: nodes.CondExpr) -> object:
    if run.value(node.test):
        return run.value(node.expr1)
    if node.expr2 is None:
        return Absent(Flaw("an `if` that has no `else` and is false", "write `{{ a if b else '' }}`"))
    return run.value(node.expr2)


def _constant(_: Evaluation, node: nodes.Const) -> object:
    return node.value


EXPRESSIONS: dict[type[nodes.Node], Callable[[Evaluation, Any], object]] = {
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
