"""Opening a sandbox: its houses, its address, its server, all in one nursery and gone with it."""

from __future__ import annotations

import errno
import secrets
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from vidspec.diagnostic import listed, nearest_or
from vidspec.errors import UsageError
from vidspec.sandbox import openapi, page, view
from vidspec.sandbox.drill import Drill
from vidspec.sandbox.films import Films
from vidspec.sandbox.house import EPOCH, LocalHouse
from vidspec.sandbox.links import Links
from vidspec.sandbox.server import serve
from vidspec.sandbox.site import Place, Sandbox
from vidspec.sandbox.timing import LIMITS
from vidspec.sandbox.twins import TWINS, open_twin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from vidspec.sandbox.exchange import Exchange
    from vidspec.sandbox.fault_file import FaultPlan
    from vidspec.sandbox.timing import Limits
    from vidspec.sandbox.twin import House, Twin

__all__ = ["open_sandbox"]

HOST = "127.0.0.1"
PAGES = {"/": page.answer, "/state.json": view.answer, "/openapi.json": openapi.answer}


@asynccontextmanager
async def open_sandbox(
    providers: Iterable[str] | None = None,
    *,
    faults: FaultPlan | None = None,
    port: int = 0,
    seed: int = 0,
    epoch: int = EPOCH,
    limits: Mapping[str, Limits] | None = None,
    listener: Callable[[Exchange], None] | None = None,
    make: Callable[[str, House], Twin] = open_twin,
) -> AsyncIterator[Sandbox]:
    """Serve local twins of some providers (None: of all) on loopback, for as long as the block lasts.

    `port` 0 takes any free one. All times are the running trio clock's. With the same `seed`, the same requests
    have the same ids, times and faults; `epoch` is the Unix time at which it opens. `limits` stand in place
    of the usual ones. `listener` hears of every request. What fails inside comes out in an exception group.

    Raises:
        UsageError: there is no such provider, or the port cannot be had.
    """
    names = _known(TWINS if providers is None else providers)
    listeners = await _listen(port)
    base = f"http://{HOST}:{listeners[0].socket.getsockname()[1]}"
    started = trio.current_time()

    def now() -> float:
        return trio.current_time() - started

    def unix() -> float:
        return epoch + now()

    links = Links(base, secrets.token_bytes(32), unix)
    with tempfile.TemporaryDirectory(prefix="vidspec-sandbox-") as folder:
        async with trio.open_nursery() as nursery:
            films = Films(nursery, Path(folder))
            places = {}
            for name in names:
                house = LocalHouse(
                    name,
                    base=base,
                    clock=now,
                    films=films,
                    links=links,
                    limits=(limits or {}).get(name, LIMITS[name]),
                    seed=seed,
                    epoch=epoch,
                )
                places[name] = Place(make(name, house), house)
            drill = Drill(faults.faults if faults else (), seed)
            sandbox = Sandbox(base, places, drill=drill, file_links=links, now=now, pages=PAGES, listener=listener)
            nursery.start_soon(serve, listeners, sandbox, unix)
            yield sandbox
            nursery.cancel_scope.cancel()


def _known(names: Iterable[str]) -> list[str]:
    """The names, each once. Raises `UsageError` for one that is none."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in TWINS:
            raise UsageError(
                f"there is no twin of `{name}`\n    help: {nearest_or(name, TWINS, f'there are {listed(TWINS)}')}"
            )
    return wanted


async def _listen(port: int) -> list[trio.SocketListener]:
    """Listen on loopback. Raises `UsageError` where the port cannot be had."""
    try:
        return await trio.open_tcp_listeners(port, host=HOST)
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        reason = "it is in use" if busy else (error.strerror or str(error)).lower()
        raise UsageError(
            f"cannot listen on port {port}: {reason}\n    help: `--port 0` takes any that is free"
        ) from error
