"""Which mails lie in another folder already, copied by a reader that ended before it could mark the originals."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.email.imap.errors import Refused
from connectors.email.imap.responses import Fetched, Folder

if TYPE_CHECKING:
    from connectors.email.imap.client import ImapClient

PRINT = b"UID RFC822.SIZE BODY.PEEK[HEADER]"
MOST_ALIKE = 1000
"""Mails of one size that are looked at, the newest."""

Print = tuple[int, bytes]
"""Size, and digest of the header: what a copy shares with its original."""


async def copied_before(
    client: "ImapClient", source: Folder, target: Folder, uids: Sequence[int]
) -> set[int]:
    """Those of the open folder `source` that lie in `target` too. Both are opened meanwhile, `source` at the end.

    Where the same mail is in `source` twice, a copy counts for one of them.
    """
    originals = await _prints(client, uids)
    try:
        await client.open(target, read_only=True)
    except Refused:  # it does not exist
        await client.open(source, read_only=False)
        return set()
    copies = Counter[Print]()
    for size in {size for size, _ in originals.values()}:
        alike = await client.search_by_size(size)
        copies.update((await _prints(client, alike[-MOST_ALIKE:])).values())
    await client.open(source, read_only=False)
    return set(_matched(originals, copies))


def _matched(originals: Mapping[int, Print], copies: Counter[Print]) -> Iterable[int]:
    for uid, print in sorted(originals.items()):
        if copies[print]:
            copies[print] -= 1
            yield uid


async def _prints(client: "ImapClient", uids: Sequence[int]) -> dict[int, Print]:
    found: dict[int, Print] = {}

    async def take(one: Fetched) -> None:
        if one.size is not None and one.body is not None:
            found[one.uid] = one.size, sha256(one.body.content).digest()

    if uids:
        await client.fetch(uids, PRINT, take)
    return found
