"""Timers of a case: what they are called, and how one is set and taken away."""

from datetime import datetime
from uuid import UUID

from schemas.cases import Timer

FIRST_RESPONSE = "first-response"
SNOOZE = "snooze"


def send_timer(message: UUID) -> str:
    return f"send:{message}"


def automation_timer(name: str) -> str:
    return f"automation:{name}"


def without(timers: tuple[Timer, ...], *names: str) -> tuple[Timer, ...]:
    return tuple(timer for timer in timers if timer.name not in names)


def with_timer(timers: tuple[Timer, ...], name: str, due_at: datetime) -> tuple[Timer, ...]:
    return (*without(timers, name), Timer.model_construct(name=name, due_at=due_at))  # its chain: `evolve`
