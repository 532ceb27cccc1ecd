"""What holds for each page: its policy, its landmarks and names, nothing that runs beside our scripts."""

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from hub.console.router import static_files
from hub.console.vendor import manifest
from schemas.commands import ClaimCase
from tests.hub.console.office import Office

PATHS = (
    "/console", "/console/queues/orders", "/console/views/mine", "/console/queues/orders/{case}",
    "/console/queues/orders/{case}?html={entry}", "/console/search", "/console/search?q=parcel", "/console/quarantine",
    "/console/dead-letters", "/console/health", "/console/password", "/console/_styles", "/console/nonsense/x",
)  # fmt: skip
PAGE_BYTES = 60_000


async def filled(office: Office) -> dict[str, str]:
    case = await office.write("a", html="<p>hello</p>", attached={"a.pdf": b"%PDF"})
    await office.do("ann", ClaimCase, case)
    async with office.signed_in("eva") as eva:
        page = (await eva.get(f"/console/queues/orders/{case.number}")).text
    return {"case": case.number, "entry": page.split("?html=")[1].split("#")[0]}


@pytest.mark.parametrize("path", PATHS)
async def test_each_page_is_whole_and_runs_nothing_inline(office: Office, path: str) -> None:
    values = await filled(office)
    async with office.signed_in("eva") as eva:
        answer = await eva.get(path.format(**values))
    if answer.headers["content-type"] == "application/problem+json":
        assert answer.status_code == 404  # no route of ours
        return
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    tree = LexborHTMLParser(answer.text)
    assert [each.attributes.get("src") for each in tree.css("script:not([src])")] == []
    assert tree.css("style, [style]") == []
    handlers = [
        name for node in tree.css("*") for name in node.attributes if name.startswith(("on", "hx-on"))
    ]
    assert handlers == []
    assert len(tree.css("main")) == 1
    assert tree.css("title")[0].text().strip() not in {"", "· Hubbub"}
    ids = [node.attributes["id"] or "" for node in tree.css("[id]")]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("path", PATHS[:-1])
async def test_everything_that_can_be_used_has_a_name(office: Office, path: str) -> None:
    values = await filled(office)
    async with office.signed_in("eva") as eva:
        tree = LexborHTMLParser((await eva.get(path.format(**values))).text)
    labelled = {node.attributes.get("for") for node in tree.css("label[for]")}
    for node in tree.css("input:not([type=hidden]):not([hidden]), select, textarea"):
        within = node.parent is not None and node.parent.tag == "label"
        named = node.attributes.get("aria-label") or node.attributes.get("id") in labelled or within
        assert named, node.html
    for node in tree.css("a, button, summary"):
        says = node.text().strip() or node.attributes.get("aria-label") or node.css_first("[aria-label]")
        assert says, node.html
    for node in tree.css("iframe"):
        assert node.attributes.get("title")
    drawn = set(manifest()["icons"])
    for node in tree.css("svg.icon use"):
        assert (node.attributes["href"] or "").partition("#")[2] in drawn, node.html
    for node in tree.css("svg.icon"):
        assert node.attributes.get("aria-hidden") or node.attributes.get("aria-label")


async def test_a_page_of_fifty_rows_is_small(office: Office) -> None:
    for index in range(50):
        await office.write(
            f"{index}", f"A question about order {index} of last week", sender=f"c{index}@example.com"
        )
    async with office.signed_in("ann") as ann:
        page = await ann.get("/console/queues/orders")
    assert page.text.count('class="row ') == 50
    assert len(page.content) < PAGE_BYTES


async def test_our_files_are_kept_for_ever_under_their_version_and_nothing_else_is_served(
    office: Office,
) -> None:
    async with office.client() as client:
        page = (await client.get("/console/sign-in")).text
        for url in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page):
            answer = await client.get(url)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
        old = await client.get("/console/static/000000000000/tokens.css")
        assert old.headers["cache-control"] == "no-cache"
        for path in (
            "../rendering.py",
            "%2e%2e/rendering.py",
            "..%2frendering.py",
            "vendor/../../router.py",
            "",
        ):
            assert (await client.get(f"/console/static/x/{path}")).status_code == 404


async def test_scripts_are_small_and_import_nothing_from_elsewhere() -> None:
    ours = {
        name: content.decode()
        for name, content in static_files().items()
        if re.fullmatch(r"[a-z]+\.js", name)
    }
    assert len(ours) >= 5
    for name, text in ours.items():
        assert not re.search(
            r"https?://|\beval\b|innerHTML|insertAdjacentHTML|document\.write|new Function", text
        ), name


async def test_a_fragment_is_answered_to_htmx_and_the_page_to_its_history(office: Office) -> None:
    values = await filled(office)
    url = "/console/queues/orders/{case}".format(**values)
    async with office.signed_in("ann") as ann:
        part = (await ann.get(url, **{"HX-Request": "true"})).text
        assert "<html" not in part
        assert 'id="case"' in part
        whole = await ann.get(url, **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
        assert "<html" in whole.text
        await ann.post("/console/sign-out")
        over = await ann.get(url, **{"HX-Request": "true"})
        assert over.headers["hx-redirect"].startswith("/console/sign-in?next=")
