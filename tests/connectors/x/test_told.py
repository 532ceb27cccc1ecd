"""Being told by X of what is new, by webhook."""

import json
from datetime import UTC, datetime
from typing import Any

from connectors.kit.hooks import HookRequest, serve
from connectors.x.hook import sign
from connectors.x.standin.server import SECRET
from connectors.x.standin.world import OWN
from schemas.interactions import (
    InteractionDeleted,
)
from tests.connectors.x.support import ANN, BEN, Company, begun


async def told(company: Company, payload: dict[str, Any], method: str = "POST", **query: str) -> Any:
    assert company.connector.hook is not None
    body = json.dumps({"for_user_id": OWN, **payload}).encode()
    headers = {"x-twitter-webhooks-signature": sign(SECRET, body)}
    return await serve(company.connector.hook, HookRequest(method, headers, body, datetime.now(UTC), query))


async def test_the_challenge_is_answered_with_the_consumer_secret(company: Company) -> None:
    answer = await told(company, {}, "GET", crc_token="abc")
    assert json.loads(answer.body) == {"response_token": sign(SECRET, b"abc")}
    assert (await told(company, {}, "GET")).status == 401


async def test_no_payload_is_signed_as_a_challenge(company: Company) -> None:
    forged = '{"tweet_delete_events":[{"status":{"id":"1","user_id":"501"}}]}'
    answer = await told(company, {}, "GET", crc_token=forged)
    assert (answer.status, sign(SECRET, forged.encode()).encode() in answer.body) == (401, False)


async def test_what_is_told_and_found_by_asking_is_one(company: Company) -> None:
    await begun(company)
    id = company.x.mention(ANN, "@acme where is it")
    dm = company.x.write(BEN, "a private question")
    legacy = {
        "tweet_create_events": [
            {
                "id_str": id,
                "text": "@acme where is it",
                "user": {"id_str": ANN, "name": "Ann", "screen_name": "ann"},
                "created_at": "Mon Mar 02 10:00:00 +0000 2026",
            }
        ],
        "direct_message_events": [
            {
                "type": "message_create",
                "id": dm,
                "created_timestamp": "1772445600000",
                "message_create": {
                    "target": {"recipient_id": OWN},
                    "sender_id": BEN,
                    "message_data": {"text": "a private question"},
                },
            }
        ],
        "users": {BEN: {"id": BEN, "name": "Ben", "screen_name": "ben"}},
    }
    assert (await told(company, legacy)).status == 200
    await company.connector.look()
    public, private = await company.received()
    assert (public.account, private.account) == ("acme", "acme-dm")
    assert private.conversation == f"x:dm:{OWN}:{BEN}-{OWN}"


async def test_a_deleted_post_is_withheld(company: Company) -> None:
    event = {"status": {"id": "77", "user_id": ANN}, "timestamp_ms": "1772445600000"}
    assert (await told(company, {"tweet_delete_events": [event]})).status == 200
    (found,) = await company.place.interactions()
    assert isinstance(found, InteractionDeleted)
    assert (found.target, found.withheld) == ("x:post:77", True)


async def test_activity_of_another_account_is_not_ours(company: Company) -> None:
    answer = await told(company, {"for_user_id": "1", "tweet_create_events": [{"id_str": "5"}]})
    assert answer.status == 200 and await company.place.interactions() == []
