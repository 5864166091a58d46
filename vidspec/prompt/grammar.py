"""The grammar of templates: what jinja2's parser reads, less what is not for shot lists.

The parser is given character offsets where it expects line numbers, so each node and each syntax error says
exactly where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from vidspec.diagnostic import listed, nearest, nearest_or, shown
from vidspec.prompt.filters import FILTERS, TESTS, Flaw, takes, written
from vidspec.prompt.template import RESERVED, TemplateFault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

MAX_NUMBER = 2**63
MAX_DEPTH = 64
_MAX_DIGITS = 100
_MAX_NAME = 60

_WORD = re.compile(r"\w+")
_HEAD = re.compile(r"\{[{%#][-+]?(?: ?\w{1,60})?")
_DOT = re.compile(r"(?:\.\s*)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"""\\(?:[\\'"nrt\n]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})""")


@dataclass(frozen=True, slots=True)
class Script:
    """What was read: the statements, the names read from outside, and those that must be there with their place."""

    body: list[nodes.Node]
    names: frozenset[str]
    needed: list[tuple[int, str]]


def read(source: str, kinds: Collection[type[nodes.Node]]) -> Script:
    """Read a template made of these kinds of nodes. Raises Flaw."""
    body = _parsed(source)
    survey = _Survey(source, kinds)
    survey.statements(body, 0)
    needed = sorted((offset, name) for name, offset in survey.needed.items() if name not in survey.optional)
    return Script(body, frozenset(survey.names), needed)


def placed(source: str, flaw: Flaw) -> TemplateFault:
    """The flaw as it leaves, with the place where it is in the source."""
    snippet, occurrence, offset = (None, 0, 0) if flaw.offset is None else _place(source, flaw.offset)
    return TemplateFault(
        flaw.code, flaw.message, help=flaw.help, snippet=snippet, occurrence=occurrence, offset=offset
    )


def undefined(name: str, known: Iterable[str], offset: int) -> Flaw:
    """Says that a name is not defined, and which was likely meant."""
    return Flaw(f"{shown(name)} is not defined", meant(name, known), code="E302", offset=offset)


def meant(name: str, known: Iterable[str]) -> str:
    """A help line that offers the nearest of the known names, or all of them where none is near."""
    names = [str(one) for one in known]
    near = nearest(name, names) if len(name) <= _MAX_NAME else None
    if near is not None:
        return f"the nearest name is `{near}`"
    return f"the names are {listed(sorted(names))}" if names else ""


def _place(source: str, offset: int) -> tuple[str | None, int, int]:
    """The word at the offset; else the head of the tag around it, which no YAML style writes in another way."""
    dot = _DOT.match(source, offset)
    assert dot
    if word := _WORD.match(source, dot.end()):
        name = word[0][:_MAX_NAME]
        return name, source.count(name, 0, word.start()), 0
    start = _tag_start(source, offset)
    head = _HEAD.match(source, start) if start >= 0 else None
    if head is None:
        return None, 0, 0
    return head[0], source.count(head[0], 0, start), 0 if "\n" in source[start:offset] else offset - start


def _tag_start(source: str, offset: int) -> int:
    return max(source.rfind(opener, 0, offset + 2) for opener in ("{{", "{%", "{#"))


class _Grammar(Environment):
    """Jinja's own syntax, with offsets for line numbers."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        return TokenStream(self.lexer.wrap(self._placed(source, state), name, filename), name, filename)

    def _placed(self, source: str, state: str | None) -> Iterator[tuple[int, str, str]]:
        at = 0
        try:
            for _, token, value in self.lexer.tokeniter(source, None, None, state):
                at = source.find(value, at)  # what the lexer leaves out is white space that a `-` strips
                if token == "string" and "\\" in _ESCAPE.sub("", value):  # noqa: S105
                    raise Flaw(
                        "a `\\` that begins no escape", "a backslash is written `\\\\`", code="E301", offset=at
                    )
                if token == "integer" and len(value) > _MAX_DIGITS:  # noqa: S105
                    raise Flaw("a number beyond 64 bits", code="E303", offset=at)
                yield at, token, value
                at += len(value)
        except TemplateSyntaxError as error:
            error.lineno = at
            raise


_GRAMMAR = _Grammar(keep_trailing_newline=True)
_CLOSERS = {"endif": "if", "elif": "if", "else": "if", "endfor": "for", "endset": "set", "endraw": "raw"}
_TAGS = ("if", "for", "set", "raw")
_JINJA = "autoescape block break call continue debug do extends filter from import include macro print trans with"
_OTHER_TAGS = frozenset(_JINJA.split())


class _Parser(Parser):
    """Jinja's parser, with the statements that shot lists have, and faults that say which tag is meant."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.opened: list[tuple[str, int]] = []
        super().__init__(_GRAMMAR, source)

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        token = self.stream.current
        if token.value not in ("if", "for", "set"):
            raise self._other_tag(str(token.value), token.lineno)
        self.opened.append((str(token.value), token.lineno))
        node = super().parse_statement()
        self.opened.pop()
        return node

    def fail_eof(self, *_: object, **__: object) -> NoReturn:
        tag, offset = self.opened[-1]
        offset = _tag_start(self.source, offset)
        raise Flaw(f"`{tag}` is never closed", f"it ends with `{{% end{tag} %}}`", code="E301", offset=offset)

    def _other_tag(self, tag: str, offset: int) -> Flaw:
        if tag in _OTHER_TAGS:
            return Flaw(f"the tag `{tag}` is not for shot lists", _ALLOWED_TAGS, code="E303", offset=offset)
        if tag in _CLOSERS and not self.opened:
            return Flaw(f"`{tag}` without `{_CLOSERS[tag]}`", code="E301", offset=offset)
        if tag in _CLOSERS:
            inner = self.opened[-1][0]
            return Flaw(f"`{tag}` where `end{inner}` should be", code="E301", offset=offset)
        if self.stream.current.type == "eof":
            return Flaw("`{%` is never closed", "it ends with `%}`", code="E301", offset=offset)
        if self.stream.current.type != "name":
            return Flaw("a tag without a name", _ALLOWED_TAGS, code="E301", offset=offset)
        near = nearest(tag[:_MAX_NAME], _TAGS)
        return Flaw(
            f"there is no tag {shown(tag)}",
            f"the nearest is `{near}`" if near else _ALLOWED_TAGS,
            code="E301",
            offset=offset,
        )


_ALLOWED_TAGS = f"the tags are {listed(_TAGS)}"


def _parsed(source: str) -> list[nodes.Node]:
    parser = None
    try:
        parser = _Parser(source)
        return parser.parse().body
    except TemplateSyntaxError as error:
        raise _syntax(source, error.message or "", error.lineno) from None
    except RecursionError:
        offset = None if parser is None else parser.stream.current.lineno
        raise Flaw("nested too deeply", code="E303", offset=offset) from None


_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "begin of statement block": "{%",
    "begin of print statement": "{{",
    "template data / text": "text",
    "integer": "number",
    "float": "number",
}
_SYNTAX = (
    (r"Invalid character in identifier", "a name with a character that names cannot have", ""),
    (r"unexpected '(.)', expected '(.)'", "`{0}` where `{1}` should be", ""),
    (r"unexpected '([\]})])'", "`{0}` closes nothing", "a variable is written `{{{{ name }}}}`"),
    (r"(?:Expected an expression, got|unexpected) '(end of .*)'", "an expression is missing before `{0}`", ""),
    (r"expected token '(.+)', got '(.+)'", "`{1}` is not expected here", "`{0}` would be"),
    (r"unexpected '(.+)'", "`{0}` is not expected here", ""),
    (r"expected name or number", "a name is missing after `.`", ""),
    (r"can't assign to '(.+)'", "only names can be set", ""),
    (r"You cannot chain multiple tests with is", "`is` after `is`", "write `x is a and x is b`"),
    (r"invalid syntax for function call expression", "arguments in an order that calls cannot have", ""),
)


def _left_open(source: str, message: str, offset: int) -> Flaw | None:
    if "end of raw" in message:
        start, opener, closer = source.rfind("{%", 0, offset), "raw", "{% endraw %}"
    elif "end of comment" in message or "end of template" in message:
        start = _tag_start(source, offset - 2 if "comment" in message else offset)
        opener = source[start : start + 2]
        closer = {"{{": "}}", "{%": "%}", "{#": "#}"}[opener]
    else:
        return None
    return Flaw(f"`{opener}` is never closed", f"it ends with `{closer}`", code="E301", offset=start)


def _syntax(source: str, message: str, offset: int) -> Flaw:
    """Jinja's message in our words."""
    if "end of " in message and (opener := _left_open(source, message, offset)):
        return opener
    if message.startswith("unexpected char"):
        char = source[offset]
        if char in "'\"":
            return Flaw(f"a text that begins with `{char}` is never closed", code="E301", offset=offset)
        return Flaw(f"`{char}` is not expected here", code="E301", offset=offset)
    for pattern, said, advice in _SYNTAX:
        if found := re.match(pattern, message):
            words = [_TOKENS.get(word, word)[:_MAX_NAME] for word in found.groups()]
            return Flaw(said.format(*words), advice.format(*words), code="E301", offset=offset)
    return Flaw(message[:1].lower() + message[1:].rstrip("."), code="E301", offset=offset)


class _Survey:
    """Walks a tree once, in the order of expansion: refuses what is not for shot lists, and collects names.

    `sure` are names that the template itself has certainly set, `perhaps` those it may have set.
    """

    def __init__(self, source: str, kinds: Collection[type[nodes.Node]]) -> None:
        self.source = source
        self.kinds = kinds
        self.names: set[str] = set()
        self.needed: dict[str, int] = {}
        self.optional: set[str] = set()
        self.sure: set[str] = set()
        self.perhaps: set[str] = set()

    def statements(self, body: Iterable[nodes.Node], depth: int) -> None:
        for node in body:
            if depth > MAX_DEPTH:
                raise Flaw("nested too deeply", code="E303", offset=node.lineno)
            if isinstance(node, nodes.Output):
                for child in node.nodes:
                    if not isinstance(child, nodes.TemplateData):
                        self.expression(child, depth)
            elif isinstance(node, nodes.If):
                self._if(node, depth)
            elif isinstance(node, nodes.For):
                self._for(node, depth)
            elif isinstance(node, nodes.Assign | nodes.AssignBlock):
                self._assign(node, depth)
            else:
                raise _refused(node)

    def _if(self, node: nodes.If, depth: int) -> None:
        outcomes = []
        for branch in (node, *node.elif_):
            self.expression(branch.test, depth)
            outcomes.append(self._apart(branch.body, depth))
        outcomes.append(self._apart(node.else_, depth))
        self.sure = set.intersection(*outcomes)

    def _for(self, node: nodes.For, depth: int) -> None:
        if node.recursive:
            raise Flaw("`recursive` loops are not for shot lists", code="E303", offset=node.lineno)
        self.expression(node.iter, depth)
        outside, perhaps = self.sure, self.perhaps.copy()
        self.sure = outside | self._targets(node.target)
        if node.test is not None:
            self.expression(node.test, depth)
        self.sure.add("loop")
        self._apart(node.body, depth)
        self.sure = outside
        self._apart(node.else_, depth)
        self.perhaps = perhaps

    def _apart(self, body: list[nodes.Node], depth: int) -> set[str]:
        before = self.sure
        self.sure = before.copy()
        self.statements(body, depth + 1)
        after, self.sure = self.sure, before
        return after

    def _assign(self, node: nodes.Assign | nodes.AssignBlock, depth: int) -> None:
        if isinstance(node, nodes.Assign):
            self.expression(node.node, depth)
        else:
            perhaps = self.perhaps.copy()
            self._apart(node.body, depth)
            self.perhaps = perhaps
            if node.filter is not None:
                self.expression(node.filter, depth)
        targets = self._targets(node.target)
        self.sure |= targets
        self.perhaps |= targets

    def _targets(self, target: nodes.Node) -> set[str]:
        found = set()
        for node in (target, *target.find_all(nodes.Node)):
            if isinstance(node, nodes.Name):
                if node.name in RESERVED:
                    raise Flaw(f"`{node.name}` cannot be set", code="E303", offset=node.lineno)
                found.add(node.name)
            elif not isinstance(node, nodes.Tuple):
                raise _refused(node)
        return found

    def expression(self, node: nodes.Node, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Flaw("nested too deeply", code="E303", offset=node.lineno)
        check = _CHECKS.get(type(node))
        if check is not None:
            check(self, node)
        elif type(node) not in self.kinds and not isinstance(node, nodes.Helper | nodes.Slice):
            raise _refused(node)
        for child in node.iter_child_nodes():
            if not (isinstance(node, nodes.Call) and child is node.node):
                self.expression(child, depth + 1)

    def _name(self, node: nodes.Name) -> None:
        if node.name not in self.sure:
            self.names.add(node.name)
            if node.name not in self.perhaps:
                self.needed.setdefault(node.name, node.lineno)

    def _const(self, node: nodes.Const) -> None:
        value = node.value
        if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            raise Flaw("half of a character", "write it as `\\U0001f600`", code="E301", offset=node.lineno)
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise Flaw("a number beyond 64 bits", code="E303", offset=node.lineno)

    def _item(self, node: nodes.Getitem) -> None:
        if isinstance(node.arg, nodes.Tuple) and any(isinstance(one, nodes.Slice) for one in node.arg.items):
            raise _refused(node.arg.items[0])

    def _call(self, node: nodes.Call) -> None:
        callee, count = node.node, len(node.args)
        if isinstance(callee, nodes.Name) and callee.name == "range":
            self._arguments(node, "range", not node.kwargs and 1 <= count <= 3, "range(start, stop, step)")
        elif _is_cycle(callee) and "loop" in self.sure:
            self._arguments(node, "loop.cycle", not node.kwargs and count > 0, "loop.cycle('a', 'b')")
        else:
            raise Flaw(*_no_call(callee), code="E303", offset=callee.lineno)

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in FILTERS:
            raise _unknown("filter", node.name, node.lineno, FILTERS)
        agreed = takes(FILTERS[node.name], len(node.args), [str(pair.key) for pair in node.kwargs])
        self._arguments(node, node.name, agreed, written(node.name))
        if node.name in ("d", "default"):
            self._lenient(node.node)

    def _test(self, node: nodes.Test) -> None:
        if node.name not in TESTS:
            raise _unknown("test", node.name, self.source.find(node.name, node.lineno), TESTS)
        agreed = takes(TESTS[node.name], len(node.args), [str(pair.key) for pair in node.kwargs])
        self._arguments(node, f"is {node.name}", agreed, "")
        if node.name in ("defined", "undefined"):
            self._lenient(node.node)

    def _lenient(self, node: nodes.Node | None) -> None:
        if isinstance(node, nodes.Name):
            self.optional.add(node.name)

    def _arguments(self, node: nodes.Call | nodes.Filter | nodes.Test, name: str, agreed: bool, form: str) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise Flaw("`*` in arguments is not for shot lists", code="E303", offset=node.lineno)
        if not agreed:
            advice = f"it is written `{form}`" if form else ""
            raise Flaw(f"`{name}` does not take these arguments", advice, code="E303", offset=node.lineno)


def _unknown(what: str, name: str, offset: int, known: Iterable[str]) -> Flaw:
    advice = nearest_or(name[:_MAX_NAME], known, f"the {what}s are {listed(known, most=40)}")
    return Flaw(f"there is no {what} {shown(name)} for shot lists", advice, code="E303", offset=offset)


def _refused(node: nodes.Node) -> Flaw:
    what: dict[type[nodes.Node], str] = {
        nodes.Pow: "`**`",
        nodes.Slice: "a slice among several",
        nodes.NSRef: "setting an attribute",
    }
    named = what.get(type(node), f"`{type(node).__name__.lower()}`")
    return Flaw(f"{named} is not for shot lists", code="E303", offset=node.lineno)


def _is_cycle(callee: nodes.Node) -> bool:
    return (
        isinstance(callee, nodes.Getattr)
        and callee.attr == "cycle"
        and isinstance(callee.node, nodes.Name)
        and callee.node.name == "loop"
    )


def _no_call(callee: nodes.Node) -> tuple[str, str]:
    if isinstance(callee, nodes.Getattr) and callee.attr in FILTERS:
        return f"`{callee.attr}` cannot be called", f"it is a filter: `{{{{ x | {callee.attr} }}}}`"
    name = callee.attr if isinstance(callee, nodes.Getattr) else getattr(callee, "name", None)
    what = f"{shown(name)} cannot be called" if name else "a value cannot be called"
    return what, "what can be called is `range` and `loop.cycle`"


_CHECKS: dict[type[nodes.Node], Callable[[_Survey, Any], None]] = {
    nodes.Name: _Survey._name,
    nodes.Const: _Survey._const,
    nodes.Getitem: _Survey._item,
    nodes.Call: _Survey._call,
    nodes.Filter: _Survey._filter,
    nodes.Test: _Survey._test,
}
