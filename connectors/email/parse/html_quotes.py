"""Quotes in HTML, by the marks that mail programs leave around what they quote."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.kit.html import node_to_text

# The quote itself: left out with all it holds.
QUOTES = (
    "div.gmail_quote, div.gmail_quote_container, blockquote.gmail_quote, div.gmail_extra, div.yahoo_quoted, div.ydp-quote,"
    " div.moz-cite-prefix, blockquote[type=cite], div.protonmail_quote, blockquote.protonmail_quote, div.zmail_extra,"
    " blockquote.tutanota_quote, blockquote.spark_quote, blockquote.front-blockquote, div.gmail_attr, div.freshdesk_quote,"
    " div.zendesk_quote, #OLK_SRC_BODY_SECTION, #mail-editor-reference-message-container, #oriMsgHtmlSeperator,"
    " #isReplyContent, #isc-quote, div.moz-forward-container"
)
# Signatures that are marked as such.
SIGNATURES = (
    "div.gmail_signature, .moz-signature, div.protonmail_signature_block, #Signature, #AppleMailSignature"
)
# Everything from here to the end is the quote.
CUTS = "#appendonsend, #divRplyFwdMsg, #replySplit, #reply-intro"


def new_html_text(html: str) -> str | None:
    """The text without marked quotes; None if nothing is marked."""
    tree = LexborHTMLParser(html)
    body = tree.body
    if body is None:
        return None
    quotes = tree.css(QUOTES)
    cuts = tree.css(CUTS)
    if not quotes and not cuts:
        return None
    without = {node.mem_id for node in (*quotes, *tree.css(SIGNATURES))}
    if cuts:
        without |= _from_here_on(cuts[0])
    return node_to_text(body, frozenset(without))


def _from_here_on(cut: LexborNode) -> set[int]:
    """The node and all that follows it in the document."""
    found: set[int] = set()
    node: LexborNode | None = cut
    is_first = True
    while node is not None:
        sibling = node if is_first else node.next
        while sibling is not None:
            found.add(sibling.mem_id)
            sibling = sibling.next
        node = node.parent
        is_first = False
    return found
