"""How long `vidspec --help` takes, against a bare import of click: `python tests/benchmarks/start_up.py [VIDSPEC]`.

VIDSPEC is the path of the executable to measure; that of an installed wheel tells most. Without it the one beside
this interpreter is taken. Run by hand; nothing is asserted. The target is a ratio of 1.3 at most.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

RUNS = 15


def milliseconds(commands: list[list[str]]) -> list[float]:
    """The median of each command, taken in turns so that a busy moment hits all of them."""
    times: list[list[float]] = [[] for _ in commands]
    for number in range(RUNS + 1):
        for index, command in enumerate(commands):
            begin = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if number:  # the first round compiles and warms the disk
                times[index].append((perf_counter() - begin) * 1000)
    return [median(one) for one in times]


def main() -> None:
    """Measure and print."""
    vidspec = Path(sys.argv[1] if len(sys.argv) > 1 else Path(sys.executable).parent / "vidspec")
    python = vidspec.parent / "python"
    interpreter = str(python if python.exists() else sys.executable)
    commands = [[interpreter, "-c", "import click"], [str(vidspec), "--help"], [str(vidspec), "--version"]]
    click, *ours = milliseconds(commands)
    print(f"{'import click':14} {click:6.1f} ms")
    for (_, flag), taken in zip(commands[1:], ours, strict=True):
        print(f"{f'vidspec {flag}':17} {taken:6.1f} ms   {taken / click:.2f} (target 1.30)")


if __name__ == "__main__":
    main()
