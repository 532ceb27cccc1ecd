"""Slack's own markup, as `text` and text objects have it.

https://docs.slack.dev/messaging/formatting-message-text: only `&`, `<` and `>` are escaped; what stands between `<` and `>`
is a link, a mention or a date.
"""

import re
from collections.abc import Iterator
from html import escape, unescape

from connectors.slack.parse.emoji import with_emoji
from connectors.slack.parse.rendered import Rendered, joined, link, plain, wrapped

MOST_CHARACTERS = 100_000
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
ENTITY = re.compile(r"<([^<>]{1,4000})>")
STYLES = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,2000}?)(?<=\S)\*(?![\w*])"), "b"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]{1,2000}?)(?<=\S)_(?![\w_])"), "i"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]{1,2000}?)(?<=\S)~(?![\w~])"), "s"),
)
QUOTE = "&gt;"
HELD = re.compile("\x00(\\d+)\x00")
BROADCASTS = {"here": "@here", "channel": "@channel", "everyone": "@everyone"}


def mention(user: str, label: str = "") -> Rendered:
    """A person; `@U…` is put into words once the name is known (connectors.slack.enrich)."""
    return plain(f"@{label or user}")


def entity(inner: str) -> Rendered:
    """What stands between `<` and `>`."""
    target, _, label = inner.partition("|")
    label = unescape(label)
    if target.startswith("@"):
        return mention(target[1:], label.removeprefix("@"))
    if target.startswith("#"):
        return plain(f"#{label or target[1:]}")
    if target.startswith("!"):
        return _special(target[1:], label)
    return link(unescape(target), with_emoji(label))


def _special(target: str, label: str) -> Rendered:
    name, _, _ = target.partition("^")
    if label:
        return plain(label)
    return plain(BROADCASTS.get(name) or f"@{target.replace('^', ' ')}")


def render_mrkdwn(source: str) -> Rendered:
    """Total: what is no markup is text."""
    source = source[:MOST_CHARACTERS].replace("\x00", "")
    return joined(_piece(piece) for piece in CODE.split(source) if piece)


def _piece(piece: str) -> Rendered:
    if len(piece) > 6 and piece.startswith("```") and piece.endswith("```"):
        return wrapped(_bare(piece[3:-3].strip("\n")), "pre")
    if len(piece) > 2 and piece.startswith("`") and piece.endswith("`"):
        return wrapped(_bare(piece[1:-1]), "code")
    return joined(_quoted(piece))


def _bare(code: str) -> Rendered:
    """Code: links in it are words."""
    text = unescape(ENTITY.sub(lambda match: entity(match[1]).text, code))
    return Rendered(text, escape(text, quote=False))


def _quoted(piece: str) -> Iterator[Rendered]:
    """Runs of lines, those that begin with `>` as a quote."""
    run: list[str] = []
    was_quote = False
    for line in piece.split("\n"):
        is_quote = line.startswith(QUOTE)
        if is_quote != was_quote and run:
            yield _run(run, was_quote, ends=True)
            run = []
        run.append(line)
        was_quote = is_quote
    yield _run(run, was_quote, ends=False)


def _run(lines: list[str], is_quote: bool, ends: bool) -> Rendered:
    if not is_quote:
        return _inline("\n".join(lines) + ("\n" if ends else ""))
    inner = _inline("\n".join(line.removeprefix(QUOTE).lstrip() for line in lines))
    text = "\n".join(f"> {line}" for line in inner.text.split("\n")) + ("\n" if ends else "")
    return Rendered(text, f"<blockquote>{inner.html}</blockquote>", is_rich=True)


def _inline(source: str) -> Rendered:
    """Text with entities and styles. Entities are held apart meanwhile, so that no style reaches into a link."""
    held: list[Rendered] = []

    def hold(match: re.Match[str]) -> str:
        held.append(entity(match[1]))
        return f"\x00{len(held) - 1}\x00"

    kept = with_emoji(ENTITY.sub(hold, source))
    text = HELD.sub(lambda match: held[int(match[1])].text, _unescaped(kept))
    html = escape(_unescaped(kept), quote=False)
    is_rich = any(each.is_rich for each in held)
    for pattern, tag in STYLES:
        html, count = pattern.subn(rf"<{tag}>\1</{tag}>", html)
        is_rich = is_rich or bool(count)
    html = HELD.sub(lambda match: held[int(match[1])].html, html)
    return Rendered(text, html.replace("\n", "<br>"), is_rich)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
