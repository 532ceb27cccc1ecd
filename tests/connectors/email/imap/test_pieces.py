"""The parts without a connection: names, sets of UIDs, answers taken apart, and how far a folder is read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.email.envelope import Envelope
from connectors.email.imap.connection import Opened
from connectors.email.imap.cursor import LATE, FolderCursor, Progress, first_cursor, renumbered
from connectors.email.imap.errors import ConnectionLost
from connectors.email.imap.responses import (
    Fetched,
    Folder,
    Literal,
    fetched,
    internal_date,
    listed,
    response_of,
    tokens,
)
from connectors.email.imap.settings import ImapSettings, OAuthSettings
from connectors.email.imap.uids import read_uids, write_uids
from connectors.email.imap.utf7 import decode, encode
from connectors.email.settings import EmailSettings
from tests.connectors.email.imap.house import settings
from tests.support.clock import MONDAY_MORNING


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("INBOX", b"INBOX"),
        ("Entwürfe", b"Entw&APw-rfe"),
        ("R&D", b"R&-D"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # the example of RFC 3501
        ("😀", b"&2D3eAA-"),
    ],
)
def test_names_of_folders_are_written_as_the_protocol_writes_them(name: str, encoded: bytes) -> None:
    assert encode(name) == encoded
    assert decode(encoded) == name


@given(st.text())
def test_every_name_comes_back(name: str) -> None:
    assert decode(encode(name)) == name


@pytest.mark.parametrize("odd", [b"&", b"&AA", b"&!!!-", b"&AA-", b"caf\xe9", b"&2D0-"])
def test_a_name_that_is_written_wrongly_can_still_be_shown(odd: bytes) -> None:
    assert isinstance(decode(odd), str)


@given(st.sets(st.integers(1, 2**32 - 1)))
def test_sets_of_uids_come_back(uids: set[int]) -> None:
    assert read_uids(write_uids(uids)) == sorted(uids)


def test_sets_of_uids_are_written_short() -> None:
    assert write_uids([3, 1, 2, 7, 9, 8, 20]) == "1:3,7:9,20"
    assert write_uids([]) == ""


def test_what_a_fetch_says_is_read_whatever_its_order() -> None:
    literal = Literal(b"raw", 3)
    response = response_of(
        [
            b'* 4 FETCH (FLAGS (\\Seen $Junk) BODY[HEADER.FIELDS (A "b")]<0> ',
            literal,
            b' INTERNALDATE "02-Mar-2026 09:00:00 +0100" RFC822.SIZE 3 UID 7)',
        ]
    )
    assert fetched(response) == Fetched(7, 3, datetime(2026, 3, 2, 8, tzinfo=UTC), literal)


@pytest.mark.parametrize("body", [b'BODY[] "raw"', b'body[] "r\\aw"'])
def test_a_body_may_be_a_quoted_string(body: bytes) -> None:
    one = fetched(response_of([b"* 1 FETCH (UID 2 " + body + b")"]))
    assert one is not None
    assert one.body == Literal(b"raw", 3)


@pytest.mark.parametrize(
    "line", [b"* 1 FETCH", b"* 1 FETCH ()", b"* 1 FETCH (FLAGS (a))", b"* 1 FETCH (UID x)"]
)
def test_a_fetch_without_a_uid_tells_nothing(line: bytes) -> None:
    assert fetched(response_of([line])) is None


@pytest.mark.parametrize(
    "odd", [b"(", b")", b"(((((((((a", b'"open', b"a[b", b"(a))", b"BODY[", b"[" * 50_000, b"(" * 50_000]
)
def test_brackets_that_do_not_match_are_refused(odd: bytes) -> None:
    with pytest.raises(ConnectionLost):
        tokens([odd])


@given(st.binary(max_size=200))
def test_whatever_a_server_says_is_read_or_refused(line: bytes) -> None:
    try:
        response = response_of([line])
        fetched(response)
        listed(response)
    except ConnectionLost:
        pass


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        (
            b'* LIST (\\HasNoChildren \\JUNK) "/" Spam',
            Folder("Spam", b"Spam", frozenset({"\\hasnochildren", "\\junk"})),
        ),
        (b'* LIST () NIL "a \\"b\\""', Folder('a "b"', b'a "b"', frozenset())),
        (b'* LIST () "." [Gmail]/Spam', Folder("[Gmail]/Spam", b"[Gmail]/Spam", frozenset())),
        (b'* LIST () "." "x" ("CHILDINFO" ("SUBSCRIBED"))', Folder("x", b"x", frozenset())),
        (b"* LIST ()", None),
    ],
)
def test_folders_are_read_from_their_list(line: bytes, folder: Folder | None) -> None:
    assert listed(response_of([line])) == folder


def test_a_name_may_come_as_a_literal() -> None:
    folder = listed(response_of([b'* LIST () "/" ', Literal(b"a b", 3), b""]))
    assert folder is not None and folder.name == "a b"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b" 2-Mar-2026 09:00:00 -0500", datetime(2026, 3, 2, 14, tzinfo=UTC)),
        (b"02-MAR-2026 23:59:60 +0000", datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)),
        (b"31-Feb-2026 09:00:00 +0000", None),
        (b"02-Xyz-2026 09:00:00 +0000", None),
        (b"02-Mar-2026 09:00:00 +9900", None),
        (b"02-Mar-2026 09:00:00", None),
        (b"", None),
        (None, None),
    ],
)
def test_the_time_of_arrival_has_its_zone(written: bytes | None, meant: datetime | None) -> None:
    assert internal_date(written) == meant


def cursor(**changes: object) -> FolderCursor:
    return FolderCursor.model_validate({"uid_validity": 1, "uid": 100, "is_begun": True, **changes})


def test_the_cursor_moves_up_to_the_first_mail_that_is_not_done() -> None:
    progress = Progress.of(cursor(seen="51:100"))
    assert progress.list([100, 101, 103, 104, 110], []) == [101, 103, 104, 110]
    for uid in (101, 104, 110):
        progress.done(uid, settle=False)
    assert progress.now().uid == 102
    assert read_uids(progress.now().seen)[-2:] == [100, 101]
    progress.done(103, settle=False)
    over = progress.now(visited_at=MONDAY_MORNING)
    assert (over.uid, over.visited_at) == (110, MONDAY_MORNING)
    assert all(uid > 110 - LATE for uid in read_uids(over.seen))


def test_a_mail_that_fails_is_remembered_and_the_cursor_moves_on() -> None:
    progress = Progress.of(cursor())
    progress.list([101, 102], [])
    assert progress.failed_once_more(101) == 1
    progress.done(102, settle=False)
    saved = progress.now()
    assert (saved.uid, saved.failed) == (102, {101: 1})
    again = Progress.of(saved)
    assert again.list([101, 102], [101]) == [101]
    assert again.failed_once_more(101) == 2
    assert Progress.of(again.now()).list([102], []) == [], "it is gone from the mailbox"


def test_what_is_to_be_done_in_the_mailbox_is_kept_until_it_is_done() -> None:
    progress = Progress.of(cursor())
    progress.list([101, 102], [])
    progress.done(101, settle=True)
    progress.done(102, settle=True)
    saved = progress.now()
    assert saved.unsettled == "101:102"
    again = Progress.of(saved)
    again.settled([101])
    assert again.now().unsettled == "102"


@given(st.sets(st.integers(1, 200)), st.data())
def test_nothing_is_passed_over_wherever_a_pass_is_cut_off(there: set[int], data: st.DataObject) -> None:
    """However far each pass gets, in whatever order: what is done and what is still to do is all that was there."""
    done: set[int] = set()
    kept = FolderCursor(uid_validity=1, uid=0)
    for _ in range(4):
        progress = Progress.of(kept)
        todo = progress.list([uid for uid in there if uid >= kept.late_from], [])
        some = data.draw(st.sets(st.sampled_from(todo))) if todo else set()
        for uid in some:
            progress.done(uid, settle=False)
        done |= some
        kept = progress.now()
    rest = Progress.of(kept).list([uid for uid in there if uid >= kept.late_from], [])
    assert done | set(rest) == there


def test_after_new_numbers_a_pass_begins_a_little_before_the_last_look_and_never_before_ours() -> None:
    opened = Opened("INBOX", uid_validity=2, uid_next=50)
    looked = cursor(visited_at=MONDAY_MORNING)
    assert renumbered(looked, opened).not_before == MONDAY_MORNING - timedelta(days=2)
    ours = looked.model_copy(update={"origin": MONDAY_MORNING - timedelta(hours=1)})
    assert renumbered(ours, opened).not_before == MONDAY_MORNING - timedelta(hours=1)
    unfinished = cursor(uid=3, visited_at=None)
    anew = renumbered(unfinished, opened)
    assert (anew.uid, anew.not_before, anew.is_doubtful(49), anew.is_doubtful(50)) == (0, None, True, False)


def test_a_first_run_since_a_day_leaves_older_mails_out_by_their_time_of_arrival() -> None:
    chosen = settings(1, first_run="since", since="2026-03-02")
    begun = first_cursor(Opened("INBOX", uid_validity=1, uid_next=10), chosen, MONDAY_MORNING)
    day = datetime(2026, 3, 2, tzinfo=UTC)
    assert not begun.is_ours(9, day - timedelta(seconds=1))
    assert begun.is_ours(9, day)
    assert begun.is_ours(9, None), "rather twice looked at than lost"
    assert begun.is_ours(10, day - timedelta(days=900)), "it came after we began"


def test_where_a_mail_was_fetched_is_kept_with_an_original_that_cannot_be_read() -> None:
    envelope = Envelope(
        source="imap:a/b", account="support", mailbox="a", arrived_at=MONDAY_MORNING, is_junk=True
    )
    assert Envelope.from_facts(envelope.facts()) == envelope


OAUTH = {"client_id": "hub", "client_secret": "s", "token_url": "https://login.example/token"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": None}, "set password or oauth"),
        ({"oauth": OAUTH, "password": "p"}, "set password or oauth"),
        ({"host": "imap.example.com"}, "cross the network in clear"),
        ({"first_run": "since"}, "belong together"),
        ({"since": "2026-01-01"}, "belong together"),
        ({"post_action": "move"}, "move_to"),
        ({"post_action": "move", "move_to": "INBOX"}, "is read itself"),
        ({"keyword": "two words"}, "one word"),
        ({"folders": ["a", "a"]}, "named twice"),
        ({"folders": ["a\r\nb"]}, "pattern"),
        ({"username": "a\r\nb"}, "one line"),
    ],
)
def test_settings_that_cannot_work_are_told(changes: dict[str, object], told: str) -> None:
    fields = settings(1).model_dump() | {"password": "p"} | changes
    with pytest.raises(ValidationError, match=told):
        ImapSettings.model_validate(fields)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"token_url": "http://login.example/token"}, "https"),
        ({"token_url": "https://me@login.example/token"}, "no user"),
        ({"token_url": "https://[/"}, "no address"),
        ({"client_secret": None}, "set refresh_token"),
    ],
)
def test_settings_of_tokens_that_cannot_work_are_told(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        OAuthSettings.model_validate(OAUTH | changes)


@pytest.mark.parametrize(
    ("mailboxes", "told"),
    [
        ([{"name": "smtp"}], "the name smtp is taken"),
        ([{}, {"username": "b"}], "the name box is taken"),
        ([{"account": "nobody"}], "there is no account 'nobody'"),
        ([{}, {"name": "other"}], "is read by another mailbox"),
    ],
)
def test_mailboxes_that_get_in_each_others_way_are_told(mailboxes: list[dict[str, str]], told: str) -> None:
    plain = {"name": "box", "host": "imap.example.com", "username": "a", "password": "p"}
    fields = {
        "accounts": [{"name": "support", "address": "support@shop.example"}],
        "imap": [plain | each for each in mailboxes],
    }
    with pytest.raises(ValidationError, match=told):
        EmailSettings.model_validate(fields)


@pytest.mark.parametrize("model", [ImapSettings, OAuthSettings])
def test_every_setting_is_described(model: type[ImapSettings] | type[OAuthSettings]) -> None:
    assert all(each.description for each in model.model_fields.values())
