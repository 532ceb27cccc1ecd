"""Files that will go out with an answer: kept when they are uploaded, named by a token until the answer is sent.

The token proves that this person uploaded this file for this case: nobody attaches a file that they may not read.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from connectors.kit.signed_tokens import SignedTokens
from connectors.kit.uploads import Upload, UploadLimits, check_uploads, store
from hub.staging import GOOD_FOR, Staging
from schemas.errors import Invalid
from schemas.interactions import Attachment
from schemas.ports import Clock, Engine
from schemas.sentences import said

LONGEST_TOKEN = 8000
LONGEST_ALT = 1000
MOST_FILES = 10
LIMITS = UploadLimits(files=MOST_FILES)
FAULTS = {
    "empty-file": "it is empty",
    "file-too-large": said("it is larger than {n} MB", n=LIMITS.file_bytes >> 20),
    "type-not-allowed": "files of its type are not sent; pictures, PDF, text and office documents are",
}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`token` stands for the file in the request that sends the answer."""

    token: str
    attachment: Attachment


class OutgoingFiles:
    def __init__(self, engine: Engine, clock: Clock, secret: bytes) -> None:
        self._staging = Staging(engine, clock)
        self._clock = clock
        self._tokens = SignedTokens(secret, "outgoing file")

    async def keep(
        self, user: str, case: UUID, name: str, media_type: str, content: bytes, alt: str = ""
    ) -> Uploaded:
        """The file is durable when this returns. Raises Invalid for one that is too large, empty or of no allowed type.

        `alt` is what a picture shows; channels that can say so do.
        """
        upload = Upload("file", name, media_type, content)
        for problem in check_uploads([upload], LIMITS):
            raise Invalid(
                said(
                    "{name} was not taken: {reason}",
                    name=problem.name,
                    reason=FAULTS.get(problem.code, problem.code),
                )
            )
        attachment, blob = store(upload)
        await self._staging.keep(blob)
        return self.offer(user, case, attachment.model_copy(update={"alt": alt[:LONGEST_ALT]}))

    def offer(self, user: str, case: UUID, attachment: Attachment) -> Uploaded:
        """A file that is kept already, for an answer of this person in this case."""
        said = attachment.model_dump_json()
        proof = self._tokens.issue(_subject(user, case, said), uuid4(), self._clock.now())
        return Uploaded(f"{urlsafe_b64encode(said.encode()).decode().rstrip('=')}.{proof}", attachment)

    def read(self, user: str, case: UUID, tokens: Sequence[str]) -> tuple[Uploaded, ...]:
        """What the tokens stand for. Raises Invalid for one that is not this person's for this case, or too old."""
        if len(tokens) > MOST_FILES:
            raise Invalid(
                said("at most {n} files go with one answer", n=MOST_FILES), {"files": "take some away"}
            )
        return tuple([self._read(user, case, each) for each in dict.fromkeys(tokens)])

    def _read(self, user: str, case: UUID, token: str) -> Uploaded:
        packed, _, proof = token[:LONGEST_TOKEN].partition(".")
        try:
            said = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
        except ValueError:
            said = ""
        issued = self._tokens.read(_subject(user, case, said), proof)
        if issued is None or self._clock.now() - issued.at > GOOD_FOR:
            raise Invalid("a file of this answer is not known any more", {"files": "upload it again"})
        return Uploaded(token, Attachment.model_validate(json.loads(said)))


def _subject(user: str, case: UUID, said: str) -> str:
    return f"{user}\x1f{case}\x1f{said}"
