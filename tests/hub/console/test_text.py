"""Text of customers: links that lead where they say, quotes and long texts folded, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.console.text import linked, split_quoted, split_rest


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.example/x.", ["https://a.example/x"]),
        ("(https://a.example)", ["https://a.example"]),
        ('https://a.example/"onmouseover="x', ["https://a.example/"]),
        ("javascript:alert(1) data:text/html,x", []),
        ("https://a.example/?a=1&b=<script>", ["https://a.example/?a=1&amp;b="]),
        ("https://a.example/\u202egnp.exe", ["https://a.example/"]),
    ],
)
def test_links_are_found_and_harmless(text: str, links: list[str]) -> None:
    made = str(linked(text))
    assert [part.split('"')[0] for part in made.split('href="')[1:]] == links
    assert "<script" not in made


@given(st.text(alphabet=st.sampled_from("ab <>&\"'\n:/htps.") | st.characters(), max_size=200))
def test_whatever_is_written_is_text(text: str) -> None:
    made = linked(text)
    assert made.striptags().split() == made.striptags().split()
    outside = str(made).replace("</a>", "")
    assert outside.count("<") == outside.count('<a href="http')


def test_what_is_quoted_is_folded() -> None:
    assert split_quoted("New.\n\n> old", "New.") == ("New.", "> old")
    assert split_quoted("> old\nNew.", "New.") == ("New.", "> old\nNew.")
    assert split_quoted("All new", "") == ("All new", "")


@given(st.text(alphabet="ab \n", max_size=9000))
def test_nothing_of_a_long_text_is_lost(text: str) -> None:
    head, rest = split_rest(text)
    assert (head + rest).replace("\n", "") == text.replace("\n", "")
    assert len(head) <= 3000 or not rest


def test_a_long_text_is_cut_after_a_screen() -> None:
    head, rest = split_rest("\n".join(f"line {number}" for number in range(100)))
    assert head.endswith("line 39")
    assert rest.startswith("line 40")
