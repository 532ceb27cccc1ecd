"""A listener of Kafka with TLS, users, or both (https://kafka.apache.org/documentation/#security)."""

from collections.abc import Mapping

from deploy.local.secured import Secured

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
LOGIN = "org.apache.kafka.common.security"


def protocol(secured: Secured) -> str:
    if not secured.users:
        return "SSL"
    return "SASL_SSL" if secured.pem else "SASL_PLAINTEXT"


def properties(secured: Secured, host: str, port: int, inner: int, controller: int) -> dict[str, str]:
    """What stands over the properties of an open server. The broker talks to itself at a port of its own."""
    outer = protocol(secured)
    values = {
        "listeners": f"CLIENT://{host}:{port},INNER://{host}:{inner},CONTROLLER://{host}:{controller}",
        "advertised.listeners": f"CLIENT://{host}:{port},INNER://{host}:{inner}",
        "listener.security.protocol.map": f"CLIENT:{outer},INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INNER",
    }
    if secured.pem is not None:
        values |= {
            "listener.name.client.ssl.keystore.type": "PEM",
            "listener.name.client.ssl.keystore.location": str(secured.pem),
        }
    if secured.users:
        users = " ".join(f'user_{name}="{password}"' for name, password in secured.users.items())
        values["listener.name.client.sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
        values["listener.name.client.plain.sasl.jaas.config"] = (
            f"{LOGIN}.plain.PlainLoginModule required {users};"
        )
        for mechanism in MECHANISMS[1:]:
            values[f"listener.name.client.{mechanism.lower()}.sasl.jaas.config"] = (
                f"{LOGIN}.scram.ScramLoginModule required;"
            )
    return values


def scram_arguments(users: Mapping[str, str]) -> list[str]:
    """What StorageTool is given, so that the users are there from the start."""
    return [
        argument
        for name, password in users.items()
        for mechanism in MECHANISMS[1:]
        for argument in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
    ]
