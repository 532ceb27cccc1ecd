"""Writing by the API: what the preview shows is what arrives, at those whom its writer named and nobody else."""

from typing import Any

import httpx

from schemas.commands import NoteCase
from schemas.configuration import Brand
from schemas.documents import Case, Entry, EntryKind
from schemas.events import SYSTEM
from schemas.interactions import Participant, Role
from tests.hub.console.office import Office, Visitor
from tests.hub.console.postbox import postbox
from tests.hub.console.shop import BOSS, CONFIGURATION

HTML = "<p>It is <b>on its way</b>, see <a href='https://shop.example/t'>here</a>.</p><ul><li>one</li></ul><script>x</script>"
BRAND = Brand(name="default", title="Shop", signature="{{ agent.name }}\n{{ brand.title }}")


async def signed(office: Office) -> None:
    await office.service.company.publish(CONFIGURATION.model_copy(update={"brands": (BRAND,)}), SYSTEM)


async def ask(visitor: Visitor, path: str, key: str | None = None, /, **body: Any) -> httpx.Response:
    headers = {"X-CSRF-Token": visitor.csrf} | ({"Idempotency-Key": key} if key else {})
    return await visitor.http.post(f"/api/v1/{path}", json=body, headers=headers)


def party(role: Role, address: str, name: str = "") -> Participant:
    scheme = "email-own" if address.endswith("@shop.example") else "email"
    return Participant(role=role, scheme=scheme, value=address, name=name)


async def many(office: Office) -> Case:
    """A case whose mail had several readers, one of them ours."""
    return await office.write(
        "a",
        participants=(
            party(Role.FROM, "mara@example.com", "Mara"),
            party(Role.TO, "support@shop.example"),
            party(Role.TO, "dan@example.com", "Dan, Jr"),
            party(Role.CC, "kim@example.net"),
        ),
    )


async def first_message(office: Office, case: Case) -> Entry:
    return (await office.service.timeline(BOSS, case, 10, kinds=(EntryKind.MESSAGE,))).items[-1]


async def test_an_answer_arrives_as_its_preview_shows_it_and_tells_nobody_of_a_blind_copy(
    office: Office,
) -> None:
    await signed(office)
    case = await many(office)
    async with postbox(office) as post, office.signed_in("ann") as ann:
        proposed = (await ann.http.get(f"/api/v1/cases/{case.number}/recipients")).json()
        assert proposed == {
            "to": ["Mara <mara@example.com>"], "cc": ["kim@example.net"],
            "others": ['"Dan, Jr" <dan@example.com>'], "known": ['"Dan, Jr" <dan@example.com>'],
        }  # fmt: skip
        body: dict[str, Any] = {
            "html": HTML, "cc": [*proposed["cc"], *proposed["others"]], "bcc": ["Boss <boss@example.org>"],
            "quote": str((await first_message(office, case)).id),
        }  # fmt: skip
        preview = (await ask(ann, f"cases/{case.number}/replies/preview", **body)).json()
        assert office.relay.sent == []
        assert (await ask(ann, f"cases/{case.number}/replies", **body)).status_code == 200
        await office.settle()
        (arrived,) = await post.arrived()
    assert sorted(arrived.recipients) == [
        "boss@example.org",
        "dan@example.com",
        "kim@example.net",
        "mara@example.com",
    ]
    assert b"boss" not in arrived.raw.lower()
    mail = arrived.mail
    assert (preview["text"], preview["html"]) == (arrived.part("plain"), arrived.part("html"))
    assert (preview["subject"], preview["sender"]) == (mail["Subject"], mail["From"])
    assert ", ".join(preview["to"]) == str(mail["To"])
    assert preview["bcc"] == ["boss@example.org"]
    assert "<strong>on its way</strong>" in preview["html"] and "script" not in preview["html"]
    assert preview["text"] == (
        "It is on its way, see here (https://shop.example/t).\n\n- one\n\n-- \nAnn Okafor\nShop\n\n"
        "Mara <mara@example.com>, 2026-03-02 09:00 UTC:\n> Hello, where is it?"
    )


