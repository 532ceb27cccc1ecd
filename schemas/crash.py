"""Named crash points: places between two steps of durable work where a test ends the process.

A point does nothing unless a hook is set. `arm` makes the hook that tests use: it counts passages of one point and acts
on the one asked for. Declaring all names here lets a test crash at each of them once and miss none.
"""

from collections.abc import Callable

CRASH_POINTS: dict[str, str] = {
    "engine.before-blob-file": "nothing of the blob is on disk",
    "engine.after-blob-write": "the temporary file is written, not synced",
    "engine.before-blob-rename": "the temporary file is durable, the blob has no name yet",
    "engine.after-blob-rename": "the blob has its name, its folder is not synced",
    "engine.after-blob-file": "the blob is durable, nothing refers to it",
    "engine.before-transaction": "steps are taken from the queue, nothing is written",
    "engine.after-events": "a step's events are written, its states are not",
    "engine.before-step-end": "a step is written whole, its savepoint is open",
    "engine.before-commit": "a group of steps is written, not durable",
    "engine.after-commit": "the group is durable, nobody was told",
    "engine.before-checkpoint": "the write-ahead log is about to be copied into the file",
    "backup.before-manifest": "a backup is copied whole, but has no manifest and so does not count",
    "restore.before-rename": "a restored folder is whole under its temporary name",
    "intake.after-original": "the item is here whole, nothing of it is read or kept",
    "intake.before-commit": "the item is parsed, nothing is on the log",
    "intake.before-acknowledge": "the item is on the log, its source was not told",
    "email.before-final-dot": "the relay has a mail whole but for its end, and so has accepted nothing",
    "email.after-final-dot": "the relay has the whole mail, its answer is not read",
    "imap.before-cursor": "mails are on the log, the cursor of their folder is not moved",
    "imap.after-cursor": "the cursor is moved, nothing was done to the mails in their mailbox",
    "imap.after-copy": "the mails are copied to their folder, the originals are not marked",
    "imap.after-action": "the mails are marked or moved in their mailbox, the cursor does not say so",
    "runner.after-read": "a batch is read, nothing is decided",
    "runner.before-commit": "a batch is decided, nothing is written",
    "runner.after-commit": "a batch is durable, the next is not asked for",
    "outbound.before-sending": "a message is due, it is still queued",
    "outbound.after-sending": "a message is marked as sending, the channel was not called",
    "outbound.before-result": "the channel answered, the answer is not kept",
    "outbound.after-result": "the answer is kept, nobody was told",
}
"""Point of the embedded hub -> what is true when a process ends there."""

DISTRIBUTED_CRASH_POINTS: dict[str, str] = {
    "distributed.after-blobs": "the blobs are kept, nothing refers to them",
    "distributed.after-holds": "the step holds all that it changes, nothing is decided",
    "distributed.after-decision": "the step is decided and kept whole, nothing of it is applied",
    "distributed.after-states": "the states are written, the entries are not",
    "distributed.after-entries": "the entries are written, nothing is published",
    "distributed.after-publishing": "the events are on the log, the states are still held",
    "distributed.after-releasing": "nothing is held any more, the position has not moved",
    "distributed.after-position": "all is done, the step is not forgotten",
    "distributed.after-forgetting": "the step is over, nobody was told",
    "distributed.after-direct-publishing": "events that belong to no state are on the log, nobody was told",
}
"""The same, of the engine on Kafka and MongoDB."""

SPOOL_CRASH_POINTS: dict[str, str] = {
    "spool.before-commit": "items are written to the spool, not durable",
    "spool.after-commit": "items are durable in the spool, their sources were not told",
    "spool.after-forwarding": "items are on the log, and still in the spool",
}
"""The same, of the spool before that engine."""

MOVE_CRASH_POINTS: dict[str, str] = {
    "move.after-mark": "the store is marked as the target of a move, nothing is moved",
    "move.after-publishing": "a page of events is on the new log, not written down",
    "move.after-page": "a page of events is on the new log and written down",
    "move.after-documents": "a page of documents is in the store, not written down",
    "move.after-entries": "timelines of a page of cases are in the store, not written down",
    "move.before-positions": "all is moved, no consumer stands anywhere",
    "move.before-end": "all is proved, the store is still marked as the target",
}
"""The same, of a move from one engine to the other."""

Hook = Callable[[str], None]


class Crashed(BaseException):
    """The process ends here, as far as a test in process can say so. No `except Exception` swallows it."""


_hooks: list[Hook] = []


def crash_point(name: str) -> None:
    """Marks a place. Costs a truth test unless a hook is set."""
    if _hooks:
        _hooks[-1](name)


def set_hook(hook: Hook | None) -> None:
    """Calls `hook` with the name of each point that is passed; None: no longer."""
    _hooks.clear()
    if hook is not None:
        _hooks.append(hook)


def raise_crashed(name: str) -> None:
    raise Crashed(name)


def arm(name: str, passage: int = 1, action: Hook = raise_crashed) -> None:
    """Runs `action` at the given passage (from 1) of the point `name`, once."""
    _check(name)
    passed = 0

    def hook(point: str) -> None:
        nonlocal passed
        passed += point == name
        if point == name and passed == passage:
            action(name)

    set_hook(hook)


def parse_armed(text: str) -> tuple[str, int]:
    """`name:passage`, as the variable HUBBUB_CRASH_AT of a process under test says it; `:1` may be left out."""
    name, _, passage = text.partition(":")
    _check(name)
    return name, int(passage or 1)


def _check(name: str) -> None:
    if not any(
        name in points
        for points in (CRASH_POINTS, DISTRIBUTED_CRASH_POINTS, SPOOL_CRASH_POINTS, MOVE_CRASH_POINTS)
    ):
        raise ValueError(f"there is no crash point {name!r}; schemas/crash.py has the table")
