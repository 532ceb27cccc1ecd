"""Drafts: what somebody began to write in a case. One for each person and case; the last one kept is the one that counts."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from schemas.collections import DRAFTS
from schemas.documents import Draft
from schemas.errors import Conflict, Invalid, Outage
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Query, References, Step, Where

KEPT_FOR = timedelta(days=30)
LONGEST_TEXT = 200_000
ATTEMPTS = 5
MODES = ("reply", "note")


def draft_id(user: str, case: UUID) -> UUID:
    return derive("draft", user, case.hex)


class Drafts:
    """Who may read the case is for the caller to see to."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def read(self, user: str, case: UUID) -> Draft | None:
        id = draft_id(user, case)
        found = (await self._engine.load(References(documents={Draft: {id}}))).documents.get(id)
        return found if isinstance(found, Draft) else None

    async def keep(
        self,
        user: str,
        case: UUID,
        text: str,
        mode: str = "reply",
        html: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Durable when it returns; an empty text is no draft. Raises Invalid for one that is too long or of no mode."""
        fields = dict(fields or {})
        too_long = (
            max(len(text), len(html) // 2) > LONGEST_TEXT or sum(map(len, fields.values())) > LONGEST_TEXT
        )
        if too_long or mode not in MODES:
            raise Invalid(
                "the draft cannot be kept",
                {"text": said("at most {n} characters, for a reply or a note", n=LONGEST_TEXT)},
            )
        for _ in range(ATTEMPTS):
            before = await self.read(user, case)
            if not text.strip():
                await self._forget(before)
                return
            revision = before.revision if before else 0
            draft = Draft(
                id=draft_id(user, case),
                revision=revision,
                user=user,
                case=case,
                text=text,
                html=html,
                fields=fields,
                mode=mode,
                kept_at=self._clock.now(),
            )
            try:
                await self._engine.commit(Step(documents=[(draft, revision)]))
            except Conflict:
                continue  # written in another window at the same moment
            return
        raise Outage("the draft is written in several windows at once", retry_after_seconds=1)

    async def forget(self, user: str, case: UUID) -> None:
        await self._forget(await self.read(user, case))

    async def _forget(self, draft: Draft | None) -> None:
        if draft is not None:
            await self._engine.commit(Step(deletions=[(Draft, draft.id)]))

    async def purge(self, limit: int = 500) -> int:
        """Forgets drafts that nobody touched for a month. Returns how many."""
        total = 0
        where = (Where("kept_at", "<", self._clock.now() - KEPT_FOR),)
        while (page := await self._engine.find(Query(DRAFTS, where, ("kept_at",), limit))).items:
            await self._engine.commit(Step(deletions=[(Draft, each.id) for each in page.items]))
            total += len(page.items)
        return total
