"""The configuration in forms: drafts, problems beside their fields, what changes, publishing, and back in one click."""

import re
from html import unescape

import httpx

from hub.console.configuring.conditions import act, node_of, numbered, read_node, root_written
from schemas.accounts import Role
from schemas.configuration import Queue, Rule
from schemas.events import SYSTEM
from tests.hub.console.office import Office, Visitor
from tests.hub.console.shop import CONFIGURATION

FIELD = re.compile(r'<(input|select|textarea|button)\b([^>]*)>(?:\s*((?:<option[^>]*>[^<]*</option>\s*)*)</select>|\n([^<]*)</textarea>)?')  # fmt: skip
BASE = "/console/company"


def fields(page: httpx.Response) -> dict[str, str]:
    """What a browser would send of the form, without its buttons."""
    found: dict[str, str] = {}
    form = page.text.split('<form class="stack" method="post"')[1].split("</form>")[0]
    for tag, attributes, options, text in FIELD.findall(form):
        name = re.search(r'name="([^"]*)"', attributes)
        if name is None or tag == "button" or name[1] == "csrf":
            continue
        value = re.search(r'value="([^"]*)"', attributes)
        if 'type="checkbox"' in attributes and "checked" not in attributes:
            continue
        if tag == "select":
            chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
            found[name[1]] = unescape(chosen[1]) if chosen else ""
        elif tag == "textarea":
            found[name[1]] = unescape(text)
        else:
            found[name[1]] = unescape(value[1]) if value else ""
    return found


async def edited(eva: Visitor, path: str, **changes: str) -> httpx.Response:
    """The form as it stands, with some fields changed and a button pressed (`do`)."""
    given = {**fields(await eva.get(f"{BASE}/{path}")), "do": "save", **changes}
    return await eva.http.post(f"{BASE}/{path}", data={"csrf": eva.csrf, **given})


def problem_at(page: httpx.Response, field: str) -> str:
    place = f'id="f-{field.replace(".", "-")}-problem"'
    return page.text.split(place)[1].split("</p>")[0] if place in page.text else ""


