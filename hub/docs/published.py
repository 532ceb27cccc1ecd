"""docs/events/published.json: every version of every event type as it was published, which later code has to read.

It grows by itself: a new type, a new version, a compatible addition. A breaking change to a version that stands there is
refused until the payload's `version` rises.
"""

import json
from collections.abc import Mapping
from typing import Any

from hub.docs.compatibility import breaking_changes
from schemas import codec
from schemas.events import EVENT_TYPES, Payload

assert codec.DECLARING_MODULES  # importing them fills EVENT_TYPES

Published = dict[str, dict[str, Any]]
"""Type -> version -> schema of its data, as it is read."""


def read_published(text: str) -> Published:
    published: Published = json.loads(text)
    return published


def as_text(published: Published) -> str:
    return json.dumps(published, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def schema_of(payload: type[Payload]) -> dict[str, Any]:
    """What this version of the code reads."""
    return payload.model_json_schema(mode="validation", by_alias=True)


def incompatibilities(published: Published, types: Mapping[str, type[Payload]] = EVENT_TYPES) -> list[str]:
    """What would break readers or the log, each with what to do."""
    found: list[str] = []
    for name, versions in sorted(published.items()):
        payload = types.get(name)
        newest = max(map(int, versions))
        if payload is None:
            found.append(
                f"{name}: the event type is gone; events of it are on logs and have to stay readable"
            )
        elif payload.version < newest:
            found.append(f"{name}: version {payload.version} is below {newest}, which was published")
        elif payload.version == newest:
            changes = breaking_changes(versions[str(newest)], schema_of(payload))
            found += [f"{name}: {each}; keep it, or raise `version` to {newest + 1}" for each in changes]
    return found


def with_current(published: Published, types: Mapping[str, type[Payload]] = EVENT_TYPES) -> Published:
    """The record with what the code says now."""
    grown = {name: dict(versions) for name, versions in published.items()}
    for name, payload in types.items():
        grown.setdefault(name, {})[str(payload.version)] = schema_of(payload)
    return grown
