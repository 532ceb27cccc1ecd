"""What a mail says to the log. Mails are read by the real parser."""

from uuid import UUID

import pytest

from connectors.email.envelope import Envelope
from connectors.email.mapping import Mapped, map_mail
from connectors.email.parse import parse_mail
from schemas.ids import case_number
from schemas.interactions import (
    BlobRef,
    InteractionBounced,
    InteractionIgnored,
    InteractionReceipt,
    InteractionReceived,
    Kind,
    Role,
)
from tests.connectors.email.house import CONTEXT, TOKENS, mail
from tests.support.clock import MONDAY_MORNING

CASE = UUID("0f0e0d0c-0b0a-5908-8706-050403020100")
MESSAGE = UUID("11111111-2222-5333-8444-555555555555")
REPLY_TO = TOKENS.reply_address("support@shop.example", CASE)
OUR_ID = TOKENS.message_id(MESSAGE, CASE, "shop.example")
ORIGINAL = BlobRef(sha256="0" * 64, size=1)


def mapped(raw: bytes, envelope: Envelope | None = None) -> Mapped:
    return map_mail(parse_mail(raw), envelope or Envelope(), ORIGINAL, MONDAY_MORNING, CONTEXT)


def received(raw: bytes, envelope: Envelope | None = None) -> InteractionReceived:
    (event,) = mapped(raw, envelope).interactions
    assert isinstance(event, InteractionReceived)
    return event


def test_a_first_mail_is_its_own_conversation() -> None:
    event = received(mail())
    assert event.conversation == event.external_id == "mail:one@customer.example"
    assert (event.account, event.brand, event.kind) == ("support", "shop", Kind.MESSAGE)
    assert (event.parents, event.tokens, event.numbers) == ((), (), ())


@pytest.mark.parametrize(
    ("headers", "conversation"),
    [
        ({"References": "<root@x> <mid@x>", "In-Reply-To": "<mid@x>"}, "mail:root@x"),
        ({"In-Reply-To": "<mid@x>"}, "mail:mid@x"),
        ({"To": REPLY_TO, "References": "<root@x>"}, f"case:{CASE}"),
        ({"Cc": REPLY_TO.upper()}, f"case:{CASE}"),
        ({"Delivered_To": REPLY_TO}, f"case:{CASE}"),
        ({"X_Original_To": REPLY_TO}, f"case:{CASE}"),
        ({"In-Reply-To": f"<{OUR_ID}>"}, f"case:{CASE}"),
        ({"References": f"<root@x> <{OUR_ID}> <later@x>"}, f"case:{CASE}"),
    ],
    ids=str,
)
def test_the_key_is_our_token_else_the_root_else_the_parent(
    headers: dict[str, str], conversation: str
) -> None:
    assert received(mail(**headers)).conversation == conversation


def test_the_envelope_may_carry_the_token() -> None:
    event = received(mail(), Envelope(recipients=(REPLY_TO,)))
    assert event.tokens == (f"case:{CASE}",)
    assert event.account == "support"


def test_parents_are_named_nearest_first_and_once() -> None:
    event = received(mail(References="<a@x> <b@x> <c@x>", In_Reply_To="<c@x>"))
    assert event.parents == ("mail:c@x", "mail:b@x", "mail:a@x")


def test_case_numbers_in_the_subject_are_passed_on_in_one_spelling() -> None:
    number = case_number(CASE)
    event = received(mail(Subject=f"Re: Order [#{number.lower()}] [#123]"))
    assert event.numbers == (number,)


def test_a_mail_is_the_same_item_whichever_copy_of_it_comes() -> None:
    one = mapped(mail(), Envelope(mail_from="ada@customer.example", recipients=("support@shop.example",)))
    other = mapped(
        b"Received: from somewhere\r\n" + mail().replace(b"\r\n", b"\n"),
        Envelope(recipients=("sales@garden.example",)),
    )
    assert one.item == other.item
    assert one.account == other.account == "support"


def test_a_used_message_id_does_not_hide_another_mail() -> None:
    assert mapped(mail("first")).item != mapped(mail("second")).item


