"""The rights that docs/integrators/kafka.md names are enough for each principal, and let a reader do nothing but read."""

import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import create_conn
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from pydantic import SecretStr

from deploy.local import kafka_server
from deploy.local.secured import Secured
from deploy.local.server import Running, stopping
from hub.company import Company
from schemas.events import SYSTEM
from sinks.distributed.engine import Access, open_distributed
from sinks.kafka.address import parse_address
from sinks.kafka.settings import KafkaSettings
from sinks.kafka.topics import TopicAdmin
from sinks.mongo.settings import MongoSettings
from tests.docs.logs import ON_SERVERS, Log
from tests.docs.test_examples import EXAMPLES, asked, kept
from tests.hub.test_flow import CONFIGURATION, Flow
from tests.support.clock import StandingClock
from tests.support.paths import ROOT
from tests.support.process import running
from tests.support.servers import server
from tests.support.waiting import eventually

pytestmark = [*ON_SERVERS, pytest.mark.slow]

PAGE = ROOT / "docs" / "integrators" / "kafka.md"
ADMIN, HUB, APPLIER, READER = "admin", "hub", "applier", "crm"
PASSWORDS = {name: f"{name}-{uuid4().hex}" for name in (ADMIN, HUB, APPLIER, READER)}
ROWS = {"a reader": READER, "the hub": HUB, "who runs `hubbub topics apply`": APPLIER}
PREFIX = "hubbub."
AUTHORIZER = f"""\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{ADMIN};User:ANONYMOUS
"""
# The codes of https://kafka.apache.org/protocol: org.apache.kafka.common.resource and .acl
OPERATIONS = {
    "Read": 3, "Write": 4, "Create": 5, "Alter": 7, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11,
}  # fmt: skip
TOPIC, GROUP, LITERAL, PREFIXED, ALLOW = 2, 3, 3, 4, 3


def told() -> Mapping[str, tuple[Sequence[str], Sequence[str]]]:
    """User -> operations on topics, and on groups, as the table of the page has them."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in line.strip("|").split("|")]
        if cells[0] in ROWS:
            topics, groups = (
                [each for each in OPERATIONS if re.search(rf"\b{each}\b", cell)] for cell in cells[1:3]
            )
            found[ROWS[cells[0]]] = (topics, groups)
    return found


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("rights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka_server, "PROPERTIES", kafka_server.PROPERTIES + AUTHORIZER)
        started = kafka_server.open_server(folder, secured=Secured(users=PASSWORDS))
    with stopping(started):
        yield started


def scram(user: str) -> dict[str, Any]:
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user,
        "sasl_plain_password": PASSWORDS[user],
    }


def access(user: str) -> KafkaSettings:
    return KafkaSettings(user=user, password=SecretStr(PASSWORDS[user]))


async def allow(kafka: Running, resource: tuple[int, str, int], user: str, operations: Sequence[str]) -> None:
    """As kafka-acls.sh --add does."""
    connection = await create_conn("127.0.0.1", kafka.port, client_id="acls", **scram(ADMIN))
    try:
        for each in operations:
            made = await connection.send(
                CreateAclsRequest(*resource, f"User:{user}", "*", OPERATIONS[each], ALLOW)
            )
            assert [code for code, _ in made.creation_responses] == [0], made
    finally:
        connection.close()


@pytest.fixture
async def log(kafka: Running) -> AsyncIterator[Log]:
    """A hub at work with the rights of the page."""
    rights = told()
    await allow(kafka, (TOPIC, PREFIX, PREFIXED), APPLIER, rights[APPLIER][0])
    await allow(kafka, (TOPIC, PREFIX, PREFIXED), HUB, rights[HUB][0])
    await allow(kafka, (TOPIC, f"{PREFIX}cases", LITERAL), READER, rights[READER][0])
    await allow(kafka, (GROUP, READER, PREFIXED), READER, rights[READER][1])
    url = f"{kafka.url}?prefix={PREFIX}&partitions=2"
    async with TopicAdmin(parse_address(url, access(APPLIER))) as topics:
        await topics.apply(await topics.plan())

        async def are_there() -> bool:
            return await topics.plan() == []

        await eventually(are_there)  # a broker tells of new topics a little later
    clock, database = StandingClock(), f"rights_{uuid4().hex[:8]}"
    store = f"{server('nx-27017').url}{database}"
    engine = await open_distributed(url, store, clock=clock, access=Access(access(HUB), MongoSettings()))
    try:
        company = await Company.open(engine, clock)
        await company.publish(CONFIGURATION, SYSTEM)
        yield Log(f"127.0.0.1:{kafka.port}", PREFIX, database, Flow(engine, clock, company))
    finally:
        await engine.close()


def test_the_page_says_what_each_principal_may() -> None:
    assert set(told()) == {READER, HUB, APPLIER}
    assert told()[READER] == (["Read", "Describe"], ["Read"])


async def test_hub_and_reader_work_with_these_rights_and_a_reader_only_reads(
    log: Log, tmp_path: Path
) -> None:
    await log.answered("a")
    assert await log.flow.faults() == []

    database = tmp_path / "cases.sqlite"
    command = [
        sys.executable, str(EXAMPLES / "cases_aiokafka.py"), "--servers", log.servers, "--user", READER,
        "--group", f"{READER}-cases", "--database", str(database),
    ]  # fmt: skip
    wanted = await kept(log)
    async with running(*command, environment={"KAFKA_PASSWORD": PASSWORDS[READER]}) as reader:
        query = "SELECT number, state, queue, assignee FROM cases ORDER BY number"
        await eventually(lambda: asked(database, query) == wanted, within_seconds=50)
        assert await reader.stop() == 0, reader.lines

    producer = AIOKafkaProducer(bootstrap_servers=log.servers, **scram(READER))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(f"{PREFIX}cases", b"forged")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        f"{PREFIX}audit", bootstrap_servers=log.servers, group_id=f"{READER}-other", **scram(READER)
    )
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await first_of(consumer)
    finally:
        await consumer.stop()


async def first_of(consumer: AIOKafkaConsumer) -> object:
    await consumer.start()
    return await consumer.getone()
