"""Sentences that were made below the console, in the language of who reads them."""

import pytest

from hub.console.words import Catalogue
from schemas.errors import Invalid, Stale
from schemas.sentences import both, said

POLISH = Catalogue(
    {},
    "pl",
    {
        "there is no queue {name!r}{meant}": "nie ma kolejki „{name}”{meant}",
        "; did you mean {name!r}?": "; czy chodziło o „{name}”?",
        "at most {n} files go with one answer": {
            "one": "co najwyżej {n} plik w jednej odpowiedzi",
            "few": "co najwyżej {n} pliki w jednej odpowiedzi",
            "many": "co najwyżej {n} plików w jednej odpowiedzi",
            "other": "co najwyżej {n} pliku w jednej odpowiedzi",
        },
        "{start} and {last}": "{start} i {last}",
        "{start}; {last}": "{start}; {last}",
        "this key may only read": "ten klucz pozwala tylko czytać",
        "not delivered: {reason}": "nie dostarczono: {reason}",
    },
)
MEANT = said("; did you mean {name!r}?", name="orders")


def test_a_sentence_is_said_by_its_template_and_so_are_those_inside_it() -> None:
    wrong = said("there is no queue {name!r}{meant}", name="ordres", meant=MEANT)
    assert wrong == "there is no queue 'ordres'; did you mean 'orders'?"
    assert POLISH.said(wrong) == "nie ma kolejki „ordres”; czy chodziło o „orders”?"
    assert POLISH.said(both(["a", "b"])) == "a i b"


@pytest.mark.parametrize(("n", "word"), [(1, "plik"), (3, "pliki"), (10, "plików")])
def test_a_number_has_the_plural_of_the_language(n: int, word: str) -> None:
    assert (
        POLISH.said(said("at most {n} files go with one answer", n=n))
        == f"co najwyżej {n} {word} w jednej odpowiedzi"
    )


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("this key may only read", "ten klucz pozwala tylko czytać"),
        ("there is no queue 'x y'", "nie ma kolejki „x y”"),
        ("there is no queue 'x'; did you mean 'y'?", "nie ma kolejki „x”; czy chodziło o „y”?"),
        ("at most 3 files go with one answer", "co najwyżej 3 pliki w jednej odpowiedzi"),
        ("not delivered: this key may only read", "nie dostarczono: ten klucz pozwala tylko czytać"),
        ("there is no queue 'x'; not delivered: y", "nie ma kolejki „x”; nie dostarczono: y"),
        ("450 busy; this key may only read", "450 busy; ten klucz pozwala tylko czytać"),
        ("what a vendor says, 'as it is'", "what a vendor says, 'as it is'"),
        ("there is no queue 'x'" + "x" * 3000, "there is no queue 'x'" + "x" * 3000),
    ],
)
def test_what_was_stored_as_text_is_recognized_and_all_else_shown_as_it_is(stored: str, shown: str) -> None:
    assert POLISH.said(stored) == shown


def test_a_value_keeps_its_own_direction_from_right_to_left() -> None:
    persian = Catalogue({}, "fa", {"there is no queue {name!r}": "صف «{name}» وجود ندارد"})
    assert (
        persian.said(said("there is no queue {name!r}", name="billing"))
        == "صف «\u2068billing\u2069» وجود ندارد"
    )
    assert persian.said("451 try later") == "\u2068451 try later\u2069"


def test_english_needs_no_catalogue() -> None:
    assert Catalogue({}).said(said("at most {n} files", n=3)) == "at most 3 files"


def test_a_refusal_says_its_reason_and_what_to_change() -> None:
    refusal = Invalid(
        said("this key may only read"),
        {"name": said("there is no queue {name!r}{meant}", name="x", meant="")},
    )
    assert POLISH.why(refusal) == "ten klucz pozwala tylko czytać (nie ma kolejki „x”)"
    assert POLISH.to_change(refusal) == "nie ma kolejki „x”"
    assert POLISH.to_change(Stale("this key may only read")) == "ten klucz pozwala tylko czytać"
