"""`hubbub cases`: queues and cases in the shell."""

from collections.abc import Sequence
from typing import Any

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import line, moment, safe, say, say_fields, say_json, say_json_list, say_table
from hub.cli.queues import note_unknown_queues

STATES = ("open", "waiting", "snoozed", "resolved", "spam", "merged")
COLUMNS = ("number", "queue", "state", "priority", "assignee", "waiting since", "subject")
ENTRIES = 20


@click.group()
def cases() -> None:
    """Queues and cases: list, show, and explain why a case is where it is."""


@cases.command("list")
@click.option("--queue", help="Cases of this queue alone.")
@click.option(
    "--state", multiple=True, type=click.Choice(STATES), help="Repeat for several; default: open, waiting."
)
@click.option("--all", "all_states", is_flag=True, help="Cases in every state.")
@click.option("--assignee", help="Cases of this user.")
@click.option("--unassigned", is_flag=True, help="Cases that nobody has.")
@click.option("--overdue", is_flag=True, help="Cases whose first response is late.")
@click.option("--brand", help="Cases of this brand.")
@click.option(
    "--search", help="Cases found by number, name, address, or words of subject and text; best first."
)
@click.option(
    "--sort",
    type=click.Choice(["waiting", "newest", "due", "priority"]),
    default="waiting",
    show_default=True,
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@click.option("--queues", is_flag=True, help="List the queues with their counts instead.")
@click.option("--json", "as_json", is_flag=True, help="A JSON array, one item a line.")
@with_hub
async def list_cases(
    api: Api, /, *, queues: bool, search: str | None, limit: int, as_json: bool, **wanted: Any
) -> None:
    """List cases, who waits longest first; or the queues.

    \b
    Examples:
      hubbub cases list
      hubbub cases list --queue orders --unassigned
      hubbub cases list --queues
      hubbub cases list --all --json | jq -r '.[] | select(.overdue) | .number'
    """
    if queues:
        _say_queues(await api.get("/queues"), as_json=as_json)
        return
    if search is not None:
        hits = [each async for each in api.pages("/search", {"q": search}, limit)]
        found = [
            await api.get(f"/cases/{number}") for number in dict.fromkeys(each["number"] for each in hits)
        ]
    else:
        query = {**wanted, "state": list(wanted["state"])}
        found = [each async for each in api.pages("/cases", query, limit)]
        if not found and wanted["queue"]:
            await note_unknown_queues(api, [wanted["queue"]], "(`hubbub cases list --queues` lists them)")
    if as_json:
        say_json_list(found)
        return
    say_table(COLUMNS, [_row(each) for each in found], "no such cases")


@cases.command("show")
@click.argument("case")
@click.option(
    "--limit", type=click.IntRange(1), default=ENTRIES, show_default=True, help="Timeline entries at most."
)
@click.option("--json", "as_json", is_flag=True, help="One object with `case` and `timeline`.")
@with_hub
async def show_case(api: Api, case: str, limit: int, as_json: bool) -> None:
    """Show a case by its number or id, and its timeline, newest first.

    \b
    Examples:
      hubbub cases show 7K3M9-Q2XAB
      hubbub cases show 7k3m9q2xab --json | jq .timeline[0].text
    """
    found = await api.get(f"/cases/{segment(case)}")
    timeline = [each async for each in api.pages(f"/cases/{found['id']}/timeline", {}, limit)]
    if as_json:
        say_json({"case": found, "timeline": timeline})
        return
    names = ("number", "subject", "state", "queue", "priority", "tags", "assignee", "brand", "channel", "account",
             "language", "opened_at", "waiting_since", "due_at", "overdue", "snoozed_until", "resolved_at", "messages", "id")  # fmt: skip
    say_fields({name.replace("_", " "): _shown(found[name], name) for name in names})
    for each in timeline:
        _say_entry(each)


@cases.command("explain")
@click.argument("case")
@click.option("--json", "as_json", is_flag=True, help="One object with `sentences` and `rules`.")
@with_hub
async def explain_case(api: Api, case: str, as_json: bool) -> None:
    """Say why a case is where it is: in sentences, then rule by rule and clause by clause.

    \b
    Examples:
      hubbub cases explain 7K3M9-Q2XAB
    """
    explanation = await api.get(f"/cases/{segment(case)}/explanation")
    if as_json:
        say_json(explanation)
        return
    for sentence in explanation["sentences"]:
        say(line(sentence))
    for rule in explanation["rules"]:
        say()
        say(line(f"rule {rule['rule']}: {rule['effect']}"))
        for clause in rule["clauses"]:
            say(f"  {line(clause)}")


def segment(text: str) -> str:
    """A name as one part of an address."""
    from urllib.parse import quote

    return quote(text, safe="")


def _say_queues(queues: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json_list(queues)
        return
    names = ("name", "title", "brand", "open", "unassigned", "overdue", "snoozed")
    rows = [[*(each[name] for name in names), moment(each["oldest_waiting"])] for each in queues]
    say_table((*names, "oldest waiting"), rows, "there are no queues")


def _shown(value: object, name: str) -> object:
    if isinstance(value, bool):
        return "yes" if value else ""
    return moment(value) if name.endswith(("_at", "_since", "_until")) else value


def _row(case: dict[str, Any]) -> list[object]:
    names = ("number", "queue", "state", "priority", "assignee")
    return [*(case[name] for name in names), moment(case["waiting_since"]), case["subject"]]


def _say_entry(entry: dict[str, Any]) -> None:
    actor = entry["actor"]
    who = actor["name"] or actor["id"]
    say(line(f"\n{moment(entry['occurred_at'])}  {entry['step']}  by {actor['kind']} {who}").lstrip())
    text = entry["text_new"] or entry["text"]
    if entry["kind"] in {"message", "reply", "note"} and text:
        for each in safe(text).splitlines():
            say(f"    {each}")
    for attachment in entry["attachments"]:
        say(f"    [{line(attachment['name'])}, {attachment['size']} bytes]")
