"""Files that go out with an answer: kept when they are chosen, checked by their bytes, sent with the answer and never twice."""

import re

from tests.hub.console.office import ORIGIN, Office, Visitor

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
TOKEN = re.compile(r'name="kept" value="([^"]+)"')


async def upload(visitor: Visitor, url: str, *files: tuple[str, bytes]) -> str:
    answer = await visitor.http.post(
        f"{url}/files",
        data={"csrf": visitor.csrf},
        files=[("files", (name, content, "application/octet-stream")) for name, content in files],
    )
    return answer.text


async def test_a_file_that_was_chosen_leaves_with_the_answer(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        chips = await upload(ann, url, ("offer.pdf", PDF), ("note.exe", b"plain words"))
        assert "offer.pdf" in chips
        assert "note.exe.txt" in chips  # called by what it is
        kept = TOKEN.findall(chips)
        sent = await ann.http.post(
            f"{url}/write", data={"csrf": ann.csrf, "mode": "reply", "text": "Here it is.", "kept": kept}
        )
        assert sent.headers["location"].endswith("done=replied")
    await office.settle()
    (message,) = office.relay.sent
    assert [(each.name, each.media_type) for each in message.attachments] == [
        ("offer.pdf", "application/pdf"),
        ("note.exe.txt", "text/plain"),
    ]
    blob = message.attachments[0].blob
    assert blob is not None
    assert await office.engine.blob(blob) == PDF


async def test_without_scripts_a_file_goes_with_the_form_itself(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        await ann.http.post(
            f"/console/queues/orders/{case.number}/write",
            data={"csrf": ann.csrf, "mode": "reply", "text": "Here it is."},
            files=[("files", ("offer.pdf", PDF, "application/pdf"))],
        )
    await office.settle()
    assert [each.name for each in office.relay.sent[0].attachments] == ["offer.pdf"]


async def test_what_cannot_go_out_is_refused_with_its_reason(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        assert "files of its type are not sent" in await upload(ann, url, ("run.pdf", b"MZ\x90\x00\x03" * 20))
        assert "it is empty" in await upload(ann, url, ("empty.txt", b""))
        assert "larger than 10 MB" in await upload(ann, url, ("big.txt", b"x" * (10 * 2**20 + 1)))


async def test_a_file_is_attached_only_by_who_uploaded_it_and_only_there(office: Office) -> None:
    case, other = await office.write("a"), await office.write("b", sender="kim@example.com")
    async with office.signed_in("ann") as ann, office.signed_in("bo") as bo:
        (kept,) = TOKEN.findall(
            await upload(ann, f"/console/queues/orders/{case.number}", ("offer.pdf", PDF))
        )
        for visitor, target, token in ((bo, case, kept), (ann, other, kept), (ann, case, kept[:-2] + "xx")):
            page = await visitor.post(
                f"/console/queues/orders/{target.number}/write", mode="reply", text="Mine.", kept=token
            )
            assert (
                page.status_code,
                "not known any more" in page.text,
                ">Mine.</textarea>" in page.text,
            ) == (
                422,
                True,
                True,
            )
    await office.settle()
    assert office.relay.sent == []


async def test_a_program_uploads_a_file_and_answers_with_it(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        headers = {"X-CSRF-Token": ann.csrf, "Origin": ORIGIN, "Content-Type": "application/pdf"}
        path = f"/api/v1/cases/{case.number}"
        made = await ann.http.post(f"{path}/files?name=offer.pdf", content=PDF, headers=headers)
        assert (made.status_code, made.json()["media_type"], made.json()["size"]) == (
            201,
            "application/pdf",
            len(PDF),
        )
        body = {"text": "Here it is.", "files": [made.json()["file"]]}
        headers |= {"Content-Type": "application/json", "Idempotency-Key": "one"}
        for _ in range(2):
            assert (await ann.http.post(f"{path}/replies", json=body, headers=headers)).status_code == 200
    await office.settle()
    assert [[each.name for each in message.attachments] for message in office.relay.sent] == [["offer.pdf"]]
