"""Scores on real inputs that nobody here wrote. Each floor is what was reached; a change may only raise it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.email.parse import ParsedMail, parse_mail, split_reply
from connectors.email.parse.replies import new_text
from connectors.kit.html import clean_html, html_to_text

Corpus = Callable[[str], Path]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


def mails_in(folder: Path, *patterns: str) -> Iterator[tuple[str, ParsedMail]]:
    for pattern in patterns:
        for path in sorted(folder.rglob(pattern)):
            yield path.name, parse_mail(path.read_bytes())


def test_replies_of_crisp_lose_everything_but_what_is_new(corpus: Corpus) -> None:
    folder = corpus("replies/crisp")
    # Most of these texts begin with the same paragraph, and it alone is new.
    expected = text_of(folder / "email_15.txt").split("\n\n")[0].strip()
    texts = {path.name: text_of(path) for path in folder.glob("*.txt")}
    replies = {name: text for name, text in texts.items() if text.startswith(expected[:60])}
    wrong = [name for name, text in replies.items() if split_reply(text).new != expected]
    assert len(replies) >= 40
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "first", "absent"),
    [
        ("email_danish_1.txt", "Hej Peter,", "Hvordan"),
        ("email_danish_2.txt", "Hej Hanne,", "Sendt:"),
        ("email_danish_4.txt", "Hej,", "Oprindelig"),
        ("email_gmail.txt", "This is a test", "wrote:"),
        ("email_ja_1_2.txt", "田中様", "織田様"),
        ("email_nl_1_2.txt", "Outlook met een antwoord", "Google"),
        ("email_sv_anon_1.txt", "Hej", "Ursäkta"),
        ("email_swedish_2.txt", "Hello Anna,", "skrev"),
        ("begins_with_signature.txt", "Thank you", "10.30 AM pacific"),
        ("multi_header.txt", "No problem.", "unable to add"),
        ("pathological.txt", "I think you're onto", "organism"),
        ("email_2_3.txt", "Outlook with a reply", "Respond to Kim"),
        ("email_headers_no_delimiter.txt", "And another reply!", "A reply"),
    ],
)
def test_replies_of_mail_parser_reply(corpus: Corpus, name: str, first: str, absent: str) -> None:
    new = split_reply(text_of(corpus("replies/mail-parser-reply") / name)).new
    assert new.startswith(first)
    assert absent not in new


def test_standard_replies_of_talon_are_one_word(corpus: Corpus) -> None:
    wrong = {
        name: mail.text_new
        for name, mail in mails_in(corpus("replies/talon") / "standard_replies", "*.eml")
        if mail.text_new != "Hello"
    }
    assert wrong == {}


def test_html_replies_of_talon_lose_their_quotes(corpus: Corpus) -> None:
    for path in (corpus("replies/talon") / "html_replies").glob("*.html"):
        html = clean_html(text_of(path))
        new, _ = new_text(html_to_text(html), html)
        assert " ".join(new.split()) == "Hi. I am fine. Thanks, Alex", path.name


def test_nearly_every_bounce_of_sisimai_is_known_with_its_recipient(corpus: Corpus) -> None:
    mails = dict(mails_in(corpus("bounces/sisimai"), "*.eml"))
    reports = {name: mail for name, mail in mails.items() if mail.kind in ("bounce", "complaint")}
    with_recipient = [name for name, mail in reports.items() if mail.bounce and mail.bounce.recipient]
    with_original = [
        name for name, mail in reports.items() if mail.bounce and mail.bounce.original_message_id
    ]
    assert len(reports) >= 0.97 * len(mails)
    assert len(with_recipient) >= 0.97 * len(mails)
    assert len(with_original) >= 0.88 * len(mails)
    # What is left are vacation answers, reports of success, and what a person forwarded.
    assert {mail.kind for name, mail in mails.items() if name not in reports} <= {
        "auto_reply",
        "receipt",
        "message",
    }


def test_every_mail_of_the_corpora_is_read(corpus: Corpus) -> None:
    for name, mail in mails_in(corpus("email"), "*.eml", "*.msg"):
        assert mail.kind != "unparsed", name
        assert mail.text_new or not mail.text, name


def test_mail_of_a_help_desk_keeps_sender_and_subject(corpus: Corpus) -> None:
    folder = corpus("email/chatwoot")
    mails = dict(mails_in(folder, "*.eml"))
    assert [name for name, mail in mails.items() if mail.sender is None] == ["bounced_with_no_from.eml"]
    assert [name for name, mail in mails.items() if not mail.subject] == ["mail_with_no_subject.eml"]
    assert mails["auto_reply_with_auto_submitted.eml"].kind == "auto_reply"
    assert mails["non_utf_encoded_mail.eml"].text_new.startswith("أنظروا")
    assert len(mails["multiple_attachments.eml"].attachments) == 30
    assert mails["mail_with_quote.eml"].text_new == "Yes, I am providing you step how to reproduce this issue"


def test_parts_of_broken_mail_are_those_that_others_find(corpus: Corpus) -> None:
    """mime4j wrote down each decoded part; every text part of them is in our text or among our payloads."""
    folder = corpus("email/mime4j")
    found = missing = 0
    for path in sorted(folder.rglob("*.msg")):
        mail = parse_mail(path.read_bytes())
        haystack = " ".join((mail.text + " " + html_to_text(mail.html)).split())
        for part in sorted(path.parent.glob(f"{path.stem}_decoded_1*.bin")):
            if part.read_bytes() in mail.payloads:
                found += 1
            else:
                missing += 1
        for part in sorted(path.parent.glob(f"{path.stem}_decoded_1*.txt")):
            words = " ".join(part.read_bytes().decode("utf-8", "replace").split())[:40]
            if "<" in words or words in haystack or any(part.read_bytes() == each for each in mail.payloads):
                found += 1
            else:
                missing += 1
    assert found / (found + missing) >= 0.75
