"""What is done to a mail in its mailbox once it is kept. Doing it again changes nothing."""

from collections.abc import Collection, Iterator, Sequence

from connectors.email.imap.client import ImapClient
from connectors.email.imap.errors import Refused
from connectors.email.imap.responses import Folder
from connectors.email.imap.settings import ImapSettings
from connectors.email.imap.utf7 import encode

AT_ONCE = 500


async def settle(
    client: ImapClient,
    settings: ImapSettings,
    folder: Folder,
    uids: Sequence[int],
    doubtful: Collection[int] = (),
) -> None:
    """Marks or moves these mails of the open folder; those that are gone are passed over. Raises Refused where it may not.

    `doubtful`: those for which it was tried before.
    """
    match settings.post_action:
        case "seen":
            await _mark(client, uids, "\\Seen")
        case "keyword":
            _may_be_kept(client, settings.keyword)
            await _mark(client, uids, settings.keyword)
        case "move":
            assert settings.move_to is not None
            target = Folder(settings.move_to, encode(settings.move_to), frozenset())
            for some in chunks(uids, AT_ONCE):
                await client.move(some, folder, target, doubtful)
        case "none":
            pass


async def _mark(client: ImapClient, uids: Sequence[int], flag: str) -> None:
    for some in chunks(uids, AT_ONCE):
        await client.store(some, flag)


def _may_be_kept(client: ImapClient, keyword: str) -> None:
    """A server that keeps no keywords takes them and forgets them (PERMANENTFLAGS, RFC 3501, section 7.1)."""
    flags = client.opened.flags if client.opened else frozenset()
    if flags and "\\*" not in flags and keyword.lower() not in flags:
        raise Refused(f"the server keeps no mark {keyword!r} on mails; choose another post_action")


def chunks(uids: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), most):
        yield uids[start : start + most]
