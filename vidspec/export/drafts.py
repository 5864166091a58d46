"""Which drafts show another thing than the list says now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vidspec.errors import LockError
from vidspec.planned import Afloat
from vidspec.planning import plan
from vidspec.project import ProjectDisk, read_lock
from vidspec.site import Site

if TYPE_CHECKING:
    from vidspec.project import Opened

__all__ = ["outdated"]


def outdated(opened: Opened) -> frozenset[str]:
    """The slates of the drafts of a list that were drawn from other settings than it has now.

    A draft that no lockfile of drafts knows, or that of a take that is gone, is not among them: nobody can tell.
    """
    site = Site.drafts(opened.shot_list.path)
    try:
        lock = read_lock(site.lock)
        if not len(lock):
            return frozenset()
        takes = [replace(take, output=f"{site.outputs}/{take.slate}.mp4") for take in opened.takes]
        disk = ProjectDisk(opened.shot_list.project, site.folder)
        found = plan(takes, lock, disk, opened.skipped, Afloat(dependants=True))
    except LockError:  # drafts are drawn again for nothing
        return frozenset()
    return frozenset(one.slate for one in found.takes if one.state == "stale")
