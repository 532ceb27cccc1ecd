"""The one settings file of an installation: what the machine needs, and what the company decides."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, create_model

from connectors.kit.media import MediaSettings
from hub.channels import channels
from hub.openid.settings import OpenIdProvider
from schemas.accounts import Role
from schemas.configuration import Configuration, Name, Setting
from sinks.kafka.settings import KafkaSettings
from sinks.mongo.settings import MongoSettings
from sinks.s3.settings import S3Settings
from sinks.spool.settings import SpoolSettings

CONNECTIONS = (
    "connections at once; beyond it silent ones give way, then further ones are answered 503. Fewer where the system "
    "allows too few open files; the log says so"
)
PER_ADDRESS = "connections at once of one address (IPv6: of one /64), likewise; those of trusted proxies are not counted"


class ListenSettings(Setting):
    """One address that the hub answers at."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str | None = Field(
        default=None, description="the address as others reach it, such as https://desk.example.com"
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="addresses or networks of your reverse proxies, whose X-Forwarded-For is believed",
    )
    connections: int = Field(default=1000, ge=8, le=50_000, description=CONNECTIONS)
    connections_per_address: int = Field(default=250, ge=4, description=PER_ADDRESS)


class ConsoleSettings(ListenSettings):
    port: int = Field(default=8025, ge=0, le=65535, description="console and API")
    connections: int = Field(default=2000, ge=8, le=50_000, description=CONNECTIONS)
    connections_per_address: int = Field(
        default=500,
        ge=4,
        description=f"{PER_ADDRESS}; an office behind one address needs two for each page that is open",
    )
    undo_seconds: float = Field(
        default=5, ge=0, le=60, description="so long an agent can take an answer back before it leaves"
    )


class SignInSettings(Setting):
    """How people sign in to console and API."""

    second_factor: tuple[Role, ...] = Field(
        default=(),
        description="roles, in whatever queue, that must have a second factor: agent, supervisor, admin. Who comes by "
        "single sign-on is asked by its provider",
    )
    openid: dict[Name, OpenIdProvider] = Field(
        default_factory=dict,
        description="providers of single sign-on (OpenID Connect), each by a name that stands in the address it sends people "
        "back to: `<console's public_url>/console/sign-in/openid/NAME/back`",
    )


class IntakeSettings(ListenSettings):
    port: int = Field(default=8026, ge=0, le=65535, description="public: forms")
    connections_per_address: int = Field(default=100, ge=4, description=PER_ADDRESS)


class FilesSettings(ListenSettings):
    port: int = Field(
        default=8027, ge=0, le=65535, description="attachments and mail HTML, an origin of their own"
    )


class HealthSettings(ListenSettings):
    port: int = Field(
        default=8028,
        ge=0,
        le=65535,
        description="health and metrics of a process that does not serve the API",
    )
    connections: int = Field(default=100, ge=8, le=50_000, description=CONNECTIONS)


class WorkersSettings(Setting):
    """How the processes that decide share the partitions of the log on Kafka."""

    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="the name by which Kafka knows this process again when it comes back (group.instance.id), so that "
        "its partitions wait for it; one process a name. None: the machine's name and the first free number in the data folder",
    )
    stall_seconds: float = Field(
        default=30,
        ge=5,
        description="a consumer that has work and does not move for so long is not ready; after three times that, while both "
        "servers answer, the process ends so that it is started again",
    )


class LoggingSettings(Setting):
    level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
    )
    format: str = Field(
        default="auto", pattern="^(auto|json|text)$", description="auto: text on a terminal, JSON else"
    )


class InstallationSettings(Configuration):
    """Everything in hubbub.yaml but the channels."""

    data: Path = Field(
        default=Path("data"), description="folder of the log, the states and the blobs; relative to this file"
    )
    secret_file: Path | None = Field(
        default=None,
        description="the file with the installation's secret, 32 bytes, where it is not secret.key in the data folder: "
        "processes on several machines need the same",
    )
    log: str | None = Field(
        default=None,
        description="where events are kept: kafka://host:9092,other:9092/?prefix=hubbub.&partitions=12&replication=3,"
        " with `store`; none: both in the data folder",
    )
    store: SecretStr | None = Field(
        default=None,
        description="where states are kept when `log` is Kafka: mongodb://host:27017/hubbub;"
        " driver=pymongo takes PyMongo's own client instead of motor",
    )
    kafka: KafkaSettings = Field(
        default=KafkaSettings(), description="how to reach the brokers that `log` names: TLS, user, password"
    )
    mongodb: MongoSettings = Field(
        default=MongoSettings(), description="how to reach the server that `store` names: TLS, user, password"
    )
    blobs: str | None = Field(
        default=None,
        description="where originals and attachments above 64 KiB are kept when `store` is MongoDB: "
        "s3://bucket/prefix?region=eu-central-1&endpoint=https://minio:9000; none: in GridFS",
    )
    s3: S3Settings = Field(default=S3Settings(), description="who the hub is to the store that `blobs` names")
    spool: SpoolSettings | None = Field(
        default=None,
        description="keep what comes in on a disk while Kafka or MongoDB is down; none: sources are put off (503, 451)",
    )
    console: ConsoleSettings = Field(
        default=ConsoleSettings(), description="where agents work and programs ask: console and API"
    )
    sign_in: SignInSettings = Field(default=SignInSettings(), description="how people sign in")
    intake: IntakeSettings = Field(default=IntakeSettings(), description="where the public posts forms")
    files: FilesSettings = Field(
        default=FilesSettings(),
        description="where attachments and mail HTML are read, apart from the console",
    )
    health: HealthSettings = Field(
        default=HealthSettings(),
        description="where probes and Prometheus ask a process that does not serve the API",
    )
    workers: WorkersSettings = Field(
        default=WorkersSettings(), description="how processes share the work when `log` is Kafka"
    )
    logging: LoggingSettings = Field(default=LoggingSettings(), description="what the hub writes to stderr")
    media: MediaSettings = Field(
        default=MediaSettings(),
        description="files that messages name by their address, and the virus scanner",
    )
    webhook_secrets: dict[Name, SecretStr] = Field(
        default_factory=dict, description="webhook endpoint -> its secret (whsec_…, Standard Webhooks)"
    )
    webhook_private_networks: tuple[str, ...] = Field(
        default=(), description="private networks that webhooks may reach all the same, such as 10.1.0.0/16"
    )
    silent_after_hours: dict[str, float] = Field(
        default_factory=dict,
        description="channel, or channel:account -> after so many hours without any item it is told to be silent,"
        " though it looks well",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="bearer token that /metrics asks for; none: open"
    )
    grace_seconds: float = Field(
        default=10, ge=0, le=300, description="how long a stop waits for what is in flight"
    )

    def company(self) -> Configuration:
        """The part that is published."""
        return Configuration(**{name: getattr(self, name) for name in Configuration.model_fields})


if TYPE_CHECKING:
    from connectors.email.settings import EmailSettings

    class HubSettings(InstallationSettings):
        """The sections of all channels are here when it runs; what names no channel asks `hub.channels.sections`."""

        email: EmailSettings | None = None
else:
    HubSettings = create_model(
        "HubSettings",
        __base__=InstallationSettings,
        __module__=__name__,
        __doc__="""Everything in hubbub.yaml. What `Configuration` holds is published as a version; the rest takes effect at start.""",
        **{
            name: (channel.settings | None, Field(default=None, description=channel.describes))
            for name, channel in channels().items()
        },
    )
