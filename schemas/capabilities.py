"""What a channel can do, as data: composer, automations and API obey it without knowing the channel."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from schemas.events import Frozen
from schemas.interactions import Attachment
from schemas.sentences import said

Count = Callable[[str], int]
"""How long a channel holds a text to be, in its own units."""


class Visibility(StrEnum):
    PRIVATE = "private"
    PUBLIC = "public"


class Counting(StrEnum):
    CHARACTERS = "characters"  # Unicode code points
    UTF16 = "utf16"  # code units, as JavaScript counts
    BYTES = "bytes"  # of UTF-8
    OWN = "own"  # by rules of the channel's, as a function beside it


COUNTS: Mapping[Counting, Count] = {
    Counting.CHARACTERS: len,
    Counting.UTF16: lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    Counting.BYTES: lambda text: len(text.encode("utf-8", "surrogatepass")),
}


class FileLimits(Frozen):
    """Files that may leave by a channel."""

    count: int = Field(default=10, ge=1, description="files of one message")
    bytes_each: int = Field(default=10 * 2**20, ge=1)
    bytes_total: int = Field(default=20 * 2**20, ge=1)
    types: tuple[str, ...] = Field(default=(), description="media types, `image/*` allowed; empty: all")
    bytes_of: dict[str, int] = Field(
        default_factory=dict, description="media type -> bytes, where fewer are allowed than `bytes_each`"
    )
    alone: tuple[str, ...] = Field(
        default=(), description="media types of which one leaves, with no other file beside it"
    )
    described: bool = Field(
        default=False, description="a picture may bear words that say what it shows (`alt` of a file)"
    )

    def allows(self, media_type: str) -> bool:
        return not self.types or not _names(media_type).isdisjoint(self.types)

    def bytes_for(self, media_type: str) -> int:
        """How large a file of this type may be; the exact type counts before `image/*`."""
        found = [self.bytes_of[each] for each in (media_type, _family(media_type)) if each in self.bytes_of]
        return min(self.bytes_each, found[0]) if found else self.bytes_each


def _family(media_type: str) -> str:
    return f"{media_type.partition('/')[0]}/*"


def _names(media_type: str) -> set[str]:
    return {media_type, _family(media_type)}


class Capabilities(Frozen):
    """Everything is false or none until a channel says otherwise.

    The first part is what we can do towards the customer, the second what reaches us of what customers do.
    """

    reply: bool = Field(default=False, description="answers can be sent into the conversation")
    answered_by: str = Field(
        default="", description="another channel that answers instead, such as email for a form"
    )
    edit: bool = Field(default=False, description="what we sent can be changed")
    delete: bool = Field(default=False, description="what we sent can be taken back")
    hide: bool = Field(
        default=False, description="what customers wrote in public can be hidden there, and shown again"
    )
    private: str = Field(
        default="", description="account of the same channel by which who wrote in public is answered alone"
    )
    files: FileLimits | None = Field(default=None, description="files can be sent; none: no files")
    html: bool = False
    markdown: bool = False
    subject: bool = False
    copies: bool = Field(default=False, description="others can be sent a copy (cc) or a blind one (bcc)")
    starts: str = Field(
        default="",
        description="scheme of the handles with whom a conversation can be started; empty: it begins with the customer",
    )
    longest: int | None = Field(default=None, ge=1, description="longest text, in units of `counting`")
    counting: Counting = Counting.CHARACTERS
    splits: bool = Field(default=False, description="a longer text leaves as several messages")
    repeats: bool = Field(
        default=True, description="the same words can be sent again; false: once, whoever they are for"
    )
    reply_window_seconds: int | None = Field(
        default=None, description="how long after the customer's last message an answer is let through"
    )
    visibility: Visibility = Visibility.PRIVATE

    customer_edits: bool = Field(default=False, description="customers can change what they wrote")
    customer_deletes: bool = Field(default=False, description="customers can take back what they wrote")
    reactions: bool = Field(default=False, description="reactions reach us")
    receipts: bool = Field(default=False, description="the channel says when an answer was read")
    echoes: bool = Field(default=False, description="what we send comes back to us, and is recognised")

    def faults(
        self,
        text: str,
        attachments: Sequence[Attachment] = (),
        html: str = "",
        wrote_at: datetime | None = None,
        now: datetime | None = None,
        count: Count | None = None,
    ) -> dict[str, str]:
        """Field -> what to change about an answer, before it is queued; empty when it can leave.

        `wrote_at` is the customer's last message; `count` is needed where the channel counts by rules of its own.
        """
        if not self.reply:
            return {"case": "this channel takes no answers; answer by another one"}
        return {
            **self._length_faults(text, count),
            **(
                {"html": "this channel takes plain text only; leave html away"}
                if html and not self.html
                else {}
            ),
            **self._file_faults(attachments),
            **self._window_faults(wrote_at, now),
        }

    def edit_faults(self, text: str, count: Count | None = None) -> dict[str, str]:
        """As `faults`, of a text that a message is to read as from now on: it is one message, also where answers split."""
        if not self.edit:
            return {"message": "this channel cannot change what was sent; write again"}
        return self.model_copy(update={"splits": False})._length_faults(text, count)

    def delete_faults(self) -> dict[str, str]:
        """As `faults`, of taking back what was sent."""
        return {} if self.delete else {"message": "this channel cannot take back what was sent; write again"}

    def hide_faults(self) -> dict[str, str]:
        """As `faults`, of hiding what a customer wrote."""
        return {} if self.hide else {"message": "this channel hides nothing that others wrote"}

    def length(self, text: str, count: Count | None = None) -> int:
        """How long the text is in this channel's units."""
        return (count or COUNTS.get(self.counting, len))(text)

    def _length_faults(self, text: str, count: Count | None) -> dict[str, str]:
        if self.longest is None or self.splits:
            return {}
        length = self.length(text, count)
        if length <= self.longest:
            return {}
        return {
            "text": said(
                "is {length} long, and this channel takes {most}; shorten it by {n}",
                length=length,
                most=self.longest,
                n=length - self.longest,
            )
        }

    def _file_faults(self, attachments: Sequence[Attachment]) -> dict[str, str]:
        if not attachments:
            return {}
        limits = self.files
        if limits is None:
            return {"attachments": "this channel takes no files; put a link into the text"}
        if len(attachments) > limits.count:
            return {
                "attachments": said(
                    "are {n} files, and this channel takes {most}", n=len(attachments), most=limits.count
                )
            }
        if sum(each.size for each in attachments) > limits.bytes_total:
            return {"attachments": said("have more than {n} bytes together", n=limits.bytes_total)}
        for each in attachments:
            if not limits.allows(each.media_type):
                return {
                    "attachments": said(
                        "{name} is {media_type}, which this channel does not take",
                        name=each.name,
                        media_type=each.media_type,
                    )
                }
            if each.size > limits.bytes_for(each.media_type):
                return {
                    "attachments": said(
                        "{name} has more than {n} bytes", name=each.name, n=limits.bytes_for(each.media_type)
                    )
                }
            if len(attachments) > 1 and not _names(each.media_type).isdisjoint(limits.alone):
                return {
                    "attachments": said(
                        "{name} goes alone on this channel; send the others apart", name=each.name
                    )
                }
        return {}

    def _window_faults(self, wrote_at: datetime | None, now: datetime | None) -> dict[str, str]:
        if self.reply_window_seconds is None or wrote_at is None or now is None:
            return {}
        closed = wrote_at + timedelta(seconds=self.reply_window_seconds)
        if now <= closed:
            return {}
        return {
            "case": said(
                "this channel let answers through until {time} UTC; answer by another one",
                time=f"{closed:%Y-%m-%d %H:%M}",
            )
        }


def first_fault(channel: str, faults: Mapping[str, str]) -> dict[str, str]:
    """What a refusal names: `channel`, and `field` and `fault` of the first of them."""
    field, fault = next(iter(faults.items()))
    return {"channel": said(channel), "field": said(field), "fault": fault}
