"""How much of a mail is read. Every limit that is met becomes a warning, never an exception."""

from pydantic import BaseModel, ConfigDict, Field


class MailLimits(BaseModel):
    """The defaults hold any everyday mail; a hostile one is cut where it costs more than it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_bytes: int = Field(
        50 * 1024 * 1024, description="Bytes of the mail that are read; the rest is dropped."
    )
    header_block_bytes: int = Field(
        256 * 1024, description="Bytes of one header block, of the mail or of a part."
    )
    header_bytes: int = Field(64 * 1024, description="Bytes of one header after unfolding.")
    headers: int = Field(2_000, description="Headers in one block.")
    depth: int = Field(
        50, description="Levels of multipart nesting; what is deeper is kept as an attachment."
    )
    parts: int = Field(500, description="Parts that are read.")
    addresses: int = Field(1_000, description="Addresses kept of one header.")
    references: int = Field(200, description="Message ids kept of References; the first and the last ones.")
    text_characters: int = Field(1_000_000, description="Characters of the text body.")
    html_characters: int = Field(1_000_000, description="Characters of the HTML body before cleaning.")


DEFAULT_LIMITS = MailLimits()
