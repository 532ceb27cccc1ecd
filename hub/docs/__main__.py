"""`python -m hub.docs [--check]`."""

from collections.abc import Callable
from pathlib import Path

import click

from hub.docs.asyncapi import asyncapi_text
from hub.docs.command_line import cli_page
from hub.docs.connectors import connectors_page
from hub.docs.events import catalogue, event_files
from hub.docs.interface import openapi_text
from hub.docs.operations import errors_page, metrics_page
from hub.docs.published import as_text, incompatibilities, read_published, with_current
from hub.docs.settings import settings_page, settings_schema_text
from hub.docs.sizing import sizing_page

ROOT = Path(__file__).resolve().parents[2] / "docs"
PUBLISHED = "events/published.json"
PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": settings_page,
    "reference/hubbub.schema.json": settings_schema_text,
    "reference/cli.md": cli_page,
    "reference/metrics.md": metrics_page,
    "reference/errors.md": errors_page,
    "events/README.md": catalogue,
    "connectors.md": connectors_page,
    "openapi.json": openapi_text,
    "asyncapi.yaml": asyncapi_text,
    "operators/sizing.md": sizing_page,
}


@click.command()
@click.option(
    "--check", is_flag=True, help="Write nothing; exit code 1 when a page is stale or an event type breaks."
)
@click.option(
    "--accept-breaking", is_flag=True, help="Before the first release alone: forget what was published."
)
@click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), default=ROOT, help="The folder docs."
)
def main(check: bool, accept_breaking: bool, root: Path) -> None:
    """Make docs/ from the code, or say what is stale."""
    published = read_published(_text(root / PUBLISHED) or "{}") if not accept_breaking else {}
    broken = incompatibilities(published)
    for each in broken:
        click.echo(f"breaking: {each}", err=True)
    if broken:
        raise click.exceptions.Exit(1)
    wanted = {name: made() for name, made in PAGES.items()}
    wanted |= {f"events/{name}": text for name, text in event_files().items()}
    wanted[PUBLISHED] = as_text(with_current(published))
    stale = sorted(name for name, text in wanted.items() if _text(root / name) != text)
    left = sorted(
        each.name for each in (root / "events").glob("hubbub.*.json") if f"events/{each.name}" not in wanted
    )
    if check:
        _tell(stale, left)
        return
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(wanted[name], encoding="utf-8")
        click.echo(f"wrote {root / name}")
    for name in left:
        (root / "events" / name).unlink()
        click.echo(f"removed {root / 'events' / name}")


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _tell(stale: list[str], left: list[str]) -> None:
    for name in stale:
        click.echo(f"docs/{name} is stale; run `python -m hub.docs` and commit it", err=True)
    for name in left:
        click.echo(
            f"docs/events/{name} is of no event type; run `python -m hub.docs` and commit it", err=True
        )
    if stale or left:
        raise click.exceptions.Exit(1)


if __name__ == "__main__":
    main()
