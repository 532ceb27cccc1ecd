"""Formatted text: whatever comes in, the few things that it may say come out, as HTML, as text and with Slack's marks."""

import time

import pytest

from processors.formatted import as_html, as_markdown, as_text, formatted

LETTER = (
    '<div>Hello <b>Ann</b>,<br>see <a href="https://x.example/?a=1&amp;b=2">the offer</a></div><div><br></div>'
    "<ul><li>one<li>two<ul><li>within</li></ul></ul><ol><li>first</li></ol><blockquote>said<p>before</p></blockquote>"
)
HOSTILE = [
    "<script>alert(1)</script>",
    "<style>p{background:url(//x)}</style>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java\nscript:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<img src=x onerror="alert(1)">',
    '<svg><script>alert(1)</script></svg><iframe src="//x"></iframe><form action="//x"><input></form>',
    '<p onclick="alert(1)" style="position:fixed" class="x" id="y">x</p>',
    "<<script>alert(1)//<</script>",
    '<p title="</p><script>alert(1)</script>">x',
    "<!--<img src=--><img src=x onerror=alert(1)//>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'>",
    "<b><i><a href='https://x.example/\"onmouseover=alert(1)'>x</a>",
]


def test_a_letter_comes_out_as_html_as_text_and_with_marks() -> None:
    tree = formatted(LETTER)
    assert as_html(tree) == (
        '<p>Hello <strong>Ann</strong>,<br>see <a href="https://x.example/?a=1&amp;b=2">the offer</a></p>\n'
        "<ul><li>one</li><li><p>two</p><ul><li>within</li></ul></li></ul>\n<ol><li>first</li></ol>\n"
        "<blockquote><p>said</p><p>before</p></blockquote>\n"
    )
    assert as_text(tree) == (
        "Hello Ann,\nsee the offer (https://x.example/?a=1&b=2)\n\n- one\n- two\n  - within\n\n1. first\n\n"
        "> said\n>\n> before"
    )
    assert as_markdown(formatted("<p>a<b> bold </b>and <i>slanted</i></p>")) == "a *bold* and _slanted_"


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_but_the_few_things_comes_out(html: str) -> None:
    clean = as_html(formatted(html))
    tags = {each.split(">")[0] for each in clean.split("<")[1:]}
    allowed = {"p", "/p", "strong", "/strong", "em", "/em", "/a", "br"}
    links = {each for each in tags - allowed if each.startswith('a href="https://')}
    assert tags <= allowed | links
    assert all(each.count('"') == 2 for each in links)


@pytest.mark.parametrize("html", [LETTER, *HOSTILE, "<b><div>x</div>y</b>", "1 < 2 &lt; 3", "<li>alone"])
def test_what_was_cleaned_once_stays_as_it_is(html: str) -> None:
    clean = as_html(formatted(html))
    assert as_html(formatted(clean)) == clean
    assert as_text(formatted(clean)) == as_text(formatted(html))


def test_what_office_programs_call_bold_is_bold_and_what_they_wrap_around_is_not() -> None:
    pasted = '<b style="font-weight:normal"><p><span style="font-weight:700">Bold</span> and not</p></b>'
    assert as_html(formatted(pasted)) == "<p><strong>Bold</strong> and not</p>\n"


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", '<a href="', "<div>", "<b>", "</", "<script>", "<ul><li>", "&#"]
)
def test_no_input_takes_long(piece: str) -> None:
    began = time.process_time()
    as_text(formatted(piece * (400_000 // len(piece))))
    assert time.process_time() - began < 5  # some 0.1 s; squared it would be minutes
