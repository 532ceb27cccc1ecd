"""Answers leave by the vendor's API. Everything that it does is a receipt; what may have arrived is never sent again."""

from collections.abc import Mapping

import httpx

from connectors.kit.example.parse import CHANNEL
from connectors.kit.example.settings import ExampleAccount
from connectors.kit.limits import TOO_MANY, limit_of, retry_after
from schemas.outbound import OutboundMessage
from schemas.ports import Allowance, Clock, Receipt, ReceiptStatus

TIMEOUT_SECONDS = 20.0
ANSWER_BYTES = 64 * 1024
REFUSES_US = (401, 403)


class ExampleDeliverer:
    """Implements ports.Deliverer and ports.Paced. The client never tries again by itself."""

    channel = CHANNEL

    def __init__(self, accounts: Mapping[str, ExampleAccount], clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def allowance(self, account: str) -> Allowance | None:
        """Put here what the vendor's documentation says; its answers correct it."""
        return Allowance(per_second=5, burst=10)

    async def deliver(self, message: OutboundMessage) -> Receipt:
        account = self._accounts.get(message.account)
        if account is None:
            return Receipt(ReceiptStatus.FAILED, reason=f"there is no account {message.account!r} any more")
        body = {
            "conversation": message.conversation.removeprefix(f"{CHANNEL}:"),
            "text": message.text,
            "idempotency_key": str(message.message),
        }
        headers = {"authorization": f"Bearer {account.token.get_secret_value()}"}
        try:
            answer = await self._client.post(f"{account.api_url}/messages", json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Receipt(
                ReceiptStatus.RETRY, reason=f"cannot be reached: {str(error) or type(error).__name__}"
            )
        except httpx.HTTPError as error:  # the request had left
            return Receipt(ReceiptStatus.UNKNOWN, reason=f"no answer: {str(error) or type(error).__name__}")
        return self._receipt(answer)

    def _receipt(self, answer: httpx.Response) -> Receipt:
        now, status = self._clock.now(), answer.status_code
        limit = limit_of(status, answer.headers, now)
        if answer.is_success:
            name = _name_in(answer)
            if name is None:
                return Receipt(ReceiptStatus.UNKNOWN, reason="its answer names no message", limit=limit)
            return Receipt(ReceiptStatus.SENT, external_id=f"{CHANNEL}:{name}", limit=limit, may_change=True)
        reason = f"it answered {status}"
        if status == TOO_MANY:
            wait = retry_after(answer.headers, now)
            return Receipt(ReceiptStatus.RETRY, reason=reason, retry_after_seconds=wait, limit=limit)
        if status in REFUSES_US:
            return Receipt(ReceiptStatus.RETRY, reason=f"{reason}: renew the token", stop_account=True)
        if status >= 500:  # it may have accepted before it failed
            return Receipt(ReceiptStatus.UNKNOWN, reason=reason, limit=limit)
        return Receipt(ReceiptStatus.FAILED, reason=reason, limit=limit)

    async def close(self) -> None:
        await self._client.aclose()


def _name_in(answer: httpx.Response) -> str | None:
    if len(answer.content) > ANSWER_BYTES:
        return None
    try:
        name = answer.json()["message"]
    except (ValueError, KeyError, TypeError):
        return None
    return name[:200] if isinstance(name, str) and name else None
