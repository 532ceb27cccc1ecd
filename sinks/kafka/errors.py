"""What Kafka says is wrong, as an outage that tells what to look at."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from schemas.errors import Never, Outage, Unreachable

CLIENT = "aiokafka"
TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)


def quieten() -> None:
    """The client says the same thing a thousand times an outage; whoever called is told once, by Outage."""
    logging.getLogger(CLIENT).setLevel(logging.CRITICAL)


@contextmanager
def outages(doing: str) -> Iterator[None]:
    """Turns errors of the client into Outage, Unreachable where waiting may be all that it takes; Never for what no broker would take."""
    try:
        yield
    except TOO_LARGE as error:
        raise Never(f"kafka: an event is larger than the log takes ({error})") from error
    except UnknownTopicOrPartitionError as error:
        raise Outage(f"kafka: {doing}: a topic is missing; run `hubbub topics apply`") from error
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise Outage(f"kafka: {doing}: the hub's user may not do that ({error!r})") from error
    except (TimeoutError, KafkaError, OSError) as error:
        passes = error.retriable if isinstance(error, KafkaError) else True
        raise (Unreachable if passes else Outage)(
            f"kafka: {doing}: {type(error).__name__}: {error}"[:500]
        ) from error
