"""How many answers each queue gave on each day, counted from the topic `cases` by a Faust worker.

    pip install faust-streaming
    KAFKA=kafka://kafka-1:9092 MEMBER=answers-0 faust -A answers_faust worker -l info --without-web

Two things about Faust decide how this is written:

- It acknowledges an event whose agent raised. So the agent lets nothing out: where it cannot go on it ends the process, the
  event stays unacknowledged, and the next start reads it again. One event at a time (`concurrency=1`) for the same reason.
- Counting is not idempotent, so each event is counted by its id, in the transaction that changes the count.
"""

import json
import logging
import os
import sqlite3

import faust

SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (queue TEXT, day TEXT, count INTEGER NOT NULL, PRIMARY KEY (queue, day));
"""
FIRST = "INSERT OR IGNORE INTO counted VALUES (?)"
COUNT = "INSERT INTO answers VALUES (?, ?, 1) ON CONFLICT (queue, day) DO UPDATE SET count = count + 1"

log = logging.getLogger(__name__)
app = faust.App(
    os.environ.get("GROUP", "answers"),
    broker=os.environ.get("KAFKA", "kafka://localhost:9092"),
    key_serializer="raw",
    value_serializer="raw",  # a value that Faust cannot decode would be acknowledged as well
    consumer_auto_offset_reset="earliest",
    broker_session_timeout=10.0,  # so soon the others take over from a worker that was killed
    consumer_group_instance_id=os.environ.get("MEMBER"),  # and a restart under the same name at once
    topic_disable_leader=True,
    topic_allow_declare=False,  # the topics are the hub's
    stream_wait_empty=True,
    web_enabled=False,
)
cases = app.topic(os.environ.get("PREFIX", "hubbub.") + "cases")
database = sqlite3.connect(os.environ.get("DATABASE", "answers.sqlite"))
database.executescript(SCHEMA)


def count(headers: dict[str, str], value: bytes) -> None:
    """One answer is counted once, however often it comes."""
    if headers.get("ce_type") != "hubbub.case.replied" or "ce_late" in headers:
        return
    after = json.loads(value)["after"]
    with database:  # one transaction
        if database.execute(FIRST, (headers["ce_id"],)).rowcount:
            database.execute(COUNT, (after["queue"], headers["ce_time"][:10]))


@app.agent(cases, concurrency=1)
async def answers(stream: faust.StreamT[bytes]) -> None:
    async for event in stream.events():
        try:
            count({name: text.decode() for name, text in event.headers.items()}, event.value)
        except Exception:
            log.exception("event %s cannot be counted", event.headers.get("ce_id"))
            logging.shutdown()
            os._exit(1)


if __name__ == "__main__":
    app.main()
