"""Mail that machines send: bounces, complaints, receipts, answers, invitations, signed and encrypted mail."""

import json

import pytest

from connectors.email.parse import ParsedMail, parse_mail
from tests.connectors.email.parse.mails import read, with_body


def test_a_delivery_status_names_the_recipient_that_failed() -> None:
    mail = read("delivery_status")
    assert mail.kind == "bounce"
    assert mail.bounce is not None
    assert mail.bounce.recipient == "gone@example.org"
    assert mail.bounce.recipients == ("slow@example.org", "gone@example.org")
    assert (mail.bounce.status, mail.bounce.action) == ("5.1.1", "failed")
    assert mail.bounce.diagnostic == "550 5.1.1 no such user"
    assert mail.bounce.original_message_id == "sent-1@example.com"
    assert mail.bounce.original_envelope_id == "env-17"
    assert "null_sender" in mail.flags


def test_a_bounce_in_words_only_is_understood() -> None:
    mail = read("bounce_in_words_only")
    assert mail.kind == "bounce"
    assert mail.bounce is not None
    assert (mail.bounce.recipient, mail.bounce.status) == ("gone@example.net", "5.1.1")
    assert mail.bounce.original_message_id == "sent-2@example.com"


def test_a_person_who_writes_about_a_failed_delivery_is_no_bounce() -> None:
    mail = parse_mail(
        b"From: ada@example.org\nSubject: delivery failed again\n\nMy parcel <x@example.com> came back."
    )
    assert mail.kind == "message"


def test_a_complaint_names_who_complained_about_what() -> None:
    mail = read("complaint")
    assert mail.kind == "complaint"
    assert mail.bounce is not None
    assert (mail.bounce.recipient, mail.bounce.original_message_id) == (
        "angry@example.net",
        "sent-3@example.com",
    )


def test_a_notification_in_json_is_a_complaint_too() -> None:
    report = {
        "notificationType": "Complaint",
        "complaint": {"complainedRecipients": [{"emailAddress": "angry@example.net"}]},
        "mail": {"messageId": "17"},
    }
    mail = with_body(json.dumps(report) + "\n\n--\nunsubscribe here")
    assert mail.kind == "complaint"
    assert mail.bounce is not None and mail.bounce.recipient == "angry@example.net"


def test_a_receipt_is_told_from_a_message() -> None:
    assert read("read_receipt").kind == "receipt"


def test_an_invitation_is_of_its_own_kind_and_keeps_its_file() -> None:
    mail = read("invitation")
    assert (mail.kind, mail.text) == ("calendar", "A call at ten.")
    assert [attachment.media_type for attachment in mail.attachments] == ["text/calendar"]


def test_a_signature_part_is_a_flag_and_no_attachment() -> None:
    mail = read("signed_by_pgp")
    assert mail.text == "Signed words."
    assert mail.attachments == ()
    assert "signed_unverified" in mail.flags


def test_an_encrypted_mail_says_so_and_keeps_what_is_encrypted() -> None:
    mail = read("encrypted_by_pgp")
    assert "encrypted" in mail.flags
    assert [attachment.name for attachment in mail.attachments] == ["encrypted.asc"]


def test_a_vacation_answer_is_an_auto_reply() -> None:
    mail = read("vacation")
    assert mail.kind == "auto_reply"
    assert {"auto", "suppress_auto_reply"} <= set(mail.flags)


def flagged(headers: str) -> ParsedMail:
    return with_body("x", headers)


@pytest.mark.parametrize(
    ("headers", "kind", "flags"),
    [
        ("Auto-Submitted: no\n", "message", set()),
        ("Auto-Submitted: auto-generated\n", "message", {"auto"}),
        ("Auto-Submitted: auto-generated\nIn-Reply-To: <a@b>\n", "auto_reply", {"auto"}),
        ("X-Autoreply: yes\n", "auto_reply", {"auto"}),
        ("Precedence: auto_reply\n", "auto_reply", {"auto"}),
        ("Precedence: bulk\n", "message", {"bulk"}),
        ("List-Id: <x.example.org>\nList-Unsubscribe: <mailto:x@y>\n", "message", {"bulk", "list"}),
        ("X-Loop: help@example.com\n", "message", {"loop"}),
        ("X-Spam-Flag: YES\n", "message", {"spam"}),
        ("Return-Path: <>\n", "message", {"null_sender"}),
        ("X-Auto-Response-Suppress: OOF, AutoReply\n", "message", {"auto", "suppress_auto_reply"}),
    ],
)
def test_signs_of_machines(headers: str, kind: str, flags: set[str]) -> None:
    mail = flagged(headers)
    assert mail.kind == kind
    assert set(mail.flags) == flags


def test_words_of_absence_need_a_second_sign_of_a_machine() -> None:
    subject = b"From: ada@example.org\nSubject: On vacation until May\n"
    assert parse_mail(subject + b"\nPlease pause my plan.").kind == "message"
    assert parse_mail(subject + b"Precedence: bulk\n\nI am away.").kind == "auto_reply"
