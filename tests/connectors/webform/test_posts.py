"""Entries over HTTP: what becomes of them, and what their sender is told."""

import pytest

from schemas.errors import Outage
from schemas.ids import case_id, case_number, item_id, part_id
from schemas.interactions import Kind
from tests.connectors.webform.support import ENTRY, SHOP, Rig


async def test_a_json_post_becomes_one_interaction_and_is_answered_with_its_case_number(forms: Rig) -> None:
    answered = await forms.client.post("/f/contact", json={**ENTRY, "name": "Ann", "subject": "My order"})

    assert answered.status_code == 200
    received = forms.interaction
    item = received.part.item
    assert answered.json() == {"item": str(item), "case": case_number(case_id(part_id(item, 0)))}
    assert (received.kind, received.channel, received.account, received.brand) == (
        Kind.FORM,
        "webform",
        "contact",
        "acme",
    )
    assert received.conversation == f"form:{item.hex}"
    assert received.sender is not None
    assert (received.sender.scheme, received.sender.value, received.sender.name) == (
        "email-typed",
        "ann@example.com",
        "Ann",
    )
    assert not received.sender.verified
    assert received.content.subject == "My order"
    assert received.content.text_new == "Where is my order?"
    assert (
        received.content.text
        == "Name: Ann\nEmail: Ann@Example.com\nSubject: My order\n\nMessage:\nWhere is my order?"
    )
    assert received.queue_hint == "support"
    assert received.form is not None
    assert received.form.consent == {"privacy": "2026-01"}
    assert received.occurred_at == received.received_at == forms.clock.now


async def test_the_original_body_is_kept_byte_for_byte(forms: Rig) -> None:
    body = b'{"email":"a@example.com" ,  "message":"hi","privacy":true}'
    await forms.client.post("/f/contact", content=body, headers={"content-type": "application/json"})

    original = forms.interaction.original
    assert original.media_type == "application/json"
    assert forms.blob(original.sha256) == body


async def test_a_plain_page_is_sent_on_to_its_thanks_so_that_reload_sends_nothing(forms: Rig) -> None:
    answered = await forms.client.post("/f/contact", data=await forms.page_entry())

    assert answered.status_code == 303
    thanks = await forms.client.get(answered.headers["location"].replace("contact/", "/f/contact/"))
    assert case_number(case_id(part_id(forms.interaction.part.item, 0))) in thanks.text
    assert forms.interaction.flags == ()


async def test_a_thank_you_page_must_stand_in_the_list(forms: Rig) -> None:
    listed = await forms.client.post("/f/contact", data=await forms.page_entry(_next=f"{SHOP}/thanks"))
    foreign = await forms.client.post(
        "/f/contact", data=await forms.page_entry(_next="https://evil.example/thanks")
    )

    assert listed.headers["location"] == f"{SHOP}/thanks"
    assert foreign.headers["location"].startswith("contact/sent?case=")


async def test_wrong_fields_are_explained_each_in_the_visitors_language(forms: Rig) -> None:
    answered = await forms.client.post(
        "/f/contact",
        json={"email": "nobody", "topic": "weather", "privacy": True},
        headers={"accept-language": "de-AT,en;q=0.5"},
    )

    assert answered.status_code == 422
    assert answered.headers["content-type"] == "application/problem+json"
    errors = {error["field"]: error for error in answered.json()["errors"]}
    assert {name: error["code"] for name, error in errors.items()} == {
        "email": "email",
        "topic": "option",
        "message": "required",
    }
    assert (errors["message"]["label"], errors["message"]["message"]) == ("Nachricht", "Bitte ausfüllen.")
    assert forms.engine.events == []


async def test_a_page_with_mistakes_comes_back_filled_with_the_same_token(forms: Rig) -> None:
    entry = await forms.page_entry(email="nobody", message="<script>alert(1)</script> & more")
    answered = await forms.client.post("/f/contact", data=entry)

    assert answered.status_code == 422
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in answered.text
    assert '<a href="#f-email">' in answered.text
    assert 'aria-describedby="e-email" aria-invalid="true"' in answered.text
    assert entry["_token"] in answered.text
    assert "<title>Error: Contact us</title>" in answered.text


async def test_the_same_key_is_the_same_item_and_is_written_once(forms: Rig) -> None:
    entry = await forms.page_entry()
    first = await forms.client.post("/f/contact", data=entry, headers={"accept": "application/json"})
    again = await forms.client.post("/f/contact", data=entry, headers={"accept": "application/json"})

    assert first.json() == again.json()
    assert len(forms.engine.events) == 1
    assert forms.interaction.part.item == item_id("webform", "contact", f"key:{entry['_key']}")


async def test_a_key_used_for_another_entry_is_refused_and_the_page_can_go_on(forms: Rig) -> None:
    entry = await forms.page_entry()
    await forms.client.post("/f/contact", data=entry)
    changed = {**entry, "message": "And one thing more"}
    script = await forms.client.post("/f/contact", json=changed)
    plain = await forms.client.post("/f/contact", data=changed)

    assert script.status_code == plain.status_code == 409
    assert "And one thing more" in plain.text
    assert entry["_key"] not in plain.text
    assert len(forms.engine.events) == 1


async def test_without_a_key_the_same_entry_within_ten_minutes_is_one_item(forms: Rig) -> None:
    forms.clock.advance(minutes=9, seconds=50)
    first = await forms.client.post("/f/contact", json=ENTRY)
    forms.clock.advance(seconds=20)  # the ten minutes of the clock are over in between
    again = await forms.client.post("/f/contact", json=ENTRY)
    forms.clock.advance(minutes=10)
    later = await forms.client.post("/f/contact", json=ENTRY)

    assert first.json()["item"] == again.json()["item"] != later.json()["item"]


async def test_an_outage_of_ours_takes_nothing_says_when_to_try_again_and_shows_the_entry(forms: Rig) -> None:
    forms.engine.outage = Outage("disk full", retry_after_seconds=7)
    entry = await forms.page_entry()
    script = await forms.client.post("/f/contact", json=entry)
    plain = await forms.client.post("/f/contact", data=entry)

    assert script.status_code == plain.status_code == 503
    assert script.headers["retry-after"] == plain.headers["retry-after"] == "7"
    assert "Where is my order?" in plain.text
    assert "disk full" not in script.text + plain.text
    assert forms.connector.health().detail == "disk full"

    forms.engine.outage = None
    answered = await forms.client.post("/f/contact", data=entry)
    assert answered.status_code == 303
    assert len(forms.interactions) == 1
    assert forms.connector.health().detail == ""


@pytest.mark.parametrize(
    "path", ["/f/nothing", "/f/nothing/sent?case=7K3M9-Q2XAB", "/f/contact/sent?case=<b>", "/f/"]
)
async def test_what_is_not_there_is_not_found(forms: Rig, path: str) -> None:
    assert (await forms.client.get(path)).status_code == 404


async def test_after_stop_and_before_start_posts_are_sent_away_unread(forms: Rig) -> None:
    await forms.connector.stop(1)
    answered = await forms.client.post("/f/contact", json=ENTRY)

    assert answered.status_code == 503
    assert "retry-after" in answered.headers
