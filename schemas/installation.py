"""What an installation says of itself in its store, so that no process works on it that does not belong to it."""

from datetime import datetime

from schemas.columns import Collection
from schemas.documents import Document
from schemas.ids import derive

INSTALLATION_ID = derive("installation")


class Installation(Document):
    """There is one. `secret_check` is derived from the installation's secret and tells nothing of it."""

    secret_check: str
    made_at: datetime


INSTALLATIONS = Collection("installations", Installation, {})
