"""What formatted text is made of."""

from dataclasses import dataclass, field

BLOCKS = frozenset({"p", "ul", "ol", "li", "blockquote"})


@dataclass(slots=True)
class Node:
    """An element of BLOCKS, `strong`, `em`, `a`, `br`, `text`, or `root`. Only `a` has an `href`, and only text has `text`."""

    tag: str
    text: str = ""
    href: str = ""
    children: list["Node"] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        return self.tag in BLOCKS

    @property
    def is_empty(self) -> bool:
        """Nothing to be seen in it."""
        if self.tag == "text":
            return not self.text.strip()
        return all(each.is_empty for each in self.children)
