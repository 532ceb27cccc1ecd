"""`hubbub rebuild`: what is derived from the log, made anew."""

import json

import click

from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say, say_json


@click.command()
@click.argument("projection", type=click.Choice(["search", "timeline"]))
@click.option(
    "--drop", is_flag=True, help="Search only: forget all first; until it is over, not all is found."
)
@click.option("--json", "as_json", is_flag=True, help="One object with what was done.")
@with_hub
async def rebuild(api: Api, projection: str, drop: bool, as_json: bool) -> None:
    """Make the search index or the timelines anew from the log, also while the hub runs.

    What is missing or wrong is written again, and what is right is left. Run it again where it was cut off: it goes on from there.
    `hubbub verify` says whether it is needed.

    \b
    Examples:
      hubbub rebuild search
      hubbub rebuild search --drop
      hubbub rebuild timeline
    """
    body = json.dumps({"projection": projection, "drop": drop}).encode()
    last: dict[str, object] = {}
    headers = {"content-type": "application/json"}
    async for each in api.lines("POST", "/rebuild", headers=headers, content=body):
        if each.strip():
            last = json.loads(each)
    if last.get("result") != "rebuilt":
        raise Failed(f"it was cut off: {last.get('reason', 'the hub stopped')}; run it again", Exit.OUTAGE)
    if as_json:
        say_json(last)
        return
    note(f"looked at {last['looked_at']} events")
    say(f"rebuilt: {last['written']} written anew")
