"""How an answer reads: formatted as its channel takes it, with the signature and what it quotes under it."""

import html
from dataclasses import dataclass

from processors.formatted import as_html, as_markdown, as_text, formatted, html_of
from processors.templates import Variables, render
from schemas.capabilities import Capabilities
from schemas.commands import Quoted
from schemas.configuration import Brand, Template
from schemas.errors import Never
from schemas.events import Actor
from schemas.interactions import Attachment, Participant

DELIMITER = "-- "
"""RFC 3676, section 4.3."""


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote. `copies`: cc and bcc instead of those in copy so far; None: as before."""

    text: str
    html: str = ""
    quoted: Quoted | None = None
    attachments: tuple[Attachment, ...] = ()
    copies: tuple[Participant, ...] | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """A message's `text` and `html` (empty where none was formatted), and how much of each its author wrote."""

    text: str
    html: str = ""
    written: int = 0
    written_html: int = 0


def worded(offered: Capabilities, written: Written, signature: str = "") -> Wording:
    """Cleaned, and without what the channel cannot show."""
    tree = formatted(written.html) if written.html else None
    if tree is None or not tree.children:
        return _with_below(written.text, "", signature, written.quoted)
    if offered.html:
        return _with_below(as_text(tree), as_html(tree), signature, written.quoted)
    text = as_markdown(tree) if offered.markdown else as_text(tree)
    return _with_below(text, "", signature, written.quoted)


def _with_below(text: str, formatted_text: str, signature: str, quoted: Quoted | None) -> Wording:
    if not signature and quoted is None:
        return Wording(text, formatted_text)
    text = text.rstrip().lstrip("\n")
    below = f"\n\n{DELIMITER}\n{signature}\n" if signature else "\n"
    below_html = _signature_html(signature) if signature else ""
    if quoted is not None:
        below += f"\n{quoted.said}\n{_as_quote(quoted.text)}\n"
        below_html += f"<p>{html.escape(quoted.said)}</p>\n<blockquote>{html_of(quoted.text)}</blockquote>\n"
    return Wording(
        text=f"{text}{below}".lstrip("\n"),
        html=formatted_text + below_html if formatted_text else "",
        written=len(text),
        written_html=len(formatted_text),
    )


def _signature_html(signature: str) -> str:
    lines = "<br>".join(html.escape(line) for line in signature.split("\n"))
    return f"<p>{DELIMITER}<br>{lines}</p>\n"


def _as_quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))


def signature_of(brand: Brand, author: Actor) -> str:
    """The author's own signature for the brand, else the brand's. One that is no template stands as it is written."""
    source = brand.agent_signatures.get(author.id, brand.signature).strip()
    if "{" not in source:
        return source
    template = Template(name="signature", text={"default": source})
    variables: Variables = {"agent": {"name": author.name or author.id}, "brand": {"title": brand.title}}
    try:
        return render(template, "", variables)[1].strip()
    except Never:  # published before signatures were templates
        return source
