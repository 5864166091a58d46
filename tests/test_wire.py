"""The protocols, exchange by exchange: `wire/<provider>/<case>.json`, and the values that adapters speak in.

A case names a `shot` as a list has it, or a `ticket` of a take accepted before (with `progress`, one that has
succeeded). Its `exchanges` are every call that the adapter must make, to the letter, and the reply it is given;
its `events` are what came of it. The calls are made in the order of a render: submit, polls, and the result once
a poll has succeeded. After an error the next exchange says what is asked again.

In a body `@data:frames/red.png` stands for that file as a data URI. An exchange without `call` repeats the call
before it. A reply without `status` is a 200, one with neither `json` nor `text` has an empty body. An error is
`{"Refused": "its reason", "blame": "input"}`; the blame is left out where it is that of the class.
"""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import trio

from vidspec.errors import ProviderError, Refused, ShotListError, Unavailable
from vidspec.project import open_lists
from vidspec.providers import ADAPTERS, adapter, table
from vidspec.wire import MOST_BYTES, Call, Progress, Reply, Sending, Source, Ticket, converse, segment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vidspec.providers.adapter import Adapter
    from vidspec.take import Take
    from vidspec.wire import Talk

T = TypeVar("T")
WIRE = Path(__file__).parent / "wire"
MIME = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
CASES = sorted(path for path in WIRE.glob("*/*.json"))
CASE_KEYS = {"about", "shot", "ticket", "progress", "exchanges", "events"}


# --- a take, and what is sent for it -------------------------------------------------------------------------


def take(provider: str, shot: dict[str, Any], project: Path) -> Take:
    """The first take of a list that holds the shot alone, resolved as for a render."""
    shutil.copytree(WIRE / "frames", project / "frames", dirs_exist_ok=True)
    accounts = {provider: {"base_url": "https://api.example.net/v1"}} if table(provider).needs_base_url else {}
    listed = {"vidspec": 1, "providers": accounts, "shots": [{"id": "s010", "provider": provider, **shot}]}
    path = project / "shots.yaml"
    path.write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")
    try:
        (opened,), _ = open_lists([path], {})
    except ShotListError as error:
        pytest.fail("\n".join(one.text() for one in error.diagnostics))
    return opened.takes[0]


def sending(take: Take, project: Path) -> Sending:
    """What a submit of the take is made of, its files as data URIs."""
    media = {
        (given.setting, given.index): given.url or data_uri(project / str(given.path)) for given in take.inputs
    }
    if isinstance(take.request.get("remix_of"), str):
        media["remix_of", 0] = take.request["remix_of"]
    return Sending(
        provider=take.provider,
        model=take.model,
        mode=take.mode,
        request=take.request,
        rules=table(take.provider).models[take.model].capabilities[take.mode],
        seed=take.seed,
        media=media,
    )


def data_uri(path: Path) -> str:
    return f"data:{MIME[path.suffix]};base64,{b64encode(path.read_bytes()).decode()}"


# --- the exchanges of a case ---------------------------------------------------------------------------------


@dataclass
class Replay:
    """An adapter led through the exchanges of a case."""

    provider: str
    exchanges: list[dict[str, Any]]
    events: list[dict[str, Any]] = field(default_factory=list)
    used: int = 0

    def run(self, case: dict[str, Any], project: Path) -> None:
        speaks = adapter(self.provider)
        if "shot" in case:
            given = sending(take(self.provider, case["shot"], project), project)
            request_id = self.talk(speaks.submit(given))
            if request_id is None:
                return
            self.events.append({"accepted": request_id})
            ticket = Ticket(provider=self.provider, model=given.model, request_id=request_id)
        else:
            ticket = Ticket(provider=self.provider, **case["ticket"])
        self.follow(speaks, ticket, Progress(**case["progress"]) if "progress" in case else None)

    def follow(self, speaks: Adapter, ticket: Ticket, progress: Progress | None) -> None:
        """Polls, and the result of a success, until no exchange is left."""
        while True:
            before = self.used
            if self.next_purpose == "poll":
                progress = self.talk(speaks.poll(ticket))
                self.events += [] if progress is None else [told(progress)]
            if progress is not None and progress.phase == "succeeded":
                source = self.talk(speaks.result(ticket, progress))
                self.events += [] if source is None else [{"source": found(source)}]
            if self.used == before or self.next_purpose is None:
                return

    @property
    def next_purpose(self) -> str | None:
        """What the exchange that comes next is for; None after the last."""
        return self.expected(self.used)["purpose"] if self.used < len(self.exchanges) else None

    def expected(self, index: int) -> dict[str, Any]:
        """The call of an exchange, which may be written at one before it."""
        return next(one["call"] for one in reversed(self.exchanges[: index + 1]) if "call" in one)

    def talk(self, talk: Talk[T]) -> T | None:
        """Hold one conversation; None, and an event, where it ends in an error."""
        try:
            call = next(talk)
            while True:
                call = talk.send(self.exchange(call))
        except StopIteration as ended:
            value: T = ended.value
            return value
        except ProviderError as error:
            self.events.append(said(error))
            return None

    def exchange(self, call: Call) -> Reply:
        assert self.next_purpose is not None, f"one call too many: {call}"
        assert written(made(call)) == written(with_files(self.expected(self.used)))
        reply = self.exchanges[self.used]["reply"]
        self.used += 1
        body = json.dumps(reply["json"]) if "json" in reply else reply.get("text", "")
        assert set(reply) <= {"status", "headers", "json", "text"}
        return Reply(status=reply.get("status", 200), headers=reply.get("headers", {}), body=body.encode())


