"""Webhooks to integrators by the Standard Webhooks specification (https://www.standardwebhooks.com/)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Receipt, ReceiptStatus

CHANNEL = "webhook"
GONE = 410
TOO_MANY = 429
LONGEST_WAIT_SECONDS = 3600.0


class WebhookDeliverer:
    """Sends CloudEvents to endpoints. Sending again is safe: the receiver knows `webhook-id` and drops what it had."""

    channel = CHANNEL

    def __init__(
        self,
        urls: Mapping[str, str],
        secrets: Mapping[str, SecretStr],
        clock: Clock,
        client: httpx.AsyncClient,
        forbidden: type[Exception],
    ) -> None:
        """`client` guards what may be reached, and raises `forbidden` for what may not."""
        self.urls = dict(urls)
        self._secrets = dict(secrets)
        self._clock = clock
        self._client = client
        self._forbidden = forbidden

    async def deliver(self, message: OutboundMessage) -> Receipt:
        url = self.urls.get(message.account)
        secret = self._secrets.get(message.account)
        if url is None:
            return Receipt(
                ReceiptStatus.FAILED, reason=f"there is no webhook endpoint {message.account!r} any more"
            )
        if secret is None:
            return Receipt(
                ReceiptStatus.RETRY, reason=f"webhook_secrets.{message.account} is not set", stop_account=True
            )
        body = json.dumps(cloudevent(message), ensure_ascii=False, separators=(",", ":"))
        try:
            return await self._post(url, secret, str(message.message), body)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            if isinstance(error.__cause__, self._forbidden):
                return Receipt(ReceiptStatus.FAILED, reason=reason)
            return Receipt(ReceiptStatus.RETRY, reason=reason)

    async def _post(self, url: str, secret: SecretStr, id: str, body: str) -> Receipt:
        now = self._clock.now()
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret.get_secret_value()).sign(id, now, body),
        }
        async with self._client.stream("POST", url, content=body.encode(), headers=headers) as answer:
            status = answer.status_code  # the body is of no use to us and is not read
            if answer.is_success:
                return Receipt(ReceiptStatus.SENT, external_id=f"webhook:{id}")
            if status == GONE:
                return Receipt(ReceiptStatus.FAILED, reason="the endpoint answered 410 Gone")
            return Receipt(
                ReceiptStatus.RETRY,
                reason=f"the endpoint answered {status}",
                retry_after_seconds=_retry_after(answer.headers.get("retry-after"), now)
                if status in (TOO_MANY, 503)
                else None,
            )

    async def close(self) -> None:
        await self._client.aclose()


def cloudevent(message: OutboundMessage) -> dict[str, object]:
    """The notice as a CloudEvent, structured mode."""
    payload = dict(message.payload or {})
    kind, schema = str(payload.pop("type", "hubbub.notice")), payload.pop("dataschema", None)
    return {
        "specversion": "1.0",
        "id": str(message.message),
        "source": "/hub/webhooks",
        "type": kind,
        "time": message.queued_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        **({"dataschema": schema} if schema else {}),
        **({"causationid": payload["about"]} if "about" in payload else {}),
        "data": payload,
    }


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110, section 10.2.3); at most an hour."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(LONGEST_WAIT_SECONDS, float(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(LONGEST_WAIT_SECONDS, max(0.0, (aware - now).total_seconds()))
