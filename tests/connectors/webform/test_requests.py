"""Requests as they come from foreign sites, servers, and those who mean no good."""

import json
from typing import Any

import pytest

from connectors.kit.signatures import secret_bytes, sign
from connectors.webform.parse.decode import DECODERS, Posted, Unreadable
from schemas.errors import Invalid
from schemas.ids import item_id
from schemas.interactions import InteractionReceived
from tests.connectors.webform.support import CONTACT, ENTRY, HUB, SHOP, SIGNING, Rig, rig, settings
from tests.support.clock import Clock

OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def signed(forms: Rig, body: bytes, secret: str = SIGNING, id: str = "msg_0001") -> dict[str, str]:
    timestamp = int(forms.clock.now.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret_bytes(secret), id, timestamp, body),
    }


async def test_a_listed_site_may_preflight_post_and_read_the_answer(forms: Rig) -> None:
    asked = {
        "origin": SHOP,
        "access-control-request-method": "POST",
        "access-control-request-headers": "idempotency-key",
    }
    preflight = await forms.client.options("/f/contact", headers=asked)
    posted = await forms.client.post("/f/contact", json=ENTRY, headers={"origin": SHOP})
    wrong = await forms.client.post("/f/contact", json={}, headers={"origin": SHOP})

    assert preflight.status_code == 204
    assert "idempotency-key" in preflight.headers["access-control-allow-headers"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for answer in (preflight, posted, wrong):
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"{SHOP}.evil.example",
        f"{SHOP}:8443",
        SHOP.replace("https", "http"),
        "null",
        "",
        "https://forms.example.com.evil.example",
        "https://forms.example.com@evil.example",
    ],
)
async def test_any_other_site_may_not(forms: Rig, origin: str) -> None:
    preflight = await forms.client.options("/f/contact", headers={"origin": origin})
    script = await forms.client.post("/f/contact", json=ENTRY, headers={"origin": origin})
    plain = await forms.client.post("/f/contact", data=ENTRY, headers={"origin": origin})
    fragment = await forms.client.get("/f/contact/fragment", headers={"origin": origin})

    assert "access-control-allow-origin" not in preflight.headers
    assert [each.status_code for each in (script, plain, fragment)] == [403, 403, 403]
    assert preflight.headers["vary"] == "Origin"
    assert forms.engine.events == []


async def test_our_own_page_may_post_and_a_foreign_one_that_hides_its_origin_may_not(forms: Rig) -> None:
    own = await forms.client.post(
        "/f/contact", json=ENTRY, headers={"origin": HUB, "sec-fetch-site": "same-origin"}
    )
    behind = await forms.client.post(
        "/f/contact", json=ENTRY, headers={"origin": HUB.replace("https", "http")}
    )
    hidden = await forms.client.post("/f/contact", json=ENTRY, headers={"sec-fetch-site": "cross-site"})

    assert [own.status_code, behind.status_code, hidden.status_code] == [200, 200, 403]


async def test_behind_a_proxy_that_changes_the_host_the_public_address_is_ours(clock: Clock) -> None:
    async with rig(clock, settings(public_url="https://write.acme.example/forms")) as forms:
        answered = await forms.client.post(
            "/f/contact", json=ENTRY, headers={"origin": "https://write.acme.example"}
        )
        assert answered.status_code == 200


async def test_a_signed_post_names_a_known_customer(forms: Rig) -> None:
    body = json.dumps({**ENTRY, "_customer_ref": "C-1001"}).encode()
    answered = await forms.client.post("/f/contact", content=body, headers=signed(forms, body))
    again = await forms.client.post("/f/contact", content=body, headers=signed(forms, body))

    assert answered.status_code == 200
    assert answered.json() == again.json()
    received = forms.interaction
    assert received.sender is not None
    assert (received.sender.scheme, received.sender.value, received.sender.verified) == (
        "customer-ref",
        "C-1001",
        True,
    )
    typed = received.participants[1]
    assert (typed.scheme, typed.verified) == ("email-typed", False)
    assert received.flags == ()
    assert received.part.item == item_id("webform", "contact", "key:msg_0001")


async def test_a_visitor_may_not_say_who_the_customer_is(forms: Rig) -> None:
    answered = await forms.client.post("/f/contact", json={**ENTRY, "_customer_ref": "C-1001"})

    assert answered.status_code == 403
    assert forms.engine.events == []


