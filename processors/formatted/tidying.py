"""The tree as its writers want it: words in paragraphs, items in lists, and nothing that is empty."""

from collections.abc import Sequence

from processors.formatted.tree import Node


def tidied(node: Node) -> Node:
    """Blocks in blocks only, runs of words in paragraphs, lists with items alone, nothing empty."""
    blocks: list[Node] = []
    run: list[Node] = []

    def end_run() -> None:
        words = _trimmed(run)
        if words:
            blocks.append(Node("p", children=words))
        run.clear()

    for each in _lifted(node.children):
        if each.is_block:
            end_run()
            blocks += _block(each)
        else:
            run.append(each)
    end_run()
    return Node(node.tag, href=node.href, children=blocks)


def _lifted(children: Sequence[Node]) -> list[Node]:
    """Where a block stands in words (bold around paragraphs, say), the words are split around it."""
    lifted: list[Node] = []
    for each in children:
        if each.is_block or not _has_block(each):
            lifted.append(each)
            continue
        for inner in _lifted(each.children):
            if inner.is_block:
                inner.children = _styled(inner.children, each)
                lifted.append(inner)
            else:
                lifted.append(Node(each.tag, href=each.href, children=[inner]))
    return lifted


def _styled(children: list[Node], by: Node) -> list[Node]:
    """The words below with the style of what stood around them."""
    styled: list[Node] = []
    for each in children:
        if each.is_block:
            each.children = _styled(each.children, by)
            styled.append(each)
        else:
            styled.append(Node(by.tag, href=by.href, children=[each]))
    return styled


def _has_block(node: Node) -> bool:
    return any(each.is_block or _has_block(each) for each in node.children)


def _block(node: Node) -> list[Node]:
    if node.tag == "p":
        return tidied(node).children
    if node.tag == "li":  # without its list
        return [Node("ul", children=[tidied(node)])] if not node.is_empty else []
    if node.tag == "blockquote":
        inner = tidied(node)
        return [inner] if inner.children else []
    items = [tidied(each if each.tag == "li" else Node("li", children=[each])) for each in node.children]
    items = [each for each in items if each.children]
    return [Node(node.tag, children=items)] if items else []


def _trimmed(run: list[Node]) -> list[Node]:
    """Without spaces and line ends at both ends; nothing where no word is left."""
    words = [each for each in run if each.tag in ("br", "text") or not each.is_empty]
    while words and words[0].tag in ("br", "text") and words[0].is_empty:
        words.pop(0)
    while words and words[-1].tag in ("br", "text") and words[-1].is_empty:
        words.pop()
    if words and words[0].tag == "text":
        words[0] = Node("text", words[0].text.lstrip())
    if words and words[-1].tag == "text":
        words[-1] = Node("text", words[-1].text.rstrip())
    return words
