"""Requests, taken apart."""

from __future__ import annotations

import pytest

from vidspec.sandbox.incoming import Headers, Incoming, model_named


def incoming(target: str) -> Incoming:
    return Incoming(verb="GET", target=target, headers=Headers())


@pytest.mark.parametrize(
    ("target", "path", "segments"),
    [
        ("/", "/", ("",)),
        ("/a/b?c=d", "/a/b", ("a", "b")),
        ("/a%2Fb/%E4%BD%A0", "/a%2Fb/%E4%BD%A0", ("a/b", "你")),
        ("/a//b/", "/a//b/", ("a", "", "b", "")),
        ("/%ff%zz", "/%ff%zz", ("\ufffd%zz",)),
        ("http://host:1/a/b?c", "/a/b", ("a", "b")),
        ("http://host", "/", ("",)),
        ("*", "*", ("*",)),
        ("host:443", "host:443", ("host:443",)),
        ("/a?b=http://c", "/a", ("a",)),
        ("/a://b", "/a://b", ("a:", "", "b")),
        ("", "", ("",)),
    ],
)
def test_a_target_is_a_path_of_decoded_segments(target: str, path: str, segments: tuple[str, ...]) -> None:
    assert (incoming(target).path, incoming(target).segments) == (path, segments)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("a=1&b=%E4%BD%A0+c", {"a": "1", "b": "你 c"}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        ("", {}),
        ("&&=&a=b=c", {"": "", "a": "b=c"}),
        ("a=%ff", {"a": "\ufffd"}),
    ],
)
def test_a_query_is_decoded_and_the_last_word_counts(query: str, wanted: dict[str, str]) -> None:
    assert incoming(f"/a?{query}").query == wanted


def test_headers_are_found_whatever_their_case_and_joined_where_they_are_repeated() -> None:
    headers = Headers([("Accept", "a"), ("X-Trace", "1"), ("accept", "b")])
    assert headers["ACCEPT"] == "a, b"
    assert "x-trace" in headers
    assert "X-TRACE" in headers
    assert headers.get("authorization") is None
    assert dict(headers) == {"accept": "a, b", "x-trace": "1"}


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (b'{"model": "a"}', "a"),
        (b'{"model": 5}', None),
        (b'["model"]', None),
        (b"{}", None),
        (b"", None),
        (b"\xff", None),
        (b"[" * 200_000, None),
    ],
    ids=lambda value: str(value)[:16],
)
def test_the_model_of_a_body_is_found_in_whatever_comes(body: bytes, model: str | None) -> None:
    assert model_named(body) == model
