"""What some tests need that `make test` cannot install, whether it is here, and the command that brings it.

`python -m tests.support.needs` prints the Debian packages that are missing for the tests as they are; .ci/run installs those.
`python -m tests.support.needs fetch` then downloads or builds the servers of deploy/local and the tools that the tests name;
`fetch NAME` one of them.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.local.servers import SERVERS as LOCAL_SERVERS
from tests.support.golang import GoFile, GoNeed
from tests.support.node import NodeNeed
from tests.support.paths import ROOT

# Debian installs servers where the path of an ordinary user does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])


@dataclass(frozen=True)
class Need:
    """A program from the system's packages."""

    programs: tuple[str, ...]  # any of them will do
    packages: tuple[str, ...]

    def program(self) -> str | None:
        found = (shutil.which(each, path=SEARCH_PATH) for each in self.programs)
        return next((path for path in found if path), None)

    def absent(self) -> str:
        """Why a test that needs it is skipped."""
        return f"{self.programs[0]} is not installed: sudo apt-get install -y {' '.join(self.packages)}"


@dataclass(frozen=True)
class LocalNeed:
    """A server that deploy/local starts."""

    name: str

    def program(self) -> str | None:
        return self.name if LOCAL_SERVERS[self.name].is_here() else None

    def absent(self) -> str:
        return f"{self.name} is not here: .venv/bin/python -m deploy.local fetch {self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        """What is needed to download and to run it, unless the programs are there from elsewhere."""
        server = LOCAL_SERVERS[self.name]
        is_complete = all(shutil.which(each, path=SEARCH_PATH) for each in server.programs)
        return () if is_complete else server.packages

    def fetch(self) -> None:
        LOCAL_SERVERS[self.name].fetch()


AnyNeed = Need | LocalNeed | NodeNeed | GoNeed | GoFile
BROWSER = Need(("chromium", "chromium-browser", "google-chrome"), ("chromium",))

# The argument of @pytest.mark.server. To add one: a line here, and a test that names it.
SERVERS: dict[str, AnyNeed] = {
    "asyncapi": NodeNeed("asyncapi"),  # no server either
    "cc": Need(("cc", "gcc"), ("gcc", "libc6-dev")),  # no server, but found and installed as they are
    "compose": GoNeed("compose", "github.com/compose-spec/compose-go/v2/cmd", "building compose-go"),
    "systemd-analyze": Need(("systemd-analyze",), ("systemd",)),
    "keda": GoFile(  # the schema of its ScaledObject
        "keda", "github.com/kedacore/keda/v2", "config/crd/bases/keda.sh_scaledobjects.yaml"
    ),
    "kustomize": GoNeed("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "building kustomize (a minute)"),
    "promtool": GoNeed(
        "promtool",
        "github.com/prometheus/prometheus/cmd/promtool",
        "building promtool (some minutes)",
        tags="remove_all_sd,enable_dns_sd",
    ),
    "clamd": Need(("clamd",), ("clamav-daemon",)),
    "dovecot": Need(("dovecot",), ("dovecot-imapd", "dovecot-lmtpd")),
    "postfix": Need(("postfix",), ("postfix",)),
    **{name: LocalNeed(name) for name in LOCAL_SERVERS},
}
USES = re.compile(r"\bmark\.(?:(?P<browser>browser)\b|server\(\s*[\"'](?P<server>[\w-]+)[\"'])")


def used() -> Iterator[AnyNeed]:
    """What the tests name in their marks."""
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests" / "contracts").glob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in sorted(set(files)))
    names = {match["server"] or "browser" for match in USES.finditer(text)}
    yield from (BROWSER if name == "browser" else SERVERS[name] for name in sorted(names))


def missing_packages() -> list[str]:
    return [package for need in used() if not need.program() for package in need.packages]


def fetch(names: Sequence[str]) -> None:
    for need in [SERVERS[name] for name in names] or used():
        if not isinstance(need, Need):
            need.fetch()


if __name__ == "__main__":
    if sys.argv[1:2] == ["fetch"]:
        fetch(sys.argv[2:])
    else:
        print("\n".join(missing_packages()))
