"""What a person reads, and what is attached."""

import hashlib

from connectors.email.parse import parse_mail
from tests.connectors.email.parse.mails import HEAD, read


def test_text_comes_from_the_plain_alternative_and_html_is_cleaned() -> None:
    mail = read("plain_and_html")
    assert mail.subject == "Bestellung 12 – Frage"
    assert mail.text.startswith("Where is my order?")
    assert mail.text_new == "Where is my order?"
    assert "<script" not in mail.html and "alert" not in mail.html
    assert mail.attachments == ()


def test_html_alone_gives_the_text_and_its_marks_show_the_quote() -> None:
    mail = read("html_only_with_marked_quote")
    assert "It has been sent." in mail.text
    assert mail.text_new == "Still nothing here."


def test_a_boundary_that_never_comes_is_guessed() -> None:
    mail = read("boundary_never_comes")
    assert mail.text == "The text is here."
    assert [attachment.name for attachment in mail.attachments] == ["a.txt"]
    assert "boundary guessed" in mail.warnings


def test_a_part_without_an_end_reaches_to_the_end_of_the_mail() -> None:
    mail = read("multipart_without_an_end")
    assert mail.payloads == (b"hello\n"[:5],)
    assert "multipart without an end" in mail.warnings


def test_damaged_base64_gives_what_can_be_read() -> None:
    assert read("base64_is_damaged").payloads == (b"hello world",)


def test_attachments_are_described_and_their_bytes_stay_out_of_json() -> None:
    mail = read("multipart_without_an_end")
    [attachment] = mail.attachments
    assert (attachment.name, attachment.media_type, attachment.size) == ("a.pdf", "application/pdf", 5)
    assert attachment.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert "payloads" not in mail.model_dump(mode="json")


def test_file_names_lose_their_folders_and_keep_their_language() -> None:
    names = [attachment.name for attachment in read("filename_climbs_out").attachments]
    assert names == ["passwd", "€ list.png"]


def test_an_image_of_the_html_is_inline_and_named_by_its_content_id() -> None:
    mail = read("inline_image_by_content_id")
    [image] = mail.attachments
    assert image.inline
    assert image.content_id == "one@x"
    assert 'src="cid:one@x"' in mail.html
    assert mail.text == "See [the crack]"


def test_an_attached_mail_is_kept_whole_and_not_merged() -> None:
    mail = read("attached_mail_is_not_merged")
    assert mail.text == "See the attached mail."
    [attachment] = mail.attachments
    assert (attachment.name, attachment.media_type) == ("Inner words.eml", "message/rfc822")
    assert b"Inner text" in mail.payloads[0]


def test_flowed_lines_are_joined() -> None:
    mail = read("flowed_text")
    assert mail.text.startswith("One longline.")
    assert mail.text_new == "One longline."


def test_old_macintosh_line_ends_are_line_ends() -> None:
    assert read("old_macintosh_line_ends").text == "first\nsecond"


def test_a_body_without_headers_is_still_a_body() -> None:
    mail = read("no_headers_at_all")
    assert mail.text == "Just some words,\nand more of them."
    assert mail.message_id is None


def test_nothing_at_all_is_unparsed_with_a_reason() -> None:
    mail = parse_mail(b" \r\n")
    assert (mail.kind, mail.warnings) == ("unparsed", ("empty",))


def test_text_parts_in_a_row_are_one_text() -> None:
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two</p>\n--b\n\nthree\n--b--"
    )
    mail = parse_mail(raw)
    assert mail.text == "one\n\ntwo\n\nthree"
    assert "<p>one</p>" in mail.html


def test_a_file_inside_the_text_is_taken_out() -> None:
    mail = parse_mail(HEAD + b"\nbefore\nbegin 644 cat.txt\n#0V%T\n`\nend\nafter\n")
    assert mail.payloads == (b"Cat",)
    assert mail.attachments[0].name == "cat.txt"
    assert "begin" not in mail.text and "after" in mail.text