async def test_a_rule_is_changed_published_followed_and_taken_back(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        saved = await edited(eva, "rules/invoices", **{"when.1.value": "parcel", "queue": "legal"})
        assert saved.headers["location"] == f"{BASE}/rules?kept=invoices"
        assert (await office.write("a")).queue == "orders"  # a draft changes nothing
        changes = await eva.get(f"{BASE}/changes")
        assert "Subject contains “parcel”" in changes.text
        stays = changes.text.split("any of these holds</bdi>")[0].rpartition("<div")[2]
        assert stays.startswith(' class="same"')  # only what differs is marked
        published = await eva.post(f"{BASE}/changes", do="publish", note="Parcels are legal now")
        assert published.headers["location"] == f"{BASE}/versions/2?done=1"
        assert "Back to version 1" in (await eva.get(published.headers["location"])).text
        assert (await office.write("b", sender="bob@example.org")).queue == "legal"
        versions = (await eva.get(f"{BASE}/versions")).text
        assert "Parcels are legal now" in versions
        back = await eva.post(f"{BASE}/versions/1/back", over="2")
        assert back.headers["location"] == f"{BASE}/versions/3?done=1"
        assert (await eva.post(f"{BASE}/versions/1/back", over="2")).status_code == 409
    assert (await office.write("c", sender="cy@example.org")).queue == "orders"
    assert (await office.context.publisher.version(3)).actor.id == "eva"


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        wrong = await edited(
            eva, "rules/invoices", **{"when.0.field": "attachments", "when.0.operator": "at_least", "when.0.value": "many"}
        )  # fmt: skip
        assert wrong.headers["location"] == f"{BASE}/rules/invoices?kept=1"
        kept = await eva.get(wrong.headers["location"])
        assert "must be a number" in problem_at(kept, "when.0.value")
        assert fields(kept)["when.0.value"] == "many"
        refused = await edited(eva, "queues/orders", title="", first_response_minutes="soon")
        assert refused.status_code == 422
        assert problem_at(refused, "title")
        assert "number" in problem_at(refused, "first_response_minutes")
        assert fields(refused)["first_response_minutes"] == "soon"
        changes = (await eva.get(f"{BASE}/changes")).text
        assert f'href="{BASE}/rules/invoices"' in changes
        assert 'value="publish" disabled' in changes


async def test_rows_are_added_and_taken_away_and_operators_follow_the_field(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        more = await edited(eva, "rules/returns", do="add:when")
        assert re.findall(r'name="([^"]*)"[^>]* autofocus', more.text) == ["when.1.field"]
        added = fields(more)
        assert (added["when.0.value"], added["when.1.field"]) == ("return", "subject")
        grouped = await edited(eva, "rules/returns", do="group:when")
        assert "when.1.0.field" in fields(grouped)
        fewer = await edited(eva, "rules/invoices", do="remove:when.1")
        assert "when.1.field" not in fields(fewer)
        assert re.findall(r'name="([^"]*)"[^>]* autofocus', fewer.text) == ["when.kind"]
        numbers = await edited(eva, "rules/returns", do="show", **{"when.0.field": "attachments"})
        assert fields(numbers)["when.0.operator"] == "at_least"
        tags = {"when.0.field": "case.tags", "when.0.operator": "has_any"}
        shown = await edited(eva, "rules/returns", do="show", **tags)
        assert '<textarea id="f-when-0-value"' in shown.text
    assert (await office.context.configuring.draft("eva")).revision == 0


async def test_a_rule_is_tried_before_it_is_kept(office: Office) -> None:
    await office.write("a", "My parcel")
    await office.write("b", "Invoice 7", sender="bob@example.org")
    async with office.signed_in("eva") as eva:
        form = fields(await eva.get(f"{BASE}/rules/new"))
        tried = await eva.post(
            f"{BASE}/rules/new", **{**form, "when.0.value": "parcel", "queue": "legal", "do": "test"}
        )
        assert "It would have matched 1 of 2 new cases." in tried.text
        assert "My parcel" in tried.text
        assert fields(tried)["title"] == ""
        broken = await eva.post(f"{BASE}/rules/new", **{**form, "when.0.operator": "matches", "when.0.value": "(", "do": "test"})  # fmt: skip
        assert "no pattern" in problem_at(broken, "when.0.value")


async def test_a_template_is_shown_in_a_case_with_what_is_empty_there(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("eva") as eva:
        form = {
            "name": "thanks",
            "variant.0.language": "default",
            "variant.0.subject": "",
            "variant.0.text": "Dear {{ customer.name }} of {{ customer.tier }}",
            "variant.1.language": "de",
            "variant.1.subject": "",
            "variant.1.text": "Nummer {{ case.number }}",
        }
        shown = await eva.post(f"{BASE}/templates/new", **form, do="preview")
        assert "Dear Mara Ionescu of " in shown.text
        assert f"Nummer {case.number}" in shown.text
        assert "Empty in this case: customer.tier" in shown.text
        wrong = await eva.post(f"{BASE}/templates/new", **{**form, "variant.1.text": "{{ case.nummer }}"}, do="preview")  # fmt: skip
        assert "case.number" in problem_at(wrong, "variant.1.text")
        twice = await eva.post(f"{BASE}/templates/new", **{**form, "variant.1.language": "default"})
        assert problem_at(twice, "variant.1.language")
        assert (await eva.post(f"{BASE}/templates/new", **form)).status_code == 303
    assert (await office.context.configuring.draft("eva")).configuration.templates[0].text["de"]


async def test_hours_are_a_week_and_say_whether_it_is_open(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        form = fields(await eva.get(f"{BASE}/hours/new"))
        form |= {
            "name": "office",
            "timezone": "Europe/Berlin",
            "tue.0.closes": "00:00",
            "holiday.0": "2026-12-25",
        }
        assert (await eva.post(f"{BASE}/hours/new", **form)).status_code == 303
        listed = (await eva.get(f"{BASE}/hours")).text
        assert "Open until Today, 16:00" in unescape(listed)  # UTC, as long as the browser says nothing
        wrong = await edited(eva, "hours/office", **{"wed.0.opens": "19:00"})
        kept = await eva.get(wrong.headers["location"])
        assert "is not after 19:00" in problem_at(kept, "wed.0.closes")
        assert (await edited(eva, "hours/office", timezone="Mars/Base")).status_code == 303
        assert problem_at(await eva.get(f"{BASE}/hours/office"), "timezone")
    calendar = (await office.context.configuring.draft("eva")).configuration.hours[0]
    assert [(each.days, each.closes) for each in calendar.periods][1] == (("tue",), "24:00")
    assert [str(each) for each in calendar.holidays] == ["2026-12-25"]


async def test_an_automation_has_actions_with_their_own_fields(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        form = fields(await eva.get(f"{BASE}/automations/new")) | {"title": "Tell legal", "event": "overdue"}
        moved = await eva.post(f"{BASE}/automations/new", **{**form, "action.0.action": "move"}, do="show")
        assert "action.0.queue" in fields(moved)
        form = fields(moved) | {"action.0.queue": "legal"}
        assert (await eva.post(f"{BASE}/automations/new", **form)).status_code == 303
        assert "Tell legal" in (await eva.get(f"{BASE}/automations")).text
        assert (
            await eva.post(f"{BASE}/automations", do="answers:", automatic_answers_per_day="2")
        ).status_code == 303
    draft = (await office.context.configuring.draft("eva")).configuration
    assert (draft.automations[0].name, draft.automatic_answers_per_day) == ("tell-legal", 2)


async def test_queues_are_made_removed_and_what_names_them_is_told(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        made = await eva.post(f"{BASE}/queues/new", title="Größe & Maß", default="on", do="save")
        assert made.headers["location"] == f"{BASE}/queues?kept=groe-ma"
        await edited(eva, "queues/billing", do="remove")
        assert "there is no queue &#39;billing&#39;" in (await eva.get(f"{BASE}/changes")).text
        assert (await eva.post(f"{BASE}/rules", do="down:invoices")).status_code == 303
    draft = (await office.context.configuring.draft("eva")).configuration
    assert draft.default_queue == "groe-ma"
    assert [each.name for each in draft.rules] == ["returns", "invoices"]


async def test_a_version_of_somebody_else_is_taken_over_before_publishing(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        await edited(eva, "rules/invoices", title="Bills")
        queues = (*CONFIGURATION.queues, Queue(name="vip", title="VIP"))
        await office.service.company.publish(CONFIGURATION.model_copy(update={"queues": queues}), SYSTEM)
        assert "Version 2 was published by" in (await eva.get(f"{BASE}/changes")).text
        assert (await eva.post(f"{BASE}/changes", do="publish")).status_code == 409
        await eva.post(f"{BASE}/changes", do="take-over")
        assert (await eva.post(f"{BASE}/changes", do="publish")).status_code == 303
    current = office.service.company.current.configuration
    assert (current.rules[0].title, current.queues[-1].name) == ("Bills", "vip")


async def test_the_forms_are_for_supervisors_of_all_queues(office: Office) -> None:
    await office.context.accounts.users.update("bo", SYSTEM, roles={"*": Role.SUPERVISOR})
    paths = ("", "/rules", "/rules/new", "/rules/invoices", "/changes", "/versions", "/versions/1")
    for user, status in (("bo", 200), ("ann", 404)):
        async with office.signed_in(user) as visitor:
            for path in paths:
                assert (await visitor.get(f"{BASE}{path}")).status_code == status, path
            assert ("Company settings" in (await visitor.get("/console/views/all")).text) is (status == 200)
    async with office.signed_in("eva") as eva:
        for path in ("/nonsense", "/rules/nonsense", "/versions/99", "/versions/x"):
            assert (await eva.get(f"{BASE}{path}")).status_code == 404, path


def test_a_condition_in_a_form_is_the_condition_that_it_was() -> None:
    whens = [
        {"field": "subject", "operator": "contains", "value": "a"},
        {"not": {"field": "sender.verified", "operator": "is", "value": True}},
        {"all": [
            {"field": "flags", "operator": "has_any", "value": ["list", "bulk"]},
            {"not": {"any": [{"field": "attachments", "operator": "at_least", "value": 2},
                             {"field": "form.order", "operator": "exists", "value": False}]}},
        ]},
    ]  # fmt: skip
    for when in whens:
        rule = Rule.model_validate({"name": "r", "when": when, "tags": ["x"]})
        root = node_of(rule.when)
        again = Rule.model_validate({"name": "r", "when": root_written(root, {}), "tags": ["x"]})
        assert again == rule


def test_a_hostile_form_is_read_within_bounds() -> None:
    deep = {f"when{'.0' * depth}.kind": "all" for depth in range(50)}
    wide = {"when.kind": "any"} | {f"when.{index}.kind": "clause" for index in range(1000)}
    assert len(read_node(wide).children) == 200
    node, depth = read_node(deep), 0
    while node.children:
        node, depth = node.children[0], depth + 1
    assert depth == 4
    for nonsense in ("remove:when", "add:when.9", "group:", "add:when.x.0", "explode:when"):
        root = numbered(node_of(None))
        act(root, nonsense)
        assert root.children == []


async def test_the_api_does_what_the_forms_do(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("eva") as eva:
        api, headers = "/api/v1/configuration", {"X-CSRF-Token": eva.csrf}
        draft = (await eva.get(f"{api}/draft")).json()
        body = {**draft["configuration"], "automatic_answers_per_day": 2}
        kept = (await eva.http.put(f"{api}/draft", json=body, headers=headers)).json()
        assert (kept["base"], kept["kept"], len(kept["changes"])) == (1, True, 1)
        assert kept["changes"][0]["sentence"] == "automatic_answers_per_day is 2 now (was 5)."
        published = await eva.http.post(f"{api}/draft/publish", json={"note": "less"}, headers=headers)
        assert published.json() == {"number": 2}
        stale = await eva.http.post(f"{api}/versions/1/back", json={"over": 1}, headers=headers)
        back = await eva.http.post(f"{api}/versions/1/back", json={"over": 2}, headers=headers)
        assert (stale.status_code, back.json()) == (409, {"number": 3})
        template = {"name": "t", "text": {"default": "{{ customer.tier }}{{ case.number }}"}}
        shown = await eva.http.post(f"{api}/preview", json={"template": template}, headers=headers)
        assert shown.json()["variants"][0] == {
            "language": "default", "subject": "", "text": case.number, "empty": ["customer.tier"],
        }  # fmt: skip
        assert (await eva.get(f"{api}/hours")).json() == []
        unnamed = await eva.http.put(f"{api}?origin=file", json=body, headers=headers)
        assert unnamed.status_code == 409
        assert (await eva.http.put(f"{api}?origin=file&over=3", json=body, headers=headers)).json() == {
            "number": 4
        }


async def test_what_is_noted_of_people_is_edited_published_and_noted(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("eva") as eva:
        form = fields(await eva.get(f"{BASE}/person_attributes/new")) | {
            "title": "2nd Tier",
            "type": "choice",
        }
        refused = await eva.post(f"{BASE}/person_attributes/new", **form)
        assert problem_at(refused, "choices")
        made = await eva.post(f"{BASE}/person_attributes/new", **form, choices="gold\nsilver\ngold\n")
        assert made.headers["location"] == f"{BASE}/person_attributes?kept=nd_tier"
        await edited(eva, "person_attributes/nd_tier", title="Tier")
        assert "One of several: gold, silver" in (await eva.get(f"{BASE}/changes")).text
        assert "customer.nd_tier" in (await eva.get(f"{BASE}/rules/new")).text
        assert (await eva.post(f"{BASE}/changes", do="publish")).status_code == 303
        assert 'name="attribute-nd_tier"' in (await eva.get(f"/console/queues/orders/{case.number}")).text
        place = f"/console/queues/orders/{case.number}"
        await eva.post(f"{place}/describe", **{"attribute-nd_tier": "gold"})
        assert "<dt><bdi>Tier</bdi></dt><dd><bdi>gold</bdi></dd>" in (await eva.get(place)).text
        rule = await edited(
            eva, "rules/returns", do="show", **{"when.0.field": "customer.nd_tier", "when.0.operator": "is"}
        )
        assert '<option value="silver">silver</option>' in rule.text
        await edited(eva, "person_attributes/nd_tier", do="remove")
        assert (await eva.post(f"{BASE}/changes", do="publish")).status_code == 303
        assert (await eva.post(f"{BASE}/versions/2/back", over="3")).status_code == 303
    attribute = office.service.company.current.configuration.person_attributes[0]
    assert (attribute.title, attribute.choices) == ("Tier", ("gold", "silver"))


async def test_a_supervisor_says_how_a_brand_signs_but_not_which_brands_there_are(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        name = CONFIGURATION.brands[0].name
        added = fields(await edited(eva, f"brands/{name}", do="person", signature="{{ brand.titel }}"))
        assert "person.0.user" in added
        wrong = await edited(
            eva,
            f"brands/{name}",
            signature="{{ brand.titel }}",
            **{"person.0.user": "", "person.0.signature": "x"},
        )
        assert problem_at(wrong, "person.0.user")
        people = {"person.0.user": "ann", "person.0.signature": "{{ agent.nam }}"}
        kept = await eva.get((await edited(eva, f"brands/{name}", **people)).headers["location"])
        assert "agent.name" in problem_at(kept, "person.0.signature")
        signed = await edited(
            eva,
            f"brands/{name}",
            signature="Yours, {{ brand.title }}",
            **people | {"person.0.signature": "Ann"},
        )
        assert signed.headers["location"] == f"{BASE}/brands?kept={name}"
        assert (await eva.post(f"{BASE}/changes", do="publish")).status_code == 303
        for path in ("brands/new", "brands/other"):
            assert (await eva.get(f"{BASE}/{path}")).status_code == 404
            assert (await eva.post(f"{BASE}/{path}", title="Other", do="save")).status_code == 404
        await eva.post(f"{BASE}/brands/{name}", title="x", do="remove")
        for do in ("test", "preview"):
            assert (await eva.post(f"{BASE}/queues/orders", title="x", do=do)).status_code == 200
    brand, *_ = office.service.company.current.configuration.brands
    assert (brand.signature, dict(brand.agent_signatures)) == (
        "Yours, {{ brand.title }}",
        {"ann": "Ann"},
    )
    assert len((await office.context.configuring.draft("eva")).configuration.brands) == len(
        CONFIGURATION.brands
    )
