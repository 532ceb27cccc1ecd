"""What the app may do, and what each is for."""

from collections.abc import Mapping

from connectors.slack.settings import SlackAccount

NEEDED = {
    "chat:write": "answers",
    "channels:history": "messages of public channels",
    "groups:history": "messages of private channels",
    "im:history": "direct messages",
    "users:read": "names of people",
    "files:read": "files that people send",
}
USEFUL = {
    "channels:read": "finding the app's channels after an outage",
    "groups:read": "finding its private channels after an outage",
    "im:read": "finding direct messages after an outage",
    "mpim:read": "finding group messages after an outage",
    "mpim:history": "group messages",
    "reactions:read": "reactions",
    "files:write": "files in answers",
}
CUSTOMIZE = "chat:write.customize"


def wanted_of(account: SlackAccount) -> Mapping[str, str]:
    """Scope -> what it is for."""
    named = {CUSTOMIZE: "the agent's name and picture"} if account.as_agent else {}
    return {**NEEDED, **named, **USEFUL}


def scopes_of(account: SlackAccount) -> list[str]:
    return list(wanted_of(account))
