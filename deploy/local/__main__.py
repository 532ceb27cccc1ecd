"""`python -m deploy.local kafka` starts Kafka here until Ctrl+C; `python -m deploy.local fetch kafka` only downloads it."""

import argparse
import signal
import sys
from pathlib import Path

from deploy.local import kafka_server
from deploy.local.kafka_cluster import cluster
from deploy.local.server import CannotStart, stopping, tell
from deploy.local.servers import SERVERS

DATA = Path("hubbub-data") / "servers"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    fetch = commands.add_parser("fetch", help="download or build servers, once")
    fetch.add_argument("servers", nargs="+", choices=sorted(SERVERS))
    for name, server in SERVERS.items():
        one = commands.add_parser(name, help=server.says)
        one.add_argument("--port", type=int, help="default: a free one")
        one.add_argument("--folder", type=Path, default=DATA / name, help="where it keeps its data")
        if name == kafka_server.NAME:
            one.add_argument("--brokers", type=int, default=1, help="3 to 7: a cluster, on free ports")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.what == "fetch":
            for name in chosen.servers:
                SERVERS[name].fetch()
            return 0
        if getattr(chosen, "brokers", 1) > 1:
            return _serve_cluster(chosen.folder.resolve() / "cluster", chosen.brokers)
        return _serve(chosen.what, chosen.folder.resolve(), chosen.port)
    except CannotStart as reason:
        tell(str(reason))
        return 1


def _serve(name: str, folder: Path, port: int | None) -> int:
    SERVERS[name].fetch()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with stopping(SERVERS[name].open(folder, port)) as running:
        sys.stdout.write(f"{running.url}\n")
        sys.stdout.flush()
        tell(f"{SERVERS[name].says}: {running.url} (data in {folder}, Ctrl+C stops it)")
        try:
            return running.process.wait()
        except KeyboardInterrupt:
            return 0


def _serve_cluster(folder: Path, brokers: int) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with cluster(folder, brokers) as running:
        sys.stdout.write(f"{running.url}?replication=3\n")
        sys.stdout.flush()
        tell(f"{brokers} brokers (data in {folder}, Ctrl+C stops them)")
        try:
            return running.nodes[1].process.wait()
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
