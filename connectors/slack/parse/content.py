"""What a message of Slack says: its text and HTML, and the files that it names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.kit.html import clean_html
from connectors.kit.language import guess_language
from connectors.slack.parse.blocks import Json, objects, render_blocks, string
from connectors.slack.parse.mrkdwn import STYLES, render_mrkdwn
from connectors.slack.parse.rendered import Rendered, joined, plain
from schemas.interactions import Attachment, Content

MOST_FILES = 50
SUBJECT_CHARACTERS = 80
CODED = re.compile(r"`([^`\n]+)`")
NOT_FETCHED = "not fetched"
MODES = {
    "tombstone": "it was deleted in Slack",
    "hidden_by_limit": "it is hidden by the limit of the Slack plan",
    "external": "it is kept outside Slack",
}
"""https://docs.slack.dev/reference/objects/file-object"""


@dataclass(frozen=True, slots=True)
class SlackFile:
    """A file as a message names it. `url` is empty where there is nothing to fetch; `note` then says why."""

    id: str
    name: str
    media_type: str
    size: int
    url: str
    note: str
    needs_info: bool
    """A file of another organization: its address has to be asked for."""


def content_of(message: Json) -> Content:
    """The message in words. Blocks come first: what people typed is there with its styles, and apps may say more there."""
    rendered = _rendered(message)
    text = rendered.text.strip()
    return Content(
        subject=subject_of(text),
        text=text,
        text_new=text,
        html=clean_html(rendered.html) if rendered.is_rich else "",
        language=guess_language(text),
    )


def subject_of(text: str) -> str:
    """The first line, as a list of cases shows it: words, without the marks of a style."""
    first = CODED.sub(r"\1", text.partition("\n")[0].strip())
    for pattern, _ in STYLES:
        first = pattern.sub(r"\1", first)
    if len(first) <= SUBJECT_CHARACTERS:
        return first
    return first[: SUBJECT_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip() + "…"


def _rendered(message: Json) -> Rendered:
    said = render_blocks(message.get("blocks"))
    if not said.text:
        said = render_mrkdwn(string(message.get("text")))
    shared = [_attached(each) for each in objects(message.get("attachments"), 20)]
    kept = [each for each in shared if each.text and each.text not in said.text]
    return joined([said, *kept], text="\n\n") if kept else said


def _attached(attachment: Json) -> Rendered:
    """A message that was passed on, or what an app said in the older way. Previews of links are left out."""
    if attachment.get("from_url") and not attachment.get("is_share") and not attachment.get("is_msg_unfurl"):
        return Rendered()
    parts = [render_mrkdwn(string(attachment.get(each))) for each in ("pretext", "title", "text")]
    inner = joined(parts, text="\n", html="<br>")
    if not inner.text:
        inner = plain(string(attachment.get("fallback")))
    author = string(attachment.get("author_name"))
    quoted = (
        "\n".join(f"> {line}" for line in inner.text.split("\n"))
        if attachment.get("is_share")
        else inner.text
    )
    by = f"{author}:\n" if author and inner.text else ""
    return (
        Rendered(by + quoted, f"<blockquote>{inner.html}</blockquote>", is_rich=True) if inner.text else inner
    )


def files_of(message: Json) -> Sequence[SlackFile]:
    return [_file(each) for each in objects(message.get("files"), MOST_FILES)]


def _file(file: Json) -> SlackFile:
    mode = string(file.get("mode"))
    size = file.get("size")
    url = string(file.get("url_private_download")) or string(file.get("url_private"))
    note = MODES.get(mode, "")
    needs_info = file.get("file_access") == "check_file_info"
    return SlackFile(
        id=string(file.get("id")),
        name=(string(file.get("name")) or string(file.get("title")) or "file")[:255],
        media_type=string(file.get("mimetype")) or "application/octet-stream",
        size=size if isinstance(size, int) and size >= 0 else 0,
        url="" if note or needs_info else url,
        note=note or ("" if url or needs_info else "Slack names no address of it"),
        needs_info=needs_info and not note,
    )


def attachment_of(file: SlackFile) -> Attachment:
    """The file before it is fetched."""
    return Attachment(
        name=file.name, media_type=file.media_type, size=file.size, blob=None, note=file.note or NOT_FETCHED
    )
