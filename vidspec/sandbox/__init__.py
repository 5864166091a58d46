"""Local twins of the providers: servers on loopback that behave as the real ones do, silent traps included.

Written from the providers' documents, and never from our own adapters or tables. From the ground up: `twin` is what
a twin is, and each provider's module one. `timing films links house` are what a twin lives in. `faults fault_file
drill delivery` have things go wrong. `files site view page openapi` answer, `server` carries the answers over
sockets, and `opened` opens it all. `clock` is for runs that are not to take as long as the real thing.
"""

from __future__ import annotations

from vidspec.sandbox.fault_file import FaultPlan
from vidspec.sandbox.opened import open_sandbox
from vidspec.sandbox.site import Sandbox

__all__ = ["FaultPlan", "Sandbox", "open_sandbox"]
