"""A take at its provider: sent at most once, looked at until it is there, fetched.

The order of things is what keeps money safe: the intent is in the journal before the one submit is sent, the
submit cannot be cancelled half-way, and its answer is in the journal before anything else is awaited. After that
nothing is paid any more, and everything may be tried again.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import trio

from vidspec import download, pacing
from vidspec.desk import Desk
from vidspec.errors import InDoubt, JournalError, MediaError, ProviderError, Refused, Throttled, Unavailable
from vidspec.providers import adapter, table
from vidspec.wire import Sending, Ticket, converse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from vidspec.account import Account
    from vidspec.capability import Capability
    from vidspec.events import Kind, Limits, Report
    from vidspec.history import History
    from vidspec.http import Api, Client
    from vidspec.journal import Journal
    from vidspec.lock import Record
    from vidspec.state import Flight
    from vidspec.take import Take
    from vidspec.wire import Call, Progress, Reply, Source

    Beside = Callable[[Callable[[], None]], Awaitable[None]]

DOWNLOADS = 4
"""Clips that are fetched at once."""

_FETCH_TRIES, _RENEWALS = 5, 2
_CLOSING = frozenset({"key", "billing", "quota"})
"""Refusals that hold for the whole account: whoever comes next would hear the same."""


class Tell(Protocol):
    """Somebody who is told what happens to a take."""

    def __call__(self, kind: Kind, slate: str, /, **details: Any) -> None:
        """Take note."""


async def in_thread(work: Callable[[], None]) -> None:
    """Do something in a thread."""
    await trio.to_thread.run_sync(work)


class Remote:
    """The providers of a run."""

    def __init__(
        self,
        accounts: Mapping[str, Account],
        *,
        client: Client,
        journal: Journal,
        history: History,
        chance: Callable[[], float],
        beside: Beside,
    ) -> None:
        """`chance` gives numbers from 0 to 1, to spread what would otherwise bunch.

        `beside` does what takes its time, such as looking at a clip, without holding up the rest.
        """
        self._history = history
        self._client = client
        self._journal = journal
        self._chance = chance
        self._beside = beside
        self._downloads = trio.CapacityLimiter(DOWNLOADS)
        self._eye = trio.CapacityLimiter(1)
        self._desks = {
            name: Desk(
                account=account,
                api=client.api(name, account.base_url, account.key, account.request_timeout),
            )
            for name, account in accounts.items()
        }

    @property
    def limits(self) -> dict[str, Limits]:
        """What each provider's limits did so far."""
        return {name: desk.limits for name, desk in self._desks.items()}

    # --- the one submit --------------------------------------------------------------------------------------

    async def request(self, take: Take, record: Record, media: Mapping[tuple[str, int], str], tell: Tell) -> Flight:
        """Have a take accepted: wait for its turn, send it once, and again only where a definite no came back.

        Raises:
            ProviderError: it was refused, or could not be sent; `InDoubt` where nobody knows.
            JournalError: the intent could not be written; nothing was sent.
        """
        desk = self._desks[take.provider]
        sending = _sending(take, media)
        began, attempt = trio.current_time(), 0
        while True:
            attempt += 1
            sent = await desk.turn(take.model)
            try:
                flight = await self._submit(desk, take, record, sending)
            except (Throttled, Unavailable) as error:
                wait = desk.pause(take.model, error, attempt, self._chance(), sent)
                if desk.gives_up(error, attempt, trio.current_time() + wait - began):
                    desk.unreachable = desk.unreachable or error.blame == "address"
                    if (error.retry_after or 0) > desk.account.deadline:
                        desk.close(error)
                    raise
                kind: Kind = "throttled" if isinstance(error, Throttled) else "retry"
                slowed = (
                    {"per_minute": round(desk.door(take.model).rate.per_minute, 2)} if kind == "throttled" else {}
                )
                tell(kind, take.slate, reason=error.reason, wait=round(wait, 3), call="submit", **slowed)
                await trio.sleep(wait)
                continue
            desk.unreachable = False
            desk.door(take.model).rate.taken()
            tell("submitted", take.slate, model=take.model, request_id=flight.request_id)
            return flight

    async def _submit(self, desk: Desk, take: Take, record: Record, sending: Sending) -> Flight:
        """Send a take, once. Nothing that happens outside can stop it between the intent and what came of it."""
        self._journal.intend(take.slate, record, output=take.output, base_url=desk.account.base_url)
        exchange = _Traced(desk.api, table(take.provider).trace_header)
        with trio.CancelScope(shield=True):
            try:
                request_id = await converse(adapter(take.provider).submit(sending), exchange)
            except InDoubt as error:
                found = await self._found(desk, take, sending)
                if found is None:
                    self._journal.note(take.slate, "in_doubt", reason=error.reason, blame=error.blame)
                    raise
                request_id = found
            except ProviderError as error:
                self._journal.note(take.slate, "refused", reason=error.reason, blame=error.blame)
                if isinstance(error, Refused) and error.blame in _CLOSING:
                    desk.close(error)
                raise
        return self._accepted(take.slate, request_id, exchange.trace_id)

    async def _found(self, desk: Desk, take: Take, sending: Sending) -> str | None:
        """The id of a request whose answer was lost, where the provider offers a way to prove that it has it."""
        find = getattr(adapter(take.provider), "find", None)
        if find is None:
            return None
        try:
            found: str | None = await converse(find(sending), desk.api.exchange)
        except ProviderError:
            return None
        return found

    def _accepted(self, slate: str, request_id: str, trace_id: str | None) -> Flight:
        try:
            return self._journal.note(slate, "accepted", request_id=request_id, trace_id=trace_id)
        except JournalError as error:
            told = JournalError(f"{error}; yet `{slate}` was accepted as `{request_id}`: keep this id")
            told.exit_code = 1  # 3 would say that nothing was submitted
            raise told from error

    # --- looking ---------------------------------------------------------------------------------------------

    async def watch(self, flight: Flight, tell: Tell, report: Report, *, at_once: bool = False) -> Progress:
        """Look at an accepted take until it has succeeded.

        Raises:
            ProviderError: it failed, it cannot be asked about, or it took too long, which leaves it to a later run.
        """
        with self._stopping(flight):
            return await self._watched(self._desk(flight), flight, tell, report, at_once=at_once)

    async def _watched(self, desk: Desk, flight: Flight, tell: Tell, report: Report, *, at_once: bool) -> Progress:
        began, missed = trio.current_time(), 0.0
        until = began + desk.account.deadline
        wait = 0.0 if at_once else self._next_look(desk, flight, 0.0)
        failures = 0
        while True:
            await trio.sleep_until(min(trio.current_time() + wait, until))
            is_last = trio.current_time() >= until
            if is_last and failures:
                raise desk.too_late()
            try:
                progress = await self._look(desk, flight)
            except (Throttled, Unavailable) as error:
                failures += 1
                wait = min(
                    desk.pause(flight.record.model or "", error, failures, self._chance()),
                    max(0.0, until - trio.current_time()),
                )
                tell("retry", flight.slate, reason=error.reason, wait=round(wait, 3), call="poll")
                continue
            failures = 0
            if progress.share is not None:
                report(round(progress.share * 100), 100)
            if self._has_arrived(desk, flight, progress, tell):
                if not at_once:
                    self._learn(flight, pacing.length(missed, trio.current_time() - began))
                return progress
            if is_last:
                raise desk.too_late()
            missed = trio.current_time() - began
            wait = self._next_look(desk, flight, None if at_once else missed)

    def _next_look(self, desk: Desk, flight: Flight, elapsed: float | None) -> float:
        """Seconds until the next look, by what is known of the model; None for a request of an earlier run."""
        if elapsed is None:
            return pacing.next_look(None, 0.0, desk.account.poll_interval, self._chance())
        provider, model = flight.record.provider or "", flight.record.model or ""
        listed = table(provider).models.get(model)
        known = self._history.lengths(provider, model).known(listed.typical if listed else ())
        return pacing.next_look(known, elapsed, desk.account.poll_interval, self._chance())

    def _learn(self, flight: Flight, seconds: float) -> None:
        """A clip took so long."""
        self._history.saw(flight.record.provider or "", flight.record.model or "", seconds)

    @contextmanager
    def _stopping(self, flight: Flight) -> Iterator[None]:
        """Where a take cannot be had in this run, note that nobody looks any more; a later run may."""
        try:
            yield
        except (ProviderError, MediaError) as error:
            if self._journal.flights[flight.slate].collectable:
                blame = getattr(error, "blame", None)
                self._journal.note(flight.slate, "expired", reason=str(error), blame=blame)
            raise

    def _desk(self, flight: Flight) -> Desk:
        """Where an accepted take can be asked for. Raises Refused where this run speaks to another address."""
        desk = self._desks[flight.record.provider or ""]
        if flight.base_url not in ("", desk.account.base_url):
            message = f"it was accepted at {flight.base_url}, and this run speaks to {desk.account.base_url}"
            raise Refused(message, blame="address")
        return desk

    async def _look(self, desk: Desk, flight: Flight) -> Progress:
        assert flight.record.provider is not None
        if table(flight.record.provider).limits.get("polls_count"):
            await desk.turn(flight.record.model or "")
        return await converse(adapter(flight.record.provider).poll(_ticket(flight)), desk.api.exchange)

    def _has_arrived(self, desk: Desk, flight: Flight, progress: Progress, tell: Tell) -> bool:
        """Note where a take stands. Raises ProviderError where it has come to nothing."""
        slate, phase = flight.slate, progress.phase
        if phase in ("failed", "cancelled"):
            reason = progress.reason or f"the provider says `{progress.word}` and no more"
            blame = progress.blame or "provider"
            self._journal.note(slate, phase, reason=reason, blame=blame)
            raise ProviderError(reason, blame=blame)
        if phase == "unknown":
            if progress.word not in desk.strange:
                desk.strange.add(progress.word)
                tell("state", slate, state="unknown", word=progress.word)
            return False
        if self._journal.flights[slate].move != phase:
            self._journal.note(slate, phase)
            tell("state", slate, state=phase)
        return phase == "succeeded"

    # --- fetching --------------------------------------------------------------------------------------------

    async def fetch(
        self,
        flight: Flight,
        progress: Progress,
        part: Path,
        look: Callable[[], None],
        tell: Tell,
        report: Report,
    ) -> None:
        """Fetch the clip of a take that has succeeded to a path, and have it looked at.

        What breaks is tried again; a link that has died is asked for again. Nothing of this is paid.

        Raises:
            ProviderError, MediaError: it cannot be had now, or what came is no clip; a later run may try again.
            OSError: it cannot be written.
        """
        with self._stopping(flight):
            await self._fetched(self._desk(flight), flight, progress, part, look, tell, report)

    async def _fetched(
        self,
        desk: Desk,
        flight: Flight,
        progress: Progress,
        part: Path,
        look: Callable[[], None],
        tell: Tell,
        report: Report,
    ) -> None:
        tries = renewals = 0
        while True:
            try:
                await self._fetch(desk, flight, progress, part, report)
                await self._looked_at(part, look)
            except Refused as error:
                renewals += 1
                if error.blame != "lost" or renewals > _RENEWALS:
                    raise
                progress = await self._renewed(desk, flight, progress)
                cause, wait = error.reason, 0.0
            except (Throttled, Unavailable, MediaError) as error:
                tries += 1
                if tries >= _FETCH_TRIES:
                    raise
                cause = str(error)
                wait = pacing.backoff(tries, self._chance())
            else:
                return
            tell("retry", flight.slate, reason=cause, wait=round(wait, 3), call="download")
            await trio.sleep(wait)

    async def _fetch(self, desk: Desk, flight: Flight, progress: Progress, part: Path, report: Report) -> None:
        """One try: find out where the clip is, and bring it here."""
        assert flight.record.provider is not None
        async with self._downloads:
            talk = adapter(flight.record.provider).result(_ticket(flight), progress)
            source: Source = await converse(talk, desk.api.exchange)
            if source.url is not None and source.url[:5].lower() != "data:":
                await self._followed(desk, source.url, part, source.size, report)
            else:
                data = source.data if source.url is None else download.decoded(source.url)
                download.store_bytes(data or b"", part, source.size)

    async def _followed(self, desk: Desk, url: str, part: Path, size: int | None, report: Report) -> None:
        host = download.host_of(desk.account.base_url)
        try:
            await download.fetch(self._client, url, part, own_host=host, size=size, report=report)
        except ValueError:  # what a parser says of an address; it may repeat it, so it is not passed on
            raise Unavailable("the link leads to an address that cannot be read") from None

    async def _looked_at(self, part: Path, look: Callable[[], None]) -> None:
        """Look at a clip, and have it on the disk, beside everything else: a large one takes its time.

        One at a time, so that two clips of the same bytes are not kept at once.
        """

        def work() -> None:
            look()
            with part.open("rb") as file:
                os.fsync(file.fileno())

        async with self._eye:
            await self._beside(work)

    async def _renewed(self, desk: Desk, flight: Flight, progress: Progress) -> Progress:
        """A new look at a take whose link has died: it may come with a new one."""
        try:
            found = await self._look(desk, flight)
        except (Throttled, Unavailable):
            return progress
        return found if found.phase == "succeeded" else progress


class _Traced:
    """Makes calls, and keeps the id that the provider gave to the last exchange."""

    def __init__(self, api: Api, header: str | None) -> None:
        self._api = api
        self._header = (header or "").lower()
        self.trace_id: str | None = None

    async def __call__(self, call: Call) -> Reply:
        reply = await self._api.exchange(call)
        self.trace_id = reply.headers.get(self._header) or None
        return reply


def _sending(take: Take, media: Mapping[tuple[str, int], str]) -> Sending:
    rules: Capability = table(take.provider).models[take.model].capabilities[take.mode]
    return Sending(
        provider=take.provider,
        model=take.model,
        mode=take.mode,
        request=take.request,
        rules=rules,
        seed=take.seed,
        media=media,
    )


def _ticket(flight: Flight) -> Ticket:
    assert flight.record.provider is not None
    assert flight.record.model is not None
    assert flight.request_id is not None
    return Ticket(provider=flight.record.provider, model=flight.record.model, request_id=flight.request_id)
