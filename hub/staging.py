"""Files that were uploaded and not sent yet. Most are sent within minutes; what never is, is forgotten.

A blob is named by its content and may belong to many messages, so nobody can tell when the last of them is gone. A file that was
uploaded is therefore kept under a name that nothing else has, and becomes a blob in the very step that sends it.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from secrets import token_bytes

from hub.observe import Metric, Metrics
from schemas.errors import Conflict
from schemas.ids import sha256
from schemas.interactions import Attachment, BlobRef
from schemas.ports import Clock, Engine
from schemas.staged import STAGED_FILES, StagedFile, staged_id
from schemas.steps import Blob, Query, References, Step, Where

GOOD_FOR = timedelta(days=7)
"""So long after it was uploaded a file can be sent."""
FORGOTTEN_AFTER = GOOD_FOR + timedelta(days=2)
"""Two days later, because the clocks of several processes differ, and a file may be sent at the last moment."""
SALT_BYTES = 32
FILES_AT_ONCE = 100


class Staging:
    def __init__(self, engine: Engine, clock: Clock, metrics: Metrics | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._metrics = metrics

    async def keep(self, blob: Blob) -> None:
        """Durable when it returns. The same content again on the same day is kept already."""
        now = self._clock.now()
        id = staged_id(blob.ref.sha256, now.date())
        if (await self._engine.load(References(documents={StagedFile: {id}}))).documents:
            return
        content = token_bytes(SALT_BYTES) + blob.content
        ref = BlobRef(sha256=sha256(content), size=len(content))
        staged = StagedFile(id=id, sha256=blob.ref.sha256, staged=ref, kept_at=now)
        try:
            await self._engine.commit(Step(documents=[(staged, 0)], blobs=[Blob(ref, content)]))
        except Conflict:
            await self._engine.remove_blob(ref)  # uploaded by two at once: the other's is there

    async def sent(self, attachments: Iterable[Attachment]) -> list[Blob]:
        """What these become when they are sent: blobs for the step of the message. Files that are blobs already are not among them."""
        refs = {each.blob.sha256: each.blob for each in attachments if each.blob is not None}
        if not refs:
            return []
        ids = {staged_id(name, day) for name in refs for day in self._days()}
        found = (await self._engine.load(References(documents={StagedFile: ids}))).documents.values()
        staged = {each.sha256: each.staged for each in found if isinstance(each, StagedFile)}
        return [Blob(refs[name], (await self._engine.blob(ref))[SALT_BYTES:]) for name, ref in staged.items()]

    def _days(self) -> list[date]:
        """Those on which a file was uploaded that is still good."""
        today = self._clock.now().date()
        return [today + timedelta(days=days) for days in range(-FORGOTTEN_AFTER.days + 1, 2)]

    async def purge(self, limit: int = FILES_AT_ONCE) -> int:
        """Forgets files that can be sent no more. Returns how many. What is cut off half-way is done again."""
        total = 0
        where = (Where("kept_at", "<", self._clock.now() - FORGOTTEN_AFTER),)
        while (page := await self._engine.find(Query(STAGED_FILES, where, ("kept_at",), limit))).items:
            for each in page.items:
                if isinstance(each, StagedFile):
                    await self._engine.remove_blob(each.staged)
            await self._engine.commit(Step(deletions=[(StagedFile, each.id) for each in page.items]))
            if self._metrics is not None:
                self._metrics.add(Metric.UPLOADS_FORGOTTEN, len(page.items))
            total += len(page.items)
        return total