def made(call: Call) -> dict[str, Any]:
    """A call as a case writes it."""
    shown: dict[str, Any] = {"purpose": call.purpose, "verb": call.verb, "path": call.path}
    if call.body is not None:
        shown["body"] = call.body
    if call.most_bytes != MOST_BYTES:
        shown["most_bytes"] = call.most_bytes
    return shown


def written(value: Any) -> str:
    """JSON in which `1`, `1.0` and `true` are three things."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


def with_files(value: Any) -> Any:
    """A value with the files in it as data URIs."""
    if isinstance(value, str) and value.startswith("@data:"):
        return data_uri(WIRE / value.removeprefix("@data:"))
    if isinstance(value, list):
        return [with_files(item) for item in value]
    if isinstance(value, dict):
        return {key: with_files(item) for key, item in value.items()}
    return value


def told(progress: Progress) -> dict[str, Any]:
    facts = {name: getattr(progress, name) for name in ("share", "seed_used", "reason", "blame")}
    return {progress.phase: progress.word, **present(facts)}


def found(source: Source) -> dict[str, Any]:
    data = None if source.data is None else b64encode(source.data).decode()
    return present({"url": source.url, "data": data, "size": source.size})


def said(error: ProviderError) -> dict[str, Any]:
    blame = None if error.blame == type(error)("").blame else error.blame
    retry_after = getattr(error, "retry_after", None)
    return {type(error).__name__: error.reason, **present({"blame": blame, "retry_after": retry_after})}


def present(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}: {path.stem}")
def test_an_adapter_speaks_its_protocol_to_the_letter(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    assert set(case) <= CASE_KEYS
    assert case["about"].strip()
    replay = Replay(path.parent.name, case["exchanges"])
    replay.run(case, tmp_path)
    assert written(replay.events) == written(case["events"])
    assert replay.used == len(replay.exchanges), "exchanges are left over"


@pytest.mark.parametrize("provider", ADAPTERS)
def test_every_protocol_has_its_cases(provider: str) -> None:
    assert [path for path in CASES if path.parent.name == provider]


# --- the values that adapters speak in -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("n4q0-_.~", "n4q0-_.~", id="plain"),
        pytest.param("grok:a/b?c#d e&f=g+h%", "grok%3Aa%2Fb%3Fc%23d%20e%26f%3Dg%2Bh%25", id="every-separator"),
        pytest.param("图1", "%E5%9B%BE1", id="chinese"),
        pytest.param(".", "%2E", id="one-dot"),
        pytest.param("..", "%2E%2E", id="two-dots"),
        pytest.param("a..b", "a..b", id="dots-inside"),
        pytest.param("\udc80", "%ED%B2%80", id="half-a-character"),
    ],
)
def test_an_id_is_one_segment_of_a_path(text: str, expected: str) -> None:
    assert segment(text) == expected


def conversation(closed: list[bool]) -> Talk[str]:
    """Asks twice and returns what it was told."""
    try:
        first = yield Call(purpose="poll", verb="GET", path="/1")
        second = yield Call(purpose="poll", verb="GET", path=f"/2?{first.status}")
        if second.status == 404:
            raise Refused("gone")
        return second.body.decode()
    finally:
        closed.append(True)


def exchanging(replies: list[Reply | Exception], paths: list[str]) -> Callable[[Call], Awaitable[Reply]]:
    async def exchange(call: Call) -> Reply:
        await trio.lowlevel.checkpoint()
        paths.append(call.path)
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return exchange


def test_a_conversation_makes_its_calls_one_after_another_and_ends_in_its_value() -> None:
    paths: list[str] = []
    closed: list[bool] = []
    exchange = exchanging([Reply(status=201), Reply(status=200, body=b"told")], paths)
    assert trio.run(converse, conversation(closed), exchange) == "told"
    assert (paths, closed) == (["/1", "/2?201"], [True])


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        pytest.param([Reply(status=200), Reply(status=404)], Refused, id="found-by-the-adapter"),
        pytest.param([Reply(status=200), Unavailable("no network")], Unavailable, id="of-the-network"),
        pytest.param([OSError("no route")], OSError, id="of-the-system"),
    ],
)
def test_a_conversation_that_fails_says_why_and_is_closed(
    replies: list[Reply | Exception], error: type[Exception]
) -> None:
    closed: list[bool] = []
    with pytest.raises(error):
        trio.run(converse, conversation(closed), exchanging(replies, []))
    assert closed == [True]


def test_a_conversation_without_a_call_asks_nobody() -> None:
    def silent() -> Talk[int]:
        yield from ()
        return 7

    assert trio.run(converse, silent(), exchanging([], [])) == 7


@pytest.mark.parametrize(
    ("status", "ok"),
    [(100, False), (199, False), (200, True), (204, True), (299, True), (300, False), (500, False)],
)
def test_a_status_of_success_is_a_2xx(status: int, ok: bool) -> None:
    assert Reply(status=status).ok == ok
