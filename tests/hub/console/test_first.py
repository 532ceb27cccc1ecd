from tests.hub.console.office import Office


async def test_an_agent_reads_claims_answers_and_resolves_without_scripts(office: Office) -> None:
    case = await office.write("a", "Invoice 7")
    async with office.signed_in("ann") as ann:
        page = await ann.get("/console/queues/billing")
        assert page.status_code == 200, page.text
        assert "Mara Ionescu" in page.text
        url = f"/console/queues/billing/{case.number}"
        page = await ann.get(url)
        assert page.status_code == 200, page.text
        claimed = await ann.post(f"{url}/claim")
        assert (claimed.status_code, claimed.headers["location"]) == (303, f"{url}?done=claimed")
        answered = await ann.post(f"{url}/write", mode="reply", text="Here it is.", then="resolve")
        assert answered.status_code == 303, answered.text
        noted = await ann.post(f"{url}/write", mode="note", text="Called her.")
        assert noted.status_code == 303, noted.text
        await office.settle()
        page = await ann.get(url)
    after = await office.service.case_after(case.id)
    assert (after.assignee, after.state) == ("ann", "resolved")
    assert [each.text for each in office.relay.sent] == ["Here it is."]
    assert "Called her." in page.text
    assert "Billing, because the subject contains" in page.text
