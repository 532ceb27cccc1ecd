"""A whole entry: what a post says in terms of its form."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from connectors.kit.uploads import Upload, check_uploads
from connectors.webform.parse.checks import Check, Faulty, Problem, compile_check, is_ticked
from connectors.webform.parse.decode import Posted
from connectors.webform.parse.text import clean
from connectors.webform.settings import FieldType, Form

OURS = "_"
"""How the names begin that mean something to us; no field of a form may be called so."""
EXTRA = "extra."
EXTRA_AT_MOST = 20
EXTRA_CHARACTERS = 500
EXTRA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")
MEBIBYTE = 1 << 20


@dataclass(slots=True)
class Entry:
    """`fields` holds what was filled in, in the form's order; what the form does not know stands behind, under `extra.`."""

    fields: dict[str, str] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)
    uploads: Sequence[Upload] = ()
    problems: list[Problem] = field(default_factory=list)

    def digest(self) -> str:
        """The same for the same entry, however it was encoded and whenever it was sent."""
        files = [(each.field, each.name, sha256(each.content).hexdigest()) for each in self.uploads]
        content = [self.fields, self.consents, files]
        return sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class EntryReader:
    """Reads entries of one form. Compiled once, called for each post."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._checks: list[tuple[str, Check]] = [
            (each.name, compile_check(each)) for each in form.fields if each.type != FieldType.FILE
        ]
        self._file_fields = {each.name: each.required for each in form.fields if each.type == FieldType.FILE}
        self._known = frozenset([name for name, _ in self._checks] + [each.name for each in form.consents])

    def read(self, posted: Posted) -> Entry:
        """All that was sent and all that is wrong with it, in the order of the form."""
        entry = Entry(uploads=posted.uploads)
        for name, check in self._checks:
            try:
                value = check(posted.values.get(name, []))
            except Faulty as fault:
                entry.problems.append(fault.problem)
                continue
            if value:
                entry.fields[name] = value
        self._read_consents(posted, entry)
        self._check_files(entry)
        self._keep_extra(posted, entry)
        return entry

    def _read_consents(self, posted: Posted, entry: Entry) -> None:
        for consent in self.form.consents:
            if is_ticked(posted.values.get(consent.name, [])):
                entry.consents[consent.name] = consent.version
            elif consent.required:
                entry.problems.append(Problem(consent.name, "consent"))

    def _check_files(self, entry: Entry) -> None:
        sent = {upload.field for upload in entry.uploads}
        for name, required in self._file_fields.items():
            if required and name not in sent:
                entry.problems.append(Problem(name, "not-a-file"))
        entry.problems += [Problem(name, "no-file-here") for name in sorted(sent - self._file_fields.keys())]
        limits = self.form.uploads
        found = check_uploads(entry.uploads, limits)
        if not found:
            return
        details = {
            "files": str(limits.files),
            "size": readable_size(limits.file_bytes),
            "total": readable_size(limits.total_bytes),
        }
        entry.problems += [Problem(each.field, each.code, {**details, "name": each.name}) for each in found]

    def _keep_extra(self, posted: Posted, entry: Entry) -> None:
        unknown = [name for name in posted.values if name not in self._known and not name.startswith(OURS)]
        for name in unknown[:EXTRA_AT_MOST]:
            text = clean(posted.first(name))[:EXTRA_CHARACTERS]
            if text and EXTRA_NAME.fullmatch(name):
                entry.fields[EXTRA + name] = text


def readable_size(size: int) -> str:
    """`10 MB`, `500 KB`: as a visitor would say it."""
    if size >= MEBIBYTE:
        return f"{size / MEBIBYTE:.1f}".removesuffix(".0") + " MB"
    return f"{max(1, size // 1024)} KB"
