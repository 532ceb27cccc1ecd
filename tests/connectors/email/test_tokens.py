"""Reply addresses and Message-IDs of ours, whatever mail systems do to them."""

from uuid import UUID, uuid5

import pytest

from connectors.email.tokens import OwnMessage, Tokens
from schemas.ids import NAMESPACE

OLD = Tokens((b"the old secret, long enough",))
NEW = Tokens((b"the new secret, long enough", b"the old secret, long enough"))
CASES = [uuid5(NAMESPACE, str(number)) for number in range(50)]
CASE = CASES[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_reply_address_names_its_case(case: UUID) -> None:
    address = NEW.reply_address("support@shop.example", case)
    assert address.startswith("support+c-")
    assert len(address.partition("@")[0]) <= 64
    assert NEW.case_of_address(address) == case


@pytest.mark.parametrize(
    "mangled",
    [
        str.upper,
        str.title,
        lambda address: f"prvs=1234abcdef={address}",
        lambda address: f"SRS0=ab1c=XY={address.replace('@', '=')}".replace("=shop", "@shop"),
        lambda address: "forward+" + address.replace("@", "=") + "@other.example",
        lambda address: f'"{address.partition("@")[0]}"@shop.example',
    ],
)
def test_a_reply_address_survives_what_relays_do_to_it(mangled: object) -> None:
    assert callable(mangled)
    assert NEW.case_of_address(mangled(NEW.reply_address("support@shop.example", CASE))) == CASE


def test_a_changed_reply_address_names_nothing() -> None:
    local, _, domain = NEW.reply_address("support@shop.example", CASE).partition("@")
    for index in range(len("support+c-"), len(local)):
        other = "a" if local[index] != "a" else "b"
        changed = f"{local[:index]}{other}{local[index + 1 :]}@{domain}"
        # The last letter of the id holds two bits that mean nothing.
        assert NEW.case_of_address(changed) in ({None, CASE} if index == len("support+c-") + 25 else {None})


def test_a_local_part_without_room_keeps_the_plain_address() -> None:
    assert (
        NEW.reply_address("a-very-long-name-of-a-mailbox@shop.example", CASE)
        == "a-very-long-name-of-a-mailbox@shop.example"
    )


@pytest.mark.parametrize("case", [CASE, None])
def test_a_message_id_names_its_message_and_its_case(case: UUID | None) -> None:
    own = OwnMessage(CASES[1], case)
    assert NEW.own_message(NEW.message_id(CASES[1], case, "shop.example").upper()) == own
    assert NEW.own_message(NEW.envelope_id(CASES[1], case)) == own


def test_a_new_secret_signs_and_the_old_one_still_verifies() -> None:
    assert NEW.case_of_address(OLD.reply_address("support@shop.example", CASE)) == CASE
    assert OLD.case_of_address(NEW.reply_address("support@shop.example", CASE)) is None
    assert NEW.own_message(OLD.message_id(CASES[1], CASE, "shop.example")) == OwnMessage(CASES[1], CASE)


def test_a_reply_token_is_no_message_id_and_the_other_way_round() -> None:
    assert NEW.own_message(NEW.reply_address("support@shop.example", CASE)) is None
    assert NEW.case_of_address("c-" + NEW.envelope_id(CASE, CASE)) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Tokens((b"short",))
