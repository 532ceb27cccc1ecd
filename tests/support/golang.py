"""Programs and files from Go's module proxy that a test uses: built or copied once, from sources that go.sum seals, beside the
servers of deploy/local."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from deploy.local.server import home, program, run

HERE = Path(__file__).parent


@dataclass(frozen=True)
class _FromProxy:
    """A folder of tests/support with a go.mod that names a module, and its go.sum, which seals it."""

    name: str

    def _kept(self) -> Path:
        """Other versions are in another folder."""
        sums = (HERE / self.name / "go.sum").read_bytes()
        return home() / f"{self.name}-{sha256(sums).hexdigest()[:12]}" / self._file_name

    @property
    def _file_name(self) -> str:
        return self.name

    def program(self) -> str | None:
        return str(self._kept()) if self._kept().exists() else None

    def absent(self) -> str:
        return f"{self.name} is not here: .venv/bin/python -m tests.support.needs fetch {self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        return () if shutil.which("go") else ("golang-go",)

    def fetch(self) -> None:
        if self.program():
            return
        go = program("go", "install Go 1.25 or newer, see https://go.dev/doc/install")
        source = self._kept().parent / "source"
        source.mkdir(parents=True, exist_ok=True)
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / self.name / name, source / name)
        made = source / "made"
        self._make(go, source, made)
        made.rename(self._kept())

    def _make(self, go: str, source: Path, made: Path) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class GoNeed(_FromProxy):
    """A tool, built from its package."""

    package: str
    says: str
    tags: str = ""

    def _make(self, go: str, source: Path, made: Path) -> None:
        command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-tags", self.tags]
        run([*command, "-o", str(made), self.package], source, self.says)


@dataclass(frozen=True)
class GoFile(_FromProxy):
    """One file of a module."""

    module: str
    path: str

    @property
    def _file_name(self) -> str:
        return Path(self.path).name

    def _make(self, go: str, source: Path, made: Path) -> None:
        # Verified by go.sum: a module that is another than the one that was sealed is an error.
        command = [go, "mod", "download", "-json", self.module]
        told = subprocess.run(command, cwd=source, check=True, capture_output=True, text=True).stdout
        shutil.copy(Path(json.loads(told)["Dir"]) / self.path, made)
