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
class GoNeed:
    """A folder of tests/support with a go.mod that names the tool, and its go.sum."""

    name: str
    package: str
    says: str
    tags: str = ""

    def _program(self) -> Path:
        """Other versions are in another folder."""
        sums = (HERE / self.name / "go.sum").read_bytes()
        return home() / f"{self.name}-{sha256(sums).hexdigest()[:12]}" / self.name

    def program(self) -> str | None:
        return str(self._program()) if self._program().exists() else None

    def absent(self) -> str:
        return f"{self.name} is not here: .venv/bin/python -m tests.support.needs fetch {self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        return () if shutil.which("go") else ("golang-go",)

    def fetch(self) -> None:
        if self.program():
            return
        go = program("go", "install Go 1.25 or newer, see https://go.dev/doc/install")
        source = self._program().parent / "source"
        source.mkdir(parents=True, exist_ok=True)
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / self.name / name, source / name)
        made = source / "made"
        command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-tags", self.tags]
        run([*command, "-o", str(made), self.package], source, self.says)
        made.rename(self._program())


@dataclass(frozen=True)
class GoFile:
    """One file of a module, which a folder of tests/support names in its go.mod and seals in its go.sum."""

    name: str
    module: str
    path: str

    def _file(self) -> Path:
        sums = (HERE / self.name / "go.sum").read_bytes()
        return home() / f"{self.name}-{sha256(sums).hexdigest()[:12]}" / Path(self.path).name

    def program(self) -> str | None:
        return str(self._file()) if self._file().exists() else None

    def absent(self) -> str:
        return f"{self.name} is not here: .venv/bin/python -m tests.support.needs fetch {self.name}"

    @property
    def packages(self) -> tuple[str, ...]:
        return () if shutil.which("go") else ("golang-go",)

    def fetch(self) -> None:
        if self.program():
            return
        go = program("go", "install Go 1.25 or newer, see https://go.dev/doc/install")
        folder = self._file().parent
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / self.name / name, folder / name)
        # Verified by go.sum: a module that is another than the one that was sealed is an error.
        command = [go, "mod", "download", "-json", self.module]
        told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        made = self._file().with_suffix(".made")
        shutil.copy(Path(json.loads(told)["Dir"]) / self.path, made)
        made.rename(self._file())
