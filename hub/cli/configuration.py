"""`hubbub configuration`: the versions that were published, what each changed, one as YAML for the settings file, and back to one."""

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import line, moment, say, say_json, say_json_list, say_table

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
NUMBER = click.argument("number", type=click.IntRange(1))


@click.group()
def configuration() -> None:
    """The versions of rules, queues, templates, hours and automations."""


@configuration.command("list")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most.")
@AS_JSON
@with_hub
async def list_versions(api: Api, limit: int, as_json: bool) -> None:
    """List versions, the newest first, with who published them, where, and why."""
    found = [each async for each in api.pages("/configuration/versions", None, limit)]
    if as_json:
        say_json_list(found)
        return
    rows = [
        [str(each["number"]), moment(each["published_at"]), each["actor"]["id"], each["origin"], each["note"]]
        for each in found
    ]
    say_table(("version", "published", "by", "from", "why"), rows, "nothing was published yet")


@configuration.command("show")
@click.argument("number", type=click.IntRange(1), required=False)
@AS_JSON
@with_hub
async def show(api: Api, number: int | None, as_json: bool) -> None:
    """Print a version as YAML for the settings file; the one in force where no number is given.

    \b
    Examples:
      hubbub configuration show > rules.yaml
      hubbub configuration show 7
    """
    from hub.loading.commented import commented
    from hub.settings import HubSettings

    found = await api.get("/configuration" if number is None else f"/configuration/versions/{number}")
    if as_json:
        say_json(found)
        return
    say(f"# version {found['number']}" + (f": {line(found['note'])}" if found["note"] else ""))
    say(commented(HubSettings, _given(found["configuration"])).rstrip())


@configuration.command("difference")
@NUMBER
@click.option("--of", type=click.IntRange(0), help="Compared with this version; the one before if left out.")
@AS_JSON
@with_hub
async def difference(api: Api, number: int, of: int | None, as_json: bool) -> None:
    """Say what a version changed, a line for each change."""
    found = await api.get(f"/configuration/versions/{number}/difference", {"of": of})
    if as_json:
        say_json(found)
        return
    for each in found["changes"]:
        say(line(each["sentence"]))
    if not found["changes"]:
        say("nothing")


@configuration.command("back")
@NUMBER
@click.option("--note", default="", help="Why, for the history of versions.")
@with_hub
async def back(api: Api, number: int, note: str) -> None:
    """Publish an older version anew, under a new number."""
    over = (await api.get("/configuration"))["number"]
    made = await api.post(f"/configuration/versions/{number}/back", {"over": over, "note": note})
    say(f"version {made['number']} is in force, as version {number} was")


def _given(value: object) -> dict[str, object]:
    """Without what is empty: a settings file says only what there is."""
    cleaned = _cleaned(value)
    assert isinstance(cleaned, dict)
    return cleaned


def _cleaned(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: _cleaned(each)
            for name, each in value.items()
            if each is not None and each not in ([], "", {})
        }
    return [_cleaned(each) for each in value] if isinstance(value, list) else value
