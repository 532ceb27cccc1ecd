"""The steps of a Tuesday's case in two other programs, by what they document: which keys each takes, and clicks where there are none.

The steps: open the first case that nobody has, take it, begin an answer, send it and resolve. The letters of the answer are not
counted, nor is the way into the list. Where there are several ways the one with the fewest strokes stands here.
"""

from dataclasses import dataclass

CLICK = "click"


@dataclass(frozen=True)
class Taken:
    """One step as it is taken there."""

    step: str
    strokes: tuple[str, ...]
    """Keys held together are one stroke."""
    source: str


_CHATWOOT = "https://github.com/chatwoot/chatwoot/blob/develop/app/javascript/dashboard"
_CHATWOOT_KEYS = f"{_CHATWOOT}/components/widgets/modal/constants.js"
_ZAMMAD_KEYS = (
    "https://github.com/zammad/zammad/blob/develop/app/assets/javascripts/app/controllers/_plugin/"
    "keyboard_shortcuts.coffee"
)

PEERS: dict[str, tuple[Taken, ...]] = {
    "Chatwoot": (
        Taken("open", ("Alt+J",), _CHATWOOT_KEYS),
        # No key of its own: the button beside the name of the one who has it.
        Taken("take", (CLICK,), f"{_CHATWOOT}/routes/dashboard/conversation/ConversationAction.vue"),
        Taken("answer", ("Alt+L",), _CHATWOOT_KEYS),
        Taken(
            "send",
            ("Ctrl+Enter",),
            "https://www.chatwoot.com/hc/user-guide/articles/1677477447-customizing-your-personal-profile",
        ),
        Taken("resolve", ("Alt+E",), _CHATWOOT_KEYS),
    ),
    "Zammad": (
        Taken("open", ("Down", "Enter"), _ZAMMAD_KEYS),
        # No key: the field of the owner beside the ticket, and a name in it.
        Taken(
            "take",
            (CLICK, CLICK),
            "https://user-docs.zammad.org/en/latest/basics/work-with-tickets/attributes.html",
        ),
        Taken("answer", ("R",), _ZAMMAD_KEYS),
        # The key that updates as closed sends what is written with it, but is not heard while a field has the keyboard.
        Taken("send", (CLICK,), _ZAMMAD_KEYS),
        Taken("resolve", ("Shift+C",), _ZAMMAD_KEYS),
    ),
}


def strokes_of(taken: tuple[Taken, ...]) -> int:
    """How many strokes and clicks one case takes."""
    return sum(len(each.strokes) for each in taken)
