"""What Pydantic found, said so that its reader knows what to change. Values that may be secret are never repeated."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from processors.problems import nearest
from schemas.sentences import Sentence, said

NAME_PATTERN = "^[a-z0-9][a-z0-9_-]{0,62}$"
TIME_PATTERN = ":[0-5]"
CHOICE = re.compile(r"\^\(([a-z|]+)\)\$")
SHOWN_AT_MOST = 60
KEYS_SHOWN = 30

Context = Mapping[str, Any]


def sentence(kind: str, message: str, context: Context, value: object, *, is_secret: bool) -> str:
    """`kind`, `message` and `context` are Pydantic's; `value` is what was written."""
    known = SAID.get(kind)
    if known is not None:
        return known(context, None if is_secret else value)
    message = re.sub(r"^Value error, ", "", message)
    message = re.sub(r"^(Input|Value|String|Tuple|List|Dictionary) should ", "must ", message)
    return re.sub(r"^must have at (least|most) (\d+ items?).*", r"must have at \1 \2", message)


def unknown_key(key: str, known: list[str]) -> str:
    close = nearest(key, known)
    if close:
        return said("is not a setting{meant}", meant=close)
    return (
        said("is not a setting; known here: {names}", names=", ".join(known[:KEYS_SHOWN]))
        if known
        else "is not a setting"
    )


def _text(_: Context, value: object) -> str:
    if isinstance(value, bool | int | float):
        return "must be text; put it in quotes"
    return "must be text"


def _one_of(context: Context, value: object) -> str:
    expected = str(context.get("expected", ""))
    close = nearest(str(value), re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
    return said("must be {expected}{meant}", expected=expected, meant=close)


def _pattern(context: Context, value: object) -> str:
    pattern = str(context.get("pattern", ""))
    wanted: Sentence | None = None
    if pattern == NAME_PATTERN:
        wanted = said("use lower-case letters, digits, '-' and '_', at most 63, the first a letter or digit")
    elif TIME_PATTERN in pattern:
        wanted = said("write a time of day such as 09:00")
    if choice := CHOICE.fullmatch(pattern):
        return said("must be one of {names}", names=", ".join(choice[1].split("|")))
    wanted = wanted or said("must match {pattern}", pattern=pattern)
    if isinstance(value, str) and len(value) <= SHOWN_AT_MOST:
        return said("{value!r} cannot be used: {wanted}", value=value, wanted=wanted)
    return wanted


def _tag(context: Context, value: object) -> str:
    expected = str(context.get("expected_tags", ""))
    key = str(context.get("discriminator", "")).strip("'")
    given = str(context.get("tag", ""))
    close = nearest(given, re.findall(r"'([^']*)'", expected))
    return said("{key} must be one of {names}{meant}", key=key, names=expected, meant=close)


def _whole(_: Context, value: object) -> str:
    return "must be a whole number"


def _number(_: Context, value: object) -> str:
    return "must be a number"


def _boolean(_: Context, value: object) -> str:
    return "must be true or false"


def _keys(_: Context, value: object) -> str:
    return "must hold keys with values (`key: value`)"


def _list(_: Context, value: object) -> str:
    return "must be a list (`- item`, or [a, b])"


def _missing(_: Context, value: object) -> str:
    return "is missing"


SAID: dict[str, Callable[[Context, object], str]] = {
    "string_type": _text,
    "enum": _one_of,
    "literal_error": _one_of,
    "string_pattern_mismatch": _pattern,
    "union_tag_invalid": _tag,
    "int_type": _whole,
    "int_parsing": _whole,
    "int_from_float": _whole,
    "float_type": _number,
    "float_parsing": _number,
    "bool_type": _boolean,
    "bool_parsing": _boolean,
    "dict_type": _keys,
    "model_type": _keys,
    "model_attributes_type": _keys,
    "tuple_type": _list,
    "list_type": _list,
    "missing": _missing,
}
