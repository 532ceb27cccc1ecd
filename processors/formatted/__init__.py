"""Formatted text of ours: bold, italic, lists, links, quotes, and nothing else.

Whatever HTML comes in, from an editor or pasted from anywhere, is read into a small tree of these few things
(`reading.py`, `tidying.py`); HTML, plain text and Slack's mark-up are written from the tree alone (`writing.py`), so nothing else can
come out.
"""

from processors.formatted.reading import formatted
from processors.formatted.tree import Node
from processors.formatted.writing import as_html, as_markdown, as_text, html_of

__all__ = ["Node", "as_html", "as_markdown", "as_text", "formatted", "html_of"]
