"""Whatever comes in: no exception, and valid Unicode out."""

import json

from hypothesis import given
from hypothesis import strategies as st

from connectors.email.parse import parse_mail, parsed_to_json, split_reply
from tests.connectors.email.parse.mails import FIXTURES

SAMPLES = sorted(FIXTURES.glob("*.eml"))
FRAGMENTS = st.sampled_from(
    [
        b"\n", b"\r\n", b"\r", b"\n\n", b"--b", b"--b--", b"From: ", b"Subject: ", b"=?utf-8?B?", b"?=", b"=?", b'"', b"<", b">",
        b"(", b":", b";", b",", b"@", b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: message/rfc822\n",
        b"Content-Type: text/html\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n",
        b"charset=utf-16", b"charset=idna", b"charset=utf-7", b"charset=iso-2022-jp", b"\x00", b"\xff\xfe", b"\xed\xa0\x80",
        b"Content-Type: message/delivery-status\n", b"Final-Recipient: rfc822;", b"Date: Mon, 99 Foo 0000 99:99:99 +9999\n",
        b"<blockquote type=cite>", b"<div id=appendonsend>", b"<table><td>", b"<li>", b"begin 644 a\n", b"\nend\n", b"\x1b$B",
        b"filename*0*=utf-8''%", b"format=flowed", b"> ", b"On 1.1.2026 a@b wrote:\n", b"-----BEGIN PGP MESSAGE-----",
    ]
)  # fmt: skip


def assert_sound(raw: bytes) -> None:
    mail = parse_mail(raw)
    assert not any(warning.startswith("unreadable") for warning in mail.warnings)
    printed = json.dumps(parsed_to_json("x", mail), ensure_ascii=False).encode("utf-8")
    assert b"\\u0000" not in printed
    assert len(mail.payloads) == len(mail.attachments)
    assert mail.text_new or not mail.text


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert_sound(raw)


@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=20)), max_size=60))
def test_any_pile_of_mail_fragments_is_read(pieces: list[bytes]) -> None:
    assert_sound(b"".join(pieces))


@given(st.data())
def test_any_damaged_sample_is_read(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, min(len(raw), start + 40)))
        raw[start:end] = data.draw(st.one_of(FRAGMENTS, st.binary(max_size=10)))
    assert_sound(bytes(raw))


@given(st.text(max_size=2_000))
def test_any_text_is_split(text: str) -> None:
    new = split_reply(text).new
    assert all(line.strip() in text for line in new.split("\n"))
