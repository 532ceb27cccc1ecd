"""`hubbub verify`: that nothing was lost and nothing done twice."""

import json
from typing import BinaryIO

import click

from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import line, note, say, say_json_line

LEDGER_BYTES_AT_MOST = 64 * 2**20


@click.command()
@click.option(
    "--ledger",
    type=click.File("rb"),
    help="A sender's own record: one acknowledged item id a line; - for stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="One object a line; the last one has `result`.")
@with_hub
async def verify(api: Api, ledger: BinaryIO | None, as_json: bool) -> None:
    """Look up whether every promise holds: the log is whole, every item is there, cases and timelines fit the log.

    Works while the hub runs. Lists every item that breaks a promise; exit code 1 then.

    \b
    Examples:
      hubbub verify
      hubbub verify --ledger acknowledged.txt
      hubbub verify --json | jq 'select(.fault)'
    """
    body: dict[str, str] = {}
    if ledger is not None:
        body["ledger"] = _text(ledger.read(LEDGER_BYTES_AT_MOST))
    last: dict[str, object] = {}
    headers = {"content-type": "application/json"}
    async for each in api.lines("POST", "/verify", headers=headers, content=json.dumps(body).encode()):
        if not each.strip():
            continue
        last = json.loads(each)
        if as_json:
            say_json_line(last)
        elif "fault" in last:
            say(line(f"{last.get('promise')}: {last.get('subject') or '-'}: {last['fault']}"))
    _conclude(last, as_json=as_json)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Failed("the ledger is not text; write one item id a line", Exit.USAGE) from None


def _conclude(last: dict[str, object], *, as_json: bool) -> None:
    result = last.get("result")
    if result not in {"whole", "broken"}:
        raise Failed(f"verification did not end: {last.get('reason', 'the hub stopped')}", Exit.OUTAGE)
    if not as_json:
        counts = last.get("counts")
        looked = (
            ", ".join(f"{count} {name}" for name, count in counts.items()) if isinstance(counts, dict) else ""
        )
        note(f"looked at: {looked or 'an empty log'}")
        say("whole: every promise holds" if result == "whole" else f"broken: {last.get('faults')} faults")
    if result == "broken":
        raise click.exceptions.Exit(Exit.PROBLEMS)
