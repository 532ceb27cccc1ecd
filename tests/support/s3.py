"""A server that speaks S3 (moto), in a thread of the tests' process."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from moto.server import ThreadedMotoServer


@contextmanager
def s3_server(bucket: str) -> Iterator[str]:
    """Its address, with an empty bucket."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        httpx.put(
            f"{url}/{bucket}", headers={"authorization": "AWS4-HMAC-SHA256 Credential=x/x/us-east-1/s3/x"}
        )
        yield url
    finally:
        server.stop()
