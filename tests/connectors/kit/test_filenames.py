"""File names from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.filenames import safe_filename


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\report.pdf", "report.pdf"),
        ("a\x00b\r\n.txt", "ab .txt"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("CON.txt", "_CON.txt"),
        ("..", "attachment"),
        ("", "attachment"),
        ("   .  ", "attachment"),
        ("a/b/", "b"),
        ("e\u0301.txt", "\u00e9.txt"),
        ("what?*<>|.txt", "what.txt"),
        ("name. . ", "name"),
        (".profile", ".profile"),
    ],
)
def test_names_are_safe_and_still_tell_what_they_told(given_name: str, safe: str) -> None:
    assert safe_filename(given_name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_filename("ä" * 500 + ".pdf")
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 150


@given(st.text())
def test_any_text_gives_a_name_without_folders(text: str) -> None:
    name = safe_filename(text)
    assert name and name not in (".", "..")
    assert not set(name) & set('/\\\0<>:"|?*\n')
    assert len(name.encode("utf-8")) <= 150
    assert safe_filename(name) == name
