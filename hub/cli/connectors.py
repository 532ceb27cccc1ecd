"""`hubbub connectors`: which channels there are, how they are, whether their credentials work, what a payload becomes."""

import asyncio
import mimetypes
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.cases import segment
from hub.cli.client import Api, is_running, open_api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.new_connector import new_connector
from hub.cli.output import line, moment, note, say, say_json, say_json_list, say_table
from hub.cli.place import Place, place_of, with_place
from hub.cli.times import duration, iso_time, now

if TYPE_CHECKING:
    from connectors.kit.channel import Channel, Finding
    from connectors.kit.intake import Accepted

PAYLOAD_BYTES_AT_MOST = 50 * 2**20
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


@click.group()
def connectors() -> None:
    """Channels to the outside world: which there are, how they are, and trying them before they are needed."""


@connectors.command("list")
@AS_JSON
@with_place
def list_connectors(as_json: bool) -> None:
    """List every channel with its accounts and, where the hub runs, how each is.

    \b
    Examples:
      hubbub connectors list
      hubbub connectors list --json | jq -r '.[] | select(.state == "degraded") | .detail'
    """
    place = place_of(click.get_current_context())
    found = asyncio.run(_listed(place))
    if as_json:
        say_json_list(found)
        return
    rows = [[each["channel"], each["account"], _state(each), _seen(each), each["detail"]] for each in found]
    say_table(("channel", "account", "state", "last item", "detail"), rows, "there are no channels")


def _state(row: Mapping[str, Any]) -> str:
    """In a word; `silent` is a connector that looks well and brings nothing."""
    if row.get("paused"):
        return "paused"
    return "silent" if row.get("silent_seconds") else str(row["state"])


def _seen(row: Mapping[str, Any]) -> str:
    return moment(row["last_item_at"]) if row.get("last_item_at") else ""


async def _listed(place: Place) -> list[dict[str, Any]]:
    from hub.channels import channels

    settings = place.settings()
    health: dict[str, Any] = {}
    if is_running(settings.data):
        async with open_api(place) as api:
            health = {each["name"]: each for each in await api.get("/connectors")}
    rows: list[dict[str, Any]] = []
    for name, channel in channels().items():
        section = getattr(settings, name, None)
        known = {each: health[each] for each in health if each.partition(":")[0] == name}
        if section is None:
            rows.append(_row(name, "", "not set up", f"hubbub init --channel {name}"))
        elif known:
            rows += [{"channel": name, "account": each.partition(":")[2], **of} for each, of in known.items()]
        else:
            rows += [
                _row(name, account, "set up", "no hub runs here") for account in channel.accounts(section)
            ]
    return rows


def _row(channel: str, account: str, state: str, detail: str) -> dict[str, Any]:
    return {"channel": channel, "account": account, "state": state, "detail": detail, "last_item_at": None}


@connectors.command("check")
@click.argument("names", metavar="[CHANNEL]...", nargs=-1)
@AS_JSON
@with_place
def check_connectors(names: Sequence[str], as_json: bool) -> None:
    """Try credentials and permissions of the channels in the settings, and say what is missing and where to click.

    Sends and fetches nothing. Exit code 1 says that something is missing.

    \b
    Examples:
      hubbub connectors check
      hubbub connectors check slack --json
    """
    place = place_of(click.get_current_context())
    findings = asyncio.run(_checked(place, names))
    if as_json:
        say_json_list([{"channel": name, **vars_of(finding)} for name, finding in findings])
    else:
        for name, each in findings:
            mark = "ok  " if each.is_well else "FAIL"
            say(line(f"{mark} {name}:{each.account}  {each.what}"))
            if not each.is_well and each.cure:
                say(line(f"     {each.cure}"))
    failed = sum(not each.is_well for _, each in findings)
    note(
        f"{len(findings)} tried, {failed} to be put right" if findings else "there are no credentials to try"
    )
    if failed:
        raise click.exceptions.Exit(Exit.PROBLEMS)


def vars_of(finding: "Finding") -> dict[str, Any]:
    return {"account": finding.account, "what": finding.what, "ok": finding.is_well, "cure": finding.cure}


async def _checked(place: Place, names: Sequence[str]) -> "list[tuple[str, Finding]]":
    from hub.alone import opened_alone
    from hub.channels import channels

    settings = place.settings()
    wanted = [_channel(name) for name in names] or [
        each for each in channels().values() if getattr(settings, each.name, None) is not None
    ]
    found: list[tuple[str, Finding]] = []
    for channel in wanted:
        async with opened_alone(settings, channel) as opened:
            if opened.check is not None:
                found += [(channel.name, each) async for each in opened.check()]
    return found


def _channel(name: str) -> "Channel[Any]":
    from hub.channels import channels

    channel = channels().get(name)
    if channel is None:
        raise Failed(f"there is no channel {name!r}; there are {', '.join(channels())}", Exit.USAGE)
    return channel


