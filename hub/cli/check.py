"""`hubbub check`: everything that is wrong with the settings, without running."""

import os

import click

from hub.cli.errors import Exit
from hub.cli.output import note, say, say_json
from hub.cli.place import place_of, with_place


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object: `ok` and the list of `problems`.")
@click.pass_context
@with_place
def check(context: click.Context, as_json: bool) -> None:
    """Check settings, rules and templates without running; every problem at once.

    Each problem comes as FILE:LINE:COLUMN, the place in the settings, and what to change. Exit code 1 says that there are
    problems.

    \b
    Examples:
      hubbub check
      hubbub check --config /etc/hubbub/hubbub.yaml
      hubbub check --json | jq -r '.problems[] | "\\(.line) \\(.message)"'
    """
    from hub.loading import look

    place = place_of(context)
    problems = look(place.config, os.environ).problems
    if as_json:
        say_json(
            {"ok": not problems, "file": str(place.config), "problems": [each.as_json() for each in problems]}
        )
    else:
        for each in problems:
            say(str(each))
        count = len(problems)
        note(
            f"{place.config}: {count} problem{'s' * (count != 1)}"
            if count
            else f"{place.config}: all is well"
        )
    if problems:
        raise click.exceptions.Exit(Exit.PROBLEMS)
