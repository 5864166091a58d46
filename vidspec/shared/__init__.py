"""A store that several machines share: clips and pictures by their digest, in a folder or in a bucket.

Whoever runs a command names it (`--store`, or the environment variable `VIDSPEC_STORE`), never a shot list: to open
someone's project must fetch nothing from, and send nothing to, a place that its author has chosen. Its bytes are
held against their digest whenever they are brought, so that nobody who writes to it can slip in others.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from vidspec.diagnostic import shown
from vidspec.errors import UsageError
from vidspec.shared.transfer import Altered, SharedError, is_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidspec.store import Store

__all__ = ["AT_ONCE", "Altered", "Shared", "SharedError", "fetch_missing", "is_digest", "open_shared"]

AT_ONCE = 4
"""Objects that are brought or kept at the same time."""

_FORMS = "name a folder by its absolute path, or a bucket as `s3://BUCKET/PREFIX`"


class Shared(Protocol):
    """What a shared store can do. Every method blocks, and may be called from several threads at once."""

    name: str
    """What messages call it; never with a key in it."""

    def has(self, digest: str) -> bool:
        """Whether the bytes are there. Raises SharedError where nobody can tell."""

    def bring(self, digest: str, target: Path) -> bool:
        """Put the bytes at a path, whole; False where they are not there.

        Raises:
            Altered: they are no longer those of the digest.
            SharedError: they cannot be had.
            OSError: the path cannot be written.
        """

    def keep(self, path: Path, digest: str) -> bool:
        """Keep the bytes of a file; False where they are there already.

        Raises:
            Altered: the file's bytes are not those of the digest; nothing was kept.
            SharedError: the store cannot be written.
            OSError: the file cannot be opened.
        """


def open_shared(name: str) -> Shared:
    """The store of a name: a folder (an absolute path, `~`, a `file:` address), or `s3://BUCKET/PREFIX`.

    Raises:
        UsageError: it is none of these, there is no such folder, or what a bucket needs is not installed.
        SharedError: the folder cannot be looked into.
    """
    scheme, colon, _ = name.partition("://")
    if not colon:
        return _folder(name)
    if scheme.lower() == "file":
        return _folder(_path_of(name))
    if scheme.lower() != "s3":
        raise UsageError(f"{shown(f'{scheme}:')} is no kind of shared store\n    help: {_FORMS}")
    try:
        from vidspec.shared.bucket import open_bucket
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        help_line = "`pip install 'vidspec[s3]'`"
        raise UsageError(f"a shared store in a bucket needs an extra\n    help: {help_line}") from None
    return open_bucket(name)


def _folder(name: str) -> Shared:
    from vidspec.shared.folder import FolderStore

    try:
        root = Path(name).expanduser()
    except RuntimeError:
        root = Path(name)
    if not root.is_absolute() or "\0" in name:
        raise UsageError(f"{shown(name)} is no absolute path of a folder\n    help: {_FORMS}")
    return FolderStore(root)


def _path_of(address: str) -> str:
    """The path in a `file:` address. Raises UsageError for one of another machine."""
    host, slash, path = address.partition("://")[2].partition("/")
    if host not in ("", "localhost") or "?" in path or "#" in path:
        raise UsageError(f"{shown(address)} names no folder of this machine\n    help: write `file:///path`")
    return unquote(f"{slash}{path}")


def fetch_missing(store: Store, shared: Shared, digests: Iterable[str]) -> list[str]:
    """Bring what is not in a project's store and is in the shared one; return what was brought, in that order.

    What is no digest is passed over. Where bytes in the shared store have been changed, all others are brought
    before that is said.

    Raises:
        SharedError: the shared store cannot be read, or holds changed bytes.
        OSError: the project's store cannot be written.
    """
    wanted = [one for one in dict.fromkeys(digests) if is_digest(one) and not store.holds(one)]
    brought: list[str] = []
    altered: Altered | None = None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [(one, pool.submit(shared.bring, one, store.place(one))) for one in wanted]
        try:
            for digest, bringing in waiting:
                try:
                    brought += [digest] if bringing.result() else []
                except Altered as error:
                    altered = altered or error
        finally:
            for _, bringing in waiting:
                bringing.cancel()
    if altered is not None:
        raise altered
    return brought
