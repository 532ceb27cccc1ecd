"""Where large blobs are when they are not in MongoDB: `s3://bucket/prefix?region=eu-central-1&endpoint=https://minio:9000`."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, model_validator

from schemas.configuration import Setting
from schemas.errors import Invalid

FORM = "write s3://bucket/prefix?region=eu-central-1&endpoint=https://minio:9000 (prefix, region and endpoint may be left out)"


class S3Settings(Setting):
    """Who the hub is to the store that `blobs` names. Nothing set: as the environment (AWS_…) or the machine's role says."""

    access_key_id: str | None = Field(default=None, description="id of the hub's key")
    secret_access_key: SecretStr | None = Field(default=None, description="the key itself")

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key go together: set both or neither")
        return self


@dataclass(frozen=True, slots=True)
class S3Address:
    """`endpoint` None: AWS itself. Objects are named by `prefix` and their SHA-256."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None


def parse_bucket(url: str) -> S3Address:
    """Raises Invalid, saying what to change."""
    if "@" in url:  # it may hold a key, so it is not told
        problem = f"keys do not stand in the address: set s3.access_key_id and s3.secret_access_key; {FORM}"
        raise Invalid(problem, {"blobs": problem})
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _unusable(url, str(error)) from error
    region, endpoint = given.pop("region", None), given.pop("endpoint", None)
    if parts.scheme != "s3" or not parts.netloc:
        raise _unusable(url, "it starts with s3:// and a bucket")
    if given:
        raise _unusable(url, f"unknown {', '.join(given)}")
    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        raise _unusable(url, "the endpoint starts with https:// (or http://)")
    return S3Address(parts.netloc, parts.path.strip("/"), region, endpoint)


def _unusable(url: str, why: str) -> Invalid:
    problem = f"{url!r} is no address for blobs: {why}; {FORM}"
    return Invalid(problem, {"blobs": problem})
