"""`hubbub backup` and `hubbub restore`: a consistent copy while running, and the way back."""

import asyncio
import os
from pathlib import Path

import click

from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say
from hub.cli.place import place_of


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@with_hub
async def backup(api: Api, folder: Path) -> None:
    """Copy everything into an empty or new folder, as it is at one moment; also while the hub runs.

    The copy holds the installation's secret and all that customers wrote: keep it as safe as the data folder. The
    settings file is not in it.

    \b
    Examples:
      hubbub backup /backups/2026-03-02
    """
    from hub.secrets import FILE

    source = place_of(click.get_current_context()).folder()
    assert source is not None
    target = await asyncio.to_thread(_prepared, folder)
    await api.post("/backup", {"folder": str(target)})
    await asyncio.to_thread(_copy_private, source / FILE, folder / FILE)
    say(f"{target}: whole")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--into",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder: new or empty.",
)
def restore(folder: Path, into: Path) -> None:
    """Put a backup back as a data folder. Every byte is verified before the folder appears.

    \b
    Examples:
      hubbub restore /backups/2026-03-02 --into data
      hubbub verify --data data
    """
    from hub.secrets import FILE
    from sinks.sqlite.backup import restore_backup

    secret = folder / FILE
    if not secret.is_file():
        raise Failed(
            f"{secret} is missing: this backup is not whole, as nothing signed before could be read",
            Exit.REFUSED,
        )
    faults = restore_backup(folder.absolute(), into.absolute())
    _copy_private(secret, into / FILE)
    for fault in faults:
        note(f"known when the backup was made: {fault}")
    say(f"{into.absolute()}: restored and verified")


def _prepared(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.absolute()


def _copy_private(source: Path, target: Path) -> None:
    """Readable by its owner only, and durable."""
    content = source.read_bytes()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
