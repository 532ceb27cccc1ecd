"""Which messages are sent next: in order within a conversation, and fair between accounts and conversations."""

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from schemas.collections import DELIVERIES
from schemas.documents import Delivery
from schemas.errors import Conflict
from schemas.outbound import DeliveryState
from schemas.ports import Clock, Engine
from schemas.steps import Query, Step, Where

MOST_AT_ONCE = 200
MOST_PAGES = 10
MOST_PAGES_OF_OTHERS = 100
IDLE_SECONDS = 1.0
DUTY = "outbound"
"""What members do that send."""
Account = tuple[str, str]
"""Channel and name."""


def account_of(delivery: Delivery) -> Account:
    return delivery.message.channel, delivery.message.account


class Due:
    """Looks at what the dispatcher is at: conversations in which it sends, accounts that rest or have their share."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        busy: Collection[str],
        stopped_accounts: Mapping[Account, datetime],
        has_its_share: Callable[[Delivery], bool],
        is_first_for: Callable[[str, str], bool],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._busy = busy
        self._stopped_accounts = stopped_accounts
        self._has_its_share = has_its_share
        self._is_first_for = is_first_for

    async def now(self) -> Sequence[Delivery]:
        """What is due and may be sent now, the longest due first; at most one of each conversation, its head.

        No account stands before the others: where one has its share of what is sent at once, the look goes on behind its
        messages; where a whole page may not be sent (the account rests, earlier messages wait), it is put off until it may.
        What another process sends is passed over.
        """
        found: list[Delivery] = []
        after: str | None = None
        pages = of_others = 0
        while pages < MOST_PAGES and of_others < MOST_PAGES_OF_OTHERS:
            now = self._clock.now()
            page = await self._engine.find(
                Query(
                    DELIVERIES,
                    (Where("state", "=", DeliveryState.QUEUED), Where("next_attempt_at", "<=", now)),
                    ("next_attempt_at",),
                    MOST_AT_ONCE,
                    after,
                )
            )
            due = [each for each in page.items if isinstance(each, Delivery) and self._is_ours(each)]
            if not due and page.next is not None:
                after = page.next
                of_others += 1
                continue
            pages += 1
            heads = await self._heads(due)
            free = [each for each in due if self._waits_until(each, heads, now) is None]
            found += free
            if page.next is None or not all(map(self._has_its_share, free)):
                break
            if free:
                after = page.next
            else:
                await self._put_off(due, heads, now)
        return found

    def _is_ours(self, delivery: Delivery) -> bool:
        return self._is_first_for("/".join(account_of(delivery)), DUTY)

    def _waits_until(
        self, delivery: Delivery, heads: Mapping[str, Delivery], now: datetime
    ) -> datetime | None:
        """When it may be sent, if that is not now."""
        rests = self._stopped_accounts.get(account_of(delivery))
        if rests is not None and rests > now:
            return rests
        conversation = delivery.message.conversation
        head = heads.get(conversation)
        if conversation in self._busy or head is None or head.state is DeliveryState.SENDING:
            return now + timedelta(seconds=IDLE_SECONDS)
        if head.id == delivery.id:
            return None
        return max(head.next_attempt_at, now + timedelta(seconds=IDLE_SECONDS))

    async def _put_off(self, due: Sequence[Delivery], heads: Mapping[str, Delivery], now: datetime) -> None:
        step = Step()
        for each in due:
            until = self._waits_until(each, heads, now)
            put_off = each.model_copy(update={"next_attempt_at": until, "revision": each.revision + 1})
            step.documents.append((put_off, each.revision))
        with contextlib.suppress(Conflict):  # somebody changed one of them: look again
            await self._engine.commit(step)

    async def _heads(self, due: Sequence[Delivery]) -> Mapping[str, Delivery]:
        """The first message that waits in each of their conversations."""
        conversations = {each.message.conversation for each in due}
        if not conversations:
            return {}
        heads: dict[str, Delivery] = {}
        after: str | None = None
        while True:
            where = (
                Where("conversation", "in", tuple(conversations - heads.keys())),
                Where("state", "in", (DeliveryState.QUEUED, DeliveryState.SENDING)),
            )
            waiting = await self._engine.find(Query(DELIVERIES, where, ("order_",), MOST_AT_ONCE * 5, after))
            for each in waiting.items:
                assert isinstance(each, Delivery)
                heads.setdefault(each.message.conversation, each)
            after = waiting.next
            if after is None or len(heads) == len(conversations):
                return heads
