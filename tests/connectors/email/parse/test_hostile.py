"""Mail that was made to cost more than it says. Each must be read in a time that a mailbox can bear."""

import time

import pytest

from connectors.email.parse import MailLimits, parse_mail
from tests.connectors.email.parse.mails import HEAD

SECONDS = 8.0  # of the processor; each takes well below two
HTML = HEAD + b"Content-Type: text/html\n\n"


def nested(levels: int) -> bytes:
    opened = [
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level) for level in range(levels)
    ]
    return HEAD + b"".join(opened) + b"\ndeep\n"


HOSTILE = {
    "five_thousand_nested_parts": nested(5_000),
    "five_thousand_nested_mails": HEAD + b"Content-Type: message/rfc822\n\n" * 5_000,
    "twenty_thousand_parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000,
    "a_header_of_one_megabyte": b"From: a@b.c\nX-A: " + b"x" * 1_000_000 + b"\n\nx",
    "a_folded_header_of_one_megabyte": b"From: a@b.c\nX-A: " + b"x\n y" * 300_000 + b"\n\nx",
    "twenty_thousand_encoded_words": b"From: a@b.c\nSubject: " + b"=?utf-8?q?=C3=A9?= " * 20_000 + b"\n\nx",
    "encoded_words_without_an_end": b"From: a@b.c\nSubject: " + b"=?utf-8?q?a" * 20_000 + b"\n\nx",
    "twenty_thousand_addresses": b"From: a@b.c\nTo: " + b"u@example.com, " * 20_000 + b"\n\nx",
    "comments_without_an_end": b"From: " + b"(" * 60_000 + b"\nTo: " + b"(" * 60_000 + b"\n\nx",
    "one_megabyte_of_nul": HEAD + b"\n" + b"\0" * 1_000_000,
    "fifty_thousand_nested_divs": HTML + b"<div>" * 50_000 + b"x",
    "fifty_thousand_nested_bold": HTML + b"<b><p>" * 50_000 + b"x",
    "nested_tables": HTML + b"<table><tr><td>" * 20_000 + b"x",
    "a_tag_with_100k_attributes": HTML
    + b"<p "
    + b" ".join(b"a%d=1" % each for each in range(100_000))
    + b">x</p>",
    "half_a_million_angles": HTML + b"<" * 500_000,
    "many_long_html_parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + (b"--b\nContent-Type: text/html\n\n" + b"<p>x</p>" * 10_000 + b"\n") * 300,
    "quotes_in_quotes": HTML + b"<blockquote>" * 4_000 + b"x<br>" * 20_000,
    "100k_dashes": HEAD + b"\n" + b"-" * 100_000,
    "100k_lines_of_dashes": HEAD + b"\n" + b"--\n" * 100_000,
    "100k_newlines": HEAD + b"\n" + b"\n" * 100_000 + b"x",
    "on_and_on": HEAD + b"\n" + b"On " + b"a " * 100_000,
    "lines_that_begin_a_quote": HEAD + b"\n" + b"On Mon, Jan 1 2020 at 10:10 PM\n" * 20_000,
    "one_megabyte_of_blanks": HEAD + b"\n" + b" " * 1_000_000 + b"x",
    "header_blocks_without_an_end": HEAD + b"\n" + b"From: x\n\n" * 100_000,
    "files_without_an_end": HEAD + b"\n" + b"begin 644 a\n" * 50_000 + b"end\n",
    "ids_without_an_end": b"From: mailer-daemon@x.y\nSubject: failure notice\n\n" + b"message-id:\n" * 80_000,
    "addresses_in_a_bounce": b"From: mailer-daemon@x.y\nSubject: failure notice\n\n" + b"a@b.co " * 100_000,
    "a_boundary_to_guess": HEAD + b"Content-Type: multipart/mixed\n\n" + b"--a\n" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_in_bounded_time(name: str) -> None:
    started = time.thread_time()
    mail = parse_mail(HOSTILE[name])
    assert time.thread_time() - started < SECONDS
    assert mail.body_digest


def test_a_mail_of_fifty_megabytes_keeps_its_attachment() -> None:
    line = b"QUJD" * 19 + b"\n"
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pdf; name=a.pdf\n"
        + b"Content-Transfer-Encoding: base64\n\n"
        + line * 650_000
        + b"--b--\n"
    )
    started = time.thread_time()
    mail = parse_mail(raw)
    assert time.thread_time() - started < SECONDS
    assert mail.attachments[0].size == 650_000 * 57


def test_a_limit_that_was_met_is_a_warning_and_a_flag() -> None:
    deep = parse_mail(nested(60))
    assert "nesting too deep" in deep.warnings
    assert "truncated" in deep.flags
    long = parse_mail(HEAD + b"\n" + b"x" * 500, MailLimits(message_bytes=200))
    assert "mail cut" in long.warnings
    assert "truncated" in long.flags


def test_what_follows_a_header_that_is_too_long_is_still_read() -> None:
    mail = parse_mail(b"From: a@b.c\nX-A: " + b"x" * 100_000 + b"\nSubject: after\n\nbody")
    assert (mail.subject, mail.text) == ("after", "body")
    assert "header cut" in mail.warnings
