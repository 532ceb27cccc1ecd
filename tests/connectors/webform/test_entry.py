"""What a form makes of what was sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.uploads import Upload
from connectors.webform.parse.checks import normalized_address, normalized_phone
from connectors.webform.parse.decode import NOT_TEXT, Posted, Values
from connectors.webform.parse.entry import Entry, EntryReader, readable_size
from connectors.webform.parse.text import clean, one_line
from tests.connectors.webform.support import ENTRY, form

READER = EntryReader(form())


def read(**values: Any) -> Entry:
    sent: dict[str, Values] = {
        name: value if isinstance(value, list) else [value] for name, value in {**ENTRY, **values}.items()
    }
    return READER.read(Posted(sent))


def codes(**values: Any) -> dict[str, str]:
    return {problem.field: problem.code for problem in read(**values).problems}


def test_an_entry_keeps_what_was_filled_in_in_the_order_of_the_form() -> None:
    entry = read(phone="", ways=["call", "mail"], topic="order")

    assert entry.problems == []
    assert list(entry.fields.items()) == [
        ("email", "Ann@Example.com"),
        ("topic", "order"),
        ("ways", "mail, call"),
        ("message", "Where is my order?"),
    ]
    assert entry.consents == {"privacy": "2026-01"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"email": ""}, {"email": "required"}),
        ({"email": "ann"}, {"email": "email"}),
        ({"email": ["a@example.com", "b@example.com"]}, {"email": "several"}),
        ({"email": ["a@example.com", "", "a@example.com"]}, {}),
        ({"message": " \x00\n\t "}, {"message": "required"}),
        ({"message": "x" * 2001}, {"message": "too-long"}),
        ({"message": NOT_TEXT}, {"message": "not-text"}),
        ({"phone": "call me"}, {"phone": "phone"}),
        ({"topic": "weather"}, {"topic": "option"}),
        ({"ways": ["mail", "pigeon"]}, {"ways": "option"}),
        ({"privacy": "off"}, {"privacy": "consent"}),
        ({"privacy": ["0", "on"]}, {}),  # the hidden "no" before a box
        ({"privacy": ["on", "0"]}, {"privacy": "consent"}),
        ({"privacy": NOT_TEXT}, {"privacy": "consent"}),
    ],
)
def test_each_mistake_has_a_name_at_its_field(values: dict[str, Any], expected: dict[str, str]) -> None:
    assert codes(**values) == expected


def test_a_line_break_cannot_get_into_a_single_line() -> None:
    assert (
        read(name="Ann\r\nBcc: all@example.com", subject="a\n\nb").fields["name"]
        == "Ann Bcc: all@example.com"
    )


def test_text_is_kept_without_what_no_screen_shows() -> None:
    assert read(message="a\x00b\x1b[31m\ud800c\r\nd").fields["message"] == "ab[31m\ufffdc\nd"
    assert clean("e\u0301") == "é"
    assert one_line(" a \t b\u2028c ") == "a bc"


def test_what_the_form_does_not_know_is_kept_apart_and_bounded() -> None:
    unknown = {f"utm_{n}": "x" * 1000 for n in range(30)}
    entry = read(_secret="no", **{"<b>": "no", "company": "Acme"}, **unknown)

    extra = {name: value for name, value in entry.fields.items() if name.startswith("extra.")}
    assert extra["extra.company"] == "Acme"
    assert len(extra) <= 20
    assert max(map(len, extra.values())) == 500
    assert not any("<" in name or "_secret" in name for name in extra)


def test_the_digest_depends_on_what_was_said_and_not_on_how_it_was_sent() -> None:
    assert (
        read().digest()
        == read(name="", _token="t", _key="k").digest()
        == read(message=" Where is my order?\r\n").digest()
    )
    assert read().digest() != read(message="Where is my parcel?").digest()
    with_file = read()
    with_file.uploads = [Upload("photos", "a.txt", "text/plain", b"x")]
    assert with_file.digest() != read().digest()


def test_files_are_taken_in_fields_for_files_only() -> None:
    posted = Posted(
        {name: [value] for name, value in ENTRY.items()}, [Upload("name", "a.txt", "text/plain", b"x")]
    )

    assert [(problem.field, problem.code) for problem in READER.read(posted).problems] == [
        ("name", "no-file-here")
    ]


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Ann.B+x@Example.COM", "ann.b+x@example.com"),
        ("ann@xn--mnchen-3ya.de", "ann@münchen.de"),
        ("ann@MÜNCHEN.de", "ann@münchen.de"),
        ("ann@example.test", "ann@example.test"),
        ("ann", None),
        ("ann@localhost", None),
        ("ann@@example.com", None),
        (".ann@example.com", None),
        ("ann@-example.com", None),
        ("ann b@example.com", None),
        ("a" * 65 + "@example.com", None),
        ("ann@example.com\x00", None),
        ("ann@" + "a." * 130 + "com", None),
    ],
)
def test_addresses_are_recognized_and_normalized(typed: str, address: str | None) -> None:
    assert normalized_address(typed) == address


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+44 20 7946 0958", "+442079460958"),
        ("0044 (0)20-7946.0958", "+442079460958"),
        ("030 901820", "+4930901820"),
        ("901820", "901820"),
        ("+49 30 901820 ext. 12", "+4930901820"),
        ("۰۳۰ ۹۰۱۸۲۰", "+4930901820"),
        ("1234", None),
        ("+1234567890123456", None),
        ("call 030 901820", None),
        ("²²²²²²", None),
        ("--------", None),
    ],
)
def test_numbers_are_recognized_and_normalized(typed: str, number: str | None) -> None:
    assert normalized_phone(typed, "+49") == number


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_not_and_a_number_or_not(text: str) -> None:
    address, number = normalized_address(text), normalized_phone(text, "+49")

    assert address is None or "@" in address
    assert number is None or number.lstrip("+").isascii()


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in form().fields] + ["privacy", "x", "_key"]),
        st.lists(st.text() | st.just(NOT_TEXT)),
    )
)
def test_any_values_make_an_entry_that_can_be_encoded(values: dict[str, Values]) -> None:
    entry = READER.read(Posted(values))

    assert len(entry.digest()) == 64
    "".join(entry.fields.values()).encode()


@pytest.mark.parametrize(
    ("size", "shown"), [(10 << 20, "10 MB"), (1_572_864, "1.5 MB"), (500 << 10, "500 KB"), (3, "1 KB")]
)
def test_sizes_are_said_as_people_say_them(size: int, shown: str) -> None:
    assert readable_size(size) == shown
