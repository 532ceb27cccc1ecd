"""What every body of a request keeps."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Base of requests: unknown fields are refused, so that a misspelt one is not lost silently."""

    model_config = ConfigDict(extra="forbid")