async def test_a_plain_answer_arrives_as_its_preview_shows_it(office: Office) -> None:
    case = await office.write("a")
    async with postbox(office) as post, office.signed_in("ann") as ann:
        preview = (await ask(ann, f"cases/{case.number}/replies/preview", text="Soon.\n\nAnn")).json()
        await ask(ann, f"cases/{case.number}/replies", text="Soon.\n\nAnn")
        await office.settle()
        (arrived,) = await post.arrived()
    assert (preview["text"], preview["html"]) == (arrived.part("plain"), arrived.part("html"))


async def test_a_conversation_is_started_once_and_joined_by_who_answers(office: Office) -> None:
    body: dict[str, Any] = {
        "sender": "email:support", "queue": "orders", "to": ["Zoe <zoe@example.com>"], "cc": ["kim@example.net"],
        "bcc": ["boss@example.org"], "subject": "Your order", "html": HTML,
    }  # fmt: skip
    async with postbox(office) as post, office.signed_in("ann") as ann:
        assert (await ann.http.get("/api/v1/senders")).json() == [
            {
                "sender": "email:support",
                "channel": "email",
                "brand": "default",
                "shown": "Shop <support@shop.example>",
            }
        ]
        preview = (await ask(ann, "conversations/preview", **body)).json()
        first, again = [await ask(ann, "conversations", "once", **body) for _ in range(2)]
        assert (first.status_code, again.json()) == (201, first.json())
        await office.settle()
        (arrived,) = await post.arrived()
        assert (preview["text"], preview["html"]) == (arrived.part("plain"), arrived.part("html"))
        assert (await ask(ann, "conversations", **{**body, "queue": "legal"})).status_code == 404
    case = first.json()
    assert (case["state"], case["assignee"], case["queue"]) == ("waiting", "ann", "orders")
    assert b"boss" not in arrived.raw.lower()
    joined = await office.write("b", sender="kim@example.net", tokens=(f"case:{case['id']}",))
    assert (joined.number, joined.messages, str(joined.state)) == (case["number"], 1, "open")
    lines = [line async for line in office.context.verifier.verify()]
    assert lines[-1]["result"] == "whole", lines


async def test_what_is_no_address_or_is_ours_is_refused_by_its_field(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        for field, address in (
            ("cc", "not an address"),
            ("bcc", "support@shop.example"),
            ("cc", "support+x@shop.example"),
        ):
            answer = await ask(ann, f"cases/{case.number}/replies", **{"text": "x", field: [address]})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
        many = [f"p{place}@example.com" for place in range(21)]
        assert (
            await ask(ann, f"cases/{case.number}/replies", text="x", cc=[", ".join(many)])
        ).status_code == 422
        assert (await ask(ann, f"cases/{case.number}/replies", html="<p> </p>")).status_code == 422
    assert office.relay.sent == []


async def test_a_message_is_handed_on_with_the_files_that_were_chosen(office: Office) -> None:
    case = await office.write("a", attached={"plan.pdf": b"%PDF-1.7 plan", "other.pdf": b"%PDF-1.7 other"})
    entry = await first_message(office, case)
    await office.do("ann", NoteCase, case, text="ours alone")
    note = (await office.service.timeline(BOSS, case, 1, kinds=(EntryKind.NOTE,))).items[0].id
    chosen = [each.blob.sha256 for each in entry.attachments if each.blob and each.name == "plan.pdf"]
    async with postbox(office) as post, office.signed_in("ann") as ann:
        body: dict[str, Any] = {
            "to": ["partner@example.org"],
            "text": "Is this yours?",
            "attachments": chosen,
        }
        preview = await ask(ann, f"cases/{case.number}/forwards/preview", entry=str(entry.id), **body)
        answer = await ask(ann, f"cases/{case.number}/forwards", entry=str(entry.id), **body)
        assert answer.status_code == 200, answer.text
        assert (await ask(ann, f"cases/{case.number}/forwards", entry=str(note), **body)).status_code == 404
        await office.settle()
        (arrived,) = await post.arrived()
    assert arrived.recipients == ("partner@example.org",)
    assert preview.json()["text"] == arrived.part("plain")
    assert [each.get_filename() for each in arrived.mail.iter_attachments()] == ["plan.pdf"]
    assert "> Hello, where is it?" in arrived.part("plain")
    after = answer.json()
    assert (after["state"], after["handle"]) == ("open", str(case.handle))
    assert after["waiting_since"] is not None and after["reply_recipients"][0]["value"] == "mara@example.com"
