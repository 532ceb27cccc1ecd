"""`hubbub apply`: a changed configuration comes into force."""

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import note, say, say_json
from hub.cli.place import place_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object with the version in force.")
@with_hub
async def apply(api: Api, as_json: bool) -> None:
    """Publish rules, queues, templates, hours and automations of the settings file, to the running hub too.

    The whole file is checked first; with problems nothing is published and the old version stays. What the machine needs
    (ports, accounts, forms) takes effect at the next start.

    \b
    Examples:
      hubbub check && hubbub apply
      hubbub apply --config /etc/hubbub/hubbub.yaml
    """
    settings = place_of(click.get_current_context()).settings()
    before = (await api.get("/configuration"))["number"]
    published = await api.put("/configuration", settings.company().model_dump(mode="json", by_alias=True))
    number = published["number"]
    if as_json:
        say_json({"number": number, "changed": number != before, "running": api.is_running})
        return
    say(
        f"version {number} is in force"
        + ("" if number != before else ", as before: nothing that a version holds changed")
    )
    if api.is_running and number == before:
        note("ports, accounts, forms and relay take effect at the next start")
    if not api.is_running:
        note("no hub runs here; it starts with this version")
