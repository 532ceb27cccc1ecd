"""Pages are small on the wire, and how small tells nothing of what they hold."""

import gzip

import pytest

from hub.console.compressing import MOST_PADDING, accepts_gzip, small
from tests.hub.console.office import Office


@pytest.mark.parametrize(
    ("accepted", "is_accepted"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("GZIP , deflate", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
    ],
)
def test_gzip_is_used_where_it_is_accepted(accepted: str, is_accepted: bool) -> None:
    assert accepts_gzip(accepted) is is_accepted


def test_padding_makes_a_stream_longer_and_changes_nothing() -> None:
    content = b"<p>hello</p>" * 100
    plain = small(content)
    for length in (1, 50, MOST_PADDING):
        padded = small(content, bytes(range(length)))
        assert gzip.decompress(padded) == content
        assert len(padded) == len(plain) + length + 1  # and the byte that ends a name


async def test_a_page_is_small_and_no_two_are_of_one_length(office: Office) -> None:
    await office.write("a")
    async with office.signed_in("ann") as ann:
        plain = await ann.get("/console/queues/orders", **{"Accept-Encoding": "identity"})
        sizes = set()
        for _ in range(12):
            answer = await ann.get("/console/queues/orders", **{"Accept-Encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["vary"]
            assert answer.text == plain.text
            sizes.add(int(answer.headers["content-length"]))
    assert "content-encoding" not in plain.headers
    assert len(sizes) > 3
    assert max(sizes) < len(plain.content) / 2
