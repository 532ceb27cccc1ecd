"""Templates: languages, values that stay values, gaps, and what the language does not have."""

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.template_language import MAX_ITEMS, MAX_OUTPUT_LENGTH, MAX_SOURCE_LENGTH
from processors.template_problems import problems
from processors.templates import MAX_SUBJECT_LENGTH, VARIABLES, Variables, render, variant
from schemas.configuration import Template
from schemas.errors import Never

VALUES: Variables = {
    "customer": {"name": "Ada Lovelace", "tier": "gold"},
    "case": {"number": "7K3M9-Q2XAB", "subject": "Order", "tags": ["late", "vip"]},
}


def template(text: str, **more: Any) -> Template:
    return Template(name="thanks", text={"default": text}, **more)


def rendered(text: str, values: Variables = VALUES) -> str:
    return render(template(text), "en", values)[1]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("de", "Hallo"), ("de-AT", "Servus"), ("DE-at", "Servus"), ("de-CH", "Hallo"), ("fr", "Hello"), ("und", "Hello"), ("", "Hello")],
)  # fmt: skip
def test_the_exact_language_comes_first_then_its_primary_then_the_default(
    language: str, expected: str
) -> None:
    texts = {"default": "Hello", "de": "Hallo", "de-AT": "Servus"}
    assert variant(texts, language) == expected
    assert render(Template(name="a", text=texts), language, {}) == ("", expected)


def test_variables_conditions_loops_and_filters_work() -> None:
    text = (
        "Hi {{ customer.name|first_word }}{% if customer.tier == 'gold' %}!{% else %},{% endif %} "
        "{% for tag in case.tags %}{{ tag|upper }}{% if not loop.last %}+{% endif %}{% endfor %} "
        "{{ case.tags|join('/') }} {{ case['number']|truncate(5) }} {{ case.tags|length }} {{ 'a' ~ 'b' }}"
    )
    assert rendered(text) == "Hi Ada! LATE+VIP late/vip 7K3M9… 2 ab"


@pytest.mark.parametrize(
    "text",
    ["{{ customer.phone }}", "{{ nobody.name.first }}", "{{ case.number.upper }}", "{{ case }}", "{{ ''.__class__ }}", "{{ customer.items }}"],
)  # fmt: skip
def test_what_is_missing_is_empty_and_objects_have_no_inside(text: str) -> None:
    assert rendered(f"[{text}]") == "[]"


def test_a_gap_can_have_a_default() -> None:
    assert (
        rendered("{{ customer.phone|default('none') }} {{ customer.phone|default(customer.name) }}")
        == "none Ada Lovelace"
    )


@given(st.text(max_size=200))
def test_a_value_is_never_read_as_template_code(value: str) -> None:
    for attack in (value, "{{ 7 * 7 }}" + value, "{% raw %}", "{# " + value):
        assert rendered("<{{ customer.name }}>", {"customer": {"name": attack}}) == f"<{attack}>"


def test_text_is_plain_and_not_escaped() -> None:
    assert rendered("{{ customer.name }}", {"customer": {"name": "<b> & 'x'"}}) == "<b> & 'x'"


def test_a_subject_is_one_bounded_line() -> None:
    subject, _ = render(
        template("x", subject={"default": "Re: {{ case.subject }}\nBcc: all"}),
        "en",
        {"case": {"subject": "a\r\nb" * 200}},
    )
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= MAX_SUBJECT_LENGTH


