"""Exit code 0 when the hub in this container gets on: `/health/ready`, at the console's port or at that of `health`.

python healthy.py [PORT …]: other ports. Needs nothing but Python.
"""

import json
import sys
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

CONSOLE, HEALTH = 8025, 8028
SECONDS = 2.0
LARGEST_ANSWER = 1_000_000


def main(arguments: Sequence[str]) -> int:
    """0: ready; 1: it answers and says what does not get on; 2: nobody answers."""
    for port in map(int, arguments or (str(CONSOLE), str(HEALTH))):
        answer = _asked(port)
        if answer is None:
            continue
        status, text = answer
        if status == 200:
            return 0
        sys.stderr.write(f"{_reasons(text)}\n")
        return 1
    sys.stderr.write("nobody answers\n")
    return 2


def _asked(port: int) -> tuple[int, bytes] | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        return response.status, response.read(LARGEST_ANSWER)
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _reasons(text: bytes) -> str:
    try:
        return "; ".join(json.loads(text)["reasons"])
    except (ValueError, KeyError, TypeError):
        return "not ready"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
