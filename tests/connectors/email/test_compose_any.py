"""Whatever people write, one mail leaves, and says what they wrote."""

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.email.compose import Composer
from connectors.email.mime import one_line
from connectors.email.parse import parse_mail
from schemas.interactions import Attachment, BlobRef, Participant, Role
from tests.connectors.email.house import ACCOUNTS, TOKENS, outbound

COMPOSER = Composer(ACCOUNTS, TOKENS)
TEXT = st.text(max_size=300)
HEADERS = {
    "date", "from", "to", "reply-to", "subject", "message-id", "in-reply-to", "references", "mime-version", "content-type",
}  # fmt: skip


@given(
    subject=TEXT,
    name=TEXT,
    text=TEXT,
    file_name=TEXT,
    media_type=TEXT,
    content=st.binary(max_size=200),
    parent=TEXT,
)
@settings(max_examples=300, deadline=None)
def test_any_text_stays_where_it_belongs(
    subject: str, name: str, text: str, file_name: str, media_type: str, content: bytes, parent: str
) -> None:
    ref = BlobRef(sha256="a" * 64, size=len(content))
    message = outbound(
        subject=subject,
        text=text,
        recipients=(Participant(role=Role.TO, scheme="email", value="ada@customer.example", name=name),),
        attachments=(
            Attachment(name=file_name, media_type=media_type, size=len(content), blob=ref, content_id=parent),
        ),
        in_reply_to=f"mail:{parent}",
        references=(f"mail:{parent}",),
    )
    mail = COMPOSER.compose(message, {ref.sha256: content})
    head, _, _ = mail.content.partition(b"\r\n\r\n")
    names = [
        line.partition(b":")[0].decode().lower()
        for line in head.split(b"\r\n")
        if line[:1] not in (b" ", b"\t")
    ]
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))
    parsed = parse_mail(mail.content)
    assert [each.address for each in parsed.to] == ["ada@customer.example"]
    assert parsed.message_id == mail.message_id
    assert len(parsed.attachments) == 1
    assert parsed.payloads[0] == content
    assert parsed.subject.split() == one_line(subject).split()
