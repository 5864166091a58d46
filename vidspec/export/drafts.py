"""Drafts by their own lockfile: what drawing them would do, and which show another thing than the list says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidspec.errors import LockError
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import ProjectDisk, read_lock
from vidspec.site import Site

if TYPE_CHECKING:
    from vidspec.lock import Lock
    from vidspec.planned import Plan
    from vidspec.project import Opened

__all__ = ["outdated", "planned"]


def outdated(opened: Opened) -> frozenset[str]:
    """The slates of the drafts of a list that were drawn from other settings than it has now.

    A draft that no lockfile of drafts knows, or that of a take that is gone, is not among them: nobody can tell.
    """
    try:
        lock = read_lock(Site.drafts(opened.shot_list.path).lock)
        if not len(lock):
            return frozenset()
        found = planned(opened, lock)
    except LockError:  # drafts are drawn again for nothing
        return frozenset()
    return frozenset(one.slate for one in found.takes if one.state == "stale")


def planned(opened: Opened, lock: Lock) -> Plan:
    """What drawing the drafts of a list would do, by their lockfile. Raises LockError."""
    site = Site.drafts(opened.shot_list.path)
    takes = [replace(take, output=f"{site.outputs}/{take.slate}.mp4") for take in opened.takes]
    disk = ProjectDisk(opened.shot_list.project, site.folder)
    return plan(takes, lock, disk, opened.skipped, Afloat(dependants=True))
