"""What `hubbub connectors check` tries at Slack, and where to click when it fails."""

from collections.abc import AsyncIterator

from connectors.kit.channel import Finding
from connectors.slack.parse.blocks import string
from connectors.slack.settings import SlackAccount
from connectors.slack.web import FAILURES, SlackWeb, error_of

SCOPES = {
    "chat:write": "answers",
    "channels:history": "messages of public channels",
    "groups:history": "messages of private channels",
    "im:history": "direct messages",
    "users:read": "names of people",
    "files:read": "files that people send",
}
OPTIONAL = {
    "channels:read": "finding the app's channels after an outage",
    "reactions:read": "reactions",
    "files:write": "files in answers",
}
WHERE = "https://api.slack.com/apps → the app → OAuth & Permissions"
TOKEN = f"copy the Bot User OAuth Token anew: {WHERE}"


async def check_account(account: SlackAccount) -> AsyncIterator[Finding]:
    web = SlackWeb(account.bot_token.get_secret_value(), account.api_url)
    try:
        async for finding in _token(web, account):
            yield finding
    finally:
        await web.close()
    if account.app_token is not None:
        app = SlackWeb(account.app_token.get_secret_value(), account.api_url)
        try:
            yield await _socket_mode(app, account)
        finally:
            await app.close()


async def _token(web: SlackWeb, account: SlackAccount) -> AsyncIterator[Finding]:
    try:
        answer = await web.client.auth_test()
    except FAILURES as error:
        yield Finding(
            account.name, "the bot token", is_well=False, cure=f"Slack says {error_of(error)}; {TOKEN}"
        )
        return
    team = string(answer.get("team_id"))
    if team != account.team:
        cure = f"the token is of workspace {team}; set slack.accounts.team to it, or take the other token"
        yield Finding(account.name, "the workspace", is_well=False, cure=cure)
    else:
        yield Finding(account.name, f"the bot token, of {string(answer.get('team')) or team}", is_well=True)
    granted = {each.strip() for each in str(answer.headers.get("x-oauth-scopes", "")).split(",")}
    if granted == {""}:
        return
    wanted = {**SCOPES, "chat:write.customize": "the agent's name"} if account.as_agent else SCOPES
    for scope, purpose in {**wanted, **OPTIONAL}.items():
        cure = f"add the scope {scope} and install the app again: {WHERE}"
        yield Finding(account.name, f"scope {scope}, for {purpose}", is_well=scope in granted, cure=cure)


async def _socket_mode(web: SlackWeb, account: SlackAccount) -> Finding:
    try:
        await web.client.apps_connections_open(app_token=web.client.token or "")
    except FAILURES as error:
        cure = (
            f"Slack says {error_of(error)}; make an app-level token with connections:write (Basic Information),"
            " and switch Socket Mode on"
        )
        return Finding(account.name, "Socket Mode", is_well=False, cure=cure)
    return Finding(account.name, "Socket Mode", is_well=True)