@pytest.mark.parametrize(
    "change", [{"webhook-id": "other"}, {"webhook-signature": "v1,AAAA"}, {"webhook-timestamp": "1"}]
)
async def test_a_signature_that_does_not_fit_is_refused_whatever_is_in_the_post(
    forms: Rig, change: dict[str, str]
) -> None:
    body = b"not even JSON"
    answered = await forms.client.post("/f/contact", content=body, headers={**signed(forms, body), **change})

    assert answered.status_code == 401
    assert forms.engine.events == []


async def test_a_form_without_secrets_takes_no_signed_post(forms: Rig) -> None:
    body = b'{"email":"ann@example.com"}'
    answered = await forms.client.post("/f/claim", content=body, headers=signed(forms, body))

    assert answered.status_code == 401


async def test_a_secret_is_changed_without_a_gap(clock: Clock) -> None:
    async with rig(clock, settings({**CONTACT, "signing_secrets": [OTHER_SECRET, SIGNING]})) as forms:
        for number, secret in enumerate((SIGNING, OTHER_SECRET)):
            body = json.dumps({**ENTRY, "message": str(number)}).encode()
            answered = await forms.client.post(
                "/f/contact", content=body, headers=signed(forms, body, secret, f"msg_000{number}")
            )
            assert answered.status_code == 200


async def test_a_signed_post_that_cannot_be_read_is_quarantined_with_its_bytes(forms: Rig) -> None:
    body = b'{"email": broken'
    answered = await forms.client.post("/f/contact", content=body, headers=signed(forms, body))

    assert answered.status_code == 202
    (quarantined,) = forms.quarantined
    assert answered.json()["item"] == str(quarantined.item)
    assert "not JSON" in quarantined.reason
    assert forms.blob(quarantined.original.sha256) == body
    with pytest.raises(Invalid, match="still cannot be read: the body is not JSON"):
        await forms.connector.reparse("contact", body, quarantined.envelope, quarantined.received_at)


async def test_a_quarantined_post_is_read_again_after_a_fix_and_stays_the_same_item(
    forms: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defective(*_: object) -> Posted:
        raise Unreadable("a defect")

    body = json.dumps({**ENTRY, "_customer_ref": "c-77"}).encode()
    with monkeypatch.context() as patched:
        patched.setitem(DECODERS, "application/json", defective)
        await forms.client.post("/f/contact", content=body, headers=signed(forms, body))
    (quarantined,) = forms.quarantined

    again = await forms.connector.reparse("contact", body, quarantined.envelope, quarantined.received_at)
    (received,) = again.interactions
    assert again.item == quarantined.item
    assert isinstance(received, InteractionReceived)
    assert received.sender is not None
    assert (received.sender.value, received.sender.verified) == ("c-77", True)
    for form, content, reason in (
        ("gone", body, "no form 'gone'"),
        ("contact", b'{"email": "x"}', "fields are wrong"),
    ):
        with pytest.raises(Invalid, match=reason):
            await forms.connector.reparse(form, content, quarantined.envelope, quarantined.received_at)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[" * 100_000, 400),
        ("text/plain", b"hello", 415),
        ("", b"", 415),
        ("multipart/form-data", b"--", 400),
        ("application/json", json.dumps({"a": "x" * 70_000}).encode(), 413),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * (1 << 20), 413),
    ],
)
async def test_what_a_visitor_sends_and_cannot_be_read_is_refused(
    forms: Rig, content_type: str, body: bytes, status: int
) -> None:
    answered = await forms.client.post("/f/contact", content=body, headers={"content-type": content_type})

    assert answered.status_code == status
    assert forms.engine.events == []


async def test_a_body_without_length_is_counted(forms: Rig) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"a=" + b"x" * 65_534

    answered = await forms.client.post(
        "/f/contact", content=endless(), headers={"content-type": "application/x-www-form-urlencoded"}
    )

    assert answered.status_code == 413
    assert answered.headers["connection"] == "close"
    assert sent < 2 << 20


