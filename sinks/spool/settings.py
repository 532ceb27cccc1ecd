"""Settings of the spool."""

from pathlib import Path

from pydantic import Field

from schemas.configuration import Setting

GIGABYTE = 1024**3


class SpoolSettings(Setting):
    """Keep what comes in on a disk of ours while Kafka or MongoDB is down, and hand it on when they are back."""

    folder: Path = Field(
        description="folder on a volume that outlives the process, one for each process that takes items in; relative to this file"
    )
    max_bytes: int = Field(
        default=GIGABYTE,
        ge=1024**2,
        description="so much is kept at most; beyond it sources are put off (503, 451) as without a spool",
    )
    after_seconds: float = Field(
        default=5, ge=0.1, le=60, description="an item that was not taken for so long goes to the spool"
    )
