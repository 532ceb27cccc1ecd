"""What webhooks tell endpoints outside. A notice is no event of the log: it has a type and a schema of its own."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from schemas.cases import CaseSummary
from schemas.events import SCHEMA_ROOT, Frozen


class NoticedCase(CaseSummary):
    """The case as it was when the automation ran."""

    id: UUID


class CaseNotice(Frozen):
    """An automation tells of a case. Sent again it has the same id."""

    type: ClassVar[str] = "hubbub.notice.case"
    dataschema: ClassVar[str] = f"{SCHEMA_ROOT}/{type}/1.json"

    about: UUID = Field(description="the event of the case that made the automation run")
    automation: str = Field(description="name of the automation that tells")
    case: NoticedCase

    def payload(self) -> dict[str, Any]:
        """As an outbound message carries it, with its type and schema beside the data."""
        return {"type": self.type, "dataschema": self.dataschema, **self.model_dump(mode="json")}
