"""`hubbub keys`: API keys with scopes."""

from collections.abc import Sequence

import click

from hub.cli.cases import segment
from hub.cli.client import Api, with_hub
from hub.cli.output import moment, note, say, say_json, say_json_list, say_table
from hub.cli.queues import note_unknown_queues
from hub.cli.times import duration, iso_time, now
from hub.cli.users import UNTIL_THEN, RoleType

SCOPES = ("read", "write", "events", "admin")


@click.group()
def keys() -> None:
    """API keys of integrators: what each may do is its scopes and its roles."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--scope", "-s", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="Repeatable."
)
@click.option("--role", "-r", "roles", multiple=True, type=RoleType(), help="Queue and role; repeatable.")
@click.option("--expires", metavar="TIME", help="ISO time, or from now on: 24h, 90d.")
@click.option("--json", "as_json", is_flag=True, help="One object with the key and `secret`.")
@with_hub
async def create(
    api: Api,
    name: str,
    scopes: Sequence[str],
    roles: Sequence[tuple[str, str]],
    expires: str | None,
    as_json: bool,
) -> None:
    """Create a key and print it. It is shown once and kept nowhere.

    \b
    Examples:
      hubbub keys create warehouse --scope read --scope events --role agent
      hubbub keys create website --scope write --role orders=agent --expires 90d
    """
    body = {"name": name, "scopes": list(scopes), "roles": dict(roles), "expires_at": _expiry(expires)}
    created = await api.post("/keys", body)
    await note_unknown_queues(api, dict(roles), UNTIL_THEN)
    if as_json:
        say_json(created)
        return
    note(f"key {created['key']['id']} ({name}); send it as `Authorization: Bearer …`:")
    say(created["secret"])


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, one item a line.")
@with_hub
async def list_keys(api: Api, as_json: bool) -> None:
    """List keys, revoked ones too."""
    found = [each async for each in api.pages("/keys")]
    if as_json:
        say_json_list(found)
        return
    rows = [
        [
            each["id"],
            each["name"],
            each["prefix"] + "…" + each["last_four"],
            each["scopes"],
            [f"{queue}={role}" for queue, role in each["roles"].items()],
            moment(each["expires_at"]),
            moment(each["revoked_at"]),
        ]
        for each in found
    ]
    say_table(("id", "name", "key", "scopes", "roles", "expires", "revoked"), rows, "there are no keys")


@keys.command("revoke")
@click.argument("key")
@with_hub
async def revoke(api: Api, key: str) -> None:
    """Make a key useless, at once. KEY is its id."""
    revoked = await api.delete(f"/keys/{segment(key)}")
    say(f"{revoked['name']} is revoked")


def _expiry(text: str | None) -> str | None:
    if text is None:
        return None
    length = duration(text)
    time = now() + length if length is not None else iso_time(text)
    if time is None:
        raise click.BadParameter(
            f"{text!r} is no time; write 90d, or 2026-12-31T00:00Z", param_hint="--expires"
        )
    return time.isoformat()
