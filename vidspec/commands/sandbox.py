"""`vidspec sandbox`: local twins of the providers, until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import time
from json import dumps
from typing import TYPE_CHECKING

import trio

from vidspec.account import base_url_variable
from vidspec.sandbox import FaultPlan, open_sandbox
from vidspec.sandbox.clock import FastClock, parse_speed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vidspec.console import Console
    from vidspec.sandbox import Sandbox
    from vidspec.sandbox.exchange import Exchange


def run(
    *,
    providers: Sequence[str],
    port: int,
    speed: str,
    faults: Path | None,
    seed: int | None,
    json: bool,
    quiet: bool,
    console: Console,
) -> int:
    """Serve the twins of some providers (none named: of all), and say what happens. 0 when it is stopped.

    Without a `seed`, chance is another one each time, so that no task is taken for one of a sandbox before this.

    Raises:
        UsageError: there is no such provider, the speed is none, or the port cannot be had.
        ShotListError: the file of faults is wrong.
    """
    rate = parse_speed(speed)
    plan = FaultPlan.read(faults) if faults is not None else None
    drawn = secrets.randbelow(10**9) if seed is None else seed
    log = _Log(console, rate, drawn, json=json, quiet=quiet)

    async def main() -> None:
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with open_sandbox(
                providers or None, faults=plan, port=port, seed=drawn, epoch=int(time.time()), listener=log.request
            ) as sandbox:
                log.opened(sandbox)
                async for _ in signals:
                    return

    try:
        trio.run(main, clock=FastClock(rate) if rate != 1 else None)
    except ExceptionGroup as group:  # nurseries make one of even a single error
        raise group.exceptions[0] from group
    return 0


class _Log:
    """What is printed: where the twins are, and a line for each request."""

    def __init__(self, console: Console, rate: float, seed: int, *, json: bool, quiet: bool) -> None:
        self._console = console
        self._rate = rate
        self._seed = seed
        self._json = json
        self._quiet = quiet
        self._read = True

    def opened(self, sandbox: Sandbox) -> None:
        """Where it listens, and the variables that lead there."""
        variables = {base_url_variable(name): sandbox.base_url(name) for name in sandbox.places}
        if self._json:
            value = {"event": "listening", "base": sandbox.base, "env": variables, "seed": self._seed}
            self._print(dumps({"vidspec_json": 1, **value}))
            return
        faster = f", {self._rate:g} times as fast as the real thing" if self._rate != 1 else ""
        self._print(f"the sandbox is open at {self._console.paint(sandbox.base, 'bold')}{faster}; Ctrl-C closes it")
        for name, address in variables.items():
            self._print(f"  export {name}={address}")
        self._print("any key is good that does not begin with `bad`")
        self._print(f"`--seed {self._seed}` gives the same ids and chances again")

    def request(self, exchange: Exchange) -> None:
        """One request and what came of it."""
        if self._quiet and exchange.bug is None:
            return
        if self._json:
            self._print(dumps({"event": "request", **exchange.value()}, ensure_ascii=False))
        else:
            self._print(self._line(exchange))

    def _line(self, exchange: Exchange) -> str:
        status = "---" if exchange.status is None else str(exchange.status)
        hue = "green" if status.startswith(("2", "3")) else "red"
        words = [f"{exchange.time:8.1f} s", self._console.paint(status, hue), f"{exchange.verb} {exchange.path}"]
        words += [word for word in (exchange.call, exchange.task) if word]
        if exchange.fault:
            words.append(self._console.paint(f"fault: {exchange.fault}", "yellow"))
        words += [self._console.paint(f"changed in silence: {_visible(one)}", "yellow") for one in exchange.changed]
        if exchange.bug:
            words.append(self._console.paint(f"a bug of the sandbox: {exchange.bug.splitlines()[-1]}", "red"))
        return "  ".join(words)

    def _print(self, line: str) -> None:
        """Write a line at once. Whoever has stopped reading does not stop the twins."""
        if not self._read:
            return
        try:
            self._console.line(line)
            self._console.stream.flush()
        except BrokenPipeError:
            self._read = False


def _visible(text: str) -> str:
    """What came from a request, without codes that a terminal would obey."""
    return "".join(one if one.isprintable() else "�" for one in text)
