"""docs/reference/metrics.md and docs/reference/errors.md."""

from http import HTTPStatus

from hub.cli.errors import MEANINGS
from hub.docs.markdown import code, first_sentence, page, table
from hub.http.problems import KINDS, STATUS, TYPES
from hub.observe import TABLE
from schemas import errors
from schemas.errors import HubbubError

METRICS_HEAD = """
`/metrics` on the console's address, in the text format of Prometheus; with `metrics_token` set it asks for that bearer token.
No label holds customer data. `process_…` and `python_info` come beside these.
"""
ERRORS_HEAD = """
What an error *is* decides what happens, wherever it comes up: whether it is waited for, tried again, put aside as a dead
letter, or told to who asked.
"""


def metrics_page() -> str:
    rows = [
        (code(str(name)), declared.kind, declared.meaning, ", ".join(map(code, declared.labels)))
        for name, declared in TABLE.items()
    ]
    return page("Metrics", METRICS_HEAD, table(("metric", "kind", "meaning", "labels"), rows))


def errors_page() -> str:
    kinds = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, HubbubError)
    ]
    rows = [(code(each.__name__), code(_parent(each)), first_sentence(each.__doc__)) for each in kinds]
    answers = [
        (str(status), code(kind), HTTPStatus(status).phrase, ", ".join(code(each.__name__) for each, at in STATUS.items() if at == status))
        for status, kind in sorted(KINDS.items())
    ]  # fmt: skip
    codes = [(code(str(int(each))), meaning) for each, meaning in MEANINGS.items()]
    return page(
        "Errors",
        ERRORS_HEAD,
        table(("error", "is a kind of", "meaning"), rows),
        f"## HTTP\n\nErrors are problem details (RFC 9457); `type` is `{TYPES}/` and the kind.",
        table(("status", "kind", "title", "errors"), answers),
        "## Exit codes of the command",
        table(("exit code", "meaning"), codes),
    )


def _parent(error: type[HubbubError]) -> str:
    parent = error.__mro__[1]
    return "" if parent is Exception else parent.__name__
