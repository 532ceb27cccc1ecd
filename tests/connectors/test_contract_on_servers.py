"""Every channel keeps its contract on the second engine as well: the log on Kafka, the states on a MongoDB server."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from connectors.kit.contract import ConnectorContract
from connectors.kit.example.rig import ExampleRig
from connectors.kit.rigs import Clock
from connectors.slack.rig import SlackRig
from connectors.webhook.rig import WebhookRig
from connectors.x.rig import XRig
from schemas.ports import Engine
from tests.connectors.email.imap.test_contract import ImapRig
from tests.connectors.email.test_contract import EmailRig
from tests.connectors.engines import on_servers
from tests.connectors.webform.test_contract import WebformRig
from tests.contracts.engines import KAFKA

pytestmark = [*KAFKA, pytest.mark.server("nx-27017"), pytest.mark.slow]


class OnServers(ConnectorContract):
    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return on_servers("nx-27017")(folder, clock)


class TestEmail(OnServers):
    rig_type = EmailRig


@pytest.mark.server("dovecot")
class TestImap(OnServers):
    rig_type = ImapRig


class TestExample(OnServers):
    rig_type = ExampleRig


class TestSlack(OnServers):
    rig_type = SlackRig


class TestWebform(OnServers):
    rig_type = WebformRig


class TestX(OnServers):
    rig_type = XRig


class TestWebhook(OnServers):
    rig_type = WebhookRig
