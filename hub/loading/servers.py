"""What is wrong with how the servers of the second engine are named and reached."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from hub.settings import HubSettings
from processors.problems import Problem
from schemas.errors import Invalid
from sinks.kafka.address import parse_address
from sinks.s3.settings import S3Settings, parse_bucket
from sinks.tls import TlsSettings, client_context

PATHS = (
    *(
        f"{server}.tls.{file}"
        for server in ("kafka", "mongodb")
        for file in ("certificate_authorities", "certificate", "key")
    ),
    "spool.folder",
)
"""Settings here that name a file or a folder."""


def server_problems(settings: HubSettings) -> Iterable[Problem]:
    """Log and store are Kafka and MongoDB, or neither is set; nothing is connected to."""
    if (settings.log is None) != (settings.store is None):
        missing, given = ("store", "log") if settings.store is None else ("log", "store")
        yield Problem(
            missing,
            f"must be set too where {given} is set: they are Kafka and MongoDB, or both in the data folder",
        )
    if settings.log is not None:
        try:
            parse_address(settings.log)
        except Invalid as error:
            yield Problem("log", str(error))
    if settings.store is not None:
        parts = urlsplit(settings.store.get_secret_value())
        if parts.scheme not in {"mongodb", "mongodb+srv"} or not parts.path.strip("/"):
            yield Problem("store", "must be an address with a database, such as mongodb://host:27017/hubbub")
    for name, server, needed in (
        ("kafka", settings.kafka, settings.log),
        ("mongodb", settings.mongodb, settings.store),
    ):
        if needed is None and server != type(server)():
            address = "log" if name == "kafka" else "store"
            yield Problem(name, f"means nothing while `{address}` names no server; set it or remove this")
        yield from _tls(server.tls, f"{name}.tls")
    yield from _spool(settings)
    yield from _blobs(settings)


def _blobs(settings: HubSettings) -> Iterable[Problem]:
    if settings.blobs is None:
        if settings.s3 != S3Settings():
            yield Problem("s3", "means nothing while `blobs` names no bucket; set it or remove this")
        return
    if settings.store is None:
        yield Problem("blobs", "means nothing without `store`: blobs are in the data folder")
    try:
        parse_bucket(settings.blobs)
    except Invalid as error:
        yield Problem("blobs", str(error))


def _spool(settings: HubSettings) -> Iterable[Problem]:
    if settings.spool is None:
        return
    if settings.log is None:
        yield Problem(
            "spool", "means nothing without `log`: what comes in is on the disk of the data folder already"
        )
    elif settings.spool.folder.exists() and not settings.spool.folder.is_dir():
        yield Problem("spool.folder", f"{settings.spool.folder} is a file; name a folder")


def _tls(tls: TlsSettings | None, place: str) -> Iterable[Problem]:
    if tls is None:
        return
    missing = [name for name, path in tls.files().items() if not path.is_file()]
    for name in missing:
        yield Problem(f"{place}.{name}", f"there is no file {tls.files()[name]}")
    if missing:
        return
    try:
        client_context(tls, place)
    except Invalid as error:
        for path, message in error.problems.items():
            yield Problem(path, message)
