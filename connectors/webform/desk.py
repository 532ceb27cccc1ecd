"""Where the posts of one form arrive: who may post, how often, how much; then the entry goes on to its intake."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from starlette.datastructures import Headers
from starlette.requests import Request

from connectors.kit.client_address import Address, client_address, rate_name
from connectors.kit.rates import TokenBuckets
from connectors.kit.signatures import BadSignature, secret_bytes, verify
from connectors.kit.signed_tokens import SignedTokens
from connectors.webform.body import MemoryBudget, read_body
from connectors.webform.intake import FormIntake, Post, Taken
from connectors.webform.origins import Origins
from connectors.webform.pages import FormPages
from connectors.webform.parse.decode import Posted, TooLarge, Unreadable, Unsupported, decode, media_type_of
from connectors.webform.rejections import Rejected
from connectors.webform.settings import FieldType, Form, RateSettings, WebformSettings
from schemas.errors import Outage

BODY_BYTES = 1 << 20
MULTIPART_OVERHEAD = 64 << 10
SIGNATURE = "webhook-signature"
UNREADABLE = (400, "unreadable")
STATUSES: Mapping[type[Unreadable], tuple[int, str]] = {
    TooLarge: (413, "too_large"),
    Unsupported: (415, "unreadable"),
}


class Desk:
    def __init__(
        self,
        form: Form,
        settings: WebformSettings,
        pages: FormPages,
        tokens: SignedTokens,
        intake: FormIntake,
        budget: MemoryBudget,
    ) -> None:
        self.form = form
        self.pages = pages
        self.tokens = tokens
        self.origins = Origins(form, settings.public_url)
        self._settings = settings
        self._intake = intake
        self._budget = budget
        self._secrets = [secret_bytes(each.get_secret_value()) for each in form.signing_secrets]
        has_files = any(each.type == FieldType.FILE for each in form.fields)
        self._body_bytes = BODY_BYTES + (form.uploads.total_bytes + MULTIPART_OVERHEAD if has_files else 0)
        self._seconds = settings.upload_seconds if has_files else settings.body_seconds
        self._by_address = _limit(form.spam.per_address)
        self._by_form = _limit(form.spam.per_form)

    async def take(self, request: Request, now: datetime, posted: Posted) -> Taken:
        """Take an entry. `posted` is filled as soon as the body is read, so that a refusal can show it again.

        Raises Rejected, or Outage when nothing was taken.
        """
        if not self.origins.may_post(request.headers):
            raise Rejected(403, "refused", "this origin is not in `allowed_origins` of the form")
        is_signed = SIGNATURE in request.headers
        visitor = rate_name(self._address(request))
        wait = 0.0 if is_signed else self._wait(visitor, now)
        if wait and wants_json(
            request.headers
        ):  # a script keeps its entry; a page needs it read to show it again
            raise _too_many(wait)
        with self._budget.reserve() as reservation:
            body = await read_body(request, self._body_bytes, self._seconds, reservation)
            post = self._post(request, body, visitor, now, is_signed)
            try:
                read = decode(post.content_type, post.body)
            except Unreadable as unreadable:
                return await self._unread(post, unreadable)
            posted.values, posted.uploads = read.values, read.uploads
            if wait:
                raise _too_many(wait)
            if not is_signed and posted.first("_customer_ref"):
                raise Rejected(403, "refused", "_customer_ref is taken from signed posts only")
            return await self._intake_of(post, posted, visitor)

    async def _intake_of(self, post: Post, posted: Posted, visitor: str) -> Taken:
        try:
            return await self._intake.take(post, posted)
        except Outage:
            for buckets, name in self._buckets(visitor):
                buckets.give_back(name)
            raise

    async def _unread(self, post: Post, unreadable: Unreadable) -> Taken:
        if post.signed_id:
            return await self._intake.quarantine(post, str(unreadable))
        status, text = STATUSES.get(type(unreadable), UNREADABLE)
        raise Rejected(status, text, str(unreadable))

    def _post(self, request: Request, body: bytes, visitor: str, now: datetime, is_signed: bool) -> Post:
        return Post(
            content_type=request.headers.get("content-type", ""),
            body=body,
            visitor=visitor,
            received_at=now,
            key=request.headers.get("idempotency-key", ""),
            signed_id=self._verified(request, body, now) if is_signed else "",
            referrer=request.headers.get("referer", ""),
            accept_language=request.headers.get("accept-language", ""),
        )

    def _verified(self, request: Request, body: bytes, now: datetime) -> str:
        try:
            return verify(self._secrets, request.headers, body, now)
        except BadSignature as bad:
            raise Rejected(401, "refused", str(bad)) from None

    def _wait(self, visitor: str, now: datetime) -> float:
        """Seconds until this visitor may post; 0: now. A visitor that must wait costs the others nothing."""
        for buckets, name in self._buckets(visitor):
            if wait := buckets.take(name, now):
                return wait
        return 0.0

    def _buckets(self, visitor: str) -> Iterator[tuple[TokenBuckets, str]]:
        if self._by_address is not None:
            yield self._by_address, visitor
        if self._by_form is not None:
            yield self._by_form, self.form.name

    def _address(self, request: Request) -> Address | None:
        peer = request.client.host if request.client else ""
        return client_address(
            peer, request.headers.getlist("x-forwarded-for"), self._settings.trusted_proxies
        )


def wants_json(headers: Headers) -> bool:
    """Whether a script asks; a browser that sends a form without one wants a page."""
    if SIGNATURE in headers or media_type_of(headers.get("content-type", "")) == "application/json":
        return True
    accepted = headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


def _limit(rate: RateSettings | None) -> TokenBuckets | None:
    return None if rate is None else TokenBuckets(rate.rate())


def _too_many(wait: float) -> Rejected:
    return Rejected(429, "too_many", "too many entries in a short time", wait)
