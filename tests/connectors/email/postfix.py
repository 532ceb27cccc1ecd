"""A Postfix instance of the tests' own, between us and the customers' server: in front of our SMTP server, and our relay."""

import asyncio
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.needs import SERVERS
from tests.support.ports import free_port, listening

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}
myhostname = mx.shop.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relay_domains = shop.example
relay_recipient_maps =
recipient_delimiter = +
alias_maps =
smtp_dns_support_level = disabled
transport_maps = inline:{{ {{ shop.example = smtp:[127.0.0.1]:{hub} }} }}
default_transport = smtp:[127.0.0.1]:{customers}
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
smtp_connect_timeout = 5s
import_environment = MAIL_CONFIG={folder}/etc
"""
MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def cannot_start() -> str:
    """Why Postfix cannot be started here, or an empty string."""
    return "" if os.geteuid() == 0 else "postfix is started by root only: run the tests as root"


@asynccontextmanager
async def postfix(hub: int, customers: int) -> AsyncIterator[int]:
    """The port of a Postfix that hands mail for shop.example to port `hub` and all other mail to port `customers`."""
    program = SERVERS["postfix"].program()
    assert program is not None
    port = free_port()
    folder = _prepared(port, hub, customers)
    await _run(program, "-c", str(folder / "etc"), "start")
    try:
        await listening(port)
        yield port
    except BaseException:
        print(_log(folder))
        raise
    finally:
        await _run(program, "-c", str(folder / "etc"), "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _prepared(port: int, hub: int, customers: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir()
    user = pwd.getpwnam("postfix")
    os.chown(folder / "data", user.pw_uid, user.pw_gid)
    values = {"folder": folder, "port": port, "hub": hub, "customers": customers}
    (folder / "etc/main.cf").write_text(MAIN.format(**values))
    (folder / "etc/master.cf").write_text(MASTER.format(**values))
    return folder


def _log(folder: Path) -> str:
    log = folder / "log/mail.log"
    return log.read_text() if log.exists() else "postfix wrote no log"


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
