"""Blocks to text and HTML. What people type is one `rich_text`; apps send others, and may say there what `text` lacks.

https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from connectors.slack.parse.emoji import emoji_of
from connectors.slack.parse.mrkdwn import mention, render_mrkdwn
from connectors.slack.parse.rendered import Rendered, joined, link, plain, wrapped

MOST_BLOCKS = 100
MOST_ELEMENTS = 2_000
STYLE_TAGS = (("bold", "b"), ("italic", "i"), ("strike", "s"), ("code", "code"))
Json = Mapping[str, Any]


def objects(value: object, most: int = MOST_ELEMENTS) -> Sequence[Json]:
    """The JSON objects of a list; anything else is none."""
    return [each for each in value[:most] if isinstance(each, Mapping)] if isinstance(value, list) else []


def string(value: object) -> str:
    return value if isinstance(value, str) else ""


def render_blocks(blocks: object) -> Rendered:
    """All blocks below each other. Total: a block that is not known says nothing."""
    return joined(
        (BLOCKS.get(string(block.get("type")), _nothing)(block) for block in objects(blocks, MOST_BLOCKS)),
        text="\n",
    )


def _nothing(block: Json) -> Rendered:
    return Rendered()


def _text_object(value: object) -> Rendered:
    if not isinstance(value, Mapping):
        return Rendered()
    text = string(value.get("text"))
    return render_mrkdwn(text) if value.get("type") == "mrkdwn" else plain(text)


def _section(block: Json) -> Rendered:
    fields = [_text_object(each) for each in objects(block.get("fields"), 20)]
    return _paragraph(joined([_text_object(block.get("text")), *fields], text="\n", html="<br>"))


def _header(block: Json) -> Rendered:
    return _paragraph(wrapped(_text_object(block.get("text")), "b"))


def _context(block: Json) -> Rendered:
    return _paragraph(
        joined((_text_object(each) for each in objects(block.get("elements"), 20)), text=" ", html=" ")
    )


def _image(block: Json) -> Rendered:
    words = string(block.get("alt_text")) or "image"
    return _paragraph(plain(f"[{words}]"))


def _paragraph(inner: Rendered) -> Rendered:
    return Rendered(inner.text, f"<p>{inner.html}</p>" if inner.html else "", inner.is_rich)


def _rich_text(block: Json) -> Rendered:
    return joined(
        (PARTS.get(string(part.get("type")), _nothing)(part) for part in objects(block.get("elements"))),
        text="\n",
    )


def _rich_section(part: Json) -> Rendered:
    inner = _inline(part)
    return Rendered(
        inner.text.removesuffix("\n"), f"<p>{inner.html}</p>" if inner.html else "", inner.is_rich
    )


def _preformatted(part: Json) -> Rendered:
    text = _inline(part).text
    return Rendered(text, f"<pre>{escape(text, quote=False)}</pre>", is_rich=True)


def _quote(part: Json) -> Rendered:
    inner = _inline(part)
    text = "\n".join(f"> {line}" for line in inner.text.split("\n"))
    return Rendered(text, f"<blockquote>{inner.html}</blockquote>", is_rich=True)


def _list(part: Json) -> Rendered:
    is_ordered = part.get("style") == "ordered"
    indent, offset = _count(part.get("indent"), 8), _count(part.get("offset"), 10_000)
    items = [_inline(each) for each in objects(part.get("elements"))]
    marks = [f"{offset + number}." if is_ordered else "•" for number in range(1, len(items) + 1)]
    text = "\n".join(f"{'  ' * indent}{mark} {item.text}" for mark, item in zip(marks, items, strict=True))
    tag = "ol" if is_ordered else "ul"
    html = "".join(f"<li>{item.html}</li>" for item in items)
    return Rendered(text, f"<{tag}>{html}</{tag}>", is_rich=True)


def _count(value: object, most: int) -> int:
    return min(value, most) if isinstance(value, int) and value > 0 else 0


def _inline(part: Json) -> Rendered:
    return joined(_elements(objects(part.get("elements"))))


def _elements(elements: Iterable[Json]) -> Iterator[Rendered]:
    for element in elements:
        inner = ELEMENTS.get(string(element.get("type")), _nothing)(element)
        style = element.get("style")
        tags = [tag for name, tag in STYLE_TAGS if isinstance(style, Mapping) and style.get(name) is True]
        yield wrapped(inner, *tags) if tags else inner


def _link(element: Json) -> Rendered:
    return link(string(element.get("url")), string(element.get("text")))


def _date(element: Json) -> Rendered:
    return plain(string(element.get("fallback")) or str(element.get("timestamp", "")))


ELEMENTS: dict[str, Callable[[Json], Rendered]] = {
    "text": lambda element: plain(string(element.get("text"))),
    "link": _link,
    "emoji": lambda element: plain(emoji_of(string(element.get("name")), string(element.get("unicode")))),
    "user": lambda element: mention(string(element.get("user_id"))),
    "usergroup": lambda element: plain(f"@{string(element.get('usergroup_id'))}"),
    "channel": lambda element: plain(f"#{string(element.get('channel_id'))}"),
    "team": lambda element: plain(f"@{string(element.get('team_id'))}"),
    "broadcast": lambda element: plain(f"@{string(element.get('range'))}"),
    "color": lambda element: plain(string(element.get("value"))),
    "date": _date,
}
PARTS: dict[str, Callable[[Json], Rendered]] = {
    "rich_text_section": _rich_section,
    "rich_text_preformatted": _preformatted,
    "rich_text_quote": _quote,
    "rich_text_list": _list,
}
BLOCKS: dict[str, Callable[[Json], Rendered]] = {
    "rich_text": _rich_text,
    "section": _section,
    "header": _header,
    "context": _context,
    "image": _image,
    "video": lambda block: _paragraph(_text_object(block.get("title"))),
    "markdown": lambda block: _paragraph(plain(string(block.get("text")))),
}
