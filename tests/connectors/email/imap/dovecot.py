"""A real Dovecot of the tests' own: an ordinary user's, on free ports, in a folder that goes with it.

What is done to it here is what happens to mailboxes: other clients, lost connections, restarts, new UIDVALIDITY, silence.
"""

import asyncio
import contextlib
import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.needs import SERVERS
from tests.support.ports import LOOPBACK, free_ports, listening

PASSWORD = "correct horse battery"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
first_valid_gid = 0
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2
mail_location = maildir:{folder}/mail/%u
imap_idle_notify_interval = 10 mins
mail_max_userip_connections = 50
mailbox_list_index = no
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Spam {{
    special_use = \\Junk
    auto = create
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
{oauth}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = {is_tls}
  }}
}}
service imap {{
  process_limit = 60
}}
protocol imap {{
  imap_capability = {capability}
}}
"""
OAUTH = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""


# What a server may lack; the rest is as Dovecot offers it.
CAPABILITIES = (
    "IMAP4rev1",
    "SASL-IR",
    "LOGIN-REFERRALS",
    "ID",
    "ENABLE",
    "IDLE",
    "LITERAL+",
    "UIDPLUS",
    "LIST-EXTENDED",
    "SPECIAL-USE",
    "MOVE",
    "CHILDREN",
    "NAMESPACE",
)


def _owner() -> pwd.struct_passwd:
    """Dovecot's own user where root runs the tests, as it refuses to be root; else whoever runs them."""
    return pwd.getpwnam("dovecot") if os.geteuid() == 0 else pwd.getpwuid(os.getuid())


@dataclass
class Dovecot:
    """Users are `one@shop.example` and so on, with one password for all."""

    folder: Path
    port: int
    tls_port: int
    users: Sequence[str]
    owner: pwd.struct_passwd = field(default_factory=_owner)

    async def start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            _program(),
            "-F",
            "-c",
            str(self.folder / "dovecot.conf"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            **self._as_owner(),
        )
        self._process = process
        await listening(self.port, 20)

    async def stop(self) -> None:
        """At once and without a goodbye, with all of its processes; asked politely, sessions would linger for ten seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def _as_owner(self) -> dict[str, Any]:
        """Dovecot without root's rights refuses to run as root."""
        if os.geteuid() == self.owner.pw_uid:
            return {}
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Lets Dovecot own what we made."""
        if os.geteuid() != self.owner.pw_uid:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text() if path.exists() else ""

    async def doveadm(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            shutil.which("doveadm") or "doveadm",
            "-c",
            str(self.folder / "dovecot.conf"),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **self._as_owner(),
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    def deliver(self, user: str, raw: bytes, number: int = 0, folder: str = "") -> None:
        """A mail as a delivery agent puts it there."""
        home = self.folder / "mail" / user
        for path in (home, home / f".{folder}" if folder else home):
            for name in (".", "tmp", "new", "cur"):
                if not (path / name).exists():
                    (path / name).mkdir(parents=True)
                    self.give(path / name)
            home = path
        name = f"{time.time():.6f}.{number}_{os.urandom(4).hex()}.tests"
        (home / "tmp" / name).write_bytes(raw)
        self.give(home / "tmp" / name)
        (home / "tmp" / name).rename(home / "new" / name)

    @contextlib.contextmanager
    def client(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Another mail program, with the folder open."""
        with imaplib.IMAP4(LOOPBACK, self.port, timeout=20) as other:
            other.login(user, PASSWORD)
            other.select(folder)
            yield other

    async def sessions(self, user: str) -> list[int]:
        """Process ids of the sessions of a user."""
        told = await self.doveadm("who", user)
        return [int(each) for pids in re.findall(r"\(([\d ]+)\)", told) for each in pids.split()]

    async def kick(self, user: str) -> None:
        """Ends the sessions of a user, as an administrator does."""
        await self.doveadm("kick", user)

    @asynccontextmanager
    async def silent(self, user: str) -> AsyncIterator[None]:
        """The sessions of a user stand still, as does a peer whose network is cut: nothing is said, nothing is closed."""
        stopped = await self.sessions(user)
        assert stopped
        for each in stopped:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)


@asynccontextmanager
async def dovecot(
    *users: str,
    token_url: str = "",
    certificate: tuple[Path, Path] | None = None,
    without: Sequence[str] = (),
) -> AsyncIterator[Dovecot]:
    """Runs until the block ends. `token_url`: takes access tokens too, and asks there; `without`: capabilities not offered."""
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    port, tls_port = free_ports(2)
    server = Dovecot(folder, port, tls_port, users)
    _write(server, token_url, certificate, without)
    try:
        await server.start()
        yield server
    except BaseException:
        print(server.log()[-6000:])
        raise
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _write(
    server: Dovecot, token_url: str, certificate: tuple[Path, Path] | None, without: Sequence[str]
) -> None:
    folder = server.folder
    for name in ("run", "state", "mail", "home"):
        (folder / name).mkdir()
        server.give(folder / name)
    server.give(folder)
    (folder / "users").write_text("".join(f"{each}:{PASSWORD}\n" for each in server.users))
    oauth = ""
    if token_url:
        (folder / "oauth2.conf").write_text(
            f"tokeninfo_url = {token_url}?access_token=\nintrospection_mode = auth\nusername_attribute = email\n"
        )
        oauth = OAUTH.format(folder=folder)
    encryption = ""
    if certificate:  # copied, as Dovecot's user need not be able to look into the checkout
        for name, source in zip(("certificate", "key"), certificate, strict=True):
            server.give(shutil.copyfile(source, folder / f"{name}.pem"))
        encryption = f"ssl_cert = <{folder}/certificate.pem\nssl_key = <{folder}/key.pem"
    offered = [each for each in CAPABILITIES if each not in without]
    values = {
        "folder": folder,
        "user": server.owner.pw_name,
        "group": grp.getgrgid(server.owner.pw_gid).gr_name,
        "uid": server.owner.pw_uid,
        "gid": server.owner.pw_gid,
        "port": server.port,
        "tls_port": server.tls_port,
        "ssl": "yes" if certificate else "no",
        "is_tls": "yes" if certificate else "no",
        "certificate": encryption,
        "oauth": oauth,
        "capability": " ".join(offered) if without else "",
    }
    (folder / "dovecot.conf").write_text(CONFIGURATION.format(**values))


def _program() -> str:
    program = SERVERS["dovecot"].program()
    assert program is not None
    return program
