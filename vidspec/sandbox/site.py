"""The sandbox itself: which twin, file or page a request is for, what befalls it, and what is kept of it.

Synchronous: from a request to what is to be delivered. `server` carries it over sockets.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vidspec.sandbox import files, links
from vidspec.sandbox.delivery import NOT_DONE, PAGE, Delivery, befallen, refused
from vidspec.sandbox.exchange import Exchange, History
from vidspec.sandbox.incoming import model_named
from vidspec.sandbox.twin import Answer, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vidspec.sandbox.drill import Drill
    from vidspec.sandbox.faults import Fault
    from vidspec.sandbox.house import LocalHouse
    from vidspec.sandbox.incoming import Incoming
    from vidspec.sandbox.twin import CallName, Task, Twin

__all__ = ["Place", "Sandbox"]

ELSEWHERE = "elsewhere"
LONGEST_PATH = 300
ANOTHER_HOST = ("//127.0.0.1:", "//localhost:")


class Place(NamedTuple):
    """A twin and its house."""

    twin: Twin
    house: LocalHouse


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What is to be delivered, and what is to be remembered of it."""

    delivery: Delivery
    provider: str | None = None
    call: CallName | None = None
    task: Task | None = None
    model: str | None = None
    fault: Fault | None = None
    changed: tuple[str, ...] = ()
    bug: str | None = None


class _Asked(NamedTuple):
    """A request, whom it is for, and where a fault may send it. `stored` is what an object store answers."""

    twin: Twin
    request: Request
    number: int
    elsewhere: str
    stored: bool


