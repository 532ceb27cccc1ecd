"""The process in which large mails are read: frames on standard input and output, one mail after the other.

Nothing is unpickled on either side: the answer is JSON and the attachments' bytes, cut by the sizes that the JSON gives.
"""

import contextlib
import signal
import struct
import sys
from collections.abc import Iterator
from typing import BinaryIO

from connectors.email.parse import MailLimits, ParsedMail, parse_mail

FRAME = struct.Struct(">Q")
READY = b"ready\n"
MEMORY_BYTES = 2 * 1024**3
LONGEST_SECONDS = 120


def payloads_of(mail: ParsedMail, content: bytes) -> tuple[bytes, ...]:
    """Cuts the joined bytes of all attachments. Raises ValueError where they do not fit."""
    payloads: list[bytes] = []
    position = 0
    for attachment in mail.attachments:
        payloads.append(content[position : position + attachment.size])
        position += attachment.size
    if position != len(content):
        raise ValueError("the attachments' bytes do not fit their sizes")
    return tuple(payloads)


def serve(requests: BinaryIO, answers: BinaryIO, limits: MailLimits) -> None:
    """Until the other side closes."""
    answers.write(READY)
    answers.flush()
    while len(header := requests.read(FRAME.size)) == FRAME.size:
        (length,) = FRAME.unpack(header)
        raw = requests.read(length)
        with _ends_in_time():
            mail = parse_mail(raw, limits)
        text = mail.model_dump_json().encode()
        content = b"".join(mail.payloads)
        answers.write(FRAME.pack(len(text)) + text + FRAME.pack(len(content)))
        answers.write(content)
        answers.flush()


@contextlib.contextmanager
def _ends_in_time() -> Iterator[None]:
    """Whoever waits gives up sooner and kills this process; but where he is gone, it must end by itself."""
    if not hasattr(signal, "alarm"):
        yield
        return
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def limit_memory() -> None:
    """A mail that blows up in memory ends this process and not the hub."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 not on every system

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    limit_memory()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, sys.stdout.buffer, MailLimits.model_validate_json(sys.argv[1]))