async def test_unfinished_posts_share_one_memory(clock: Clock) -> None:
    async with rig(clock, settings(bytes_in_flight=100)) as forms:
        small = await forms.client.post("/f/contact", json={**ENTRY})
        large = await forms.client.post("/f/contact", json={**ENTRY, "message": "x" * 200})
        after = await forms.client.post("/f/contact", json={**ENTRY})

        assert [small.status_code, large.status_code, after.status_code] == [200, 503, 200]
        assert "retry-after" in large.headers


@pytest.mark.parametrize("key", ["short", "x" * 201, "with space in it", "ünïcödé-key"])
async def test_a_key_that_is_none_is_refused(forms: Rig, key: str) -> None:
    answered = await forms.client.post("/f/contact", json={**ENTRY, "_key": key})

    assert answered.status_code == 400
    assert "Idempotency-Key" in answered.json()["detail"]


async def test_files_come_in_with_their_own_type_under_safe_names(forms: Rig) -> None:
    files = [("photos", ("C:\\x\\..\\ph\r\noto.exe", b"\x89PNG\r\n\x1a\n0000", "application/x-msdownload"))]
    answered = await forms.client.post("/f/claim", data={"email": "ann@example.com"}, files=files)

    assert answered.status_code == 303
    (attachment,) = forms.interaction.attachments
    assert attachment.media_type == "image/png"
    assert not set(attachment.name) & set("\\/\r\n:")
    assert attachment.blob is not None
    assert forms.blob(attachment.blob.sha256) == b"\x89PNG\r\n\x1a\n0000"
    assert f"Photos: {attachment.name}" in forms.interaction.content.text


async def test_files_that_may_not_come_in_are_explained(forms: Rig) -> None:
    files = [("photos", ("<b>.png", b"MZ\x90\x00", "image/png"))]
    answered = await forms.client.post(
        "/f/claim", data={"email": "ann@example.com", "message": "kept"}, files=files
    )

    assert answered.status_code == 422
    assert "&lt;b&gt;.png" in answered.text or "“b.png”" in answered.text
    assert "<b>.png" not in answered.text
    assert "kept" in answered.text
    assert "Please choose your files again" in answered.text


async def test_pages_run_nothing_but_our_own_script_and_are_kept_by_no_cache(forms: Rig) -> None:
    page = await forms.client.get("/f/contact")
    policy = page.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {SHOP}" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["vary"] == "Accept-Language"
    assert "style=" not in page.text
    assert "onclick" not in page.text
    assert "set-cookie" not in page.headers


async def test_files_of_a_page_are_kept_for_ever_under_their_version_only(forms: Rig) -> None:
    page = (await forms.client.get("/f/contact")).text
    address = page.partition('href="../')[2].partition('"')[0]
    versioned = await forms.client.get("/" + address)
    old = await forms.client.get("/assets/form.css?v=old")
    snippet = await forms.client.get("/embed.js")

    assert "immutable" in versioned.headers["cache-control"]
    assert "immutable" not in old.headers["cache-control"] + snippet.headers["cache-control"]
    assert snippet.headers["content-type"] == "text/javascript; charset=utf-8"
    assert (await forms.client.get("/assets/../settings.py")).status_code == 404


@pytest.mark.parametrize(
    ("accept", "query", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "", "de"),
        ("fr, fa;q=0.2, de;q=0.1", "", "fa"),
        ("fr", "", "en"),
        ("de", "?lang=fa", "fa"),
        ("de", "?lang=<b>", "de"),
        ("de;q=nonsense, en;q=0.1", "", "en"),
        (",;q=,;;;", "", "en"),
    ],
)
async def test_a_page_speaks_the_visitors_language(
    forms: Rig, accept: str, query: str, language: str
) -> None:
    page = (await forms.client.get(f"/f/contact{query}", headers={"accept-language": accept})).text

    assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in page
    assert f'lang="{language}" hreflang="{language}" aria-current="true"' in page


async def test_a_language_that_the_text_does_not_tell_is_the_browsers(forms: Rig) -> None:
    await forms.client.post(
        "/f/contact", json={**ENTRY, "message": "4711"}, headers={"accept-language": "ms-MY, en;q=0.5"}
    )
    await forms.client.post("/f/contact", json={**ENTRY, "message": "4712"}, headers={"accept-language": "*"})

    assert [each.content.language for each in forms.interactions] == ["ms", "und"]
