"""A table of cases in SQLite, kept up to date from the topic `cases`: a whole consumer in plain aiokafka.

    pip install aiokafka
    python cases_aiokafka.py --servers kafka-1:9093 --user crm --ca ca.pem --database cases.sqlite

The password is read from KAFKA_PASSWORD. Start it twice with the same --group and the two share the partitions. Stop it how you
like, kill -9 included: what was not committed comes again, and an event that comes again changes nothing.
"""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.helpers import create_ssl_context

SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, number TEXT, state TEXT, queue TEXT, assignee TEXT, changed TEXT
)
"""
# Every case event carries the case after it. What is not newer than what we have is an event that came twice.
KEEP = """
INSERT INTO cases VALUES (:case, :sequence, :number, :state, :queue, :assignee, :time)
ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, number = excluded.number, state = excluded.state,
    queue = excluded.queue, assignee = excluded.assignee, changed = excluded.changed
WHERE excluded.sequence > cases.sequence
"""


def row(record: ConsumerRecord) -> dict[str, Any] | None:
    """What we keep of an event. None: nothing, because it is of a type that we do not know or is no event at all."""
    headers = {name: value.decode() for name, value in record.headers}
    if not headers.get("ce_type", "").startswith("hubbub.case.") or "ce_late" in headers:
        return None
    told = json.loads(record.value)
    after = told.get("after")
    if after is None:
        return None
    return {
        "case": told["case"],
        "sequence": int(headers["ce_sequence"]),
        "time": headers["ce_time"],
        **{name: after[name] for name in ("number", "state", "queue", "assignee")},
    }


async def follow(consumer: AIOKafkaConsumer, database: sqlite3.Connection, stopped: asyncio.Event) -> None:
    """Read, keep, and only then say that it was read. Whatever raises ends the program, and the next start reads it again."""
    while not stopped.is_set():
        batches = await consumer.getmany(timeout_ms=500, max_records=500)
        rows = [kept for records in batches.values() for kept in map(row, records) if kept]
        with database:  # one transaction
            database.executemany(KEEP, rows)
        if batches:
            await consumer.commit()


async def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--servers", default="localhost:9092", help="host:port, several by commas")
    parser.add_argument("--prefix", default="hubbub.", help="what stands before the names of the topics")
    parser.add_argument("--group", default="crm", help="consumers of one group share the partitions")
    parser.add_argument("--member", help="a name of its own in the group: a restart then goes on at once")
    parser.add_argument("--database", default="cases.sqlite")
    parser.add_argument("--user", help="of SASL/SCRAM-SHA-512; none: the cluster asks for no name")
    parser.add_argument("--ca", help="file with the certificate of the cluster's authority; none: no TLS")
    given = parser.parse_args(arguments)

    database = sqlite3.connect(given.database)
    database.execute(SCHEMA)
    consumer = AIOKafkaConsumer(
        f"{given.prefix}cases",
        bootstrap_servers=given.servers,
        group_id=given.group,
        group_instance_id=given.member,
        enable_auto_commit=False,  # it would say "read" of what is not yet kept
        auto_offset_reset="earliest",
        security_protocol=("SASL_" if given.user else "") + ("SSL" if given.ca else "PLAINTEXT"),
        sasl_mechanism="SCRAM-SHA-512" if given.user else "PLAIN",
        sasl_plain_username=given.user,
        sasl_plain_password=os.environ.get("KAFKA_PASSWORD"),
        ssl_context=create_ssl_context(cafile=given.ca) if given.ca else None,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await consumer.start()
    try:
        await follow(consumer, database, stopped)
    finally:
        await consumer.stop()
        database.close()


if __name__ == "__main__":
    asyncio.run(main())
