"""What every engine finds by words."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.cases import CaseState
from schemas.errors import Invalid
from schemas.ports import Engine
from schemas.steps import Hit, SearchText, Step
from tests.contracts.samples import case, minutes, name


def text(label: str, number: int = 1, **changes: Any) -> SearchText:
    """An entry of a case as search gets it."""
    of = case(label)
    fields: dict[str, Any] = {
        "entry": name("entry", label, number),
        "case": of.id,
        "number": of.number,
        "names": "",
        "subject": "",
        "text": "",
        "occurred_at": minutes(number),
    }
    return SearchText(**(fields | changes))


async def fill(engine: Engine, *texts: SearchText) -> None:
    await engine.commit(Step(search=list(texts)))


async def hits(engine: Engine, words: str, **narrowed: Any) -> list[Hit]:
    return list((await engine.search(words, **narrowed)).items)


async def cases(engine: Engine, words: str, **narrowed: Any) -> list[str]:
    labels = {case(label).number: label for label in ("a", "b", "c", "d")}
    return [labels[hit.number] for hit in await hits(engine, words, **narrowed)]


async def test_a_hit_names_the_case_and_shows_the_place(engine: Engine) -> None:
    await fill(engine, text("a", 3, subject="Order 123", text="My parcel is lost, and nobody answers."))
    (hit,) = await hits(engine, "PARCEL")
    assert (hit.case, hit.number, hit.entry) == (case("a").id, case("a").number, name("entry", "a", 3))
    assert hit.occurred_at == minutes(3)
    assert hit.excerpt == "My \x02parcel\x03 is lost, and nobody answers."


async def test_number_comes_before_subject_before_text_and_then_the_latest(engine: Engine) -> None:
    number = case("c").number
    await fill(
        engine,
        text("a", text=f"see {number}"),
        text("b", subject=f"About {number}"),
        text("c", text="hello"),
        text("d", text=f"and {number} again"),
    )
    assert await cases(engine, number) == ["c", "b", "d", "a"]


async def test_a_word_that_could_be_a_number_is_found_as_a_word(engine: Engine) -> None:
    await fill(engine, text("a", text="Ask the bookkeeper."), text("b", subject="The next conference"))
    assert await cases(engine, "bookkeeper") == ["a"]
    assert await cases(engine, "conference") == ["b"]


async def test_a_number_is_found_as_people_type_it(engine: Engine) -> None:
    await fill(engine, text("a"), text("b"))
    number = case("a").number
    for typed in (number.lower(), f"#{number}", number.replace("-", " "), number.replace("-", "")):
        assert await cases(engine, typed) == ["a"]


@pytest.mark.parametrize(
    "words",
    [
        "muller",
        "MÜLLER",
        "mül",
        "ada@example.org",
        "example.org",
        "straße köln",
        "köln ada",
        "注文",
        "注文番号",
        "배송",
    ],
)
async def test_words_are_found_in_any_spelling(engine: Engine, words: str) -> None:
    await fill(
        engine,
        text(
            "a",
            names="Ada Müller ada@example.org",
            subject="Straße in Köln",
            text="昨日の注文番号を教えてください 배송조회",
        ),
        text("b", names="Bob Miller bob@example.net", subject="Street in Cologne", text="番号文注"),
    )
    assert await cases(engine, words) == ["a"]


async def test_an_excerpt_reads_as_it_was_written(engine: Engine) -> None:
    await fill(engine, text("a", text="昨日の注文番号\x02を\x03教えて"))
    (hit,) = await hits(engine, "注文")
    assert hit.excerpt.replace("\x02", "").replace("\x03", "") == "昨日の注文番号を教えて"


async def test_all_words_must_match_in_one_entry(engine: Engine) -> None:
    await fill(
        engine, text("a", subject="Invoice", text="is wrong"), text("b", subject="Invoice", text="is right")
    )
    assert await cases(engine, "invoice wrong") == ["a"]
    assert await cases(engine, "wrong right") == []


async def test_an_entry_written_again_is_found_by_its_new_words_only(engine: Engine) -> None:
    await fill(engine, text("a", text="first words"))
    await fill(engine, text("a", text="second thoughts"), text("b", text="words"))
    assert await cases(engine, "thoughts") == ["a"]
    assert await cases(engine, "words") == ["b"]


async def test_a_case_comes_once_however_many_pages_are_read(engine: Engine) -> None:
    await fill(
        engine,
        *(text("a", number, text="parcel") for number in range(250)),
        text("b", 1, text="parcel"),
        text("a", 300, text="parcel"),
        text("c", 1, subject="parcel"),
        text("c", 2, text="parcel"),
    )
    read: list[Hit] = []
    after = None
    while True:
        page = await engine.search("parcel", limit=1, after=after)
        read += page.items
        after = page.next
        if after is None:
            break
        if len(read) > 1:  # within the texts now: what comes in is above the place that was reached
            await fill(engine, text("d", len(read), text="parcel"))
    assert [hit.number for hit in read] == [case(label).number for label in "cab"]


async def test_only_cases_of_the_queues_are_found(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("a"), 0), (case("b", queue="billing"), 0)]))
    await fill(engine, text("a", text="parcel"), text("b", text="parcel"))
    assert await cases(engine, "parcel") == ["b", "a"]
    assert await cases(engine, "parcel", queues=["billing", "none"]) == ["b"]
    assert await cases(engine, "parcel", queues=[]) == []


async def test_a_merged_case_is_found_by_who_reads_where_it_went(engine: Engine) -> None:
    merged = case("a", state=CaseState.MERGED, merged_into=case("b").id)
    once_more = case("b", queue="billing", state=CaseState.MERGED, merged_into=case("c").id)
    await engine.commit(
        Step(documents=[(merged, 0), (once_more, 0), (case("c", queue="legal"), 0), (case("d"), 0)])
    )
    await fill(engine, text("a", text="parcel"), text("d", text="parcel"))
    assert await cases(engine, "parcel", queues=["legal"]) == ["a"]
    assert await cases(engine, "parcel", queues=["billing"]) == ["a"]
    assert await cases(engine, "parcel", queues=["orders"]) == ["d", "a"]
    assert await cases(engine, "parcel", queues=["sales"]) == []


async def test_what_is_not_found_by_its_words_is_told(engine: Engine) -> None:
    stored = [text("a", names="Ann", subject="Order", text="My parcel 荷物"), text("b", text="\x02parcel")]
    await fill(engine, text("a", text="before"))
    await fill(engine, *stored)
    assert await engine.unlike(stored) == []
    altered, missing = text("b", text="parcels"), text("c", text="parcel")
    assert await engine.unlike([stored[0], altered, missing]) == [altered.entry, missing.entry]
    assert await engine.unlike([]) == []


async def test_a_moved_case_is_found_where_it_is_now(engine: Engine) -> None:
    await engine.commit(Step(documents=[(case("a"), 0)], search=[text("a", text="parcel")]))
    await engine.commit(Step(documents=[(case("a", queue="billing", revision=2), 1)]))
    assert await cases(engine, "parcel", queues=["orders"]) == []


@pytest.mark.parametrize("words", ["", "   ", '"', "***", "-", "()", "💥", "\x00", "number:", '" OR "'])
async def test_words_without_meaning_find_nothing(engine: Engine, words: str) -> None:
    await fill(engine, text("a", text="number one"))
    assert len(await hits(engine, words)) <= 1


HOSTILE = st.text(
    st.sampled_from("ab*\"'(){}:^+-~.,\\\x00\u200b é漢ـ🙂 NEARORANDTcolumn") | st.characters(), max_size=60
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=HOSTILE)
async def test_nothing_that_is_typed_is_an_operator(engine: Engine, words: str) -> None:
    await engine.search(words, limit=3)


async def test_a_cursor_of_another_search_is_refused(engine: Engine) -> None:
    with pytest.raises(Invalid):
        await engine.search("parcel", after="WzksMV0")
