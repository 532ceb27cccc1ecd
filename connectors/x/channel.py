"""X as the hub finds it."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from connectors.kit.channel import Channel, Finding, Opened, Surroundings, mentions_in
from connectors.kit.intake import Accepted
from connectors.kit.quality import Rule, quality
from connectors.x.names import CHANNEL as NAME
from connectors.x.parse.weight import LONGEST, weight
from connectors.x.settings import PRIVATE, XSettings
from schemas.capabilities import Capabilities, Counting, FileLimits, Visibility
from schemas.errors import Invalid
from schemas.letters import QuarantineItem

EXAMPLE = """\
accounts:
  - name: acme                       # direct messages are the account acme-dm
    user_id: "1234567890"
    consumer_key: ${env:X_CONSUMER_KEY}
    consumer_secrets: ["${env:X_CONSUMER_SECRET}"]
    access_token: ${env:X_ACCESS_TOKEN}
    access_token_secret: ${env:X_ACCESS_TOKEN_SECRET}
    poll_seconds: 90                 # each look costs what it finds
    reads_a_month: 20000             # reading and sending cost money: at most so much
    posts_a_month: 2000
    # webhook: true                  # X tells at once, at https://YOUR-INTAKE/hooks/x/acme
"""
MIB = 1 << 20
FILES = FileLimits(
    count=4,
    bytes_each=50 * MIB,
    bytes_total=50 * MIB,
    types=("image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4"),
    bytes_of={"image/*": 5 * MIB, "image/gif": 15 * MIB},
    alone=("image/gif", "video/*"),
    described=True,
)
"""https://docs.x.com/x-api/media/quickstart/best-practices: four pictures, or one animation, or one film."""
DIRECT_FILES = FILES.model_copy(update={"count": 1})
PUBLIC = Capabilities(
    reply=True,
    delete=True,
    hide=True,
    files=FILES,
    longest=LONGEST,
    counting=Counting.OWN,
    splits=True,
    repeats=False,  # https://docs.x.com/x-api/posts/creation-of-a-post: 403, duplicate content
    visibility=Visibility.PUBLIC,
    customer_edits=True,
    customer_deletes=True,
    echoes=True,
)
DIRECT = Capabilities(reply=True, files=DIRECT_FILES, longest=10_000, echoes=True)


def _open(settings: XSettings, around: Surroundings) -> Opened:
    from connectors.kit.hooks import read_again
    from connectors.kit.sending import AccountsDeliverer
    from connectors.x.checking import check_account
    from connectors.x.connector import XConnector

    connectors = {each.name: XConnector(each, around) for each in settings.accounts}
    senders = {name: each.sender for name, each in connectors.items()}
    senders |= {f"{name}{PRIVATE}": each.sender for name, each in connectors.items()}

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        connector = connectors.get(item.account.removesuffix(PRIVATE))
        if connector is None:
            raise Invalid(f"there is no X account {item.account!r} any more")
        if connector.hook is not None and item.account == connector.account:
            return read_again(connector.hook, original, item)
        receiver = connector.private if item.account.endswith(PRIVATE) else connector.receiver
        return receiver.read_again(original, item)

    async def check() -> AsyncIterator[Finding]:
        for each in settings.accounts:
            async for finding in check_account(each, around.clock):
                yield finding

    async def replay(account: str, since: datetime) -> str:
        return await connectors[account].replay(since)

    async def close() -> None:
        for each in connectors.values():
            await each.close()

    return Opened(
        connectors=tuple(connectors.values()),
        deliverer=AccountsDeliverer(NAME, "X", senders),
        reparse=reparse,
        hooks={name: each.hook for name, each in connectors.items() if each.hook is not None},
        capabilities=_capabilities(settings),
        check=check,
        replay=replay,
        close=close,
    )


def _capabilities(settings: XSettings) -> Mapping[str, Capabilities]:
    private = {each.private_name: DIRECT for each in settings.accounts}
    return private | {
        each.name: PUBLIC.model_copy(update={"private": each.private_name})
        for each in settings.accounts
        if each.direct_messages
    }


def _accounts(settings: XSettings) -> Mapping[str, str]:
    public = {each.name: each.brand for each in settings.accounts}
    return public | {each.private_name: each.brand for each in settings.accounts if each.direct_messages}


CHANNEL = Channel(
    name=NAME,
    title="X",
    describes="accounts on X; none: X is not used",
    settings=XSettings,
    capabilities=PUBLIC,
    open=_open,
    accounts=_accounts,
    example=EXAMPLE,
    mentions=mentions_in("accounts"),
    count=weight,
    quality=quality(
        Rule.VERIFIES_RAW_BYTES,
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.BOUNDS_INPUT,
        Rule.HIDES_SECRETS,
        Rule.ENDS_EVERY_SEND,
        Rule.PASSES_CONTRACT,
        Rule.RESUMES_WITHOUT_GAP,
        Rule.RECOGNISES_OWN_ECHO,
        Rule.ROTATES_SECRETS,
        Rule.FOLLOWS_EDITS_AND_DELETIONS,
        Rule.OBEYS_RATE_LIMITS,
        Rule.SETTLES_UNKNOWN_SENDS,
        Rule.HAS_STANDIN,
        Rule.TESTED_WITH_REAL_PEER,
        Rule.CHECKS_CREDENTIALS,
        Rule.TRIES_PAYLOADS,
        Rule.HAS_FIXTURES,
        Rule.HAS_OPERATOR_PAGE,
        Rule.REPORTS_HEALTH,
        exempt={
            Rule.FETCHES_FILES_SAFELY: "pictures and films of posts are not fetched; the text has their links"
        },
    ),
)
