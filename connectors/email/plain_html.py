"""The HTML of mails: that of plain text is made here, escaped, with paragraphs, line ends, quotes and links."""

import html
import re

LINK = re.compile(r"https?://[^\s<>\"']{1,2000}")
TRAILING = ".,;:!?)]}"
PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")


def html_of_text(text: str) -> str:
    """A small document; nothing of `text` is read as markup."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
    paragraphs = [_paragraph(each) for each in PARAGRAPHS.split(plain) if each.strip()]
    return document("\n".join(paragraphs) + "\n")


def document(fragment: str) -> str:
    """The whole of an HTML part. `fragment` is markup already."""
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n'
        f'<body style="font-family: sans-serif">\n{fragment}</body></html>\n'
    )


def _paragraph(text: str) -> str:
    lines = text.split("\n")
    if all(line.startswith(">") for line in lines):
        inner = "<br>\n".join(_line(line[1:].removeprefix(" ")) for line in lines)
        return f'<blockquote type="cite" style="margin: 0 0 0 .8em; border-left: 1px solid #ccc; padding-left: 1em">{inner}</blockquote>'
    return "<p>" + "<br>\n".join(map(_line, lines)) + "</p>"


def _line(line: str) -> str:
    pieces: list[str] = []
    position = 0
    for found in LINK.finditer(line):
        address = found.group().rstrip(TRAILING)
        pieces.append(html.escape(line[position : found.start()]))
        pieces.append(f'<a href="{html.escape(address)}">{html.escape(address)}</a>')
        position = found.start() + len(address)
    pieces.append(html.escape(line[position:]))
    return "".join(pieces).replace("  ", " &nbsp;")
