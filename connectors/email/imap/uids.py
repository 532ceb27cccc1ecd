"""Sets of UIDs as IMAP writes them: `1:3,7` (RFC 3501, sequence-set)."""

from collections.abc import Iterable, Iterator

HIGHEST = 2**32 - 1


def write_uids(uids: Iterable[int]) -> str:
    """The shortest way to write them; empty for none."""
    return ",".join(f"{first}:{last}" if last > first else str(first) for first, last in _ranges(uids))


def read_uids(text: str) -> list[int]:
    """What `write_uids` wrote, in rising order."""
    uids: list[int] = []
    for each in text.split(",") if text else ():
        first, _, last = each.partition(":")
        uids.extend(range(int(first), int(last or first) + 1))
    return uids


def _ranges(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = 0
    for uid in sorted(set(uids)):
        if first and uid == last + 1:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last
