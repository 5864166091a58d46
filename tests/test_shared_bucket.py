"""A shared store in a bucket: the library's own stores, and S3 over real sockets, with what goes wrong there."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from obstore.store import LocalStore, MemoryStore

from vidspec.errors import UsageError
from vidspec.shared import Altered, Shared, SharedError, fetch_missing, open_shared
from vidspec.shared.bucket import BucketStore
from vidspec.shared.transfer import object_name
from vidspec.store import Store

if TYPE_CHECKING:
    from pathlib import Path

Clip = Callable[[int], bytes]

PART = 5 * 2**20
SECRETS = ("hunter2", "AKIAEXAMPLE", "s3cr3t", "127.0.0.1", "signature")


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


# --- a bucket ------------------------------------------------------------------------------------------------


class Bucket(ThreadingHTTPServer):
    """One bucket, `clips`, that speaks as much of S3 as a store needs: whole objects, and uploads in parts.

    `fault` is what the next requests of a verb come to: a status, or `cut` for a body that breaks off.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.seen: list[str] = []
        self.fault: dict[str, int | str] = {}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has hung up is what some tests are about."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Bucket

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def _key(self) -> str | None:
        """The object that is asked for; None for one of another bucket."""
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        self.server.seen.append(f"{self.command} {key}")
        return key if bucket == "clips" else None

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _fails(self) -> bool:
        fault = self.server.fault.get(self.command)
        if isinstance(fault, int):
            words = f"<Error><Code>No</Code><Message>key AKIAEXAMPLE at {self.server.address}</Message></Error>"
            self._answer(fault, words.encode())
        return isinstance(fault, int)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        key = self._key()
        if self._fails():
            return
        data = None if key is None else self.server.objects.get(key)
        if data is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        about = {"ETag": '"1"', "Last_Modified": "Fri, 20 Nov 2026 10:00:00 GMT"}
        if self.server.fault.get(self.command) == "cut":
            self._cut(data, about)
            return
        if self.command == "HEAD":
            about["Content_Length"] = str(len(data))
        self._answer(200, data, **about)

    def _cut(self, data: bytes, about: dict[str, str]) -> None:
        """Send half of what is asked for, and hang up."""
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked:
            about["Content_Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.send_response(206 if asked else 200)
        for name, value in {"Content-Length": str(len(data) - start), **about}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data[start : (start + len(data)) // 2])
        self.close_connection = True

    def do_PUT(self) -> None:
        key, body = self._key(), self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self._fails():
            return
        if key is None:
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif upload := self._query().get("uploadId"):
            self.server.uploads[upload[0]][int(self._query()["partNumber"][0])] = body
            self._answer(200, ETag='"1"')
        else:
            self.server.objects[key] = body
            self._answer(200, ETag='"1"')

    def do_POST(self) -> None:
        key = self._key()
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self._fails():
            return
        assert key is not None
        if upload := self._query().get("uploadId"):
            parts = self.server.uploads.pop(upload[0])
            self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self._answer(200, b'<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>')
        else:
            name = str(len(self.server.seen))
            self.server.uploads[name] = {}
            root = "InitiateMultipartUploadResult"
            self._answer(200, f"<{root}><UploadId>{name}</UploadId></{root}>".encode())

    def do_DELETE(self) -> None:
        self._key()
        self.server.uploads.pop(self._query()["uploadId"][0])
        self._answer(204)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """The bucket, and an environment that leads to it."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with Bucket() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT", server.address)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def given(tmp_path: Path, clip: Clip) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip(1))
    return path


# --- every kind ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "local", "s3"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Shared:
    """The same store over the library's own kinds, and over a socket."""
    if request.param == "memory":
        return BucketStore(MemoryStore(), "memory")
    if request.param == "local":
        return BucketStore(LocalStore(prefix=tmp_path / "local", mkdir=True), "local")
    request.getfixturevalue("bucket")
    return open_shared("s3://clips/night/ferry/")


def test_bytes_are_kept_by_their_digest_and_brought_back(
    shared: Shared, given: Path, clip: Clip, tmp_path: Path
) -> None:
    name, target = digest(clip(1)), tmp_path / "film/back.mp4"
    assert not shared.has(name)
    assert not shared.bring(name, target)
    assert not target.parent.exists()
    assert shared.keep(given, name)
    assert not shared.keep(given, name)
    assert shared.has(name)
    assert shared.bring(name, target)
    assert target.read_bytes() == clip(1)
    assert files(target.parent) == ["back.mp4"]


@pytest.mark.parametrize("size", [0, PART, 2 * PART + 7], ids=["empty", "one-part", "three-parts"])
def test_a_file_of_any_size_is_kept(shared: Shared, tmp_path: Path, size: int) -> None:
    data, path = os.urandom(size), tmp_path / "a.mp4"
    path.write_bytes(data)
    assert shared.keep(path, digest(data))
    assert shared.bring(digest(data), tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == data


@pytest.mark.parametrize("size", [0, 10, PART, 2 * PART + 7], ids=["empty", "small", "one-part", "three-parts"])
def test_a_file_with_other_bytes_is_not_kept(shared: Shared, tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(size))
    other = digest(b"what was recorded")
    with pytest.raises(Altered, match=r"^`a.mp4` does not hold the bytes of sha256:"):
        shared.keep(path, other)
    assert not shared.has(other)


def test_a_file_that_is_gone_is_not_blamed_on_the_store(shared: Shared, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"a\.mp4"):
        shared.keep(tmp_path / "a.mp4", digest(b""))


def test_a_project_brings_in_what_others_have_kept(shared: Shared, tmp_path: Path, clip: Clip) -> None:
    for number in range(6):
        (tmp_path / f"{number}.mp4").write_bytes(clip(number))
        shared.keep(tmp_path / f"{number}.mp4", digest(clip(number)))
    digests = [digest(clip(number)) for number in range(6)]
    store = Store(tmp_path / "film")
    assert fetch_missing(store, shared, [*digests, digest(b"nowhere")]) == digests
    assert all(store.place(one).read_bytes() == clip(number) for number, one in enumerate(digests))


# --- over a socket ------------------------------------------------------------------------------------------


def test_objects_stand_under_the_prefix_as_in_a_project(bucket: Bucket, given: Path, clip: Clip) -> None:
    name = object_name(digest(clip(1)))
    for address, key in (
        ("s3://clips", name),
        ("s3://clips/", name),
        ("S3://clips/night/ferry", f"night/ferry/{name}"),
        ("s3://clips/夜/", f"夜/{name}"),
    ):
        opened = open_shared(address)
        assert opened.name == f"s3://{address[5:].rstrip('/')}"
        assert opened.keep(given, digest(clip(1)))
        assert bucket.objects.pop(key) == clip(1)


def test_an_upload_in_parts_that_fails_leaves_nothing_behind(bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(2 * PART + 7))
    with pytest.raises(Altered):
        open_shared("s3://clips").keep(path, digest(b"other"))
    assert bucket.objects == {}
    assert bucket.uploads == {}


def test_changed_bytes_in_the_bucket_are_not_brought(bucket: Bucket, tmp_path: Path, clip: Clip) -> None:
    name = digest(clip(1))
    bucket.objects[f"x/{object_name(name)}"] = clip(2)
    with pytest.raises(Altered, match="in the shared store `s3://clips/x` have been changed") as raised:
        open_shared("s3://clips/x").bring(name, tmp_path / "film/back.mp4")
    assert f"take `{object_name(name)}` away" in str(raised.value)
    assert files(tmp_path / "film") == []


def attempt(what: str, shared: Shared, path: Path, name: str) -> None:
    if what == "has":
        shared.has(name)
    elif what == "bring":
        shared.bring(name, path.with_name("back.mp4"))
    else:
        shared.keep(path, name)


@pytest.mark.parametrize(
    ("what", "fault", "message"),
    [
        ("has", {"HEAD": 403}, "cannot look into the shared store `s3://clips/x`: it refuses the key"),
        ("has", {"HEAD": 401}, "cannot look into the shared store `s3://clips/x`: it refuses the key"),
        ("has", {"HEAD": 400}, "cannot look into the shared store `s3://clips/x`: it answers with 400"),
        ("bring", {"GET": 403}, "cannot read from the shared store `s3://clips/x`: it refuses the key"),
        ("keep", {"PUT": 403}, "cannot write to the shared store `s3://clips/x`: it refuses the key"),
        ("keep", {"PUT": 404}, "there is no bucket for the shared store `s3://clips/x`"),
        ("keep", {"PUT": 301}, "cannot write to the shared store `s3://clips/x`: it points elsewhere"),
    ],
    ids=["no-look", "no-key", "bad-request", "no-read", "no-write", "no-bucket", "other-region"],
)
def test_a_refusal_is_said_in_our_own_words(
    bucket: Bucket, given: Path, clip: Clip, what: str, fault: dict[str, int | str], message: str
) -> None:
    bucket.fault = fault
    with pytest.raises(SharedError) as raised:
        attempt(what, open_shared("s3://clips/x"), given, digest(clip(1)))
    assert str(raised.value).startswith(message)
    assert not any(secret in str(raised.value) for secret in SECRETS)
    assert raised.value.__cause__ is None
    assert bucket.objects == {}
    assert files(given.parent) == ["clip.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "fault", "message"),
    [
        ("has", {"HEAD": 503}, "it answers with 503"),
        ("keep", {"PUT": 500}, "it answers with 500"),
        ("bring", {"GET": "cut"}, "the connection broke off"),
    ],
)
def test_what_does_not_pass_is_said_after_a_few_attempts(
    bucket: Bucket, given: Path, clip: Clip, what: str, fault: dict[str, int | str], message: str
) -> None:
    bucket.objects[f"x/{object_name(digest(clip(1)))}"] = clip(1)
    if what == "keep":
        bucket.objects.clear()
    bucket.fault = fault
    with pytest.raises(SharedError, match=message):
        attempt(what, open_shared("s3://clips/x"), given, digest(clip(1)))
    verb = next(iter(fault))
    assert 2 <= sum(seen.startswith(verb) for seen in bucket.seen) <= 5
    assert files(given.parent) == ["clip.mp4"]


@pytest.mark.slow
def test_an_endpoint_that_nobody_answers_at_is_named_by_nothing_that_stands_in_it(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = bucket.server_address[1]
    bucket.server_close()
    monkeypatch.setenv("AWS_ENDPOINT", f"http://AKIAEXAMPLE:hunter2@127.0.0.1:{port}?signature=s3cr3t")
    with pytest.raises(SharedError) as raised:
        open_shared("s3://clips/x").has(digest(b""))
    assert str(raised.value) == "cannot look into the shared store `s3://clips/x`: it cannot be reached"


@pytest.mark.slow
def test_the_bounds_of_the_environment_go_before_our_own(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(Answers, "_fails", lambda _: release.wait(20))
    monkeypatch.setenv("AWS_READ_TIMEOUT", "100ms")
    with pytest.raises(SharedError, match="it does not answer in time"):
        open_shared("s3://clips").has(digest(b""))
    release.set()


def test_a_key_of_the_environment_signs_what_is_sent(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, given: Path, clip: Clip
) -> None:
    signed: list[str] = []
    monkeypatch.setattr(Answers, "_fails", lambda self: signed.append(self.headers["Authorization"]))
    monkeypatch.delenv("AWS_SKIP_SIGNATURE")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    assert open_shared("s3://clips").keep(given, digest(clip(1)))
    assert all(re.match("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/", one) for one in signed)
    assert len(signed) == 2


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://AKIAEXAMPLE:hunter2@clips/x", "holds more than bucket and prefix"),
        ("s3://clips/x?signature=s3cr3t", "holds more than bucket and prefix"),
        ("s3://clips/x#s3cr3t", "holds more than bucket and prefix"),
        ("s3://", "is not one of a bucket"),
        ("s3:///x", "is not one of a bucket"),
        ("s3://clips:9000/x", "is not one of a bucket"),
        ("s3://clips/a b", "is not one of a bucket"),
        ("s3://clips/a//b", "is not one of a bucket"),
        ("s3://clips/../b", "is not one of a bucket"),
        ("s3://clips/%2e%2e", "is not one of a bucket"),
        ("s3://clips/a\nb", "is not one of a bucket"),
    ],
)
def test_an_address_that_is_more_or_less_than_bucket_and_prefix_is_refused_unseen(
    address: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        open_shared(address)
    assert not any(secret in str(raised.value) for secret in SECRETS)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("hunter2", "is no address"),
        ("https://", "is no address"),
        ("https://exa mple.net/hunter2", "is no address"),
        ("https://[::1", "is no address"),
        ("https://example.net:hunter2", "is no address"),
        ('https://example.net/"', "is no address"),
        ("ftp://hunter2.example.net", "is no address"),
        ("http://hunter2.example.net", "is an http address, which sends clips in the clear"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str, message: str
) -> None:
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    monkeypatch.setenv(name, written)
    with pytest.raises(UsageError, match=f"^`{name}` {message}") as raised:
        open_shared("s3://clips")
    assert "hunter2" not in str(raised.value)


def test_another_variable_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CHECKSUM_ALGORITHM", "s3cr3t")
    with pytest.raises(
        UsageError, match="one of the `AWS_…` variables in the environment cannot be read"
    ) as raised:
        open_shared("s3://clips")
    assert "s3cr3t" not in str(raised.value)
