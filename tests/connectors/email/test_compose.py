"""The mail that leaves, as other mail programs read it."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest

from connectors.email.accounts import Accounts
from connectors.email.compose import Composer, Mail, Unsendable
from connectors.email.parse import parse_mail
from connectors.email.plain_html import html_of_text
from connectors.email.settings import AccountSettings, NoticesSettings
from schemas.interactions import Attachment, BlobRef, Participant, Role
from schemas.outbound import OutboundMessage
from tests.connectors.email.house import ACCOUNTS, TOKENS, outbound

COMPOSER = Composer(ACCOUNTS, TOKENS)
PNG = BlobRef(sha256="a" * 64, size=9, media_type="image/png")


def composed(message: OutboundMessage, **contents: bytes) -> Mail:
    return COMPOSER.compose(message, contents)


def read(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def to(address: str, name: str = "", role: Role = Role.TO) -> Participant:
    return Participant(role=role, scheme="email", value=address, name=name)


def test_every_try_sends_the_same_bytes() -> None:
    message = outbound(attachments=(Attachment(name="a.png", media_type="image/png", size=9, blob=PNG),))
    assert composed(message, **{"a" * 64: b"123456789"}) == composed(message, **{"a" * 64: b"123456789"})


def test_an_answer_threads_and_asks_for_answers_at_its_case() -> None:
    mail = composed(outbound())
    message = read(mail)
    assert message["From"] == "Shop support <support@shop.example>"
    assert message["In-Reply-To"] == message["References"] == "<one@customer.example>"
    assert message["Message-ID"] == f"<{mail.message_id}>"
    assert message["Date"] == "Mon, 02 Mar 2026 09:00:00 +0000"
    assert TOKENS.case_of_address(str(message["Reply-To"])) == UUID(int=7)
    assert TOKENS.case_of_address(mail.sender) == UUID(int=7)
    assert message["Auto-Submitted"] is None


def test_an_automatic_answer_is_marked_and_has_no_sender_to_bounce_to() -> None:
    mail = composed(outbound(automatic=True))
    message = read(mail)
    assert (mail.sender, message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == (
        "",
        "auto-replied",
        "All",
    )


def test_a_long_thread_keeps_its_root_and_its_latest() -> None:
    ids = tuple(f"mail:{number:03}.{'x' * 60}@customer.example" for number in range(300))
    mail = composed(outbound(references=ids, in_reply_to=ids[-1]))
    found = parse_mail(mail.content).references
    assert len(found) == 20
    assert found[0] == ids[0].removeprefix("mail:")
    assert list(found[1:]) == [each.removeprefix("mail:") for each in ids[-19:]]


def test_ids_of_other_channels_and_forged_ones_are_left_out() -> None:
    mail = composed(
        outbound(
            references=("form:1", "mail:a b@x>\r\nBcc: evil@x.example", "mail:ok@x"), in_reply_to="form:1"
        )
    )
    message = read(mail)
    assert message["In-Reply-To"] is None
    assert message["References"] == "<ok@x>"


@pytest.mark.parametrize(
    "name",
    ["Müller, Jürgen", 'Ada "the" Count\\ess', "山田太郎" * 20, "=?utf-8?q?x?=", "a@b.example <c>", "", " "],
)
def test_names_arrive_as_they_are(name: str) -> None:
    (address,) = parse_mail(composed(outbound(recipients=(to("ada@customer.example", name),))).content).to
    assert (address.name, address.address) == (name.strip(), "ada@customer.example")


@pytest.mark.parametrize(
    "subject",
    ["Re: Grüße aus Köln", "注文について" * 30, "🎉 done", "=?utf-8?b?eA==?=", "a" * 200, "word " * 100, ""],
)
def test_subjects_arrive_as_they_are(subject: str) -> None:
    assert parse_mail(composed(outbound(subject=subject)).content).subject == subject.strip()


INJECTION = "x\r\nBcc: evil@x.example\r\n\r\n<script>\n\r\x00\u2028Bcc: evil@x.example"


def test_no_text_of_anybody_adds_a_header_or_a_part() -> None:
    attachment = Attachment(
        name=INJECTION + '";\r\n x="',
        media_type=INJECTION,
        size=1,
        blob=PNG,
        content_id=INJECTION,
        inline=True,
    )
    mail = composed(
        outbound(
            subject=INJECTION,
            text=INJECTION + "\n--=_boundary--\n",
            recipients=(to("ada@customer.example", INJECTION),),
            in_reply_to=f"mail:{INJECTION}",
            references=(f"mail:{INJECTION}",),
            attachments=(attachment,),
        ),
        **{"a" * 64: b"x"},
    )
    message = read(mail)
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/octet-stream",
    ]
    assert mail.recipients == ("ada@customer.example",)


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "a@b@c.example",
        "ada@x.example\r\nRCPT TO:<evil@x.example>",
        "<ada@x.example>",
        '"a b"@x.example',
        "ada@x..example",
        "",
    ],
)
def test_what_is_no_address_is_not_sent_to(address: str) -> None:
    with pytest.raises(Unsendable):
        composed(outbound(recipients=(to(address),)))


def test_domains_leave_in_ascii_and_other_local_parts_need_smtputf8() -> None:
    mail = composed(outbound(recipients=(to("ada@bücher.example"),)))
    assert mail.recipients == ("ada@xn--bcher-kva.example",)
    assert not mail.needs_smtputf8
    assert composed(outbound(recipients=(to("почта@пример.example"),))).needs_smtputf8


def test_lines_are_short_and_texts_arrive_whole() -> None:
    text = "Grüße " * 400 + "\n\n.\nFrom here\n  indented\t\n-- \nThe shop\n" + "x" * 5_000
    mail = composed(outbound(text=text))
    # A Message-ID cannot be folded; all else can.
    lines = [line for line in mail.content.split(b"\r\n") if not line.startswith(b"Message-ID:")]
    assert max(map(len, lines)) <= 98
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert mail.content.isascii()
    part = read(mail).get_body(("plain",))
    assert part is not None
    assert part.get_content().replace("\r\n", "\n").rstrip("\n") == text
    assert b"\r\nFrom " not in mail.content


def test_html_is_made_of_the_text_and_nothing_in_it_is_markup() -> None:
    html = html_of_text(
        "Dear <b>Ada</b> & co,\nsee https://shop.example/a?b=1&c=2.\n\n> quoted\n> twice\n\n<script>x</script>"
    )
    assert '<a href="https://shop.example/a?b=1&amp;c=2">https://shop.example/a?b=1&amp;c=2</a>.' in html
    assert "Dear &lt;b&gt;Ada&lt;/b&gt; &amp; co,<br>" in html
    assert re.search(r"<blockquote[^>]*>quoted<br>\ntwice</blockquote>", html)
    assert "<script" not in html


def test_attachments_arrive_with_their_names() -> None:
    names = ["a.txt", "Rechnung für März.pdf", "山田.png", 'quo"te;.txt']
    attachments = tuple(Attachment(name=name, media_type="image/png", size=9, blob=PNG) for name in names)
    found = parse_mail(composed(outbound(attachments=attachments), **{"a" * 64: b"\x00\xff" * 100}).content)
    assert [each.name for each in found.attachments][:3] == names[:3]
    assert set(found.payloads) == {b"\x00\xff" * 100}


def test_an_attachment_without_its_bytes_is_not_sent_without() -> None:
    with pytest.raises(Unsendable, match="is gone"):
        composed(outbound(attachments=(Attachment(name="a", media_type="image/png", size=9, blob=PNG),)))


def test_a_notice_comes_from_the_notices_address_and_names_no_case() -> None:
    notices = NoticesSettings(address="noreply@shop.example")
    mail = Composer(ACCOUNTS, TOKENS, notices).compose(outbound(case=None, automatic=True), {})
    message = read(mail)
    assert message["From"] == "Hubbub <noreply@shop.example>"
    assert message["Reply-To"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    own = TOKENS.own_message(mail.message_id)
    assert own is not None
    assert own.case is None


def test_a_case_of_another_channel_is_answered_from_a_mailbox_of_its_brand() -> None:
    assert read(composed(outbound(account="contact-form", brand="garden")))["From"] == "sales@garden.example"


def test_an_account_may_do_without_reply_tokens() -> None:
    plain = AccountSettings(name="support", address="support@shop.example", reply_token=False)
    mail = Composer(Accounts.of((plain,)), TOKENS).compose(outbound(), {})
    assert read(mail)["Reply-To"] is None
    assert mail.sender == "support@shop.example"
