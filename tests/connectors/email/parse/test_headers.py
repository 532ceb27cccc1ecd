"""Who, when, about what, in reply to what."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.email.parse import parse_mail
from connectors.email.parse.identifiers import message_ids, read_date
from connectors.email.parse.parameters import read_parameters
from connectors.email.parse.words import decode_words
from tests.connectors.email.parse.mails import read


def test_addresses_are_read_as_people_write_them() -> None:
    mail = read("address_lists_as_people_write_them")
    assert mail.sender is not None
    assert (mail.sender.address, mail.sender.name) == ("ada@example.org", "Ada (the first) Lovelace")
    assert [(to.address, to.name) for to in mail.to] == [
        ("j@example.com", "Smith, J."),
        ("k@example.com", ""),
    ]
    assert [(cc.address, cc.name) for cc in mail.cc] == [
        ("route@example.com", ""),
        ("q@example.com", "Quoted"),
    ]
    assert mail.message_id == "5@example.org"


def test_an_encoded_character_split_between_two_words_is_whole_again() -> None:
    assert read("encoded_word_split_inside_a_character").subject == "äöüß"


def test_encoded_words_in_wrong_spellings_are_read() -> None:
    mail = read("encoded_words_in_wrong_spellings")
    assert mail.subject == "Re:café au lait and naïve"
    assert mail.sender is not None and mail.sender.name == "André"
    assert mail.to[0].address == "jose@example.org"


def test_raw_bytes_in_headers_are_read_in_the_charset_of_the_mail() -> None:
    mail = read("headers_in_raw_latin1")
    assert mail.subject == "¿Dónde está?"
    assert mail.sender is not None and mail.sender.name == "José"
    assert mail.text == "¡Hola!"


def test_utf7_stays_ascii() -> None:
    mail = read("charset_is_utf7")
    assert mail.text == "+ADw-b+AD4-"


def test_an_unknown_charset_is_guessed_as_utf8_first() -> None:
    assert read("charset_is_unknown").text == "Grüße aus Köln"


def test_the_line_of_an_mbox_file_is_no_header_and_no_body() -> None:
    mail = read("mbox_line_before_the_headers")
    assert mail.message_id == "1@example.org"
    assert mail.text == ">From the start"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= b", "a b"),
        ("=?UTF-8?B?w6Q?=", "ä"),
        ("=?utf-8?B?w6Q=", "ä"),
        ("=?utf-8?B?4oK?= =?utf-8?B?s?=", "€"),
        ("=?iso-8859-1*en?Q?=E4?=", "ä"),
        ("=?x?", "=?x?"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?iso-2022-jp?B?GyRCJF4kXyRgJGEkYhsoQg==?=", "まみむめも"),
    ],
)
def test_encoded_words(written: str, read_as: str) -> None:
    assert decode_words(written) == read_as


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        ("attachment; filename=my file.txt", "my file.txt"),
        ("attachment; filename*=utf-8''%C3%A4.txt", "ä.txt"),
        ("attachment; filename*0=a; filename*1=b.txt", "ab.txt"),
        ('attachment; filename="=?utf-8?B?w6QudHh0?="', "ä.txt"),
        ('attachment; filename="a.txt', "a.txt"),
        ("attachment;; filename=a.txt;", "a.txt"),
        ("attachment filename=a.txt", "a.txt"),
        ("filename=a.txt", "a.txt"),
    ],
)
def test_file_names_in_all_their_spellings(header: str, name: str) -> None:
    assert read_parameters(header).parameters["filename"] == name


def test_dates_are_aware_or_absent() -> None:
    assert read_date("Mon, 2 Mar 2026 10:00:00 +0100") == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert read_date("Mon, 2 Mar 2026 10:00:00 -0000") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    without_zone = read_date("2 Mar 2026 10:00")
    assert without_zone is not None and without_zone.utcoffset() == timedelta()
    assert read_date("2026-03-02T10:00:00Z") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert read_date("soon") is None
    assert read_date("Mon, 2 Mar 2026 10:00:00 +9999") is None


def test_message_ids_lose_their_brackets_and_their_folds() -> None:
    assert message_ids("<a@x>\n <b@\n y> <a@x>") == ["a@x", "b@y"]
    assert message_ids("Your message of Monday") == []
    assert message_ids("a@x") == ["a@x"]


def test_what_relays_say_of_delivery_and_authentication_is_kept_for_the_caller() -> None:
    mail = parse_mail(
        b"Return-Path: <bounce@example.org>\nDelivered-To: help+17@example.com\nX-Original-To: help@example.com\n"
        b"Authentication-Results: mx.example.com; dkim=pass header.d=example.org\nFrom: a@example.org\n\nx"
    )
    assert mail.delivered_to == ("help+17@example.com", "help@example.com")
    assert mail.return_path == "bounce@example.org"
    assert mail.authentication[0].authserv_id == "mx.example.com"
