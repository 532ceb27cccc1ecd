"""Servers that hang up are waited for like servers that are down: what they raise is Unreachable, whichever driver finds out."""

import gc
import threading
from collections.abc import AsyncIterator

import pytest

from hub.wiring import SystemClock
from schemas.errors import Unreachable
from sinks.distributed.engine import Access, open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.log import KafkaLog
from sinks.kafka.settings import KafkaSettings
from sinks.kafka.stamps import Stamps
from sinks.kafka.topics import TopicAdmin
from sinks.mongo.settings import MongoSettings
from sinks.tls import TlsSettings
from tests.support.certificates import make_certificates
from tests.support.hanging_up import hanging_up
from tests.support.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
WAYS = [{}, {"resets": True}, {"listens": True}, {"listens": True, "resets": True}]


@pytest.fixture(autouse=True)
async def sockets_of_failed_handshakes() -> AsyncIterator[None]:
    """The drivers leave them to the collector, when their threads have ended."""
    yield
    await eventually(lambda: not any(each.name.startswith("pymongo") for each in threading.enumerate()))
    gc.collect()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    folder = tmp_path_factory.mktemp("certificates")
    return TlsSettings(certificate_authorities=make_certificates(folder, "127.0.0.1").authority)


@pytest.mark.parametrize(
    ("driver", "with_tls", "how"),
    [
        ("motor", False, {}),
        ("pymongo", False, {"resets": True}),
        ("pymongo", False, {"listens": True}),
        ("motor", True, {"listens": True, "resets": True}),
        ("pymongo", True, {"listens": True}),
    ],
)
async def test_a_store_that_hangs_up_is_not_reached(
    driver: str, with_tls: bool, how: dict[str, bool], tls: TlsSettings
) -> None:
    with hanging_up(**how) as port:
        store = f"mongodb://127.0.0.1:{port}/hubbub?driver={driver}&serverSelectionTimeoutMS=100"
        access = Access(mongodb=MongoSettings(tls=tls if with_tls else None))
        with pytest.raises(Unreachable, match="mongodb: "):
            await open_distributed("kafka://127.0.0.1:1", store, clock=SystemClock(), access=access)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("with_tls", [False, True])
async def test_a_log_that_hangs_up_is_not_reached(
    how: dict[str, bool], with_tls: bool, tls: TlsSettings
) -> None:
    with hanging_up(**how) as port:
        address = parse_address(f"kafka://127.0.0.1:{port}", KafkaSettings(tls=tls if with_tls else None))
        with pytest.raises(Unreachable):
            await KafkaLog(address, Stamps(lambda: 0)).open()
        with pytest.raises(Unreachable):
            async with TopicAdmin(address):
                pass
