"""What each client of aiokafka is given to reach the brokers, and why they do not let it in."""

import asyncio
import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from schemas.errors import Outage, Unreachable
from sinks.kafka.address import KafkaAddress
from sinks.tls import client_context

LOOK_MILLISECONDS = 5_000
PLACE = "kafka"
"""The part of the settings whose fields errors name."""


def client_options(address: KafkaAddress) -> dict[str, Any]:
    """The arguments of a producer, a consumer or an admin client that say where and how to connect.

    Raises Invalid for files that cannot be used.
    """
    return {"bootstrap_servers": list(address.servers), **security_options(address)}


def security_options(address: KafkaAddress) -> dict[str, Any]:
    access = address.access
    options: dict[str, Any] = {"security_protocol": access.protocol}
    if access.tls is not None:
        options["ssl_context"] = client_context(access.tls, f"{PLACE}.tls")
    if access.user is not None and access.password is not None:
        options |= {
            "sasl_mechanism": str(access.mechanism),
            "sasl_plain_username": access.user,
            "sasl_plain_password": access.password.get_secret_value(),
        }
    return options


async def not_connected(address: KafkaAddress, error: BaseException) -> Outage:
    """Why no client can connect, as an outage that says what to change: aiokafka itself tells only that none could."""
    reasons: list[str] = []
    for server in address.servers[:3]:
        try:
            reasons.append(await _reason(address, server))
        except Unreachable as silent:
            reasons.append(str(silent))
        else:
            break  # one that talks to us knows better than those that are down
    else:
        return Unreachable(f"kafka: connecting: {reasons[0]}")
    return Outage(f"kafka: connecting: {reasons[-1] or f'{type(error).__name__}: {error}'[:300]}")


async def _reason(address: KafkaAddress, server: str) -> str:
    """What one broker says; empty where it lets us in. Raises Unreachable where it says nothing."""
    access = address.access
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(LOOK_MILLISECONDS / 1000):
            connection = await create_conn(
                host.strip("[]"),
                int(port),
                client_id="hubbub",
                request_timeout_ms=LOOK_MILLISECONDS,
                **security_options(address),
            )
            try:  # a broker that wants a user lets everybody connect, and hangs up at the first request
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except ssl.SSLCertVerificationError as error:
        return (
            f"{server}: the certificate is not believed ({error.verify_message}); set {PLACE}.tls.certificate_authorities "
            "to the authority that signed it, or write the name that it is for in `log`"
        )
    except ssl.SSLError as error:
        told = (
            f"{server}: TLS fails ({error.reason or error}); is it a listener with TLS, and does it ask for "
            f"{PLACE}.tls.certificate?"
        )
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            raise Unreachable(told) from error
        return told
    except (AuthenticationFailedError, SaslAuthenticationFailed):
        return (
            f"{server}: the broker does not know the user or refuses the password; "
            f"set {PLACE}.user and {PLACE}.password as they were made on the brokers, for {access.mechanism}"
        )
    except UnsupportedSaslMechanismError:
        return f"{server}: the broker does not offer {access.mechanism}; set {PLACE}.mechanism to one that it does"
    except ConnectionRefusedError as error:
        raise Unreachable(f"{server}: nobody listens there; is Kafka up, and is `log` right?") from error
    except (TimeoutError, OSError) as error:
        raise Unreachable(f"{server}: it does not answer ({type(error).__name__}: {error})"[:400]) from error
    except KafkaError as error:
        reason = f"{type(error).__name__}{f': {error}' if str(error) else ''}"
        told = f"{server}: {_wrong_listener(address)} ({reason})"[:400]
        if error.retriable:  # it may only be starting
            raise Unreachable(told) from error
        return told
    return ""


def _wrong_listener(address: KafkaAddress) -> str:
    """Who speaks plain text to a listener with TLS, or without a user to one with SASL, is hung up on without a word."""
    access = address.access
    missing = [
        name
        for name, is_set in ((f"{PLACE}.tls", access.tls), (f"{PLACE}.user", access.user))
        if is_set is None
    ]
    hint = f"; does its listener want {' and '.join(missing)}?" if missing else ""
    return f"the broker does not talk to a client with {access.protocol}{hint}"
