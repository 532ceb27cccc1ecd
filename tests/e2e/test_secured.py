"""A whole hub on servers that take only TLS and users: settings, commands, mail, proof; and a password that nothing tells."""

import json
from pathlib import Path
from uuid import uuid4

import aiosmtplib
import pytest

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from deploy.local import ferretdb_server, kafka_server
from deploy.local.secured import Secured
from deploy.local.server import stopping
from hub.wiring import SystemClock
from tests.e2e.hubs import company, hub_process, hubbub, send_mail, write_settings
from tests.support.certificates import make_certificates

pytestmark = [
    pytest.mark.server("kafka"),
    pytest.mark.server("ferretdb"),
    pytest.mark.xdist_group("servers"),
    pytest.mark.timeout(240),
    pytest.mark.slow,
]
PASSWORD = f"secret-{uuid4().hex}"
MAIL = (
    b"From: ann@customer.example\r\nTo: support@shop.example\r\nMessage-ID: <1@customer.example>\r\n"
    b"Subject: invoice 1\r\n\r\nWhere is it?\r\n"
)


async def test_a_hub_works_on_secured_servers_and_never_tells_its_password(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, "127.0.0.1")
    secured = Secured(certificates.server, {"hubbub": PASSWORD})
    for name in ("kafka", "ferretdb"):
        (tmp_path / name).mkdir()
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    relay = StandinServer(mailbox, SystemClock())
    await relay.start()
    try:
        with (
            stopping(kafka_server.open_server(tmp_path / "kafka", secured=secured)) as kafka,
            stopping(ferretdb_server.open_server(tmp_path / "ferretdb", secured=secured)) as ferretdb,
        ):
            access = {
                "tls": {"certificate_authorities": "authority.pem"},
                "user": "hubbub",
                "password": "${env:SERVER_PASSWORD}",
            }
            settings = write_settings(
                tmp_path,
                company(relay.port)
                | {
                    "log": f"{kafka.url}?partitions=1",
                    "store": f"{ferretdb.url}hubbub",
                    "kafka": access,
                    "mongodb": access,
                    "logging": {"level": "debug", "format": "json"},
                },
            )
            config = ("--config", str(settings))
            right, wrong = {"SERVER_PASSWORD": PASSWORD}, {"SERVER_PASSWORD": f"not-{PASSWORD}"}
            for command in (("check",), ("topics", "apply", "--yes"), ("store", "apply", "--yes")):
                code, said = await hubbub(*command, *config, environment=right)
                assert code == 0, said
                assert PASSWORD not in said
            for refused, hint in ((("topics", "plan"), "kafka.password"), (("up",), "mongodb.password")):
                code, said = await hubbub(*refused, *config, environment=wrong)
                assert (code, hint in said, PASSWORD in said) == (4, True, False), said
            async with hub_process(settings, right) as hub:
                async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=30) as client:
                    item = await send_mail(client, MAIL)
                await hub.settled(120)
                assert [each["subject"] for each in await hub.everything("/cases")] == ["invoice 1"]
                assert await hub.run.stop() == 0
                assert not [line for line in hub.run.lines if PASSWORD in line]
            ledger = tmp_path / "ledger"
            ledger.write_text(item)
            code, said = await hubbub("verify", "--json", "--ledger", str(ledger), *config, environment=right)
            assert code == 0, said
            assert json.loads(said.splitlines()[-1])["result"] == "whole"
    finally:
        await relay.stop()
        await mailbox.close()
