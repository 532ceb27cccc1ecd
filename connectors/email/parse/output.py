"""What `hubbub parse email PATH` prints."""

from typing import Any

from connectors.email.parse.model import ParsedMail


def parsed_to_json(source: str, parsed: ParsedMail) -> dict[str, Any]:
    """JSON values only: times in ISO 8601, no bytes. `source` says where the mail was read from."""
    return {"source": source, **parsed.model_dump(mode="json")}
