"""Pictures as requests give them to the twins."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from vidspec.sandbox.fields import BadField
from vidspec.sandbox.pictures import Limits, given


def encoded(width: int = 40, height: int = 30, kind: str = "png", mode: str = "RGB") -> bytes:
    target = io.BytesIO()
    Image.new(mode, (width, height)).save(target, kind)
    return target.getvalue()


DATA = encoded()
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        pytest.param(f"data:image/png;base64,{TEXT}", "image/png", id="usual"),
        pytest.param(f"DATA:image/png;BASE64,{TEXT}", "image/png", id="capitals"),
        pytest.param(f"data:image/png;name=a.png;base64,{TEXT}", "image/png", id="a parameter between"),
        pytest.param(f"data:;base64,{TEXT}", "", id="no media type"),
    ],
)
def test_a_data_uri_is_decoded_and_looked_at(text: str, claimed: str) -> None:
    found = given(text, "image")
    assert (found.data, found.claimed, found.fault, found.ratio) == (DATA, claimed, "", 4 / 3)
    assert found.seen is not None
    assert (found.seen.format, found.seen.width, found.seen.height, found.seen.bytes) == ("png", 40, 30, len(DATA))
    assert list(found.remarks()) == []


@pytest.mark.parametrize(
    "text", ["https://a.example.net/b.png", "http://10.0.0.1:8/b?c=d", "HTTPS://[::1]/", "https://a"]
)
def test_an_address_is_taken_as_it_is(text: str) -> None:
    found = given(text, "image")
    assert (found.data, found.seen, found.fault, found.ratio) == (b"", None, "", None)
    assert list(found.remarks()) == ["`image` is an address: not fetched offline"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "it must be an http(s) address or a data URI", id="nothing"),
        pytest.param("a.png", "it must be an http(s) address or a data URI", id="a path"),
        pytest.param("ftp://a/b", "it must be an http(s) address or a data URI", id="another scheme"),
        pytest.param("https://", "it must be an http(s) address or a data URI", id="no host"),
        pytest.param("https://a/b c", "it must be an http(s) address or a data URI", id="a blank"),
        pytest.param(TEXT, "it must be an http(s) address or a data URI", id="bare base64"),
        pytest.param("data:image/png;base64", "a data URI must hold base64", id="no comma"),
        pytest.param("data:" + "x" * 300 + ";base64,", "a data URI must hold base64", id="a long head"),
        pytest.param("data:image/png,%89", "a data URI must hold base64", id="percent signs"),
        pytest.param("data:,base64", "a data URI must hold base64", id="no head"),
        pytest.param("data:image/png;base64,%%%", "it is not valid base64", id="other letters"),
        pytest.param("data:image/png;base64,AAA", "it is not valid base64", id="cut short"),
        pytest.param("data:image/png;base64,码", "it is not valid base64", id="another script"),
    ],
)
def test_anything_else_is_a_bad_field(text: str, problem: str) -> None:
    with pytest.raises(BadField) as caught:
        given(text, "image")
    assert (caught.value.field, caught.value.problem) == ("image", problem)


def test_bare_base64_is_taken_where_that_is_allowed() -> None:
    assert given(TEXT, "image", bare=True).data == DATA
    for text in ("", "a.png"):
        with pytest.raises(BadField):
            given(text, "image", bare=True)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(b"<html>", "`image` is not a picture that can be read", id="a page"),
        pytest.param(DATA[:-30], "`image` is cut short or damaged", id="a part"),
    ],
)
def test_bytes_that_cannot_be_read_have_a_fault(data: bytes, fault: str) -> None:
    found = given(f"data:image/png;base64,{base64.b64encode(data).decode()}", "image")
    assert (found.data, found.seen, found.fault) == (data, None, fault)
    assert Limits(formats=("png",), most_bytes=1, least_side=1).fault(found) == fault


@pytest.mark.parametrize(
    ("claimed", "kind", "remarked"), [("image/jpg", "jpeg", False), ("image/PNG", "png", False), ("x", "png", True)]
)
def test_a_media_type_is_compared_with_the_bytes(claimed: str, kind: str, remarked: bool) -> None:
    data = base64.b64encode(encoded(kind=kind)).decode()
    said = list(given(f"data:{claimed};base64,{data}", "image").remarks())
    assert said == ([f"`image` says `{claimed}` and is a {kind}: the bytes count"] if remarked else [])


LIMITS = Limits(
    formats=("png", "jpeg"), most_bytes=100_000, least_side=30, most_side=80, ratios=(0.5, 2.0), alpha=False
)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(encoded(30, 60), "", id="within all"),
        pytest.param(encoded(kind="gif"), "the format gif is not supported", id="format"),
        pytest.param(
            DATA + b"\0" * 100_000, f"{len(DATA) + 100_000} bytes are too many, the most is 100000", id="bytes"
        ),
        pytest.param(encoded(mode="RGBA"), "an alpha channel is not supported", id="alpha"),
        pytest.param(encoded(40, 29), "40x29 pixels are too small, the least side is 30", id="small"),
        pytest.param(encoded(81, 60), "81x60 pixels are too large, the longest side is 80", id="large"),
        pytest.param(encoded(61, 30), "61x30 pixels, the ratio must be from 0.5 to 2", id="wide"),
    ],
)
def test_limits_name_the_first_thing_that_is_wrong(data: bytes, fault: str) -> None:
    found = given(f"data:;base64,{base64.b64encode(data).decode()}", "image")
    assert LIMITS.fault(found) == fault


def test_what_nobody_has_looked_at_is_within_the_limits() -> None:
    assert LIMITS.fault(given("https://a.example.net", "image")) == ""
