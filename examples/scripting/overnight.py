"""Render several films one after the other, each within a price, and say in the morning how it went.

    python examples/scripting/overnight.py examples/quickstart/shots.yaml --usd 5

The same objects as the command line's: a list is loaded (and checked, whole), planned, and rendered under trio.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import trio

import vidspec


def by_scene(film: vidspec.Opened) -> None:
    """Print what each scene of a film would cost, and why its takes would be rendered."""
    scenes: dict[str, list[vidspec.Planned]] = {}
    for planned in vidspec.plan(film).work:
        scenes.setdefault(planned.take.scene or "no scene", []).append(planned)
    for scene, takes in scenes.items():
        known = sum(planned.cost.amount for planned in takes if planned.cost)
        print(f"  {scene}: {len(takes)} takes, {known:.2f} or more")
        for planned in takes:
            print(f"    {planned.slate} {planned.action}: {'; '.join(planned.reasons)}")


def said(event: vidspec.Event) -> None:
    """Print a line for every clip that has come, and for every take that has not."""
    if event.event in ("downloaded", "failed", "in_doubt"):
        print(f"  {event.time:7.1f} s  {event.event:<10}  {event.slate}")


async def overnight(lists: list[Path], usd: float) -> bool:
    """Render the lists; whether all went well."""
    well = True
    for path in lists:
        film = vidspec.load(path)
        print(path)
        by_scene(film)
        outcome = await vidspec.render(film, yes=True, max_cost={"usd": usd}, on_event=said)
        tally = outcome.tally
        print(f"  {len(tally.rendered)} rendered, {len(tally.failed)} failed, in {tally.seconds:.0f} s")
        well = well and not tally.wrong
        for slate, record in vidspec.read_lock(path).items():
            if record.output is not None:
                print(f"  {slate}  {film.shot_list.project / record.output.path}")
    return well


def main() -> int:
    """Read the command line, and render."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="+", type=Path)
    parser.add_argument("--usd", type=float, default=0.0, help="what one film may cost at the most")
    given = parser.parse_args()
    try:
        return 0 if trio.run(overnight, given.lists, given.usd) else 1
    except vidspec.VidspecError as error:
        print(error)
        return error.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
