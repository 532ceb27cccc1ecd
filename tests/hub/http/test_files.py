"""Files of customers: never where the cookie goes, never run, never for who may not see the case."""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from hub.http.app import files_app
from schemas.accounts import Role
from schemas.ids import derive, sha256
from tests.hub.http.company import ATTACHED, FILES_ORIGIN, ORIGINAL, House, blob_of

ENTRY = f"entries/{derive('entry', 'ann')}"
BLOB = sha256(ATTACHED)


async def signed_url(home: House, path: str) -> str:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/{path}")
    assert answer.status_code == 303, answer.text
    assert answer.json()["url"] == answer.headers["location"]
    return answer.headers["location"]


async def test_a_browser_is_sent_to_the_origin_of_files(home: House) -> None:
    url = await signed_url(home, f"attachments/{BLOB}")
    assert url.startswith(FILES_ORIGIN)
    async with home.client(files_app(home.context), FILES_ORIGIN) as files:
        answer = await files.get(url)
    assert answer.content == ATTACHED
    assert answer.headers["content-type"] == "application/octet-stream"  # it said text/html
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    disposition = answer.headers["content-disposition"]
    assert disposition == "attachment; filename=\"invoice .pdf\"; filename*=UTF-8''invoice%20.pdf"


async def test_a_signed_address_is_good_for_one_file_and_one_minute(home: House) -> None:
    url = await signed_url(home, f"attachments/{BLOB}")
    other = sha256(ORIGINAL)
    async with home.client(files_app(home.context), FILES_ORIGIN) as files:
        assert (await files.get(url.replace(BLOB, other))).status_code == 404
        assert (
            await files.get(url.replace(str(derive("entry", "ann")), str(derive("entry", "bob"))))
        ).status_code == 404
        assert (await files.get(re.sub(r"/[0-9a-f]+\.", "/7fffffff.", url))).status_code == 404
        assert (await files.get(url)).status_code == 200
        home.clock.advance(seconds=61)
        assert (await files.get(url)).status_code == 404


@pytest.mark.parametrize("signature", ["", ".", "zz.", "é.é", "7fffffff.AAAA", "%00.x", "-1.x"])
async def test_a_made_up_signature_is_refused(home: House, signature: str) -> None:
    await home.case("ann")
    async with home.client(files_app(home.context), FILES_ORIGIN) as files:
        answer = await files.get(f"/files/{derive('entry', 'ann')}/{BLOB}/{signature}/x")
    assert answer.status_code == 404


async def test_the_origin_of_files_knows_nothing_else(home: House) -> None:
    async with home.signed_in("ines") as client, home.client(files_app(home.context), FILES_ORIGIN) as files:
        for path in ("/api/v1/cases", "/health/ready", "/metrics", "/openapi.json", "/"):
            answer = await files.get(
                path, headers={"Cookie": f"hubbub_session={client.cookies['hubbub_session']}"}
            )
            assert answer.status_code == 404


async def test_a_key_gets_the_bytes_at_once(home: House) -> None:
    case = await home.case("ann")
    async with home.client(authorization=f"Bearer {await home.key({'orders': Role.AGENT})}") as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/attachments/{BLOB}")
        original = await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/original")
    assert answer.content == ATTACHED
    assert answer.headers["content-disposition"].startswith("attachment")
    assert original.content == ORIGINAL


async def test_reading_an_original_is_recorded_and_an_attachment_is_not(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/attachments/{BLOB}")
        assert "original-read" not in await home.audit()
        await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/original")
    assert (await home.audit())[-1] == "original-read"


async def test_a_file_of_another_entry_is_not_got_through_the_own_case(home: House) -> None:
    await home.case("bob", "billing")
    mine = await home.case("ann", "orders")
    secret = blob_of(b"a secret of billing", "text/plain")
    async with home.signed_in("ines") as client:
        foreign_entry = await client.get(f"/api/v1/cases/{mine.id}/entries/{derive('entry', 'bob')}")
        foreign_blob = await client.get(f"/api/v1/cases/{mine.id}/{ENTRY}/attachments/{secret.ref.sha256}")
        original_as_attachment = await client.get(
            f"/api/v1/cases/{mine.id}/{ENTRY}/attachments/{sha256(ORIGINAL)}"
        )
    assert foreign_entry.status_code == foreign_blob.status_code == original_as_attachment.status_code == 404


async def test_html_is_handed_out_as_a_text_only(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/{ENTRY}/html")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"html": "<p>hello</p>"}


async def test_the_address_names_no_case_and_no_person(home: House) -> None:
    url = await signed_url(home, f"attachments/{BLOB}")
    assert isinstance(httpx.URL(url), httpx.URL)
    assert "ann" not in urlsplit(url).path.replace("invoice", "")


async def test_what_a_picture_shows_stays_with_the_file_until_it_is_sent(home: House) -> None:
    case = await home.case("ann")
    alt = "Ein roter Schlafsack, ausgerollt. 寝袋" * 30
    async with home.signed_in("ines") as client:
        url = f"/api/v1/cases/{case.id}/files"
        kept = await client.post(url, params={"name": "bag.png", "alt": alt[:1000]}, content=b"a picture")
        refused = await client.post(url, params={"name": "bag.png", "alt": "x" * 1001}, content=b"a picture")
    assert (kept.status_code, refused.status_code) == (201, 422)
    (read,) = home.context.outgoing.read("ines", case.id, [kept.json()["file"]])
    assert read.attachment.alt == alt[:1000]
