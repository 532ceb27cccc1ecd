"""What people write in Slack, as text and as HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack.compose import LONGEST, escaped, parts_of
from connectors.slack.parse.blocks import render_blocks
from connectors.slack.parse.content import content_of, subject_of
from connectors.slack.parse.emoji import emoji_of
from connectors.slack.parse.mrkdwn import render_mrkdwn


@pytest.mark.parametrize(
    ("source", "text", "html"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c", "a &lt;b&gt; &amp;amp; c"),
        ("*bold* _it_ ~gone~", "*bold* _it_ ~gone~", "<b>bold</b> <i>it</i> <s>gone</s>"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("`*no*` x", "*no* x", "<code>*no*</code> x"),
        ("```a\nb```", "a\nb", "<pre>a\nb</pre>"),
        ("&gt; said\nanswer", "> said\nanswer", "<blockquote>said</blockquote>answer"),
        (
            "<https://a.example/?x=1&amp;y=2|here>",
            "here (https://a.example/?x=1&y=2)",
            '<a href="https://a.example/?x=1&amp;y=2">here</a>',
        ),
        ("<https://a.example>", "https://a.example", '<a href="https://a.example">https://a.example</a>'),
        ("<mailto:a@b.example|a@b.example>", "a@b.example", '<a href="mailto:a@b.example">a@b.example</a>'),
        ("<javascript:alert(1)|click>", "click", "click"),
        ("<@U0ANN0001> <#C1|general> <!here>", "@U0ANN0001 #general @here", "@U0ANN0001 #general @here"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18", "Feb 18"),
        (":wave::skin-tone-3: :unknown_one:", "👋🏼 :unknown_one:", "👋🏼 :unknown_one:"),
        ("<b>not markup</b>", "b" "not markup" "/b", "bnot markup/b"),
    ],
)  # fmt: skip
def test_slacks_markup_is_read(source: str, text: str, html: str) -> None:
    rendered = render_mrkdwn(source)
    assert (rendered.text, rendered.html) == (text, html)


def test_what_people_typed_is_read_from_rich_text_with_lists_and_quotes() -> None:
    def text(words: str, **style: bool) -> dict[str, object]:
        return {"type": "text", "text": words, **({"style": style} if style else {})}

    def section(*elements: object) -> dict[str, object]:
        return {"type": "rich_text_section", "elements": list(elements)}

    blocks = [
        {
            "type": "rich_text",
            "elements": [
                section(text("Hello "), {"type": "user", "user_id": "U0ANN0001"}, text(" <b>", bold=True)),
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [section(text("one")), section(text("two"))],
                },
                {"type": "rich_text_quote", "elements": [text("said")]},
                {"type": "rich_text_preformatted", "elements": [text("x < y")]},
                section({"type": "emoji", "name": "wave", "unicode": "1f44b"}),
            ],
        }
    ]
    rendered = render_blocks(blocks)
    assert rendered.text == "Hello @U0ANN0001 <b>\n1. one\n2. two\n> said\nx < y\n👋"
    assert "<b> &lt;b&gt;</b>" in rendered.html
    assert "<ol><li>one</li><li>two</li></ol>" in rendered.html


def test_blocks_of_apps_say_what_the_text_lacks() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Order 12"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*paid*"},
            "fields": [{"type": "mrkdwn", "text": "EUR 3"}],
        },
        {"type": "unheard-of"},
        "nonsense",
    ]
    assert content_of({"text": "", "blocks": blocks}).text == "Order 12\n*paid*\nEUR 3"


def test_a_preview_of_a_link_is_not_what_the_customer_said() -> None:
    preview = {"from_url": "https://a.example", "title": "A page"}
    shared = {"is_share": True, "author_name": "Ben", "text": "the older message"}
    assert content_of({"text": "see", "attachments": [preview]}).text == "see"
    assert content_of({"text": "see", "attachments": [shared]}).text == "see\n\nBen:\n> the older message"


def test_a_subject_is_the_first_line_cut_at_a_word() -> None:
    assert subject_of("First line\nSecond") == "First line"
    assert subject_of("The *Polaris* of `7` is _not_ here: 2*3*4") == "The Polaris of 7 is not here: 2*3*4"
    assert subject_of("word " * 40).endswith("word…")


@given(st.text(max_size=400))
def test_no_text_trips_the_reader_and_no_markup_of_its_own_comes_out(source: str) -> None:
    html = content_of({"text": source}).html
    assert "<script" not in html and "javascript:" not in html.lower().split("href=")[-1][:20]


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "text", "elements", "style", "fields", "rich_text"]), inner, max_size=4), max_leaves=20))  # fmt: skip
def test_no_blocks_trip_the_reader(blocks: object) -> None:
    assert isinstance(render_blocks(blocks).text, str)


@given(st.text(alphabet="ab &<>\n.", max_size=LONGEST * 3))
def test_parts_fit_and_hold_the_whole_text(text: str) -> None:
    parts = parts_of(text)
    assert all(len(each) <= LONGEST for each in parts)
    kept = escaped(text)
    assert "".join("".join(parts).split()) == "".join(kept.split())


def test_no_escape_is_cut_in_two() -> None:
    parts = parts_of("&" * LONGEST)
    assert len(parts) == 5 + 1 or all(each.endswith("&amp;") for each in parts)
    assert all(each.count("&") == each.count("&amp;") for each in parts)


def test_emoji_keep_their_name_where_the_workspace_made_them() -> None:
    assert emoji_of("thumbsup") == "👍"
    assert emoji_of("party_parrot") == ":party_parrot:"
    assert emoji_of("x", "zz") == "❌" or emoji_of("x", "zz").startswith(":")
