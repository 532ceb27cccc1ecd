"""Logging in: by password (SASL PLAIN, or LOGIN where there is no other), or by access token (XOAUTH2)."""

import base64

from connectors.email.imap.client import ImapClient, quoted
from connectors.email.imap.errors import ConnectionLost, LoginRefused, Refused
from connectors.email.imap.oauth import AccessTokens

# The server could not look; the credentials may be right (RFC 5530).
FOR_NOW = frozenset({"UNAVAILABLE", "SERVERBUG", "INUSE", "LIMIT"})
# https://developers.google.com/gmail/imap/xoauth2-protocol
XOAUTH2 = "user={user}\x01auth=Bearer {token}\x01\x01"
CURES = {
    "gmail.com": "Google takes no usual passwords here: use an app password, or set oauth",
    "googlemail.com": "Google takes no usual passwords here: use an app password, or set oauth",
    "office365.com": "Microsoft takes no passwords here: set oauth",
    "outlook.com": "Microsoft takes no passwords here: set oauth",
}


async def log_in(client: ImapClient, tokens: AccessTokens | None) -> None:
    """Raises LoginRefused, with what to change, for credentials that are wrong; ConnectionLost for everything that may pass."""
    if client.is_logged_in:  # PREAUTH
        return
    if tokens is None:
        await _by_password(client)
    else:
        await _by_token(client, tokens)
    client.is_logged_in = True
    await client.ask_capabilities()  # those from before the login say less


async def _by_password(client: ImapClient) -> None:
    settings = client.settings
    assert settings.password is not None
    password = settings.password.get_secret_value()
    try:
        if "AUTH=PLAIN" in client.capabilities:
            await authenticate(client, "PLAIN", f"\0{settings.username}\0{password}".encode())
        elif "LOGINDISABLED" in client.capabilities:
            raise LoginRefused(
                "the server takes no password without encryption; set security to tls or starttls"
            )
        else:
            await client.run(b"LOGIN %b %b" % (_plain(settings.username), _plain(password)), secret=True)
    except Refused as refusal:
        raise _meaning(refusal, _cure(settings.host)) from None


async def _by_token(client: ImapClient, tokens: AccessTokens) -> None:
    token = await tokens.token()
    try:
        await _offer(client, token)
    except Refused as refusal:
        if refusal.code in FOR_NOW:
            raise _meaning(refusal, "") from None
        newer = await tokens.token(refused=token)  # it may have been withdrawn before its end
        try:
            await _offer(client, newer)
        except Refused as again:
            cure = "the token is good for another mailbox or scope; check username, scope and the permission for IMAP"
            raise _meaning(again, cure) from None


async def _offer(client: ImapClient, token: str) -> None:
    await authenticate(client, "XOAUTH2", XOAUTH2.format(user=client.settings.username, token=token).encode())


async def authenticate(client: ImapClient, mechanism: str, initial: bytes) -> None:
    """One SASL exchange in which we speak once. Raises Refused."""
    encoded = base64.b64encode(initial)
    command = b"AUTHENTICATE " + mechanism.encode()
    if "SASL-IR" in client.capabilities:
        await client.begin(command + b" " + encoded)
    else:
        await client.begin(command)
        while (asked := await client.wire.response()).tag == b"*":
            client.note(asked)
        if asked.tag != b"+":
            raise Refused(f"{command.decode()}: the server said {asked.name}: {asked.text}", asked.code)
        await client.wire.send(encoded)
    await _answer(client, command, mechanism)


async def _answer(client: ImapClient, command: bytes, mechanism: str) -> None:
    while True:
        response = await client.wire.response()
        if response.tag == b"+":
            # XOAUTH2 says what is wrong in a challenge, and waits for an empty answer before it says NO.
            await client.wire.send(b"" if mechanism == "XOAUTH2" else b"*")
            continue
        client.note(response)
        if response.tag != client.wire.tag:
            continue
        if response.name != "OK":
            raise Refused(
                f"{command.decode()}: the server said {response.name}: {response.text}", response.code
            )
        return


def _plain(text: str) -> bytes:
    if not text.isascii() or not text.isprintable():
        raise LoginRefused("the server takes letters of ASCII only in user names and passwords")
    return quoted(text.encode())


def _meaning(refusal: Refused, cure: str) -> ConnectionLost | LoginRefused:
    if refusal.code in FOR_NOW:
        return ConnectionLost(str(refusal))
    return LoginRefused(f"{refusal}. {cure}")


def _cure(host: str) -> str:
    found = next((cure for domain, cure in CURES.items() if host.lower().endswith(domain)), None)
    return found or "Check username and password"
