"""The page on sizing: its numbers follow from what was measured."""

import json

import pytest

from hub.docs.sizing import FIGURES, needs, number, size, sizing_page


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, "0"),
        (0.0512, "0.0512"),
        (1.4051, "1.41"),
        (4008, "4,010"),
        (10_000_000, "10,000,000"),
        (60_000, "60,000"),
    ],
)
def test_numbers_have_the_three_figures_that_count(value: float, read: str) -> None:
    assert number(value) == read


def test_sizes_are_read_in_the_unit_that_fits() -> None:
    assert [size(each) for each in (999, 1_500, 123_456_789, 3e15)] == ["999 B", "1.5 kB", "123 MB", "3 PB"]


def test_ten_times_the_interactions_need_ten_times_the_cores_and_bytes() -> None:
    figures = {
        "worker_cpu_milliseconds_an_interaction": 2.0,
        "database_commands_a_hundred_interactions": {"find": 5.0, "update": 5.0},
        "log": {"cases": {"an_interaction": 2.0, "bytes_each": 1000}},
        "store": {"entries": {"an_interaction": 1.0, "bytes_each": 500}},
    }
    one, ten = needs(figures, 8_640_000), needs(figures, 86_400_000)
    assert one["interactions a second, peak"] == "400"
    assert one["cores for workers at the peak"] == "1.74"  # 400 × (2 ms + 2 × 0.09 ms) / 0.5
    assert ten["cores for workers at the peak"] == "17.4"
    assert one["database commands a second at the peak"] == "40"
    assert one["Kafka, all copies: a day"] == "51.8 GB"
    assert ten["Kafka, all copies: a day"] == "518 GB"
    assert one["MongoDB, all copies, uncompressed: a day"] == "13 GB"


def test_the_page_names_the_servers_of_its_figures() -> None:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert all(name in sizing_page() for name in figures["servers"])