@connectors.command("try")
@click.argument("name", metavar="CHANNEL")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--account", help="Of which account; default: the first, or the one that the payload names.")
@click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="A header of the request; may come several times.",
)
@click.option("--media-type", help="Content-Type of the request; default: by the ending of the file.")
@click.option("--verify", "is_proven", is_flag=True, help="Check the signature in the headers too.")
@with_place
def try_payload(
    name: str,
    file: Path,
    account: str | None,
    headers: Sequence[str],
    media_type: str | None,
    is_proven: bool,
) -> None:
    """Show what a payload becomes: its events, or why it would be ignored or quarantined. Nothing is kept or sent.

    FILE holds the body of a request, a mail, or one item as the channel gives it; - is stdin. Settings are those of the
    file, also where they are not in force yet. Exit code 1 says that it cannot be read.

    \b
    Examples:
      hubbub connectors try email message.eml
      hubbub connectors try slack event.json | jq '.items[].events[].data.content.text'
      curl -s https://example.com/sample.json | hubbub connectors try webhook_in - --account shop
    """
    place = place_of(click.get_current_context())
    given = dict(_header(each) for each in headers)
    content = _content(file)
    guessed = media_type or given.pop("content-type", None) or mimetypes.guess_type(file.name)[0]
    told = asyncio.run(_tried(place, name, content, account, given, guessed or "application/json", is_proven))
    say_json(told)
    if any(each["outcome"] == "quarantined" for each in told.get("items", [])):
        raise click.exceptions.Exit(Exit.PROBLEMS)


def _content(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(PAYLOAD_BYTES_AT_MOST)
    with file.open("rb") as opened:
        return opened.read(PAYLOAD_BYTES_AT_MOST)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.UsageError(f"--header {text!r}: write it as NAME:VALUE")
    return name.strip().lower(), value.strip()


async def _tried(
    place: Place,
    name: str,
    content: bytes,
    account: str | None,
    headers: Mapping[str, str],
    media_type: str,
    is_proven: bool,
) -> dict[str, Any]:
    from connectors.kit.channel import Payload
    from connectors.kit.hooks import HookAnswer, Unverified
    from connectors.kit.items import Unreadable
    from hub.alone import opened_alone, understood
    from hub.wiring import SystemClock

    payload = Payload(content, SystemClock().now(), media_type, account, headers)
    async with opened_alone(place.settings(), _channel(name)) as opened:
        try:
            became = await understood(opened, payload, is_proven=is_proven)
        except (Unverified, Unreadable) as error:
            raise Failed(f"it would be refused: {error}", Exit.PROBLEMS) from None
        if isinstance(became, HookAnswer):
            return {"answer": {"status": became.status, "body": became.body.decode("utf-8", "replace")}}
        return {"items": [_item(each) for each in became]}


def _item(accepted: "Accepted") -> dict[str, Any]:
    from connectors.kit.items import taken

    became = taken(accepted)
    events = [{"type": each.type, "data": each.model_dump(mode="json")} for each in accepted.interactions]
    return {
        "item": str(accepted.item),
        "outcome": str(became.fate),
        "reason": became.reason,
        "events": events,
    }


@connectors.command("pause")
@click.argument("connector")
@with_hub
async def pause(api: Api, connector: str) -> None:
    """Take nothing more in by a connector until it is resumed, also after a restart. Sources keep what they have.

    CONNECTOR is channel:account, as `hubbub connectors list` shows it.

    \b
    Examples:
      hubbub connectors pause slack:acme
    """
    await api.post(f"/connectors/{segment(connector)}/pause")
    say(f"{connector} is paused")


@connectors.command("resume")
@click.argument("connector")
@with_hub
async def resume(api: Api, connector: str) -> None:
    """Take in again, beginning with what came meanwhile."""
    await api.post(f"/connectors/{segment(connector)}/resume")
    say(f"{connector} takes in again")


@connectors.command("replay")
@click.argument("connector")
@click.option("--since", required=True, metavar="X", help="An ISO time, or how long ago: 15m, 24h, 7d.")
@with_hub
async def replay(api: Api, connector: str, since: str) -> None:
    """Ask the source again for everything since a time. What is known already is known again and does nothing.

    \b
    Examples:
      hubbub connectors replay email:support --since 2d
    """
    length = duration(since)
    moment_wanted = now() - length if length is not None else iso_time(since)
    if moment_wanted is None:
        raise click.UsageError(f"--since {since!r} is no time: write 2d, or 2026-03-01T10:00Z")
    await api.post(f"/connectors/{segment(connector)}/replay", {"since": moment_wanted.isoformat()})
    say(
        f"{connector} is read again since {moment_wanted:%Y-%m-%d %H:%M} UTC; `hubbub connectors list` says what came of it"
    )


connectors.add_command(new_connector)
