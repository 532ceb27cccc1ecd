"""Files of messages, looked at where the cookie does not go: pictures painted anew, text as text, PDF by the browser."""

import re
from html import unescape
from io import BytesIO

import httpx
from PIL import Image

from schemas.documents import Case
from schemas.events import Event
from schemas.interactions import Attachment
from schemas.parking import Audited
from schemas.steps import START
from schemas.topics import Topic
from tests.hub.console.office import FILES_ORIGIN, Office

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PICTURE = re.compile(r'<img src="([^"]+)" alt="shot.png"')
FRAME = re.compile(r'<iframe class="frame" id="shown-file" src="([^"]+)"')


async def with_files(office: Office) -> Case:
    out = BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, "PNG")
    files = []
    for name, media_type, content in (
        ("shot.png", "image/png", out.getvalue()), ("bad.png", "image/png", b"<script>alert(1)</script>"),
        ("plan.pdf", "application/pdf", PDF), ("fake.pdf", "application/pdf", b"<script>alert(2)</script>"),
        ("page.html", "text/html", "<script>alert('ü')</script>".encode()), ("run.exe", "application/x-msdownload", b"MZ"),
    ):  # fmt: skip
        ref = await office.engine.put_blob(content, media_type)
        files.append(Attachment(name=name, media_type=media_type, size=len(content), blob=ref))
    return await office.write("a", attachments=tuple(files))


async def fetched(office: Office, url: str) -> httpx.Response:
    async with office.client(office.files, FILES_ORIGIN) as files:
        return await files.get(url)


async def recorded(office: Office) -> list[str]:
    records = await office.engine.scan((Topic.AUDIT,), START, 1000)
    events: list[Event] = [each.event for each in records if each.event is not None]
    return [each.data.action for each in events if isinstance(each.data, Audited)]


async def test_pictures_are_seen_in_the_conversation_painted_anew(office: Office) -> None:
    case = await with_files(office)
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
    (url,) = PICTURE.findall(page)
    assert url.startswith(FILES_ORIGIN)
    answer = await fetched(office, url)
    assert (answer.headers["content-type"], answer.content[8:12]) == ("image/webp", b"WEBP")
    assert answer.headers["content-security-policy"].startswith(
        "sandbox; default-src 'none'; frame-ancestors http://hub.test"
    )
    (bad,) = re.findall(r'<img src="([^"]+)" alt="bad.png"', page)
    assert (await fetched(office, bad)).status_code == 422
    assert (await fetched(office, url[:-3] + "xxx")).status_code == 404
    office.clock.advance(minutes=16)
    assert (await fetched(office, url)).status_code == 404


async def test_text_and_pdf_are_looked_at_in_a_frame_and_that_is_recorded(office: Office) -> None:
    case = await with_files(office)
    async with office.signed_in("ann") as ann, office.signed_in("lee") as lee:
        address = f"/console/queues/orders/{case.number}"
        links = {
            name: unescape(url)
            for name, url in re.findall(
                r'<bdi class="cut">([^<]+)</bdi><span[^>]*>[^<]*</span></a> <a class="[^"]*" href="([^"]+file=[^"]+)"',
                (await ann.get(address)).text,
            )
        }
        assert sorted(links) == ["fake.pdf", "page.html", "plan.pdf"]
        shown = {}
        for name, link in links.items():
            assert (await lee.get(link)).status_code == 404
            (url,) = FRAME.findall((await ann.get(link)).text)
            shown[name] = await fetched(office, url)
        assert (await recorded(office)).count("attachment-viewed") == 3
        assert "attachment-read" not in await recorded(office)
        download = re.search(r'class="attachment" href="([^"]+)"', (await ann.get(address)).text)
        assert download is not None and (await ann.get(download[1])).status_code == 303
        assert (await recorded(office))[-1] == "attachment-read"
    assert (shown["plan.pdf"].headers["content-type"], shown["plan.pdf"].content) == ("application/pdf", PDF)
    assert shown["fake.pdf"].status_code == 422
    text = shown["page.html"]
    assert (text.headers["content-type"], text.text) == (
        "text/plain; charset=utf-8",
        "<script>alert('ü')</script>",
    )
    assert text.headers["x-content-type-options"] == "nosniff"


async def test_a_program_is_told_where_a_file_is_looked_at(office: Office) -> None:
    case = await with_files(office)
    entry = (await office.engine.timeline(cases=[case.id])).items[-1]
    files = {each.name: each.blob.sha256 for each in entry.attachments if each.blob}
    async with office.signed_in("ann") as ann, office.signed_in("lee") as lee:
        base = f"/api/v1/cases/{case.number}/entries/{entry.id}/attachments"
        told = await ann.get(f"{base}/{files['plan.pdf']}/preview")
        assert (await fetched(office, told.json()["url"])).content == PDF
        assert (await ann.get(f"{base}/{files['run.exe']}/preview")).status_code == 422
        assert (await lee.get(f"{base}/{files['plan.pdf']}/preview")).status_code == 404
