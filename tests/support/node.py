"""Programs from npm that a test runs: installed once, by their lock file with its digests, beside the servers of deploy/local."""

import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from deploy.local.server import home, program, run

HERE = Path(__file__).parent


@dataclass(frozen=True)
class NodeNeed:
    """A folder of tests/support with package.json, package-lock.json and the scripts that use what they name."""

    name: str
    packages_of_debian: tuple[str, ...] = ("nodejs", "npm")

    def folder(self) -> Path:
        """Where it is installed: another lock file is another folder."""
        lock = (HERE / self.name / "package-lock.json").read_bytes()
        return home() / f"{self.name}-{sha256(lock).hexdigest()[:12]}"

    def program(self) -> str | None:
        there = shutil.which("node") and (self.folder() / "complete").exists()
        return str(self.folder()) if there else None

    def absent(self) -> str:
        return f"{self.name} is not here: .venv/bin/python -m tests.support.needs fetch {self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        return () if shutil.which("npm") else self.packages_of_debian

    def fetch(self) -> None:
        if self.program():
            return
        npm = program("npm", f"sudo apt-get install -y {' '.join(self.packages_of_debian)}")
        folder = self.folder()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / self.name / name, folder / name)
        run([npm, "ci", "--no-update-notifier"], folder, f"installing {self.name} from npm")
        (folder / "complete").touch()

    def script(self, name: str) -> Path:
        """A script of the folder, where it finds what was installed."""
        return Path(shutil.copy(HERE / self.name / name, self.folder() / name))
