"""What the demo's customers write, as data: mails and form posts, read from samples.yaml."""

from email.message import EmailMessage
from email.utils import formataddr, make_msgid
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from schemas.accounts import Role
from schemas.configuration import Setting


class Agent(Setting):
    name: str
    title: str
    roles: dict[str, Role]


class SampleMail(Setting):
    id: str = ""
    sender: tuple[str, str] = Field(alias="from", description="address and name")
    to: str = ""
    language: str
    subject: str = ""
    text: str
    headers: dict[str, str] = Field(default_factory=dict)
    answers: str | None = None
    after_answer: str | None = None


class SamplePost(Setting):
    id: str = ""
    form: str
    fields: dict[str, str]
    consents: tuple[str, ...] = ()


class Samples(Setting):
    agents: tuple[Agent, ...]
    mails: tuple[SampleMail, ...]
    forms: tuple[SamplePost, ...]
    follow_ups: tuple[SampleMail, ...]
    trickle: tuple[SampleMail | SamplePost, ...]


def read_samples() -> Samples:
    return Samples.model_validate(_yaml("samples.yaml"))


def read_company() -> dict[str, Any]:
    """The settings of the demo, as they stand in company.yaml."""
    company: dict[str, Any] = _yaml("company.yaml")
    return company


def company_file() -> Path:
    return Path(str(files("hub.demo").joinpath("company.yaml")))


def _yaml(name: str) -> Any:
    return yaml.safe_load(files("hub.demo").joinpath(name).read_text("utf-8"))


def message_id(id: str) -> str:
    """Always the same for the same sample, so that feeding the demo again is a repetition that changes nothing."""
    return f"<{id}@samples.hubbub.example>"


def compose(
    sample: SampleMail, in_reply_to: str | None = None, recipient: str = "", subject: str = ""
) -> EmailMessage:
    """The mail as the customer's program would send it."""
    mail = EmailMessage()
    address, name = sample.sender
    mail["From"] = formataddr((name, address))
    mail["To"] = recipient or sample.to
    mail["Subject"] = subject or sample.subject
    mail["Message-ID"] = message_id(sample.id) if sample.id else make_msgid(domain="samples.hubbub.example")
    mail["Content-Language"] = sample.language
    for header, value in sample.headers.items():
        mail[header] = value
    if in_reply_to:
        mail["In-Reply-To"] = in_reply_to
        mail["References"] = in_reply_to
    mail.set_content(sample.text)
    return mail
