"""Films as code: a YAML shot list, checked before a cent is spent, rendered at most once.

The rooms, from the roof to the ground: a module imports only from rows below its own, and `tests/test_layers.py`
sees to it. The modules of a package are one room::

    cli                                                   the command line
    commands api                                          one command, one module; the same from Python
    watch choosing                                        a list while it is written, a take while it is chosen
    production                                            what is asked of a run, and what the engine is given
    conduct rehearsal report                              a run from its first signal to its last; the page of it
    summary                                               the last words of a run
    clearance portion frozen recorded export              what must be in order before anything is sent; the edit
    engine project sandbox                                a run, a list opened for a command, the twins
    run                                                   what a run is given
    remote landing drawer graph_text                                 a take at its provider, a clip at its place
    download ingredients desk divergence_text plan_markdown chains reproducible
    studio ledger hold progress crash plan_table http journal site history deposit merge_driver runlog
    resolve selection folder catalogue lanes shared inspection join resending
    animatic planning drafting store divergence acceptance miniature  clips, and what would be done for them
    continuity
    planned merge
    budget unfold check inputs account outputs trust state difference delivered reconcile
    locktext stills scope shotlist phrases contrast       the languages that we read and write
    shape schema prompt providers console media picture lockscan
    lockform
    shot lock                                             values
    document take schedule events wire pacing
    capability errors fingerprint graph syntax scalar waves
    diagnostic                                            what can be wrong
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidspec.api import load, plan, read_lock, render, validate
    from vidspec.diagnostic import Diagnostic
    from vidspec.errors import VidspecError
    from vidspec.events import Event, Outcome, Tally
    from vidspec.lock import Cost, Lock, Output, Record
    from vidspec.planned import Plan, Planned
    from vidspec.project import Opened
    from vidspec.take import Take

__all__ = [
    "Cost",
    "Diagnostic",
    "Event",
    "Lock",
    "Opened",
    "Outcome",
    "Output",
    "Plan",
    "Planned",
    "Record",
    "Take",
    "Tally",
    "VidspecError",
    "__version__",
    "load",
    "plan",
    "read_lock",
    "render",
    "validate",
]

__version__ = "0.1.0"

_ROOMS = {
    "api": ("load", "plan", "read_lock", "render", "validate"),
    "diagnostic": ("Diagnostic",),
    "errors": ("VidspecError",),
    "events": ("Event", "Outcome", "Tally"),
    "lock": ("Cost", "Lock", "Output", "Record"),
    "planned": ("Plan", "Planned"),
    "project": ("Opened",),
    "take": ("Take",),
}
"""The module of each public name, which is imported when the name is first asked for."""


def __getattr__(name: str) -> Any:
    """A public name, looked up when it is asked for: the command line imports none of them."""
    room = next((room for room, names in _ROOMS.items() if name in names), None)
    if room is None:
        raise AttributeError(f"module `vidspec` has no attribute `{name}`")
    return getattr(import_module(f"vidspec.{room}"), name)


def __dir__() -> list[str]:
    """What is there: the public names too, whether or not they were asked for."""
    return sorted({*globals(), *__all__})
