"""Slack as the hub finds it."""

from collections.abc import AsyncIterator
from datetime import datetime

from connectors.kit.channel import Channel, Finding, Opened, Surroundings, brands_in, mentions_in
from connectors.kit.intake import Accepted
from connectors.kit.quality import Rule, quality
from connectors.slack.compose import LONGEST, length
from connectors.slack.names import CHANNEL as NAME
from connectors.slack.settings import SlackSettings
from schemas.capabilities import Capabilities, Counting, FileLimits
from schemas.errors import Invalid
from schemas.letters import QuarantineItem

EXAMPLE = """\
accounts:
  - name: acme                       # events come to https://YOUR-INTAKE/hooks/slack/acme
    team: T0123ABCD                  # the workspace's id
    bot_token: ${env:SLACK_BOT_TOKEN}
    signing_secrets: ["${env:SLACK_SIGNING_SECRET}"]
    # app_token: ${env:SLACK_APP_TOKEN}   # Socket Mode instead: no public address is needed
    # oauth: {client_id: …, client_secret: …, teams: []}   # instead of team and bot_token: workspaces install the app
    channels: []                     # ids; empty: every channel that the app is invited to
    customers: everyone              # outsiders: who belongs to the workspace is a colleague
"""
CAPABILITIES = Capabilities(
    reply=True,
    edit=True,
    delete=True,
    files=FileLimits(count=10, bytes_each=100 * 2**20, bytes_total=200 * 2**20),
    longest=LONGEST,
    counting=Counting.OWN,  # `&`, `<` and `>` leave as several characters
    markdown=True,
    splits=True,
    customer_edits=True,
    customer_deletes=True,
    reactions=True,
    echoes=True,
)


def _open(settings: SlackSettings, around: Surroundings) -> Opened:
    from connectors.kit.hooks import read_again
    from connectors.kit.sending import AccountsDeliverer
    from connectors.slack.checking import check_account
    from connectors.slack.connector import SlackConnector

    connectors = {each.name: SlackConnector(each, around) for each in settings.accounts}

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        connector = connectors.get(item.account)
        if connector is None:
            raise Invalid(f"there is no Slack account {item.account!r} any more")
        if connector.hook is not None:
            return read_again(connector.hook, original, item)
        return connector.receiver.read_again(original, item)

    async def check() -> AsyncIterator[Finding]:
        for each in settings.accounts:
            async for finding in check_account(each, connectors[each.name].install_address):
                yield finding

    async def replay(account: str, since: datetime) -> str:
        return await connectors[account].replay(since)

    async def close() -> None:
        for each in connectors.values():
            await each.close()

    return Opened(
        connectors=tuple(connectors.values()),
        deliverer=AccountsDeliverer(NAME, "Slack", {name: each.sender for name, each in connectors.items()}),
        reparse=reparse,
        hooks={name: each.hook for name, each in connectors.items() if each.hook is not None},
        check=check,
        replay=replay,
        close=close,
    )


CHANNEL = Channel(
    name=NAME,
    title="Slack",
    describes="Slack workspaces; none: Slack is not used",
    settings=SlackSettings,
    capabilities=CAPABILITIES,
    open=_open,
    accounts=brands_in("accounts"),
    example=EXAMPLE,
    count=length,
    mentions=mentions_in("accounts"),
    quality=quality(
        Rule.VERIFIES_RAW_BYTES,
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.BOUNDS_INPUT,
        Rule.HIDES_SECRETS,
        Rule.ENDS_EVERY_SEND,
        Rule.RESUMES_WITHOUT_GAP,
        Rule.RECOGNISES_OWN_ECHO,
        Rule.ROTATES_SECRETS,
        Rule.FOLLOWS_EDITS_AND_DELETIONS,
        Rule.OBEYS_RATE_LIMITS,
        Rule.FETCHES_FILES_SAFELY,
        Rule.SETTLES_UNKNOWN_SENDS,
        Rule.HAS_STANDIN,
        Rule.TESTED_WITH_REAL_PEER,
        Rule.CHECKS_CREDENTIALS,
        Rule.TRIES_PAYLOADS,
        Rule.PASSES_CONTRACT,
        Rule.HAS_FIXTURES,
        Rule.HAS_OPERATOR_PAGE,
        Rule.REPORTS_HEALTH,
    ),
)
