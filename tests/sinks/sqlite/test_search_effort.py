"""One question never takes long, however many entries match and however few of them may be seen."""

import pytest

from schemas.documents import Document
from schemas.steps import Hit, SearchText, Step
from sinks.sqlite import search
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.samples import case, minutes, name


async def test_who_may_see_little_gets_there_by_short_pages(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_EXAMINED", 10)
    documents: list[tuple[Document, int]] = [(case("rare", queue="rare"), 0)]
    documents += [(case(str(number)), 0) for number in range(50)]
    texts = [
        SearchText(name(each.id), each.id, "", "", "", "a parcel", minutes(number))
        for number, (each, _) in enumerate(documents)
    ]
    await engine.commit(Step(documents=documents, search=texts))
    hits: list[Hit] = []
    after, pages = None, 0
    while pages == 0 or after:
        page = await engine.search("parcel", ["rare"], after=after)
        hits += page.items
        after, pages = page.next, pages + 1
    assert [hit.case for hit in hits] == [case("rare").id]
    assert pages > 3
