"""A shared store in a bucket that speaks S3. The only module that knows the library for it.

Keys, region and endpoint are that library's affair: it reads them from the environment (`AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT` and others). What it says of a failure may name the endpoint
with all that stands in it, so none of its words are handed on.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from vidspec.errors import UsageError
from vidspec.shared.transfer import BLOCK, Altered, SharedError, appearing, object_name, poured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from obstore import BytesStream
    from obstore.store import ObjectStore, RetryConfig, S3Config

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_ENDPOINT_URL")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PREFIX = re.compile(r"[^\x00-\x20\x7f?#%\\/]+(/[^\x00-\x20\x7f?#%\\/]+)*|")
_SENDABLE = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
_YES = frozenset({"1", "true", "on", "yes", "y"})
_PARTS_AT_ONCE = 4
_PATIENCE = {"connect_timeout": "5s", "read_timeout": "60s", "timeout": "30m"}
"""The whole of a request may take long, as a clip may be large; a connection that stands still may not."""

_RETRIES: RetryConfig = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
_FAULTS = (BaseError, OSError, ValueError)


def open_bucket(address: str, environment: Mapping[str, str] = os.environ) -> BucketStore:
    """The store at `s3://BUCKET/PREFIX`. Nothing is sent yet.

    Raises:
        UsageError: the address, or what the environment says of the endpoint, cannot be used.
    """
    bucket, prefix = _parts(address)
    _look_at_endpoint(environment)
    try:
        store = S3Store(bucket, prefix=prefix or None, config=_patience(environment), retry_config=_RETRIES)
    except _FAULTS:
        raise UsageError("one of the `AWS_…` variables in the environment cannot be read") from None
    return BucketStore(store, f"s3://{bucket}/{prefix}".rstrip("/"))


def _patience(environment: Mapping[str, str]) -> S3Config:
    """Our own bounds, where the environment has none. As client options they would displace all that it says."""
    ours = {key: bound for key, bound in _PATIENCE.items() if f"AWS_{key.upper()}" not in environment}
    return cast("S3Config", ours)


def _parts(address: str) -> tuple[str, str]:
    """Bucket and prefix. Raises UsageError without quoting an address that may hold a key."""
    bucket, _, prefix = address.partition("://")[2].partition("/")
    prefix = prefix.strip("/")
    if "@" in bucket or "?" in address or "#" in address:
        help_line = "write `s3://BUCKET/PREFIX`; keys are read from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
        raise UsageError(
            f"the address of the shared store holds more than bucket and prefix\n    help: {help_line}"
        )
    dots = {".", ".."} & set(prefix.split("/"))
    if not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix) or dots:
        help_line = "write `s3://BUCKET/PREFIX`, without blanks and without `%`"
        raise UsageError(f"the address of the shared store is not one of a bucket\n    help: {help_line}")
    return bucket, prefix


def _look_at_endpoint(environment: Mapping[str, str]) -> None:
    """What the library would end on in a panic, or in words that say nothing, is said here. Raises UsageError."""
    for name in _ENDPOINTS:
        written = environment.get(name)
        if not written:
            continue
        try:
            parts = urlsplit(written)
            fit = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fit = False
        if not fit or not _SENDABLE.fullmatch(written):
            raise UsageError(f"`{name}` is no address\n    help: write one such as `https://s3.example.net`")
        if parts.scheme == "http" and environment.get("AWS_ALLOW_HTTP", "").lower() not in _YES:
            help_line = "use https; on a network that you trust, `AWS_ALLOW_HTTP=true`"
            raise UsageError(f"`{name}` is an http address, which sends clips in the clear\n    help: {help_line}")


class BucketStore:
    """The objects in a bucket, under a prefix."""

    def __init__(self, store: ObjectStore, name: str) -> None:
        """`name` is what messages call it: bucket and prefix, and nothing of how it is reached."""
        self.name = name
        self._store = store

    def has(self, digest: str) -> bool:
        """Whether the bytes are there. Raises SharedError where nobody can tell."""
        name = object_name(digest)
        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        except _FAULTS as error:
            raise self._fault("cannot look into", error) from None
        return True

    def bring(self, digest: str, target: Path) -> bool:
        """Put the bytes at a path, whole; False where they are not there.

        Raises:
            Altered: they are not those of the digest.
            SharedError: they cannot be had.
            OSError: the path cannot be written.
        """
        name = object_name(digest)
        try:
            stream = obstore.get(self._store, name).stream(min_chunk_size=BLOCK)
        except FileNotFoundError:
            return False
        except _FAULTS as error:
            raise self._fault("cannot read from", error) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        with appearing(target) as file:
            if poured(self._blocks(stream), file) != digest:
                raise Altered(
                    f"the bytes of {digest} in the shared store `{self.name}` have been changed\n"
                    f"    help: take `{name}` away there, and push them again from where they are"
                )
        return True

    def keep(self, path: Path, digest: str) -> bool:
        """Keep the bytes of a file; False where they are there already.

        Raises:
            Altered: the file's bytes are not those of the digest; nothing was kept.
            SharedError: the store cannot be written.
            OSError: the file cannot be opened.
        """
        if self.has(digest):
            return False
        with _Watched(path, digest) as file:
            try:
                obstore.put(self._store, object_name(digest), file, max_concurrency=_PARTS_AT_ONCE)
            except FileNotFoundError:
                raise SharedError(f"there is no bucket for the shared store `{self.name}`") from None
            except _FAULTS as error:
                if file.is_altered:
                    raise Altered(f"`{path.name}` does not hold the bytes of {digest}") from None
                raise self._fault("cannot write to", error) from None
        return True

    def _blocks(self, stream: BytesStream) -> Iterator[bytes]:
        try:
            yield from map(bytes, stream)
        except _FAULTS as error:
            raise self._fault("cannot read from", error) from None

    def _fault(self, failing: str, error: Exception) -> SharedError:
        return SharedError(f"{failing} the shared store `{self.name}`: {_reason(error)}")


class _Watched(io.BufferedReader):
    """A file that is read once, and fails at its end where its bytes were not those of the digest.

    The upload then fails with it, before anything appears in the bucket.
    """

    def __init__(self, path: Path, digest: str) -> None:
        super().__init__(io.FileIO(path))
        self._digest = digest
        self._seen = hashlib.sha256()
        self.is_altered = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, as of any file. Raises ValueError at the end of a file that was altered."""
        block = super().read(size)
        self._seen.update(block)
        if not block and f"sha256:{self._seen.hexdigest()}" != self._digest:
            self.is_altered = True
            raise ValueError("not the bytes of the digest")
        return block


def _reason(error: Exception) -> str:
    """Why something failed, in words of our own."""
    said = str(error)
    if "169.254." in said or "InstanceCredential" in said:
        return "no key for it was found in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "it refuses the key, or what the key is to do"
    if "redirect" in said:
        return "it points elsewhere; `AWS_REGION` may name another region than the bucket's"
    if status := re.search(r"non-2xx status code: (\d{3})", said):
        return f"it answers with {status[1]}"
    return _KINDS.get((re.search(r"kind: (Connect|Timeout|Interrupted|Decode),", said) or ["", ""])[1], _UNKNOWN)


_KINDS = {
    "Connect": "it cannot be reached",
    "Timeout": "it does not answer in time",
    "Interrupted": "the connection broke off",
    "Decode": "the connection broke off",
}
_UNKNOWN = "it cannot be reached, or answers with what nobody can read"
