"""The one codec between events and the bytes on a log: JSON data, all else in attributes (CloudEvents binary mode)."""

from schemas import (
    automation,
    case_messages,
    case_work,
    commands,
    configuration,
    identity,
    interactions,
    outbound,
    parking,
)
from schemas.errors import Undecodable
from schemas.events import EVENT_TYPES, Payload

DECLARING_MODULES = (
    automation,
    case_messages,
    case_work,
    commands,
    configuration,
    identity,
    interactions,
    outbound,
    parking,
)
"""Importing them fills the registry of event types."""


def encode(payload: Payload) -> bytes:
    """The JSON bytes of an event's data."""
    return payload.__pydantic_serializer__.to_json(payload)


def decode(type_name: str, value: bytes) -> Payload:
    """The data of an event of this type. Raises Undecodable, saying what is wrong, never anything else."""
    payload_type = EVENT_TYPES.get(type_name)
    if payload_type is None:
        raise Undecodable(f"event type {type_name!r} is not known to this version")
    try:
        payload: Payload = payload_type.__pydantic_validator__.validate_json(value)
    except ValueError as error:
        raise Undecodable(f"{type_name}: {error}") from error
    return payload
