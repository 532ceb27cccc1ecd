"""`text_new`: from the plain text, or from the HTML where only its marks show what is quoted."""

from connectors.email.parse.html_quotes import new_html_text
from connectors.email.parse.quotes import split_reply
from connectors.email.parse.signatures import without_armor


def new_text(text: str, html: str) -> tuple[str, bool]:
    """What the sender wrote this time, and whether the rest is passed on. Empty if nothing would be left."""
    plain = split_reply(without_armor(text))
    if plain.has_quote or not html:
        return plain.new, plain.is_forward
    marked = new_html_text(html)
    if marked is None:
        return plain.new, plain.is_forward
    rest = split_reply(marked)
    return (rest.new or plain.new), rest.is_forward or plain.is_forward
