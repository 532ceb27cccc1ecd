"""The health of a connector, kept by what happens to it."""

from datetime import datetime

from schemas.ports import Health, HealthState


class HookConnector:
    """Implements ports.Connector for an account that is called: nothing runs, so it is well while it is started."""

    def __init__(self, channel: str, account: str) -> None:
        self.channel = channel
        self.account = account
        self._state = HealthState.STARTING

    async def start(self) -> None:
        self._state = HealthState.OK

    async def stop(self, grace_seconds: float) -> None:
        self._state = HealthState.STOPPED

    def health(self) -> Health:
        return Health(self._state)


class Watch:
    """For connectors that fetch or listen: `succeeded` and `failed` say how it goes, `health` gives it."""

    def __init__(self) -> None:
        self._state = HealthState.STARTING
        self._trouble = ""
        self._last_success_at: datetime | None = None
        self._next_retry_at: datetime | None = None
        self._oldest_unfetched_at: datetime | None = None

    def started(self) -> None:
        self._state = HealthState.OK

    def stopped(self) -> None:
        self._state = HealthState.STOPPED

    def succeeded(self, now: datetime, oldest_unfetched_at: datetime | None = None) -> None:
        """The source answered; `oldest_unfetched_at`: of what it still has for us."""
        self._last_success_at, self._trouble, self._next_retry_at = now, "", None
        self._oldest_unfetched_at = oldest_unfetched_at

    def failed(self, trouble: str, next_retry_at: datetime | None = None) -> None:
        self._trouble, self._next_retry_at = trouble, next_retry_at

    def health(self, detail: str = "") -> Health:
        is_troubled = self._state is HealthState.OK and bool(self._trouble)
        return Health(
            HealthState.DEGRADED if is_troubled else self._state,
            self._trouble if is_troubled else detail,
            self._last_success_at,
            next_retry_at=self._next_retry_at if is_troubled else None,
            oldest_unfetched_at=self._oldest_unfetched_at,
        )
