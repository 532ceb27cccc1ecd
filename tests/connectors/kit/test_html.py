"""Foreign HTML: safe to show, and readable as text."""

import time

import pytest

from connectors.kit.html import clean_html, html_to_text


def read(html: str) -> str:
    return html_to_text(clean_html(html))


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' java\tscript:alert(1)'>x</a>",
        "<iframe src='https://x.example'></iframe>",
        "<form action='https://x.example'><input name=a></form>",
        "<svg onload=alert(1)></svg>",
        "<style>@import 'https://x.example'</style>",
        "<p style='background:url(https://x.example/a)'>x</p>",
        "<p style='position:fixed;top:0'>x</p>",
        "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
        "<meta http-equiv=refresh content='0;url=https://x.example'>",
        "<base href='https://x.example'>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<object data=x></object><embed src=x>",
    ],
)
def test_what_acts_is_removed(html: str) -> None:
    cleaned = clean_html(html)
    for word in (
        "script",
        "onerror",
        "onload",
        "alert",
        "iframe",
        "<form",
        "import",
        "url(",
        "fixed",
        "data:",
        "refresh",
        "<base",
    ):
        assert word not in cleaned.lower()


def test_images_by_content_id_and_marks_of_quotes_survive() -> None:
    cleaned = clean_html('<img src="cid:a@b"><div class="gmail_quote other" id="appendonsend">x</div>')
    assert 'src="cid:a@b"' in cleaned
    assert 'class="gmail_quote"' in cleaned
    assert 'id="appendonsend"' in cleaned
    assert "other" not in cleaned


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<ol><li>one<ul><li>inner</ul><li>two</ol>", "1. one\n  - inner\n2. two"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("<blockquote>quoted<br>twice</blockquote>new", "> quoted\n> twice\n\nnew"),
        ("<a href='https://x.example/a'>here</a>", "here <https://x.example/a>"),
        ("<a href='https://x.example/'>x.example</a>", "x.example"),
        ("<a href='mailto:a@b.c'>a@b.c</a>", "a@b.c"),
        ("a  \n b<b>c</b> d", "a bc d"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>seen</p><div style='display:none'>hidden</div>", "seen"),
        ("<img src=x alt='a cat'>", "[a cat]"),
        ("<h1>Title</h1>text<hr>more", "Title\n\ntext\n\n________________________________\n\nmore"),
        ("x<!-- no --><title>no</title><style>no</style>", "x"),
        ("caf&eacute;&nbsp;&amp; cr&egrave;me", "café & crème"),
        ("", ""),
    ],
)
def test_text_reads_like_the_page(html: str, text: str) -> None:
    assert read(html) == text


@pytest.mark.parametrize(
    "tag", ["div", "b", "p", "table", "ul><li", "blockquote", "font", "a href=x", "span"]
)
def test_deep_nesting_keeps_the_text_and_takes_no_time(tag: str) -> None:
    started = time.perf_counter()
    assert "deep" in read(f"<{tag}>" * 50_000 + "deep")
    assert time.perf_counter() - started < 8


def test_a_tag_with_endless_attributes_loses_them_and_keeps_its_text() -> None:
    attributes = " ".join(f"a{each}=1" for each in range(100_000))
    started = time.perf_counter()
    assert read(f"<p {attributes}>text</p>") == "text"
    assert time.perf_counter() - started < 8
