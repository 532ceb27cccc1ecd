"""Text of customers, made ready to read: quotes folded, long texts folded, addresses of the web made links."""

import re

from markupsafe import Markup, escape

from processors.formatted import as_html, formatted

FOLD_LINES = 40
FOLD_LETTERS = 3000
LINK = re.compile(r"https?://[^\s<>\"'`\u202a-\u202e\u2066-\u2069]{1,2000}")
TRAILING = ".,;:!?)]}>"


def split_quoted(text: str, text_new: str) -> tuple[str, str]:
    """(what is new, what is quoted). `text_new` is empty where the whole text is new."""
    if not text_new or text_new == text:
        return text, ""
    rest = text[len(text_new) :] if text.startswith(text_new) else text
    return text_new, rest.strip()


def split_rest(text: str) -> tuple[str, str]:
    """(a screen of it, the rest), cut between lines or words."""
    text = text.strip("\n")
    lines = text.split("\n")
    if len(lines) <= FOLD_LINES and len(text) <= FOLD_LETTERS:
        return text, ""
    head = "\n".join(lines[:FOLD_LINES])
    if len(head) > FOLD_LETTERS:
        cut = max(head.rfind(mark, 0, FOLD_LETTERS) for mark in (" ", "\n"))
        head = head[: cut if cut > FOLD_LETTERS // 2 else FOLD_LETTERS]
    return head, text[len(head) :].lstrip("\n")


def linked(text: str) -> Markup:
    """The text, escaped, with links for its http addresses. A link shows where it leads, always."""
    parts: list[Markup] = []
    end = 0
    for match in LINK.finditer(text):
        url = match[0].rstrip(TRAILING)
        parts.append(escape(text[end : match.start()]))
        parts.append(
            Markup('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow">{0}</a>').format(url)
        )
        end = match.start() + len(url)
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def safe_html(html: str) -> Markup:
    """Formatted text of ours for a page: written anew from its tree, in which nothing else can be (`processors.formatted`)."""
    clean = as_html(formatted(html))
    return Markup(clean.replace("<a href=", '<a target="_blank" rel="noopener noreferrer nofollow" href='))  # noqa: S704
