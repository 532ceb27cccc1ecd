"""How X counts: its own conformance files, and texts cut into threads."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.x.parse.weight import LONGEST, cut, is_valid, weight

SECTIONS = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")


@pytest.mark.parametrize("section", SECTIONS)
def test_texts_weigh_what_twitter_text_says(section: str, corpus: Callable[[str], Path]) -> None:
    tests = yaml.safe_load((corpus("x/twitter-text") / "validate.yml").read_text("utf-8"))["tests"][section]
    wrong = {
        each["description"]: (
            weight(each["text"]),
            each["expected"]["weightedLength"],
            is_valid(each["text"]),
        )
        for each in tests
        if (weight(each["text"]), is_valid(each["text"]))
        != (each["expected"]["weightedLength"], each["expected"]["valid"])
    }
    assert wrong == {}


def test_each_top_level_domain_makes_a_link(corpus: Callable[[str], Path]) -> None:
    tests = yaml.safe_load((corpus("x/twitter-text") / "tlds.yml").read_text("utf-8"))["tests"]
    texts = [each["text"] for each in (*tests["country"], *tests["generic"])]
    assert len(texts) > 1400
    assert [each for each in texts if weight(each) != 23] == []


@given(st.text(alphabet=st.sampled_from("ab 。漢👍🏽\u200d👩. \nhttps://a.example/x"), max_size=1500))
def test_each_post_of_a_thread_fits_and_none_of_the_text_is_lost(text: str) -> None:
    posts = cut(text)
    assert all(weight(each) <= LONGEST for each in posts)
    assert "".join("".join(posts).split()) == "".join(text.split())


def test_a_link_is_not_cut_in_two() -> None:
    text = "word " * 54 + "https://shop.example/a/long/path/to/somewhere"
    assert any(each.endswith("https://shop.example/a/long/path/to/somewhere") for each in cut(text))