def test_a_mail_without_a_message_id_gets_one_from_its_content() -> None:
    first, again = received(mail(Message_ID="")), received(b"X-Trace: 1\r\n" + mail(Message_ID=""))
    assert first.external_id == again.external_id == first.conversation
    assert first.part.item == again.part.item
    assert received(mail("else", Message_ID="")).part.item != first.part.item


def test_the_mailbox_is_found_by_alias_by_tag_and_by_the_envelope() -> None:
    assert received(mail(To="Help <HELP+vip@Shop.Example>")).account == "support"
    assert (
        received(mail(To="undisclosed:;"), Envelope(recipients=("sales@garden.example",))).account == "sales"
    )
    assert received(mail(To="elsewhere@x.example"), Envelope(account="sales")).account == "sales"
    assert received(mail(To="elsewhere@x.example")).account == "support"
    assert received(mail(To="sales@garden.example")).queue_hint == "sales"


def test_readers_are_named_and_our_own_mailboxes_marked() -> None:
    event = received(
        mail(To=f"{REPLY_TO}, Bob <bob@x.example>", Cc="support@shop.example", Reply_To="ada@home.example")
    )
    assert [(each.role, each.scheme, each.value) for each in event.participants] == [
        (Role.FROM, "email", "ada@customer.example"),
        (Role.REPLY_TO, "email", "ada@home.example"),
        (Role.TO, "email", "bob@x.example"),
        (Role.TO, "email-own", "support@shop.example"),
        (Role.CC, "email-own", "support@shop.example"),
    ]


AUTHENTICATED = (
    "mx.shop.example; spf=pass smtp.mailfrom=customer.example; dkim=pass header.d=customer.example; dmarc={}"
)


@pytest.mark.parametrize(
    ("results", "scheme", "verified"),
    [
        (AUTHENTICATED.format("pass header.from=customer.example"), "email", True),
        (AUTHENTICATED.format("pass (p=reject) header.from=customer.example"), "email", True),
        (AUTHENTICATED.format("none header.from=customer.example"), "email", True),
        (AUTHENTICATED.format("fail header.from=customer.example"), "email-typed", False),
        ("mx.shop.example; dmarc=pass header.from=evil.example", "email", False),
        ("mx.shop.example; dkim=pass header.d=evil.example", "email", False),
        ("mx.shop.example; dkim=pass header.d=mail.customer.example", "email", False),
        ("mx.shop.example; spf=fail smtp.mailfrom=customer.example", "email-typed", False),
        ("mx.shop.example; none", "email", False),
        ("evil.example; dmarc=pass header.from=customer.example", "email", False),
        ("evil.example; dmarc=fail header.from=customer.example", "email", False),
    ],
)
def test_only_our_own_relay_proves_or_contradicts_a_sender(results: str, scheme: str, verified: bool) -> None:
    event = received(mail(Authentication_Results=results))
    assert event.sender is not None
    assert (event.sender.scheme, event.sender.verified) == (scheme, verified)
    assert ("suspect" in event.flags) == (scheme == "email-typed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Message-ID": f"<{OUR_ID}>"},
        {"From": "Shop <support@shop.example>"},
        {"From": REPLY_TO},
        {"From": "noreply@shop.example"},
        {"From": "support@shop.example", "Reply-To": REPLY_TO},
    ],
    ids=str,
)
def test_our_own_mail_come_back_is_ignored_with_the_reason(headers: dict[str, str]) -> None:
    (event,) = mapped(mail(**headers)).interactions
    assert isinstance(event, InteractionIgnored)
    assert event.reason


def test_a_form_that_sends_from_our_address_speaks_for_who_is_to_be_answered() -> None:
    event = received(mail(From="support@shop.example", Reply_To="Ada <ada@customer.example>"))
    assert event.sender is not None
    assert (event.sender.scheme, event.sender.value) == ("email-typed", "ada@customer.example")
    assert "on_behalf" in event.flags


def test_a_mail_of_nobody_is_still_received() -> None:
    event = received(mail(From=""))
    assert event.sender is None
    assert "no_sender" in event.flags


