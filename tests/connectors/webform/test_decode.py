"""Bodies of any origin: read, or refused with a reason, and never anything else."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webform.parse.decode import NOT_TEXT, TooLarge, Unreadable, Unsupported, decode

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xyz"


def multipart(*parts: tuple[str, bytes], end: bytes = b"--xyz--\r\n") -> bytes:
    return (
        b"".join(
            b"--xyz\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n" for headers, content in parts
        )
        + end
    )


def text_part(name: str, content: bytes) -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', content


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b'{"a":"x","b":["y","z"],"c":[]}', {"a": ["x"], "b": ["y", "z"]}),
        (b'{"a[]":["x"]}', {"a": ["x"]}),
        (b'\xef\xbb\xbf{"a":"x"}', {"a": ["x"]}),
        (
            b'{"a":true,"b":false,"c":null,"d":1,"e":-1.50e3}',
            {"a": ["true"], "b": [""], "c": [""], "d": ["1"], "e": ["-1.50e3"]},
        ),
        (b'{"a":{"b":1},"c":[["x"]]}', {"a": [NOT_TEXT], "c": [NOT_TEXT]}),
        (b'{"a":"\\ud83d"}', {"a": ["\ud83d"]}),
        (b"{}", {}),
    ],
)
def test_json_becomes_names_and_texts(body: bytes, values: dict[str, list[object]]) -> None:
    assert decode(JSON + "; charset=utf-8", body).values == values


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        '{"a":"ü"}'.encode("latin-1"),
        '{"a":"x"}'.encode("utf-16"),
        b"\x00\xff\xfe",
    ],
)
def test_json_that_is_none_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(Unreadable, match="JSON"):
        decode(JSON, body)


def test_a_number_of_a_million_digits_costs_nothing() -> None:
    started = time.process_time()
    with pytest.raises(Unreadable):
        decode(JSON, b"[" + b"9" * 1_000_000 + b"]")
    assert decode(JSON, b'{"a":' + b"9" * 60_000 + b"}").values == {"a": ["9" * 60_000]}
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("body", "values"),
    [
        (b"a=x+y&b=%C3%BC&a=z", {"a": ["x y", "z"], "b": ["ü"]}),
        (b"a[]=x&a%5B%5D=y", {"a": ["x", "y"]}),
        (b"a=%FC", {"a": ["ü"]}),  # a page of old, in latin-1
        (b"a=%80", {"a": ["€"]}),  # which browsers take for windows-1252
        (b"_charset_=iso-8859-2&a=%B1", {"_charset_": ["iso-8859-2"], "a": ["ą"]}),
        (b"_charset_=rot13&a=%E9", {"_charset_": ["rot13"], "a": ["é"]}),
        (b"a=%00%ZZ%", {"a": ["\x00%ZZ%"]}),
        (b"=x&&b", {"": ["x"], "b": [""]}),
        (b"", {}),
    ],
)
def test_urlencoded_text_is_read_in_the_charset_that_it_is_in(
    body: bytes, values: dict[str, list[str]]
) -> None:
    assert decode(URLENCODED, body).values == values


def test_multipart_has_fields_and_files() -> None:
    posted = decode(
        MULTIPART,
        multipart(
            text_part("a", "ü".encode()),
            (
                'Content-Disposition: form-data; name="f[]"; filename="ü.txt"\r\nContent-Type: text/plain',
                b"words\r\n--xy",
            ),
            (
                'Content-Disposition: form-data; name="f"; filename=""\r\nContent-Type: application/octet-stream',
                b"",
            ),
            ("Content-Disposition: form-data", b"nameless"),
        ),
    )

    assert posted.values == {"a": ["ü"]}
    (upload,) = posted.uploads
    assert (upload.field, upload.name, upload.media_type, upload.content) == (
        "f",
        "ü.txt",
        "text/plain",
        b"words\r\n--xy",
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", multipart(text_part("a", b"x"))),
        (MULTIPART, b""),
        (MULTIPART, b"no parts at all"),
        (MULTIPART, multipart(text_part("a", b"x"), end=b"")),
        (MULTIPART, b"--xyz\r\n" + b"X" * 100_000 + b": y\r\n\r\n--xyz--\r\n"),
        (MULTIPART, b"--xyz\r\n" + b"X: y\r\n" * 100 + b"\r\n--xyz--\r\n"),
        (MULTIPART.replace("xyz", "x" * 10_000), b"--x"),
    ],
)
def test_multipart_that_is_none_is_refused_with_a_reason(content_type: str, body: bytes) -> None:
    with pytest.raises(Unreadable, match="multipart"):
        decode(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, json.dumps({f"f{n}": "x" for n in range(201)}).encode()),
        (JSON, json.dumps({"a": ["x"] * 201}).encode()),
        (JSON, json.dumps({"a": "x" * 65_537}).encode()),
        (URLENCODED, b"&".join(b"f%d=x" % n for n in range(201))),
        (URLENCODED, b"&" * 1_000_000),
        (URLENCODED, b"a=" + b"x" * 65_537),
        (MULTIPART, multipart(*(text_part("a", b"x") for _ in range(201)))),
        (MULTIPART, multipart(text_part("a", b"x" * 65_537))),
        (
            MULTIPART,
            multipart(*(('Content-Disposition: form-data; name="f"; filename="x"', b"x") for _ in range(21))),
        ),
    ],
)
def test_there_is_a_limit_to_values_files_and_sizes(content_type: str, body: bytes) -> None:
    with pytest.raises(TooLarge):
        decode(content_type, body)


def test_parts_without_end_are_given_up() -> None:
    with pytest.raises(Unreadable):
        decode(MULTIPART, multipart(*(("X: y", b"") for _ in range(5000))))


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/json2", ";", "\x00"]
)
def test_other_types_are_not_read(content_type: str) -> None:
    with pytest.raises(Unsupported):
        decode(content_type, b"{}")


@given(
    st.sampled_from([JSON, URLENCODED, MULTIPART]),
    st.binary(max_size=400) | st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
        lambda value: json.dumps(value).encode()
    ) | st.lists(st.sampled_from([b"--xyz", b"\r\n", b"--", b'Content-Disposition: form-data; name="a"', b"; filename=b", b":", b"x"])).map(b"".join),
)  # fmt: skip
def test_any_bytes_are_read_or_refused(content_type: str, body: bytes) -> None:
    with suppress(Unreadable):
        posted = decode(content_type, body)
        assert all(
            isinstance(value, str) or value is NOT_TEXT
            for values in posted.values.values()
            for value in values
        )
