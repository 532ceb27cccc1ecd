"""The JSON of a body from outside: whatever it holds, what comes out can be kept."""

import json
from typing import Any

from connectors.kit.items import Unreadable

ESCAPED_SURROGATE = b"\\ud"


def load_json(body: bytes) -> Any:
    """The value. Raises Unreadable for what is no JSON, too deep, or has a number without end.

    Half a character outside the basic plane, which JSON can write and UTF-8 cannot, becomes a question mark.
    """
    try:
        value = json.loads(body)
        if ESCAPED_SURROGATE in body.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON: {type(error).__name__}") from error
    return value
