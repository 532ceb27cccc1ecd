"""/console/_styles: every component in all its states, for eyes and for screenshots."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console
from hub.console.conversation import FileView, Line
from hub.console.faces import Face
from hub.console.outcomes import DeliveryView
from hub.console.places import Place
from hub.console.rows import Row
from hub.console.words import Words
from schemas.ids import derive

ME, OTHER = Face("ann", "Ann Okafor", True), Face("bo", "Bo Lindqvist", False)
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 4


async def styles(console: Console, request: Request) -> Response:
    words = console.words(request)
    values = {
        "rows": sample_rows(words),
        "lines": sample_lines(words),
        "faces": (ME, OTHER),
        "moments": (
            words.age(words.now),
            words.ago(words.now - timedelta(hours=3)),
            words.due(words.now - timedelta(days=2)),
        ),
        "view": SampleView(),
        "reading": (OTHER.name,),
        "writing": (ME.name,),
        "kept": (
            SampleFile("photo.jpg", "812 KB"),
            SampleFile("parcel.png", "64 KB", alt_name="alt", alt="A parcel with a torn corner"),
            SampleFile(f"{LONG}.pdf", "3.2 MB"),
        ),
        "list": SampleList(),
        "done": "",
    }
    return await console.page(request, "styles.html", "", words.t("styles.title"), values)


@dataclass(frozen=True)
class SampleFile:
    name: str
    size: str
    token: str = ""
    alt_name: str = ""
    alt: str = ""


class SampleList:
    """As much of a list as what is done to many of its rows needs."""

    place = Place(None, "all", "")
    queues = (("orders", "Orders"), ("billing", "Billing"))
    agents = ()


class SampleView:
    """As much of a case as messages need."""

    frame: tuple[UUID, str] | None = None
    frame_images = ""
    language = ""
    can_forward = True
    shown_file: tuple[UUID, str, str, str] | None = None

    def act(self, action: str) -> str:
        return f"#{action}"


def sample_rows(words: Words) -> list[Row]:
    def row(name: str, subject: str, **changes: object) -> Row:
        usual: dict[str, object] = {
            "id": derive("sample", name), "number": derive("sample", name).hex[:8].upper(), "url": "#", "revision": 1,
            "name": name, "subject": subject, "channel": words.t("channel.email"), "channel_icon": "mail",
            "when": words.age(words.now - timedelta(minutes=12)), "late": False, "waiting": True, "closed": False,
            "tags": (), "more_tags": 0, "priority": "", "assignee": None,
        }  # fmt: skip
        return Row(**{**usual, **changes})  # type: ignore[arg-type]

    late = words.due(words.now - timedelta(hours=3))
    return [
        row("Mara Ionescu", "Where is my parcel?"),
        row(
            "Jürgen Müller-Lüdenscheidt", "Rechnung 2026-118 stimmt nicht", when=late, late=True, assignee=ME
        ),
        row("ليلى حداد", "طلب استرجاع المبلغ", tags=("refund", "gold"), assignee=OTHER),
        row("Kim", "Answered, the customer's turn", waiting=False),
        row("Urgent", "Fire in the warehouse", priority=words.t("priority.urgent"), tags=("safety",)),
        row(LONG, LONG, tags=(LONG, LONG), more_tags=3, assignee=OTHER),
        row("Form", "Question about sizes", channel=words.t("channel.webform"), channel_icon="file-text"),
        row("Done", "Thank you!", closed=True, waiting=False),
    ]


def sample_lines(words: Words) -> list[Line]:
    at = words.clock(words.now)
    message = derive("sample", "message")

    def line(key: str, side: str, text: str, **changes: object) -> Line:
        return Line(id=derive("sample", key), sequence=1, side=side, at=at, text=text, **changes)  # type: ignore[arg-type]

    def ours(state: str, is_bad: bool = False) -> Line:
        said = words.t(f"delivery.{state}", reason="mailbox full", when=words.when(words.now).words)
        delivery = DeliveryView(state, said, message, is_bad)
        return line(
            state, "ours", "Thank you, we are on it.", who="Ann Okafor", to="Mara Ionescu", delivery=delivery
        )

    files = (
        FileView("photo.jpg", "812 KB", "#", "image", ""),
        FileView("setup.exe", "3.2 MB", None, "paperclip", "not kept: files of this type are refused"),
    )
    return [
        line("day", "step", "Routed to Orders, priority High", day=words.t("time.today")),
        line("in", "theirs", "Hello,\nwhere is my parcel? See https://shop.example/orders/118.\nMara", who="Mara Ionescu",
             address="mara@example.com", verified=True, quoted="On Monday you wrote:\n> …", files=files, html=True),
        line("typed", "theirs", "", who="Kim", typed=True, fields=(("Order", "118"), ("Message", "Too small"))),
        line("suspect", "theirs", LONG, who="Your bank", address="bank@example.net", suspect=True),
        line("arabic", "theirs", "مرحبا، أين طلبي؟", who="ليلى حداد"),
        line("note", "note", "Spoke with the carrier: arrives on Tuesday.", who="Bo Lindqvist"),
        *(ours(state) for state in ("scheduled", "queued", "sending", "sent", "cancelled")),
        *(ours(state, True) for state in ("failed", "unknown", "bounced")),
    ]  # fmt: skip
