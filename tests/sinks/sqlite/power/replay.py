"""Plays a recorded run up to a moment and cuts the power there: what was not synced is lost in part, at random.

The model is the strictest that POSIX allows: writes reach the disk in any order, torn at sectors of 512 bytes, until their
file is synced; names (new files, renames, removals) until their folder is synced. SQLite relies on no more
(https://sqlite.org/atomiccommit.html).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from random import Random

HEAD = struct.Struct("<cIQI")
SECTOR_BYTES = 512
SCRATCH = ("-shm",)
"""Memory maps; SQLite makes them anew when nobody has the file open."""
FOLDER = 0
"""Stands for the serial of a folder, which is a name only. What is in one whose name was lost is lost with it."""


@dataclass(frozen=True, slots=True)
class Record:
    kind: str
    serial: int
    number: int
    content: bytes


def read_journal(path: Path) -> list[Record]:
    journal, place, records = path.read_bytes(), 0, []
    while place < len(journal):
        kind, serial, number, length = HEAD.unpack_from(journal, place)
        place += HEAD.size
        records.append(Record(kind.decode(), serial, number, journal[place : place + length]))
        place += length
    return records


@dataclass(slots=True)
class File:
    """What is on the disk for sure, and the writes and cuts (place, None) that may be."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for place, content in self.pending:
            _put(self.durable, place, content)
        self.pending.clear()

    def after_a_cut(self, random: Random, kept: float) -> bytes:
        """The durable content with some of the pending sectors."""
        content = bytearray(self.durable)
        for place, written in self.pending:
            if written is None:
                if random.random() < kept:
                    _put(content, place, None)
                continue
            for start in range(0, len(written), SECTOR_BYTES):
                if random.random() < kept:
                    _put(content, place + start, written[start : start + SECTOR_BYTES])
        return bytes(content)


def _put(content: bytearray, place: int, written: bytes | None) -> None:
    if written is None:
        del content[place:]
        content.extend(bytes(place - len(content)))
        return
    if len(content) < place + len(written):
        content.extend(bytes(place + len(written) - len(content)))
    content[place : place + len(written)] = written


Change = tuple[tuple[str, int | None], ...]
"""Names that are given (serial) or taken (None) together."""


@dataclass(slots=True)
class Disk:
    """Files by serial, folders by path; `names` as processes see them, `durable` as the disk has them."""

    files: dict[int, File] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    durable: dict[str, int] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)
    folders: dict[int, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    acknowledged: list[int] = field(default_factory=list)

    def play(self, record: Record) -> None:
        match record.kind:
            case "O":
                self._open(record)
            case "W":
                self.files[record.serial].pending.append((record.number, record.content))
            case "T":
                self.files[record.serial].pending.append((record.number, None))
            case "S":
                self._sync(record.serial)
            case "R":
                old, new = record.content.decode().split("\0")
                self._name(((new, self.names[old]), (old, None)))
            case "L":
                old, new = record.content.decode().split("\0")
                self._name(((new, self.names[old]),))
            case "D":
                self.made.add(record.content.decode())
                self._name(((record.content.decode(), FOLDER),))
            case "U":
                self._name(((record.content.decode(), None),))
            case "A":
                self.acknowledged.append(record.number)

    def _open(self, record: Record) -> None:
        path = record.content.decode()
        self.folders[record.serial] = path
        if record.number:
            self.files[record.serial] = File()
            self._name(((path, record.serial),))

    def _name(self, change: Change) -> None:
        _rename(self.names, change)
        self.pending.append(change)

    def _sync(self, serial: int) -> None:
        if serial in self.files:
            self.files[serial].sync()
            return
        folder = PurePosixPath(self.folders[serial])
        for change in [
            each for each in self.pending if any(PurePosixPath(path).parent == folder for path, _ in each)
        ]:
            _rename(self.durable, change)
            self.pending.remove(change)

    def write_after_a_cut(self, target: Path, random: Random) -> None:
        """Puts into `target` what a disk may hold after the power went now."""
        kept = random.choice((0.0, 0.3, 0.7, 1.0))
        names = dict(self.durable)
        for change in self.pending:
            if random.random() < kept:
                _rename(names, change)
        lost = self.made - names.keys()
        for path, serial in names.items():
            if path.endswith(SCRATCH) or any(str(each) in lost for each in PurePosixPath(path).parents):
                continue
            place = target / path
            if serial == FOLDER:
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(self.files[serial].after_a_cut(random, kept))


def _rename(names: dict[str, int], change: Change) -> None:
    for path, serial in change:
        if serial is None:
            names.pop(path, None)
        else:
            names[path] = serial


def cuts(records: Sequence[Record], count: int, random: Random) -> Iterator[tuple[int, Disk]]:
    """`count` moments: most of them right after something was acknowledged, when the most can be lost, others anywhere."""
    told = [place + 1 for place, record in enumerate(records) if record.kind == "A"]
    anywhere = range(told[0], len(records))
    moments = sorted(random.choice(told if number % 3 else anywhere) for number in range(count))
    disk, played = Disk(), 0
    for moment in moments:
        for record in records[played:moment]:
            disk.play(record)
        played = moment
        yield moment, disk
