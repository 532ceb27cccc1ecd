"""Mail as it was sent: only by a link of ours, only for a while, under a policy that lets nothing run."""

import re

import pytest

from hub.console.frames import Frames, has_remote_pictures
from schemas.ids import derive
from tests.hub.console.office import Office

HTML = '<p>Hello</p><img src="cid:photo.png"><img src="https://tracker.example/a.png"><img src="cid:gone">'


async def frame(office: Office, *, pictures: bool = False) -> str:
    case = await office.write("a", html=HTML, attached={"photo.png": b"\x89PNG"})
    page = await office.engine.timeline(cases=[case.id])
    entry = next(each for each in page.items if each.html)
    return Frames(office.context).url(entry.id, pictures=pictures)


async def get(office: Office, url: str) -> tuple[int, str, str]:
    async with office.client(office.files, "http://files.test") as client:
        answer = await client.get(url)
        return answer.status_code, answer.text, answer.headers["content-security-policy"]


async def test_pictures_that_came_along_are_in_their_places_and_those_from_outside_are_not(
    office: Office,
) -> None:
    status, text, policy = await get(office, await frame(office))
    assert status == 200
    assert re.search(r'src="http://files\.test/files/[^"]+/photo\.png"', text)
    assert "tracker.example" not in text
    assert "cid:" not in text
    assert "img-src data: http://files.test;" in policy
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "frame-ancestors http://hub.test" in policy


async def test_who_asks_for_pictures_gets_them_in_this_view(office: Office) -> None:
    _, text, policy = await get(office, await frame(office, pictures=True))
    assert "tracker.example" in text
    assert "img-src data: http://files.test https: http:;" in policy
    assert "script-src" not in policy


async def test_a_link_is_over_after_a_while(office: Office) -> None:
    url = await frame(office)
    office.clock.advance(minutes=6)
    assert (await get(office, url))[0] == 404


@pytest.mark.parametrize("change", ["entry", "mode", "time", "signature", "nonsense"])
async def test_a_link_that_was_changed_opens_nothing(office: Office, change: str) -> None:
    base, entry, mode, signature = (await frame(office)).rsplit("/", 3)
    until, mac = signature.split(".")
    changed = {
        "entry": f"{base}/{derive('other')}/{mode}/{signature}",
        "mode": f"{base}/{entry}/pictures/{signature}",
        "time": f"{base}/{entry}/{mode}/{int(until, 16) + 9999:x}.{mac}",
        "signature": f"{base}/{entry}/{mode}/{until}.{mac[:-1]}é",
        "nonsense": f"{base}/{entry}/{mode}/x",
    }
    assert (await get(office, changed[change]))[0] == 404


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="https://a.example/x">', True),
        ('<img src="//a.example/x">', True),
        ('<img src="cid:a">', False),
        ("src=//", False),
    ],
)
def test_pictures_from_outside_are_noticed(html: str, expected: bool) -> None:
    assert has_remote_pictures(html) is expected
