"""What a channel can do decides what an answer may be, before it is queued."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.capabilities import Capabilities, Counting, FileLimits
from schemas.interactions import Attachment

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CHAT = Capabilities(reply=True, longest=10)


def file(name: str = "a.png", size: int = 10, media_type: str = "image/png") -> Attachment:
    return Attachment(name=name, media_type=media_type, size=size)


def test_a_channel_without_answers_refuses_every_answer() -> None:
    assert Capabilities().faults("hello") == {"case": "this channel takes no answers; answer by another one"}


def test_a_text_that_is_too_long_is_told_by_how_much() -> None:
    assert "shorten it by 2" in CHAT.faults("x" * 12)["text"]
    assert CHAT.faults("x" * 10) == {}


@pytest.mark.parametrize(
    ("counting", "length"), [(Counting.CHARACTERS, 2), (Counting.UTF16, 3), (Counting.BYTES, 5)]
)
def test_each_channel_counts_in_its_own_units(counting: Counting, length: int) -> None:
    assert Capabilities(reply=True, counting=counting).length("a😀") == length


def test_a_channel_may_count_by_rules_of_its_own() -> None:
    own = Capabilities(reply=True, longest=10, counting=Counting.OWN)
    assert own.faults("x" * 12, count=lambda _text: 1) == {}
    assert "text" in own.faults("x", count=lambda _text: 11)


def test_a_channel_that_splits_takes_any_length() -> None:
    assert Capabilities(reply=True, longest=10, splits=True).faults("x" * 100) == {}


def test_files_are_refused_where_there_are_none() -> None:
    assert "no files" in CHAT.faults("see", [file()])["attachments"]


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ([file(), file()], "takes 1"),
        ([file(size=101)], "more than 100 bytes"),
        ([file(media_type="text/html")], "does not take"),
    ],
)
def test_files_beyond_the_limits_are_refused(files: list[Attachment], part: str) -> None:
    limits = FileLimits(count=1, bytes_each=100, bytes_total=1000, types=("image/*",))
    assert part in Capabilities(reply=True, files=limits).faults("see", files)["attachments"]


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ([file(size=300, media_type="image/gif")], ""),
        ([file(size=101, media_type="image/png")], "more than 100 bytes"),
        ([file(size=900, media_type="video/mp4")], ""),
        ([file(size=1001, media_type="video/mp4")], "more than 1000 bytes"),
        ([file(size=9, media_type="image/png"), file(size=9, media_type="image/png")], ""),
        ([file(size=9, media_type="image/png"), file(size=9, media_type="image/gif")], "goes alone"),
    ],
)
def test_a_type_may_be_smaller_than_others_or_go_alone(files: list[Attachment], part: str) -> None:
    limits = FileLimits(
        count=4,
        bytes_each=1000,
        bytes_of={"image/*": 100, "image/gif": 300},
        alone=("image/gif", "video/*"),
    )
    faults = Capabilities(reply=True, files=limits).faults("see", files)
    assert part in faults.get("attachments", "") and bool(part) == bool(faults)


def test_html_is_refused_where_text_alone_is_taken() -> None:
    assert "html" in CHAT.faults("a", html="<b>a</b>")
    assert Capabilities(reply=True, html=True).faults("a", html="<b>a</b>") == {}


def test_an_answer_after_the_window_is_refused_with_the_time_when_it_closed() -> None:
    windowed = Capabilities(reply=True, reply_window_seconds=3600)
    assert windowed.faults("a", wrote_at=NOW - timedelta(hours=1), now=NOW) == {}
    assert "09:00" in windowed.faults("a", wrote_at=NOW - timedelta(hours=2), now=NOW)["case"]