def test_an_automatic_answer_says_so() -> None:
    event = received(mail(Auto_Submitted="auto-replied"), Envelope(mail_from=""))
    assert event.kind is Kind.AUTO_REPLY
    assert {"auto", "null_sender"} <= set(event.flags)


def test_a_date_in_the_future_is_ours_instead() -> None:
    assert received(mail(Date="Fri, 01 Jan 2100 00:00:00 +0000")).occurred_at == MONDAY_MORNING
    assert received(mail(Date="Thu, 01 Jan 1970 00:00:00 +0000")).occurred_at == MONDAY_MORNING
    assert received(mail()).occurred_at < MONDAY_MORNING


def report(status: str, action: str, returned: str) -> bytes:
    return "\r\n".join(
        [
            "From: MAILER-DAEMON@relay.example",
            "To: support@shop.example",
            "Subject: Undelivered Mail Returned to Sender",
            "Message-ID: <report@relay.example>",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: text/plain",
            "",
            "It did not arrive.",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; relay.example",
            *([returned] if returned.startswith("Original-Envelope-Id") else []),
            "",
            "Final-Recipient: rfc822; ada@customer.example",
            f"Action: {action}",
            f"Status: {status}",
            "Diagnostic-Code: smtp; 550 no such user",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            *([returned] if returned.startswith("Message-ID") else ["Subject: hello"]),
            "",
            "--b--",
            "",
        ]
    ).encode()


@pytest.mark.parametrize(
    "returned", [f"Message-ID: <{OUR_ID}>", f"Original-Envelope-Id: {TOKENS.envelope_id(MESSAGE, CASE)}"]
)
def test_a_bounce_names_our_message_and_takes_the_key_of_its_case(returned: str) -> None:
    (event,) = mapped(report("5.1.1", "failed", returned)).interactions
    assert isinstance(event, InteractionBounced)
    assert (event.message, event.conversation) == (MESSAGE, f"case:{CASE}")
    assert (event.recipient, event.status, event.action) == ("ada@customer.example", "5.1.1", "failed")


def test_a_delay_is_no_failure_and_a_delivery_is_a_receipt() -> None:
    (delayed,) = mapped(report("4.4.1", "delayed", f"Message-ID: <{OUR_ID}>")).interactions
    assert isinstance(delayed, InteractionBounced)
    assert delayed.action == "delayed"
    (delivered,) = mapped(report("2.0.0", "delivered", f"Message-ID: <{OUR_ID}>")).interactions
    assert isinstance(delivered, InteractionReceipt)
    assert (delivered.message, delivered.status) == (MESSAGE, "delivered")


def test_a_read_receipt_names_our_message() -> None:
    fields = f"Final-Recipient: rfc822; ada@customer.example\nOriginal-Message-ID: <{OUR_ID}>\nDisposition: x/y; displayed"
    body = f"--b\nContent-Type: message/disposition-notification\n\n{fields}\n--b--"
    raw = mail(body, Content_Type='multipart/report; report-type=disposition-notification; boundary="b"')
    (read,) = mapped(raw).interactions
    assert isinstance(read, InteractionReceipt)
    assert (read.message, read.status, read.conversation) == (MESSAGE, "read", f"case:{CASE}")


def test_a_bounce_of_a_message_that_is_not_ours_names_none() -> None:
    forged = OUR_ID.replace(OUR_ID[5], "a" if OUR_ID[5] != "a" else "b", 1)
    (event,) = mapped(report("5.1.1", "failed", f"Message-ID: <{forged}>")).interactions
    assert isinstance(event, InteractionBounced)
    assert event.message is None
    assert event.conversation == f"mail:{forged}"


def test_a_bounce_to_a_reply_address_takes_its_case() -> None:
    (event,) = mapped(
        report("5.1.1", "failed", ""), Envelope(mail_from="", recipients=(REPLY_TO,))
    ).interactions
    assert (event.conversation, getattr(event, "message", None)) == (f"case:{CASE}", None)