REFUSED = [
    ("{{ range(10) }}", "a call"),
    ("{% set a = 1 %}", "`set`"),
    ("{% macro a() %}{% endmacro %}", "`macro`"),
    ("{% include 'x' %}", "`include`"),
    ("{{ 'a' * 1000000000 }}", "`*`"),
    ("{{ 2 ** 1000000 }}", "`pow`"),
    ("{{ '%9999999d' % 1 }}", "`mod`"),
    ("{{ case.number|format }}", "no filter 'format'"),
    ("{{ case.tags|join(case.subject) }}", "written out"),
    ("{{ case.tags|join('" + "x" * 30 + "') }}", "at most 20"),
    ("{% if 3 is divisibleby 3 %}{% endif %}", "no test 'divisibleby'"),
    ("{% for a in case.tags %}{% for b in case.tags %}{% endfor %}{% endfor %}", "in a loop"),
    ("{% for a in case.tags recursive %}{% endfor %}", "recursive"),
    ("{% for a in case.tags|join %}{% endfor %}", "written out"),
    ("{{ case.tags[0] }}", "in quotes"),
    ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "too deeply"),
    ("{{ a" + "|upper" * 3000 + " }}", "too deeply"),
    ("x" * (MAX_SOURCE_LENGTH + 1), "longer"),
    ("{% for a in case.tags %}" + "{{ a }}" * 100 + "{% endfor %}", "too much"),
    ("{{ case.number", "unexpected end"),
    ("{% if %}", "Expected an expression"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_could_run_away_is_refused_when_checked_and_when_rendered(text: str, reason: str) -> None:
    (problem,) = problems(template(text))
    assert reason in problem.message
    assert problem.path == "text.default"
    with pytest.raises(Never, match="template thanks"):
        rendered(text)


def test_a_loop_over_a_text_or_a_long_list_is_bounded() -> None:
    assert rendered("{% for letter in customer.name %}x{% endfor %}") == ""
    assert (
        rendered("{% for tag in case.tags %}x{% endfor %}", {"case": {"tags": ["t"] * 5000}})
        == "x" * MAX_ITEMS
    )


def test_output_that_gets_too_long_is_refused_soon() -> None:
    long = {"message": {"text": "x" * 1_000_000}}
    started = perf_counter()
    with pytest.raises(Never, match=str(MAX_OUTPUT_LENGTH)):
        rendered("{{ message.text }}" * 1000, long)
    assert perf_counter() - started < 5


PROBLEMS = [
    (
        "{{ customer.name }}\n{{ case.nubmer }}",
        "line 2: there is no variable 'case.nubmer'; did you mean 'case.number'?",
    ),
    ("{{ case }}", "line 1: 'case' alone is no variable"),
    ("{{ customer_name }}", "did you mean 'customer.name'?"),
    ("{{ casse.number }}", "did you mean 'case.number'?"),
    ("{{ case.number.upper }}", "'upper': a variable has no parts of its own"),
    ("{% for t in case.tags %}{{ loop.indx }}{% endfor %}", "no loop.indx"),
    ("{% for t in case.tags %}{{ t.name }}{% endfor %}", "'t' is a text"),
    ("\n\n{{ case.number|truncate('x') }}", "line 3: fails"),
    ("{% if case.number > 3 %}x{% endif %}", "line 1: fails"),
    ("  ", "is empty"),
]


@pytest.mark.parametrize(("text", "message"), PROBLEMS, ids=[text for text, _ in PROBLEMS])
def test_a_mistake_is_told_with_its_line(text: str, message: str) -> None:
    (problem,) = problems(template(text), "templates[0]")
    assert problem.path == "templates[0].text.default"
    assert message in problem.message


def test_a_name_from_a_loop_is_unknown_behind_it() -> None:
    (problem,) = problems(template("{% for t in case.tags %}{{ t }}{% endfor %}{{ t }}"))
    assert "there is no variable 't'" in problem.message


def test_every_documented_variable_can_be_used() -> None:
    text = " ".join(f"{{{{ {name.replace('.X', '.tier')} }}}}" for name in VARIABLES)
    assert problems(template(text)) == []


def test_a_default_must_be_there() -> None:
    found = problems(Template(name="a", subject={"de": "Ihre Anfrage"}, text={"de": "Hallo"}))
    assert [problem.path for problem in found] == ["text", "subject"]
