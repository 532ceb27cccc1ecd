"""docs/reference/settings.md and the JSON Schema for editors, from the models."""

import enum
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.docs.markdown import code, first_sentence, page, table
from hub.loading import shapes
from hub.settings import HubSettings
from schemas.conditions import FIELDS, OPERATORS, All, AnyOf, Clause, Not

SCHEMA_ID = "https://hubbub.example/schemas/hubbub.schema.json"
CONDITIONS = (Clause, All, AnyOf, Not)
LONGEST_DEFAULT = 60
WORDS: dict[object, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", type(None): "null",
}  # fmt: skip

HEAD = """
All of `hubbub.yaml`. `hubbub init` writes an example, `hubbub check` says what is wrong with a file, each problem with its
line. Unknown keys are errors. Editors complete and check it with the schema
[hubbub.schema.json](hubbub.schema.json): put `# yaml-language-server: $schema=…/hubbub.schema.json` at the top of the file.

**Secrets** stand elsewhere: any text may hold `${env:NAME}` (an environment variable) or `${file:PATH}` (a file, of which one
line end is removed; a relative path is relative to the settings file). `$${` is a plain `${`.

**The environment** stands over the file: `HUBBUB_CONSOLE__PORT=9000` is `console: {port: 9000}`. The names of a place are
joined by two underscores, an index is a number: `HUBBUB_EMAIL__ACCOUNTS__0__ADDRESS`. Where a list or several keys are
expected the value is YAML, `null` is none, all else is text as it stands. A variable that nearly names a setting is an error.

**Words**: YAML 1.2, so `on`, `no` and `18:30` are text; only `true` and `false` are true and false. Tags mean nothing; aliases
are followed within limits.

What a company decides (brands, hours, queues, rules, templates, automations, webhooks) is published as a version by
`hubbub apply` while the hub runs; all else takes effect at the next start.
"""


def settings_json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of hubbub.yaml, for editors."""
    schema = HubSettings.model_json_schema(mode="validation", by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "hubbub.yaml",
    }


def settings_schema_text() -> str:
    return json.dumps(settings_json_schema(), indent=2, ensure_ascii=False) + "\n"


def settings_page() -> str:
    sections = []
    for name, field in HubSettings.model_fields.items():
        rows = list(_rows(name, field, ()))
        sections.append(f"## {name}\n\n{table(('setting', 'type', 'default', 'meaning'), rows)}")
    return page("Settings", HEAD, *sections, _conditions())


def _rows(
    path: str, field: FieldInfo, above: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, str, str, str]]:
    meaning = field.description or _of_model(field.annotation)
    yield code(path), _words(field.annotation), _default(field), meaning
    yield from _inside(path, field.annotation, above)


def _inside(
    path: str, shape: shapes.Shape, above: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, str, str, str]]:
    for each in shapes.alternatives(shape):
        if shapes.is_model(each):
            if each in CONDITIONS or each in above:
                continue
            for name, field in each.model_fields.items():
                yield from _rows(f"{path}.{field.alias or name}", field, (*above, each))
        elif shapes.origin_of(each) in {tuple, list}:
            yield from _inside(f"{path}[]", get_args(each)[0], above)
        elif shapes.origin_of(each) is dict:
            yield from _inside(f"{path}.NAME", get_args(each)[1], above)


def _words(shape: shapes.Shape) -> str:
    found: dict[str, None] = {}
    for each in shapes.alternatives(shape):
        found[_word(each)] = None
    return " or ".join(found)


def _word(shape: shapes.Shape) -> str:
    origin = shapes.origin_of(shape)
    if origin is Literal:
        return ", ".join(code(str(each)) for each in get_args(shape))
    if origin in {tuple, list}:
        return f"list of {_words(get_args(shape)[0])}"
    if origin is dict:
        return f"keys with {_words(get_args(shape)[1])}"
    if shape in CONDITIONS:
        return "[condition](#conditions)"
    if shapes.is_model(shape):
        return "keys"
    if isinstance(shape, type) and issubclass(shape, enum.Enum):
        return ", ".join(code(str(each.value)) for each in shape)
    return WORDS.get(shape, getattr(shape, "__name__", str(shape)).replace("SecretStr", "secret text"))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "none"
    if default is PydanticUndefined or isinstance(default, BaseModel) or default in ((), {}, ""):
        return ""
    text = json.dumps(_plain(default), ensure_ascii=False)
    return code(text) if len(text) <= LONGEST_DEFAULT else "see the schema"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value if isinstance(value, int | float | bool | dict) else str(value)


def _of_model(shape: shapes.Shape) -> str:
    for each in shapes.alternatives(shape):
        inner = get_args(each)[0] if shapes.origin_of(each) in {tuple, list} else each
        if shapes.is_model(inner) and inner.__doc__ and inner.__doc__ != BaseModel.__doc__:
            return first_sentence(inner.__doc__)
    return ""


def _conditions() -> str:
    fields = table(
        ("field", "type", "meaning"),
        [(code(name), str(kind), meaning) for name, (kind, meaning) in FIELDS.items()],
    )
    operators = table(
        ("type of the field", "operators"),
        [
            (str(kind), ", ".join(code(str(each)) for each in sorted(known)))
            for kind, known in OPERATORS.items()
        ],
    )
    return f"""## Conditions

A condition is a clause `{{field: subject, operator: contains, value: invoice}}`, or several joined: `{{all: [...]}}`,
`{{any: [...]}}`, `{{not: {{...}}}}`. `form.X` is field X of a form and `customer.X` attribute X of the customer; both are text.

{fields}

{operators}"""
