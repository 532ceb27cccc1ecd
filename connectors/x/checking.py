"""What `hubbub connectors check` tries at X, and where to click when it fails."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from connectors.kit.channel import Finding
from connectors.x.client import FAILURES, XClient
from connectors.x.parse.items import string
from connectors.x.settings import XAccount
from schemas.ports import Clock

WHERE = "https://developer.x.com → the project → the app → Keys and tokens"


async def check_account(account: XAccount, clock: Clock) -> AsyncIterator[Finding]:
    client = XClient(account, clock)
    try:
        try:
            told: Mapping[str, Any] = await client.get_me(user_auth=True)
        except FAILURES as error:
            cure = f"{error}; make the four keys anew after giving the app Read, write and Direct Messages: {WHERE}"
            yield Finding(account.name, "the keys", is_well=False, cure=cure)
            return
        who = told.get("data")
        id = string(who.get("id")) if isinstance(who, dict) else ""
        cure = f"the keys are of the account {id}; set x.accounts.user_id to it, or take the other keys"
        yield Finding(account.name, "the account", is_well=id == account.user_id, cure=cure)
        if account.direct_messages:
            yield await _messages(client, account)
    finally:
        await client.close()


async def _messages(client: XClient, account: XAccount) -> Finding:
    try:
        await client.get_direct_message_events(max_results=1)
    except FAILURES as error:
        cure = (
            f"{error}; give the app Read, write and Direct Messages, then make the access token anew: {WHERE}"
        )
        return Finding(account.name, "direct messages", is_well=False, cure=cure)
    return Finding(account.name, "direct messages", is_well=True)
