"""Settings of files that messages name: what is fetched, from where, and who scans it."""

from ipaddress import ip_network
from typing import Literal

from pydantic import Field, field_validator

from schemas.configuration import Setting

MEBIBYTE = 1 << 20


class ScanSettings(Setting):
    """ClamAV's daemon (Debian: clamav-daemon)."""

    socket: str | None = Field(
        default=None, description="clamd's socket, such as /run/clamav/clamd.ctl; none: host and port"
    )
    host: str = Field(default="127.0.0.1", description="host of clamd")
    port: int = Field(default=3310, ge=1, le=65535, description="port of clamd")
    seconds: float = Field(default=30, gt=0, le=600, description="longest time for one file")
    when_silent: Literal["refuse", "keep"] = Field(
        default="refuse",
        description="a file that could not be scanned is left out with a note, or kept with one",
    )


class MediaSettings(Setting):
    """Files that messages bring or name by an address, which is fetched when the message comes."""

    file_bytes: int = Field(default=50 * MEBIBYTE, gt=0, description="larger files are left out, with a note")
    seconds: float = Field(default=20, gt=0, le=600, description="longest time for one file")
    private_networks: tuple[str, ...] = Field(
        default=(),
        description="private networks that files may be fetched from all the same, such as 10.1.0.0/16",
    )
    scan: ScanSettings | None = Field(
        default=None, description="a virus scanner for all files that come in; none: they are not scanned"
    )

    @field_validator("private_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for each in networks:
            try:
                ip_network(each, strict=False)
            except ValueError as error:
                raise ValueError(f"{each!r} is no address or network, such as 10.1.0.0/16") from error
        return networks
