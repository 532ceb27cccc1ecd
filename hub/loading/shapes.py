"""What may stand at a place of the settings, read from the models: the known keys, and whether a value is text."""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from hub.loading.tree import Part

Shape = Any
"""An annotation: a model, a container of shapes, or the type of a scalar."""


def origin_of(shape: Shape) -> object:
    return get_origin(shape)


def alternatives(shape: Shape) -> Iterator[Shape]:
    """The members of unions, without the wrapping of annotations."""
    origin = origin_of(shape)
    if origin is Annotated:
        yield from alternatives(get_args(shape)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(shape):
            yield from alternatives(member)
    else:
        yield shape


def is_model(shape: Shape) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)


def keys_of(model: type[BaseModel]) -> dict[str, Shape]:
    """Key as it is written -> its shape."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def below(shape: Shape, part: Part) -> list[Shape]:
    """The shapes that may stand at a key or an index of this one."""
    found: list[Shape] = []
    for each in alternatives(shape):
        if is_model(each):
            if part in keys_of(each):
                found.append(keys_of(each)[str(part)])
        elif origin_of(each) is dict and isinstance(part, str):
            found.append(get_args(each)[1])
        elif origin_of(each) in {tuple, list} and isinstance(part, int):
            found.append(get_args(each)[0])
    return found


def at(model: type[BaseModel], parts: Sequence[Part], written: Any = None) -> list[Shape]:
    """All shapes that may stand at a place. `written` (the plain value of the whole) settles which of several models."""
    shapes: list[Shape] = [model]
    for part in parts:
        shapes = [each for shape in shapes for each in below(shape, part)]
        written = _step(written, part)
        shapes = [each for shape in shapes for each in _meant(shape, written)]
    return [each for shape in shapes for each in alternatives(shape)]


def _step(written: Any, part: Part) -> Any:
    try:
        return written[part]
    except (KeyError, IndexError, TypeError):
        return None


def _meant(shape: Shape, written: Any) -> list[Shape]:
    """Of several models those whose own mark (`action: answer`, the key `all`) is written; all of them where none is."""
    members = list(alternatives(shape))
    models = [each for each in members if is_model(each)]
    if len(models) < 2 or not isinstance(written, dict):
        return members
    marked = [each for each in models if _is_marked(each, written)]
    return marked or members


def _is_marked(model: type[BaseModel], written: dict[str, Any]) -> bool:
    for name, field in model.model_fields.items():
        if origin_of(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            return bool(written.get(name) == get_args(field.annotation)[0])
    required = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    return bool(required) and any(key in written for key in required)


def known_keys(model: type[BaseModel], parts: Sequence[Part], written: Any = None) -> list[str]:
    """The keys that may stand at a place, in the order of their models; empty where any may."""
    keys: dict[str, None] = {}
    for shape in at(model, parts, written):
        if is_model(shape):
            keys.update(dict.fromkeys(keys_of(shape)))
    return list(keys)


def is_secret(model: type[BaseModel], parts: Sequence[Part]) -> bool:
    return any(shape is SecretStr for shape in at(model, parts))


def is_container(model: type[BaseModel], parts: Sequence[Part]) -> bool:
    shapes = at(model, parts)
    return any(is_model(each) or origin_of(each) in {dict, tuple, list} for each in shapes)


def allows_none(model: type[BaseModel], parts: Sequence[Part]) -> bool:
    return type(None) in at(model, parts)


def _field(model: type[BaseModel], parts: Sequence[Part], written: Any) -> FieldInfo | None:
    for shape in at(model, parts[:-1], written) if parts else []:
        if is_model(shape):
            for name, field in shape.model_fields.items():
                if parts[-1] == (field.alias or name):
                    return field  # type: ignore[no-any-return]
    return None


def meaning(model: type[BaseModel], parts: Sequence[Part], written: Any = None) -> str:
    """What the models say of a setting; empty where they say nothing."""
    field = _field(model, parts, written)
    return field.description or "" if field is not None else ""


def has_default(model: type[BaseModel], parts: Sequence[Part], written: Any = None) -> bool:
    """Whether a value may be left out: a setting with a default, or a key of a free mapping."""
    field = _field(model, parts, written)
    return not field.is_required() if field is not None else True
