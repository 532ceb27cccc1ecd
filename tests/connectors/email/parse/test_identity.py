"""The digest that is one half of a mail's identity."""

from connectors.email.parse import parse_mail, parsed_to_json
from tests.connectors.email.parse.mails import raw

NAMES = ["plain_and_html", "multipart_without_an_end", "attached_mail_is_not_merged", "flowed_text"]


def test_line_ends_and_trace_headers_do_not_change_the_identity() -> None:
    for name in NAMES:
        by_file = raw(name)
        by_smtp = b"Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\r\n" + by_file.replace(
            b"\n", b"\r\n"
        )
        assert parse_mail(by_file).body_digest == parse_mail(by_smtp).body_digest
        assert parse_mail(by_file).message_id == parse_mail(by_smtp).message_id


def test_a_relay_that_encodes_the_body_anew_does_not_change_the_identity() -> None:
    head = b"From: a@example.org\nContent-Type: text/plain; charset=utf-8\n"
    plain = parse_mail(head + b"Content-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9fe\n")
    encoded = parse_mail(head + b"Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe\n")
    assert plain.body_digest == encoded.body_digest


def test_another_body_has_another_digest() -> None:
    assert parse_mail(b"From: a@b.c\n\none").body_digest != parse_mail(b"From: a@b.c\n\ntwo").body_digest


def test_the_printed_form_has_every_key_the_command_promises() -> None:
    printed = parsed_to_json("x.eml", parse_mail(raw("plain_and_html")))
    promised = """source kind message_id in_reply_to references date sender reply_to to cc subject text text_new html
    attachments bounce flags warnings"""
    assert set(promised.split()) <= printed.keys()
    assert printed["sender"] == {"address": "ada@example.org", "name": "Ada Lovelace"}
    assert printed["date"] == "2026-03-02T10:00:00+01:00"
