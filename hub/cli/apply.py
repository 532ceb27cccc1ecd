"""`hubbub apply`: a changed configuration comes into force."""

from urllib.parse import urlencode

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import note as remark
from hub.cli.output import say, say_json
from hub.cli.place import place_of


@click.command()
@click.option(
    "--over", type=int, help="Replace this version, though it was published in the console or by the API."
)
@click.option("--note", default="", help="Why, for the history of versions.")
@click.option("--json", "as_json", is_flag=True, help="One object with the version in force.")
@with_hub
async def apply(api: Api, over: int | None, note: str, as_json: bool) -> None:
    """Publish rules, queues, templates, hours and automations of the settings file, to the running hub too.

    The whole file is checked first; with problems nothing is published and the old version stays. What the machine needs
    (ports, accounts, forms) takes effect at the next start. What was published in the console or by the API is not
    replaced unless --over names its version; `hubbub configuration show` prints it for the file.

    \b
    Examples:
      hubbub check && hubbub apply
      hubbub apply --config /etc/hubbub/hubbub.yaml
    """
    settings = place_of(click.get_current_context()).settings()
    before = (await api.get("/configuration"))["number"]
    body = settings.company().model_dump(mode="json", by_alias=True)
    query = urlencode({"origin": "file", "note": note} | ({} if over is None else {"over": over}))
    published = await api.put(f"/configuration?{query}", body)
    number = published["number"]
    if as_json:
        say_json({"number": number, "changed": number != before, "running": api.is_running})
        return
    say(
        f"version {number} is in force"
        + ("" if number != before else ", as before: nothing that a version holds changed")
    )
    if api.is_running and number == before:
        remark("ports, accounts, forms and relay take effect at the next start")
    if not api.is_running:
        remark("no hub runs here; it starts with this version")
