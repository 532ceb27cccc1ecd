"""`hubbub customers`: a person, the handles and how each is known, and everything held."""

import json
import os
from pathlib import Path
from typing import Any

import click

from hub.cli.cases import segment
from hub.cli.client import Api, with_hub
from hub.cli.output import line, moment, note, say, say_fields, say_json, say_table


@click.group()
def customers() -> None:
    """Persons: a customer is the set of handles that are linked now. PERSON is a handle's id or its address."""


@customers.command("show")
@click.argument("person")
@click.option("--json", "as_json", is_flag=True, help="One object.")
@with_hub
async def show(api: Api, person: str, as_json: bool) -> None:
    """Show a person: the handles and how each is known, attributes, and cases.

    \b
    Examples:
      hubbub customers show ann@example.net
    """
    found = await api.get(f"/customers/{segment(person)}")
    if as_json:
        say_json(found)
        return
    _say(found)


@customers.command("link")
@click.argument("person")
@click.argument("other")
@click.option("--note", "why", default="", help="Why they are one person.")
@with_hub
async def link(api: Api, person: str, other: str, why: str) -> None:
    """Say that two handles are one person. Nothing is moved, and it can be taken back.

    \b
    Examples:
      hubbub customers link ann@example.net ann.work@acme.example --note "said so on the phone"
    """
    first, second = await _handle(api, person), await _handle(api, other)
    _say(await api.post(f"/customers/{first}/links", {"other": second, "note": why}))


@customers.command("unlink")
@click.argument("person")
@click.argument("other")
@click.option("--note", "why", default="", help="Why they are not one person.")
@with_hub
async def unlink(api: Api, person: str, other: str, why: str) -> None:
    """Take a link back. Both handles stay, with all that they wrote."""
    first, second = await _handle(api, person), await _handle(api, other)
    _say(await api.delete(f"/customers/{first}/links/{second}", {"note": why}))


@customers.command("export")
@click.argument("person")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A new file, instead of stdout."
)
@with_hub
async def export(api: Api, person: str, output: Path | None) -> None:
    """Give everything held about a person, as JSON. It is recorded in the audit trail.

    \b
    Examples:
      hubbub customers export ann@example.net -o ann.json
    """
    held = await api.post(f"/customers/{await _handle(api, person)}/export")
    if output is None:
        say_json(held)
        return
    with os.fdopen(
        os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(held, file, ensure_ascii=False, indent=2)
    note(f"{output}: {len(held['customer']['cases'])} cases, {len(held['timeline'])} entries")


async def _handle(api: Api, person: str) -> str:
    """The id of the handle that was named: by its id, or by what it is."""
    found = await api.get(f"/customers/{segment(person)}")
    named = [each["id"] for each in found["handles"] if person.lower() in {each["id"], each["value"].lower()}]
    return str(named[0] if named else found["id"])


def _say(person: dict[str, Any]) -> None:
    attributes = ", ".join(f"{name}={value}" for name, value in person["attributes"].items())
    say_fields({"name": person["name"], "id": person["id"], "attributes": attributes})
    names = {each["id"]: each["value"] for each in person["handles"]}
    for handle in person["handles"]:
        say(line(f"\n{handle['scheme']}: {handle['value']}  {handle['name']}"))
        say(f"    {handle['id']}, since {moment(handle['first_seen_at'])}")
        for each in handle["links"]:
            evidence = each["evidence"]
            known = f"{evidence['kind']} {evidence.get('note') or ''}".strip()
            say(
                line(
                    f"    linked to {names.get(each['other'], each['other'])} by {each['actor']['id']} ({known})"
                )
            )
    rows = [
        [each["number"], each["queue"], each["state"], moment(each["opened_at"]), each["subject"]]
        for each in person["cases"]
    ]
    say()
    say_table(("number", "queue", "state", "opened", "subject"), rows, "no cases")
