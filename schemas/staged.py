"""Files that somebody uploaded for an answer: kept apart from all blobs until the answer is sent."""

from datetime import date, datetime
from uuid import UUID

from schemas.columns import Collection, time_column
from schemas.documents import Document
from schemas.ids import derive
from schemas.interactions import BlobRef


class StagedFile(Document):
    """One content, uploaded on one day, by whomever. Forgotten days later, whether it was sent or not."""

    sha256: str
    staged: BlobRef
    """Under a name of its own: behind random bytes, so that nothing else is ever kept under it."""
    kept_at: datetime


def staged_id(sha256: str, day: date) -> UUID:
    return derive("staged file", sha256, day.isoformat())


STAGED_FILES = Collection(
    "staged_files", StagedFile, {"kept_at": time_column("kept_at")}, indexes=(("kept_at",),)
)
