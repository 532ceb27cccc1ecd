"""Mails in files: .eml files, folders of them, Maildir folders, mbox files. Bytes come out exactly as they lie there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAIL_SUFFIXES = frozenset({".eml", ".msg", ".mail", ".txt", ".email", ".mbox", ".rfc822", ""})
# `From :` with blanks is an old way to write the header.
FROM_LINE = re.compile(rb"From (?!\s*:)[^\r\n]{1,1000}\r?\n?\Z")
HEADER_LINE = re.compile(rb"[!-9;-~]{1,80}:")
LONGEST_MAIL = 100 * 1024 * 1024
LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceMail:
    """One mail of a file. `content` is None where it could not be read; `problem` then says why."""

    source: str
    content: bytes | None
    problem: str = ""


def mails_in(paths: Sequence[Path]) -> Iterator[SourceMail]:
    """Every mail under the paths, files of a folder in the order of their names. A path that is not there is a problem."""
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        elif path.exists():
            yield from _in_file(path)
        else:
            yield SourceMail(str(path), None, "there is no such file or folder")


def count_files(paths: Sequence[Path]) -> int:
    """How many files there are to read, for a progress bar; an mbox counts as one."""
    return sum(sum(1 for _ in _files(path)) if path.is_dir() else 1 for path in paths)


def _in_folder(folder: Path) -> Iterator[SourceMail]:
    for path in _files(folder):
        yield from _in_file(path)


def _files(folder: Path) -> Iterator[Path]:
    """All that may be mails: in a Maildir what is delivered (cur and new, never tmp), elsewhere by the ending."""
    is_maildir = _is_maildir(folder)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and not _is_maildir(path):  # Maildir++ keeps its subfolders in .Name
            continue
        if path.is_dir() and not path.is_symlink():
            if not (is_maildir and path.name == "tmp"):
                yield from _files(path)
        elif path.is_file() and (folder.name in ("cur", "new") or path.suffix.lower() in MAIL_SUFFIXES):
            yield path


def _is_maildir(folder: Path) -> bool:
    return (folder / "cur").is_dir() and (folder / "new").is_dir()


def _in_file(path: Path) -> Iterator[SourceMail]:
    try:
        with path.open("rb") as file:
            is_mbox = FROM_LINE.match(file.readline(1_000)) is not None
            file.seek(0)
            if is_mbox:
                yield from _in_mbox(path, file)
                return
            content = file.read(LONGEST_MAIL + 1)
    except OSError as error:
        yield SourceMail(str(path), None, error.strerror or type(error).__name__)
        return
    yield _bounded(str(path), content)


def _in_mbox(path: Path, file: BinaryIO) -> Iterator[SourceMail]:
    """Splits at lines `From …` that follow an empty line and come before a header, as no writer quotes them all.

    The line before a mail, and the empty line after it, belong to the file (RFC 4155, appendix A). Quoted `>From ` lines
    stay as they are: the digest of a mail does not count them.
    """
    number = 0
    lines: list[bytes] = []
    size = 0
    is_after_empty = True
    pending: bytes | None = None
    for line in _lines(file):
        if pending is not None:
            if HEADER_LINE.match(line) or (number == 0 and not lines):
                if number:
                    yield _mail(path, number, lines, size)
                number += 1
                lines, size = [], 0
            else:
                lines.append(pending)
                size += len(pending)
            pending = None
        if is_after_empty and FROM_LINE.match(line):
            pending = line
            is_after_empty = False
            continue
        if size <= LONGEST_MAIL:
            lines.append(line)
        size += len(line)
        is_after_empty = not line.strip(b"\r\n")
    if pending is not None:
        if number:
            lines.append(pending)
        number = max(number, 1)
    if number:
        yield _mail(path, number, lines, size)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        yield line


def _mail(path: Path, number: int, lines: list[bytes], size: int) -> SourceMail:
    if lines and not lines[-1].strip(b"\r\n"):
        lines = lines[:-1]
    name = f"{path}:{number}"
    if size > LONGEST_MAIL:
        return SourceMail(name, None, f"larger than {LONGEST_MAIL} bytes")
    return _bounded(name, b"".join(lines))


def _bounded(name: str, content: bytes) -> SourceMail:
    if len(content) > LONGEST_MAIL:
        return SourceMail(name, None, f"larger than {LONGEST_MAIL} bytes")
    if not content.strip():
        return SourceMail(name, None, "the file is empty")
    return SourceMail(name, content)
