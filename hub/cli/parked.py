"""`hubbub parked`: what waits for a fact or a vendor."""

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import line, say, say_json


@click.command()
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many keys."
)
@click.option("--json", "as_json", is_flag=True, help="One list with every key.")
@with_hub
async def parked(api: Api, limit: int, as_json: bool) -> None:
    """List keys whose events wait, the one with most events first.

    The first event of such a key waits for a fact or a vendor, and later ones of the key behind it. It is tried again by itself, and
    set aside as a dead letter after many attempts.

    \b
    Examples:
      hubbub parked
      hubbub parked --json
    """
    keys = await api.get("/parked", {"limit": limit})
    if as_json:
        say_json(keys)
        return
    for each in keys:
        say(
            f"{each['events']:>6}  {each['consumer']:<10}  {line(each['key'])}: {line(each['reason'])} "
            f"({each['attempts']} attempts, next {each['next_attempt_at']})"
        )
    if not keys:
        say("nothing waits")
