"""What `hubbub connectors check` tries at Slack, and where to click when it fails."""

from collections.abc import AsyncIterator

from connectors.kit.channel import Finding
from connectors.slack.parse.blocks import string
from connectors.slack.scopes import wanted_of
from connectors.slack.settings import SlackAccount, SlackOAuth
from connectors.slack.web import FAILURES, SlackWeb, error_of

WHERE = "https://api.slack.com/apps → the app → OAuth & Permissions"
BASIC = "https://api.slack.com/apps → the app → Basic Information → App Credentials"
TOKEN = f"copy the Bot User OAuth Token anew: {WHERE}"
NO_SUCH_CODE = frozenset({"invalid_code", "code_already_used", "bad_redirect_uri"})
"""Slack knew the app by its id and secret before it looked at the code."""


async def check_account(account: SlackAccount, install_address: str = "") -> AsyncIterator[Finding]:
    """`install_address`: of the page by which workspaces install the app."""
    if account.bot_token is not None:
        web = SlackWeb(account.bot_token.get_secret_value(), account.api_url)
        try:
            async for finding in _token(web, account):
                yield finding
        finally:
            await web.close()
    if account.oauth is not None:
        async for finding in _app(account, account.oauth, install_address):
            yield finding
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
    for scope, purpose in wanted_of(account).items():
        cure = f"add the scope {scope} and install the app again: {WHERE}"
        yield Finding(account.name, f"scope {scope}, for {purpose}", is_well=scope in granted, cure=cure)


async def _app(account: SlackAccount, oauth: SlackOAuth, install_address: str) -> AsyncIterator[Finding]:
    """The app's id and secret, by a code that nobody was given."""
    web = SlackWeb("", account.api_url)
    redirect = f"{install_address.rpartition('/')[0]}/redirect"
    try:
        code = "hubbub-asks-whether-the-secret-is-right"
        await web.granted(oauth.client_id, oauth.client_secret, code=code, redirect_uri=redirect)
        said = ""
    except FAILURES as error:
        said = error_of(error)
    finally:
        await web.close()
    is_well = said in NO_SUCH_CODE
    cure = f"Slack says {said}; copy Client ID and Client Secret anew: {BASIC}"
    yield Finding(account.name, "the app's client id and secret", is_well=is_well, cure=cure)
    is_public = install_address.startswith("https://")
    yield Finding(
        account.name,
        f"the page to install the app: {install_address}",
        is_well=is_public,
        cure="Slack sends browsers back to https:// only; set intake.public_url to such an address",
    )
    if said == "bad_redirect_uri":
        cure = f"add {redirect} to the Redirect URLs: {WHERE}"
        yield Finding(account.name, "the redirect URL", is_well=False, cure=cure)


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
