"""Whether a schema still reads what was written under an older one.

Breaking: a field is gone (or renamed), a field became required, a type, a choice or a limit became narrower. Not breaking: a
new field that may be missing, a wider type, a further choice. https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html
calls the first BACKWARD; that a field is gone breaks those who read it, and so counts too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

RISING = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
FALLING = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
FIXED = ("pattern", "format", "multipleOf", "uniqueItems")
UNIONS = ("anyOf", "oneOf")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What breaks, each with its place. Both are whole schemas with `$defs`; empty when all that fits `old` fits `new`."""
    return list(Comparing(old, new).changes(old, new, "data"))


class Comparing:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old.get("$defs", {})
        self._new = new.get("$defs", {})
        self._under_way: set[tuple[str, str]] = set()

    def changes(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        pair = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(pair):
            if pair in self._under_way:  # recursive: this pair is being compared already
                return
            self._under_way.add(pair)
        yield from self._resolved(_followed(old, self._old), _followed(new, self._new), path)
        if all(pair):
            self._under_way.discard(pair)

    def _resolved(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_members, new_members = _members(old), _members(new)
        if len(old_members) > 1 or len(new_members) > 1:
            yield from self._union(old_members, new_members, path)
            return
        yield from _types(old, new, path)
        yield from _choices(old, new, path)
        yield from _limits(old, new, path)
        yield from self._object(old, new, path)
        yield from self._array(old, new, path)

    def _union(self, old: list[Schema], new: list[Schema], path: str) -> Iterator[str]:
        """Each member of the old one has to fit some member of the new one."""
        for member in old:
            reasons = [list(self.changes(member, each, path)) for each in new]
            if all(reasons):
                nearest = min(reasons, key=len)
                yield from (
                    nearest
                    if len(new) == 1
                    else [f"{path}: {_called(member)} is no longer allowed as it was ({nearest[0]})"]
                )

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield f"{path}.{name}: is gone"
            else:
                yield from self.changes(schema, after[name], f"{path}.{name}")
        for name in sorted({*new.get("required", [])} - {*old.get("required", [])}):
            yield f"{path}.{name}: is required now"
        yield from self._others(old, new, path)

    def _others(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        """Values of a free mapping."""
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if after is False and before is not False:
            yield f"{path}: further keys are no longer allowed"
        elif isinstance(after, Mapping) and before is not False:
            yield from self.changes(before if isinstance(before, Mapping) else {}, after, f"{path}.*")

    def _array(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if "items" in new:
            yield from self.changes(old.get("items", {}), new["items"], f"{path}[]")
        before, after = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(before) != len(after):
            yield f"{path}: has {len(after)} places instead of {len(before)}"
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from self.changes(one, other, f"{path}[{index}]")


def _followed(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Where a reference leads, with what stands beside it."""
    while "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**definitions[name], **beside}
    return schema


def _members(schema: Schema) -> list[Schema]:
    for key in UNIONS:
        if key in schema:
            return list(schema[key])
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": each} for each in schema["type"]]
    return [schema]


def _types(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = old.get("type"), new.get("type")
    if after is None or before == after or (before, after) == ("integer", "number"):
        return
    if before is None and ("const" in old or "enum" in old):
        return  # its choices are compared
    yield f"{path}: is {after} now and was {before or 'anything'}"


def _choices(old: Schema, new: Schema, path: str) -> Iterator[str]:
    after = _allowed(new)
    if after is None:
        return
    before = _allowed(old)
    if before is None:
        yield f"{path}: is one of {', '.join(after)} now and was free"
        return
    for each in before:
        if each not in after:
            yield f"{path}: {each} is no longer allowed"


def _allowed(schema: Schema) -> list[str] | None:
    if "const" in schema:
        return [repr(schema["const"])]
    return [repr(each) for each in schema["enum"]] if "enum" in schema else None


def _limits(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in (*RISING, *FALLING, *FIXED):
        before, after = old.get(name), new.get(name)
        if after is None or before == after:
            continue
        is_wider = (
            before is not None
            and name not in FIXED
            and (after < before if name in RISING else after > before)
        )
        if not is_wider:
            yield f"{path}: {name} is {after} now and was {'not there' if before is None else before}"


def _called(schema: Schema) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return name or str(schema.get("const", schema.get("type", "a value")))
