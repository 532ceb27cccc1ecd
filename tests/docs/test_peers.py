"""What docs/console-usability.md says about the keys of other programs is the table that a Tuesday is compared with."""

from tests.e2e.peers import PEERS, strokes_of
from tests.support.paths import ROOT


def test_the_keys_of_other_programs_are_documented_as_they_are_counted() -> None:
    text = (ROOT / "docs/console-usability.md").read_text()
    for program, steps in PEERS.items():
        keys = " | ".join(", ".join(each.strokes) for each in steps)
        assert f"| {program} | {keys} | {strokes_of(steps)} |" in text
        assert not [each.source for each in steps if each.source not in text]
