"""One form's way in: from the bytes of a post to an item that is durable, or to the reason why it is not taken."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from connectors.kit.intake import Accepted, Intake
from connectors.kit.signed_tokens import SignedTokens
from connectors.webform.parse.decode import Posted, decode
from connectors.webform.parse.entry import Entry, EntryReader
from connectors.webform.parse.interaction import CHANNEL, Circumstances, to_interaction
from connectors.webform.parse.spam import Signs, judge
from connectors.webform.parse.text import one_line
from connectors.webform.recent import RecentEntries
from connectors.webform.rejections import Rejected, used_key, wrong_fields
from connectors.webform.strings import first_wish
from schemas.accounts import AnsweredRequest
from schemas.crash import crash_point
from schemas.ids import case_id, case_number, derive, item_id, part_id, sha256
from schemas.interactions import BlobRef
from schemas.parking import Quarantined
from schemas.steps import Blob

ANSWER_KEPT = timedelta(days=1)
URL_CHARACTERS = 2000
KEY = re.compile(r"[!-~]{8,200}")


@dataclass(frozen=True, slots=True)
class Post:
    """A request to a form, as far as it was read. `signed_id` is the message id of a post that a server signed."""

    content_type: str
    body: bytes
    visitor: str
    received_at: datetime
    key: str = ""
    signed_id: str = ""
    referrer: str = ""
    accept_language: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the sender may know: the item, and the number of the case that it opens (known before the case is there)."""

    item: UUID
    number: str
    is_quarantined: bool = False


class FormIntake:
    def __init__(
        self, reader: EntryReader, tokens: SignedTokens, intake: Intake, recent: RecentEntries
    ) -> None:
        self._reader = reader
        self._form = reader.form
        self._tokens = tokens
        self._intake = intake
        self._recent = recent

    async def take(self, post: Post, posted: Posted) -> Taken:
        """Make the entry durable. Raises Rejected for what the sender can put right, Outage when nothing was taken."""
        crash_point("intake.after-original")
        entry = self._reader.read(posted)
        if entry.problems:
            raise wrong_fields(entry.problems)
        key, digest = _key(post, posted), entry.digest()
        name = f"key:{key}" if key else self._recent.name(digest, post.visitor, post.received_at)
        taken = _taken(item_id(CHANNEL, self._form.name, name))
        accepted = self._accepted(taken, name, post, posted, entry, key)
        crash_point("intake.before-commit")
        if not key:  # the name is the content: whoever sends it again means the same
            await self._intake.accept(accepted)
            crash_point("intake.before-acknowledge")
            return taken
        standing = await self._intake.accept_once(
            accepted, self._answer(name, digest, taken, post.received_at)
        )
        crash_point("intake.before-acknowledge")
        if standing.digest != digest:
            raise used_key(taken.number)
        return taken

    async def quarantine(self, post: Post, reason: str) -> Taken:
        """Keep a signed post that could not be read: its server is not there to correct it."""
        item = item_id(CHANNEL, self._form.name, f"key:{post.signed_id}")
        original = _original(post)
        quarantined = Quarantined(
            item=item,
            channel=CHANNEL,
            account=self._form.name,
            original=original.ref,
            stage="parse",
            reason=reason,
            received_at=post.received_at,
            envelope={"content-type": post.content_type[:200], "webhook-id": post.signed_id},
        )
        await self._intake.accept(Accepted(item, original, quarantined=quarantined))
        return replace(_taken(item), is_quarantined=True)

    def read_again(self, post: Post) -> Accepted:
        """A post out of quarantine as it is read now: the same item. Raises Unreadable, or Rejected where fields are wrong."""
        posted = decode(post.content_type, post.body)
        entry = self._reader.read(posted)
        if entry.problems:
            raise wrong_fields(entry.problems)
        name = f"key:{post.signed_id}"
        taken = _taken(item_id(CHANNEL, self._form.name, name))
        return self._accepted(taken, name, post, posted, entry, post.signed_id)

    def _accepted(
        self, taken: Taken, name: str, post: Post, posted: Posted, entry: Entry, key: str
    ) -> Accepted:
        original = _original(post)
        circumstances = Circumstances(
            item=taken.item,
            key=name,
            received_at=post.received_at,
            original=original.ref,
            page_language=self._page_language(posted),
            visitor_language=first_wish(post.accept_language),
            page_url=page_url(posted.first("_page") or post.referrer),
            customer_ref=one_line(posted.first("_customer_ref"))[:200] if post.signed_id else "",
            flags=() if post.signed_id else self._flags(post, posted, entry, key),
        )
        event, blobs = to_interaction(self._form, entry, circumstances)
        return Accepted(taken.item, original, (event,), tuple(blobs))

    def _flags(self, post: Post, posted: Posted, entry: Entry, key: str) -> tuple[str, ...]:
        token = posted.first("_token")
        signs = Signs(
            texts=tuple(entry.fields.values()),
            honeypot=posted.first("_website"),
            token=token,
            issued=self._tokens.read(self._form.name, token) if token else None,
            key=key,
            solution=posted.first("_work"),
        )
        return judge(signs, self._form.spam, post.received_at)

    def _page_language(self, posted: Posted) -> str | None:
        language = posted.first("_language")
        return language if language in self._form.offered_languages else None

    def _answer(self, name: str, digest: str, taken: Taken, now: datetime) -> AnsweredRequest:
        return AnsweredRequest(
            id=derive("form answer", self._form.name, name),
            digest=digest,
            status=200,
            body=taken.number.encode(),
            expires_at=now + ANSWER_KEPT,
        )


def _key(post: Post, posted: Posted) -> str:
    key = post.key or posted.first("_key") or post.signed_id
    if key and not KEY.fullmatch(key):
        raise Rejected(
            400, "unreadable", "an Idempotency-Key is 8 to 200 visible ASCII characters, best a UUID"
        )
    return key


def page_url(text: str) -> str:
    """The page on which the form stood, without its fragment; empty unless it is one of the web."""
    plain = one_line(text).partition("#")[0][:URL_CHARACTERS]
    return plain if plain.startswith(("https://", "http://")) else ""


def _taken(item: UUID) -> Taken:
    return Taken(item, case_number(case_id(part_id(item, 0))))


def _original(post: Post) -> Blob:
    media_type = post.content_type[:200] or "application/octet-stream"
    return Blob(BlobRef(sha256=sha256(post.body), size=len(post.body), media_type=media_type), post.body)
