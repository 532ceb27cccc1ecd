"""Payloads to interactions as the settings say: pointers, lists, conditions, names of messages, and answers back."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.hooks import HookAnswer, HookRequest, Unverified
from connectors.kit.items import Frame, NotForUs, Receiver, Unreadable
from connectors.webhook.hook import WebhookHook
from connectors.webhook.pointers import find, text_at
from connectors.webhook.reading import understanding
from connectors.webhook.reply import body_of
from connectors.webhook.settings import Reply, WebhookSource
from schemas.interactions import BlobRef, InteractionReceived
from tests.connectors.slack.support import outbound

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MAPPING = {
    "id": "/id",
    "conversation": "/ticket/0/no",
    "text": "/text",
    "sender_id": "/from/id",
    "sender_email": "/from/mail",
    "sender_name": "/from/name",
}
PAYLOAD = {
    "id": 77,
    "ticket": [{"no": "T-1"}],
    "text": "Where is it?",
    "from": {"id": "c1", "name": "Ann", "mail": "Ann@Example.com"},
    "a/b": {"m~n": "deep"},
}


def source(mapping: dict[str, Any] | None = None, **more: Any) -> WebhookSource:
    return WebhookSource.model_validate(
        {
            "name": "shop",
            "signature": {"scheme": "bearer", "secrets": ["the-secret-token"]},
            "mapping": {**MAPPING, **(mapping or {})},
            **more,
        }
    )


def hook_of(told: WebhookSource) -> WebhookHook:
    return WebhookHook(told, Receiver("webhook_in", "shop", "default", None, understanding(told)))  # type: ignore[arg-type]  # nothing is kept here


def post(told: WebhookSource, payload: object, **request: Any) -> Any:
    body = json.dumps(payload).encode()
    return hook_of(told).split(HookRequest("POST", {}, body, NOW, **request))


def understood(told: WebhookSource, payload: object = PAYLOAD) -> InteractionReceived:
    (raw,) = post(told, payload)
    frame = Frame(UUID(int=1), "webhook_in", "shop", "default", NOW, BlobRef(sha256="0" * 64, size=1))
    (found,) = understanding(told)(raw, frame)
    assert isinstance(found, InteractionReceived)
    return found


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/a~1b/m~0n", "deep"),
        ("/ticket/0/no", "T-1"),
        ("/ticket/9", None),
        ("/ticket/-1", None),
        ("/id/x", None),
        ("/ticket/00", None),
    ],
)
def test_pointers_lead_where_rfc_6901_says(pointer: str, found: object) -> None:
    assert find(PAYLOAD, pointer) == found


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)), st.text(max_size=10))  # fmt: skip
def test_no_document_trips_a_pointer(document: object, name: str) -> None:
    assert isinstance(text_at(document, "/" + name.replace("~", "~0").replace("/", "~1") + "/0"), str)


def test_a_message_is_read_where_the_settings_point() -> None:
    found = understood(
        source({"fields": {"Order": "/id", "Nothing": "/none"}, "occurred_at": "/at"}),
        {**PAYLOAD, "at": 1772445000},
    )
    assert found.content.text == "Where is it?\n\nOrder: 77"
    assert found.conversation == "webhook_in:shop:T-1"
    assert found.external_id == "webhook_in:shop:id:77"
    assert found.occurred_at == datetime(2026, 3, 2, 9, 50, tzinfo=UTC)
    assert found.thread_is_proven


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 60, 10**18, "٣", "-1", "1e400", "x", ""],
)
def test_a_time_that_cannot_be_is_ours(at: object) -> None:
    assert understood(source({"occurred_at": "/at"}), {**PAYLOAD, "at": at}).occurred_at == NOW


def test_a_captured_request_under_another_delivery_id_is_the_same_message() -> None:
    told = source({"id": None}, signature={"scheme": "github", "secrets": ["the-secret-token"]})
    body = json.dumps(PAYLOAD).encode()
    names = {
        hook_of(told).split(HookRequest("POST", {"x-github-delivery": each}, body, NOW))[0].name  # type: ignore[index]  # items, no answer
        for each in ("one", "two")
    }
    assert len(names) == 1


def test_without_a_reply_the_sender_is_the_typed_address_that_mail_can_answer() -> None:
    sender = understood(source()).sender
    assert sender is not None and (sender.scheme, sender.value) == ("email-typed", "ann@example.com")
    told = source(reply={"url": "https://shop.example/answers"}, verified=True)
    sender = understood(told).sender
    assert sender is not None and (sender.scheme, sender.value, sender.verified) == (
        "webhook_in",
        "shop/c1",
        True,
    )


def test_a_list_of_messages_is_an_item_each_and_each_has_its_own_name() -> None:
    told = source({"items": "/events"})
    items = post(told, {"events": [PAYLOAD, {**PAYLOAD, "id": 78}]})
    assert [each.name for each in items] == ["id:77", "id:78"]
    with pytest.raises(Unreadable, match="no list"):
        post(told, {"events": {}})


def test_what_has_no_id_is_named_by_its_content_whatever_the_order_of_its_fields() -> None:
    told = source({"id": None})
    one, other = post(told, PAYLOAD), post(told, dict(reversed(list(PAYLOAD.items()))))
    assert one[0].name == other[0].name != post(told, {**PAYLOAD, "text": "x"})[0].name


def test_what_does_not_fit_the_conditions_is_left_out_and_says_why() -> None:
    told = source({"when": [{"at": "/type", "is_one_of": ["message"]}]})
    with pytest.raises(NotForUs, match="/type"):
        understood(told, {**PAYLOAD, "type": "invoice"})
    assert understood(told, {**PAYLOAD, "type": "message"}).content.text


@pytest.mark.parametrize("payload", [{}, [], 7, {"text": "x"}, {**PAYLOAD, "from": None}])
def test_what_cannot_be_mapped_is_unreadable(payload: object) -> None:
    with pytest.raises(Unreadable):
        understood(source(), payload)


def test_a_handshake_is_answered_only_with_the_right_token() -> None:
    handshake = {
        "challenge_query": "hub.challenge",
        "token_query": "hub.verify_token",
        "token": "verify-me-please",
    }
    hook = hook_of(source(handshake=handshake))
    query = {"hub.challenge": "123", "hub.verify_token": "verify-me-please"}
    asked = HookRequest("GET", {}, b"", NOW, query)
    hook.verify(asked)
    answer = hook.split(asked)
    assert isinstance(answer, HookAnswer) and answer.body == b"123"
    with pytest.raises(Unverified):
        hook.verify(HookRequest("GET", {}, b"", NOW, {**query, "hub.verify_token": "no"}))
    with pytest.raises(Unverified):
        hook_of(source()).verify(asked)


def test_an_answer_is_the_template_with_its_names_filled_in_and_nothing_runs() -> None:
    reply = Reply(
        url="https://a.example",
        body={"t": "{text}", "deep": [{"c": "{conversation}"}], "n": 1, "x": "{__class__} {0}"},
    )
    message = outbound('He said "{author}" & left', "webhook_in:shop:T-1", account="shop")
    assert json.loads(body_of(reply, message)) == {
        "t": 'He said "{author}" & left',
        "deep": [{"c": "T-1"}],
        "n": 1,
        "x": "{__class__} {0}",
    }


def test_without_a_template_it_has_our_own_form() -> None:
    told = json.loads(
        body_of(Reply(url="https://a.example"), outbound("Hello", "webhook_in:shop:T-1", account="shop"))
    )
    assert (told["type"], told["data"]["text"], told["data"]["conversation"]) == (
        "message.reply",
        "Hello",
        "T-1",
    )


@pytest.mark.parametrize("url", ["ftp://a", "a.example", "https://{conversation}.example"])
def test_an_answer_goes_to_a_host_that_the_settings_name(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Reply(url=url)
