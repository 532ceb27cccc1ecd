"""Suspects are taken like everybody and flagged; only the rates refuse."""

from hashlib import sha256
from itertools import count
from typing import Any

import pytest

from connectors.webform.parse.spam import is_solved
from schemas.errors import Outage
from tests.connectors.webform.support import CONTACT, ENTRY, WITH_FILES, Rig, rig, settings
from tests.support.clock import Clock

LINKS = "see https://a.example https://b.example www.c.example and <a href=x>"


async def flags(forms: Rig, entry: dict[str, Any]) -> tuple[str, ...]:
    answered = await forms.client.post("/f/contact", json=entry)
    assert answered.status_code == 200
    assert answered.json().keys() == {"item", "case"}
    return forms.interactions[-1].flags


async def test_an_entry_written_by_a_person_has_no_flag(forms: Rig) -> None:
    assert await flags(forms, await forms.page_entry(seconds=2.6)) == ()


async def test_a_filled_honeypot_is_spam(forms: Rig) -> None:
    assert await flags(forms, await forms.page_entry(_website="https://pills.example")) == (
        "spam",
        "honeypot-filled",
    )


async def test_who_is_too_fast_is_suspect(forms: Rig) -> None:
    assert await flags(forms, await forms.page_entry(seconds=1)) == ("suspect", "filled-too-fast")


async def test_a_page_of_yesterday_is_suspect(forms: Rig) -> None:
    assert await flags(forms, await forms.page_entry(seconds=24 * 3600 + 1)) == ("suspect", "token-too-old")


async def test_a_post_without_a_page_is_taken_and_suspect_only_with_more_against_it(forms: Rig) -> None:
    assert await flags(forms, ENTRY) == ()
    assert await flags(forms, {**ENTRY, "message": LINKS}) == ("suspect", "many-links", "token-missing")


async def test_a_token_of_somebody_else_is_suspect(forms: Rig) -> None:
    entry = await forms.page_entry()
    token, _ = await forms.token("claim")

    assert await flags(forms, {**entry, "_token": token}) == ("suspect", "token-false")
    assert await flags(forms, {**entry, "_token": "made.up.token", "_key": "another-key"}) == (
        "suspect",
        "token-false",
    )


async def test_a_token_is_good_for_one_entry(forms: Rig) -> None:
    entry = await forms.page_entry()
    await forms.client.post("/f/contact", json=entry)

    assert await flags(forms, {**entry, "_key": "another-key", "message": "more"}) == (
        "suspect",
        "token-used-again",
    )


async def test_work_that_was_asked_for_and_not_done_is_suspect(clock: Clock) -> None:
    contact = {**CONTACT, "spam": {"proof_of_work_bits": 8}}
    async with rig(clock, settings(contact)) as forms:
        entry = await forms.page_entry()
        assert await flags(forms, {**entry, "_work": "1x"}) == ("suspect", "work-missing")

        another = await forms.page_entry()
        token = another["_token"]
        done = next(
            str(number) for number in count() if sha256(f"{token}:{number}".encode()).digest()[0] == 0
        )
        assert await flags(forms, {**another, "_work": done}) == ()


@pytest.mark.parametrize("solution", ["", "-1", "1.0", "１", "9" * 21, "\ud800"])
def test_what_is_no_number_solves_nothing(solution: str) -> None:
    assert not is_solved("token", solution, 8)


async def test_an_address_may_send_its_burst_and_then_has_to_wait(clock: Clock) -> None:
    contact = {**CONTACT, "spam": {"per_address": {"per_minute": 6, "burst": 2}}}
    async with rig(clock, settings(contact)) as forms:
        answers = [await forms.client.post("/f/contact", json={**ENTRY, "message": str(n)}) for n in range(3)]
        plain = await forms.client.post("/f/contact", data={**ENTRY, "message": "Do not lose me"})

        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == plain.headers["retry-after"] == "10"
        assert plain.status_code == 429
        assert "Do not lose me" in plain.text
        clock.advance(seconds=10)
        assert (await forms.client.post("/f/contact", json=ENTRY)).status_code == 200


async def test_an_outage_of_ours_costs_the_visitor_no_try(clock: Clock) -> None:
    contact = {**CONTACT, "spam": {"per_address": {"per_minute": 1, "burst": 1}}}
    async with rig(clock, settings(contact)) as forms:
        forms.engine.outage = Outage("disk full")
        assert (await forms.client.post("/f/contact", json=ENTRY)).status_code == 503
        forms.engine.outage = None
        assert (await forms.client.post("/f/contact", json=ENTRY)).status_code == 200


async def test_only_proxies_of_ours_are_believed_about_the_address(clock: Clock) -> None:
    contact = {**CONTACT, "spam": {"per_address": {"per_minute": 1, "burst": 1}}}

    async def statuses(peer: str) -> list[int]:
        async with rig(clock, settings(contact, trusted_proxies=["10.0.0.0/8"]), peer=peer) as forms:
            posts = [
                await forms.client.post(
                    "/f/contact",
                    json={**ENTRY, "message": str(n)},
                    headers={"x-forwarded-for": f"192.0.2.{n}"},
                )
                for n in range(2)
            ]
            return [each.status_code for each in posts]

    assert await statuses("10.1.1.1") == [200, 200]
    assert await statuses("198.51.100.1") == [200, 429]


async def test_a_form_has_a_limit_of_its_own(clock: Clock) -> None:
    contact = {**CONTACT, "spam": {"per_address": None, "per_form": {"per_minute": 1, "burst": 1}}}
    async with rig(clock, settings(contact, WITH_FILES)) as forms:
        first = await forms.client.post("/f/contact", json=ENTRY)
        second = await forms.client.post("/f/contact", json={**ENTRY, "message": "more"})
        other = await forms.client.post("/f/claim", json={"email": "ann@example.com"})

        assert [first.status_code, second.status_code, other.status_code] == [200, 429, 200]
