"""Kafka and a server of MongoDB's protocol that take only TLS and users: who is let in, and what the others are told."""

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from deploy.local import ferretdb_server, kafka_server
from deploy.local.secured import Secured
from deploy.local.server import Running, stopping
from schemas.errors import Outage
from schemas.steps import START, Step
from schemas.topics import Topic
from sinks.distributed.engine import Access, open_distributed
from sinks.kafka.address import KafkaAddress, parse_address
from sinks.kafka.settings import KafkaSettings, Mechanism
from sinks.kafka.topics import TopicAdmin
from sinks.mongo.driver import open_database
from sinks.mongo.settings import MongoSettings
from sinks.tls import TlsSettings
from tests.contracts.samples import FixedClock, case, received
from tests.support.certificates import Certificates, make_certificates
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("ferretdb"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(180),
    # PyMongo's monitors leave the socket of a handshake that failed to the collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
USER, PASSWORD = "hubbub", f"secret-{uuid4().hex}"
USERS = {USER: PASSWORD}
DRIVERS = ("motor", "pymongo")


@dataclass(frozen=True)
class Servers:
    kafka: Running
    ferretdb: Running
    certificates: Certificates

    def address(self, access: KafkaSettings, prefix: str = "secured.") -> KafkaAddress:
        return parse_address(f"{self.kafka.url}?prefix={prefix}&partitions=1", access)

    def store(self, driver: str = "motor", name: str = "secured") -> str:
        return f"{self.ferretdb.url}{name}?driver={driver}&serverSelectionTimeoutMS=2000"

    def tls(self) -> TlsSettings:
        return TlsSettings(certificate_authorities=self.certificates.authority)

    def kafka_access(
        self, mechanism: Mechanism = Mechanism.SCRAM_SHA_512, password: str = PASSWORD
    ) -> KafkaSettings:
        return KafkaSettings(tls=self.tls(), user=USER, password=SecretStr(password), mechanism=mechanism)

    def mongodb_access(self, password: str = PASSWORD) -> MongoSettings:
        return MongoSettings(tls=self.tls(), user=USER, password=SecretStr(password))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("secured")
    certificates = make_certificates(folder, "127.0.0.1")
    secured = Secured(certificates.server, USERS)
    with (
        stopping(_open(kafka_server.open_server, folder / "kafka", secured)) as kafka,
        stopping(_open(ferretdb_server.open_server, folder / "ferretdb", secured)) as ferretdb,
    ):
        yield Servers(kafka, ferretdb, certificates)


def _open(open_server: Callable[..., Running], folder: Path, secured: Secured) -> Running:
    folder.mkdir()
    return open_server(folder, secured=secured)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("mechanism", list(Mechanism))
async def test_a_step_is_committed_and_read_over_tls_by_a_user(
    servers: Servers, mechanism: Mechanism, driver: str
) -> None:
    access = Access(servers.kafka_access(mechanism), servers.mongodb_access())
    prefix = f"{mechanism}-{driver}.".lower()
    address = servers.address(access.kafka, prefix)
    async with TopicAdmin(address) as admin:
        await admin.apply(await admin.plan())
    engine = await open_distributed(
        f"{servers.kafka.url}?prefix={prefix}&partitions=1",
        servers.store(driver, f"{mechanism}_{driver}".replace("-", "_").lower()),
        clock=FixedClock(),
        access=access,
    )
    try:
        await engine.commit(Step(events=[received(1)], documents=[(case("one"), 0)]))
        assert [each.id for each in await engine.scan([Topic.INTERACTIONS], START, 10)] == [received(1).id]
    finally:
        await engine.close()


async def told_by_kafka(address: KafkaAddress) -> str:
    with pytest.raises(Outage) as refused:
        async with TopicAdmin(address):
            pass
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("mechanism", list(Mechanism))
async def test_a_wrong_password_for_kafka_is_told_with_what_to_set(
    servers: Servers, mechanism: Mechanism
) -> None:
    told = await told_by_kafka(servers.address(servers.kafka_access(mechanism, "wrong")))
    assert "refuses the password" in told
    assert "kafka.password" in told
    assert "wrong" not in told


async def test_a_broker_whose_authority_is_not_believed_is_told_with_what_to_set(servers: Servers) -> None:
    access = servers.kafka_access().model_copy(
        update={"tls": TlsSettings(certificate_authorities=servers.certificates.stranger)}
    )
    told = await told_by_kafka(servers.address(access))
    assert "kafka.tls.certificate_authorities" in told


async def test_a_broker_under_a_name_that_its_certificate_does_not_have_is_not_believed(
    servers: Servers,
) -> None:
    url = servers.kafka.url.replace("127.0.0.1", "localhost")
    told = await told_by_kafka(parse_address(url, servers.kafka_access()))
    assert "the name that it is for" in told


@pytest.mark.parametrize(
    ("without", "hint"), [({"tls": None}, "kafka.tls"), ({"user": None, "password": None}, "kafka.user")]
)
async def test_who_connects_without_tls_or_user_is_told_which_the_listener_wants(
    servers: Servers, without: dict[str, None], hint: str
) -> None:
    access = servers.kafka_access().model_copy(update=dict(without))
    assert hint in await told_by_kafka(servers.address(access))


async def told_by_mongodb(servers: Servers, access: MongoSettings, driver: str) -> str:
    database = open_database(servers.store(driver), access)
    try:
        with pytest.raises(Outage) as refused:
            await database.collection("cases").find({})
    finally:
        await database.close()
        await eventually(_no_driver_connects, 10)
        gc.collect()
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def _no_driver_connects() -> bool:
    """A thread of the driver that is still at a handshake holds its socket."""
    return not any(each.name.startswith("pymongo") for each in threading.enumerate())


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_wrong_password_for_the_store_is_told_with_what_to_set(servers: Servers, driver: str) -> None:
    told = await told_by_mongodb(servers, servers.mongodb_access("wrong"), driver)
    assert "mongodb.password" in told


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_store_whose_authority_is_not_believed_is_told_with_what_to_set(
    servers: Servers, driver: str
) -> None:
    access = servers.mongodb_access().model_copy(
        update={"tls": TlsSettings(certificate_authorities=servers.certificates.stranger)}
    )
    assert "mongodb.tls.certificate_authorities" in await told_by_mongodb(servers, access, driver)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_who_connects_to_the_store_without_tls_is_told_so(servers: Servers, driver: str) -> None:
    access = servers.mongodb_access().model_copy(update={"tls": None})
    assert "mongodb.tls" in await told_by_mongodb(servers, access, driver)


@pytest.mark.parametrize("driver", DRIVERS)
async def test_who_connects_to_the_store_without_a_user_is_told_so(servers: Servers, driver: str) -> None:
    assert "mongodb.user" in await told_by_mongodb(servers, MongoSettings(tls=servers.tls()), driver)
