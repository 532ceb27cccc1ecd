"""The parts of a multipart/form-data body (RFC 7578), within limits."""

from collections.abc import Callable
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

HEADERS_AT_MOST = 8
HEADER_BYTES_AT_MOST = 4096
SKIPPED_AT_MOST = 10  # parts that have no name


@dataclass(frozen=True, slots=True)
class Part:
    """`file_name` is None for a field, and empty for a file field in which nothing was chosen."""

    name: bytes
    content: bytes
    file_name: bytes | None = None
    media_type: str = ""


class _Collector:
    """Receives what the parser sees. It is fed a whole body, so what it keeps is bounded by that."""

    def __init__(self, parts_at_most: int) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._parts_at_most = parts_at_most
        self._begun = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._content = bytearray()

    def begin(self) -> None:
        self._begun += 1
        if self._begun > self._parts_at_most + SKIPPED_AT_MOST:
            raise FormParserError(f"at most {self._parts_at_most} parts are read")
        self._headers, self._content = {}, bytearray()

    def header_name(self, chunk: bytes, start: int, end: int) -> None:
        self._name += chunk[start:end]

    def header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name, self._value = bytearray(), bytearray()

    def content(self, chunk: bytes, start: int, end: int) -> None:
        self._content += chunk[start:end]

    def end(self) -> None:
        _, parameters = parse_options_header(self._headers.get(b"content-disposition"))
        name = parameters.get(b"name")
        if name is None:
            return
        media_type, _ = parse_options_header(self._headers.get(b"content-type"))
        self.parts.append(
            Part(
                name, bytes(self._content), parameters.get(b"filename"), media_type.decode("ascii", "replace")
            )
        )

    def whole(self) -> None:
        self.is_whole = True


def split(boundary: bytes, body: bytes, parts_at_most: int) -> list[Part] | str:
    """The named parts in their order, or what is wrong with the body."""
    if not boundary:
        return "the boundary of multipart/form-data is missing"
    collector = _Collector(parts_at_most)
    callbacks: dict[str, Callable[..., None]] = {
        "on_part_begin": collector.begin,
        "on_header_field": collector.header_name,
        "on_header_value": collector.header_value,
        "on_header_end": collector.header_end,
        "on_part_data": collector.content,
        "on_part_end": collector.end,
        "on_end": collector.whole,
    }
    try:
        parser = MultipartParser(
            boundary,
            callbacks,  # type: ignore[arg-type]  # a TypedDict that only a type checker sees
            max_header_count=HEADERS_AT_MOST,
            max_header_size=HEADER_BYTES_AT_MOST,
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        return f"the body is not multipart/form-data: {error}"
    if not collector.is_whole:
        return "the body of multipart/form-data ends before its last boundary"
    return collector.parts