class Sandbox:
    """Several providers behind one address. `pages` are its own: path to a function of this sandbox.

    `base` is the address without a slash at the end, `now` tells the seconds since it opened.
    """

    def __init__(
        self,
        base: str,
        places: Mapping[str, Place],
        *,
        drill: Drill,
        file_links: links.Links,
        now: Callable[[], float],
        pages: Mapping[str, Callable[[Sandbox], Answer]],
        listener: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.base = base
        self.places = dict(places)
        self.drill = drill
        self.history = History(listener)
        self.now = now
        self._changes: dict[tuple[str, str | None, str], None] = {}
        self._links = file_links
        self._pages = dict(pages)
        self._by_prefix = {tuple(place.twin.prefix.split("/")[1:]): name for name, place in self.places.items()}
        for name, place in self.places.items():
            place.house.on_accept = partial(self._afflict, name)

    def base_url(self, provider: str) -> str:
        """What stands in place of a provider's base URL. Raises `KeyError` for a provider that is not here."""
        return f"{self.base}{self.places[provider].twin.prefix}"

    def changes(self) -> list[tuple[str, str | None, str]]:
        """What was changed, cut or ignored in silence: provider, the task's id if there is one, the words."""
        return list(self._changes)

    # --- requests ------------------------------------------------------------------------------------------------

    def respond(self, incoming: Incoming) -> Delivery:
        """Answer a request, whatever it is, and keep what happened, looks at the sandbox's own pages left out."""
        page = self._pages.get(incoming.path) if incoming.verb in ("GET", "HEAD") else None
        number = self.history.next_number() if page is None else 0
        try:
            if page is not None:
                return Delivery(answer=page(self))
            outcome = self._outcome(incoming, number)
        except Exception:  # noqa: BLE001  (a bug of ours is told apart from what a provider would say)
            told = json_answer({"error": "the sandbox itself has failed; see its page"}, 500)
            outcome = _Outcome(delivery=Delivery(answer=told), bug=traceback.format_exc())
        self._keep(incoming, number, outcome)
        return outcome.delivery

    def refuse(self, status: int, reason: str) -> Answer:
        """Answer what is no request at all: bad HTTP, or too much of it."""
        note = Exchange(
            number=self.history.next_number(), time=self.now(), provider=None, verb="?", path=reason, status=status
        )
        self.history.add(note)
        return json_answer({"error": reason}, status)

    def _outcome(self, incoming: Incoming, number: int) -> _Outcome:
        segments = incoming.segments
        if segments[0] == links.FOLDER:
            return self._file(incoming, segments, number)
        for length in range(1, len(segments) + 1):
            if name := self._by_prefix.get(segments[:length]):
                return self._provider(name, incoming, segments[length:], number)
        return _Outcome(delivery=Delivery(answer=self._own(incoming, segments)))

    def _own(self, incoming: Incoming, segments: tuple[str, ...]) -> Answer:
        if segments[0] == ELSEWHERE:
            return Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=PAGE)
        if incoming.path in self._pages:
            return json_answer({"error": "this page can only be read"}, 405, Allow="GET, HEAD")
        served = [self.base_url(name) for name in self.places]
        return json_answer({"error": "nothing is served here", "providers": served}, 404)

    def _keep(self, incoming: Incoming, number: int, outcome: _Outcome) -> None:
        delivery = outcome.delivery
        kept = Exchange(
            number=number,
            time=self.now(),
            provider=outcome.provider,
            verb=incoming.verb,
            path=incoming.path[:LONGEST_PATH],
            status=None if delivery.silent else delivery.answer.status,
            call=outcome.call,
            task=outcome.task.id if outcome.task else None,
            model=outcome.model,
            fault=outcome.fault.fault if outcome.fault else None,
            changed=outcome.changed,
            key="authorization" in incoming.headers,
            size=len(delivery.answer.body),
            bug=outcome.bug,
        )
        self.history.add(kept)

    # --- providers -----------------------------------------------------------------------------------------------

    def _provider(self, name: str, incoming: Incoming, path: tuple[str, ...], number: int) -> _Outcome:
        """A call of a provider. A fault may forestall a submit; what other calls are about, only the twin knows."""
        twin, _ = self.places[name]
        elsewhere = f"{self.base}/{ELSEWHERE}/{name}".replace(*ANOTHER_HOST)
        asked = _Asked(twin, _request(incoming, path), number, elsewhere, stored=False)
        call = twin.call_of(asked.request)
        if call != "submit":
            outcome = self._answered(asked, call, None)
            return self._befall(asked, outcome, self._fault(outcome))
        model = model_named(incoming.body)
        fault = self.drill.on_answer(name, call, model, self.now())
        if fault is not None and fault.fault in NOT_DONE:
            return _Outcome(delivery=_refusal(asked, fault), provider=name, call=call, model=model, fault=fault)
        return self._befall(asked, self._answered(asked, call, model), fault)

    def _answered(self, asked: _Asked, call: CallName | None, model: str | None) -> _Outcome:
        """What a twin answers, and what it has touched in doing so."""
        name, house = asked.twin.name, self.places[asked.twin.name].house
        house.seen()
        answer = asked.twin.answer(asked.request)
        seen = house.seen()
        task_id = seen.task.id if seen.task else None
        self._changes |= dict.fromkeys((name, task_id, change) for change in seen.changed)
        return _Outcome(
            delivery=Delivery(answer=answer),
            provider=name,
            call=call,
            task=seen.task,
            model=seen.task.model if seen.task else model,
            changed=tuple(dict.fromkeys(seen.changed)),
        )

    def _file(self, incoming: Incoming, segments: tuple[str, ...], number: int) -> _Outcome:
        """A clip, as `files/<provider>/<token>/clip.mp4`."""
        _, name, token, *_ = (*segments, "", "")
        if name not in self.places or len(segments) != 4:
            return _Outcome(delivery=Delivery(answer=files.refusal("NoSuchKey")), call="download")
        twin, house = self.places[name]
        task = house.task_of_token(token)
        standing = self._links.standing(name, token, incoming.query)
        answer = files.answer(incoming.verb, incoming.headers, standing, house.data(task) if task else None)
        outcome = _Outcome(
            delivery=Delivery(answer=answer),
            provider=name,
            call="download",
            task=task,
            model=task.model if task else None,
        )
        elsewhere = f"{self.base}{incoming.target}".replace(*ANOTHER_HOST)
        asked = _Asked(twin, _request(incoming, segments), number, elsewhere, stored=True)
        return self._befall(asked, outcome, self._fault(outcome) if incoming.verb == "GET" else None)

    def _fault(self, outcome: _Outcome) -> Fault | None:
        """The fault that befalls what is about to be answered."""
        if outcome.call is None or outcome.provider is None:
            return None
        return self.drill.on_answer(outcome.provider, outcome.call, outcome.model, self.now())

    def _befall(self, asked: _Asked, outcome: _Outcome, fault: Fault | None) -> _Outcome:
        """The outcome as a fault leaves it. What was carried out stays so."""
        if fault is None:
            return outcome
        if fault.fault in NOT_DONE:
            return replace(outcome, delivery=_refusal(asked, fault), fault=fault)
        answer, salt = outcome.delivery.answer, f"{asked.number}|{asked.request.path}"
        delivery = befallen(fault, answer, asked.twin, asked.request, stored=asked.stored, salt=salt)
        return replace(outcome, delivery=delivery, fault=fault)

    def _afflict(self, name: str, task: Task) -> None:
        """Have the faults that are due befall a task that was just accepted."""
        twin, house = self.places[name]
        for fault in self.drill.on_task(name, task.model, self.now()):
            if fault.fault == "moderation":
                task.error = twin.moderated()
            elif fault.fault == "late_row":
                task.appears = task.accepted + (fault.seconds or 0.0)
            else:
                until = None if fault.seconds is None else task.accepted + fault.seconds
                house.say(task, fault.word or "ARCHIVING", until)


def _request(incoming: Incoming, path: tuple[str, ...]) -> Request:
    return Request(
        verb=incoming.verb, path=path, query=incoming.query, headers=incoming.headers, body=incoming.body
    )


def _refusal(asked: _Asked, fault: Fault) -> Delivery:
    answer = refused(fault, asked.twin, asked.request, stored=asked.stored, elsewhere=asked.elsewhere)
    return Delivery(answer=answer)
