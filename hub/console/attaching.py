"""The files of a form that writes a message: kept before or sent with it, and what stands for them until they leave."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from starlette.datastructures import FormData, UploadFile

from hub.console.case_view import FileChip
from hub.console.composing import typed
from hub.console.console import Console
from hub.console.words import Words
from hub.outgoing import LONGEST_ALT, MOST_FILES, Uploaded
from schemas.capabilities import FileLimits
from schemas.errors import Invalid
from schemas.sentences import said


async def kept_files(console: Console, form: FormData, user: str, place: UUID) -> list[Uploaded]:
    """What was kept before, and what comes with this form. Raises Invalid for what cannot go out."""
    outgoing = console.context.outgoing
    tokens = [each for each in form.getlist("kept") if isinstance(each, str)]
    kept = [_described(each, form) for each in outgoing.read(user, place, tokens)]
    for each in form.getlist("files"):
        if isinstance(each, UploadFile) and each.filename:
            content = await each.read()
            kept.append(await outgoing.keep(user, place, each.filename, each.content_type or "", content))
    if len(kept) > MOST_FILES:
        raise Invalid(said("at most {n} files go with one message", n=MOST_FILES))
    return kept


def _described(kept: Uploaded, form: FormData) -> Uploaded:
    """With what its writer says that it shows."""
    blob = kept.attachment.blob
    name = alt_name(blob.sha256) if blob is not None else ""
    if name not in form:
        return kept
    alt = " ".join(typed(form, name).split())[:LONGEST_ALT]
    return replace(kept, attachment=kept.attachment.model_copy(update={"alt": alt}))


def alt_name(sha256: str) -> str:
    """The field with the words for this picture."""
    return f"alt-{sha256}"


def chips(kept: Sequence[Uploaded], words: Words, files: FileLimits | None = None) -> list[FileChip]:
    """`files`: what the channel says of them, where it is known. A picture that may be described has a field for that."""
    return [_chip(each, words, is_described=files is not None and files.described) for each in kept]


def _chip(kept: Uploaded, words: Words, *, is_described: bool) -> FileChip:
    file = kept.attachment
    is_asked = is_described and file.blob is not None and file.media_type.startswith("image/")
    field = alt_name(file.blob.sha256) if is_asked and file.blob is not None else ""
    return FileChip(kept.token, file.name, words.size(file.size), field, file.alt)
