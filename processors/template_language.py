"""The language of templates: Jinja2, sandboxed and cut down to what cannot run away.

A template is text with variables, conditions, loops over lists and a few filters. It has no calls, no arithmetic, no
assignments and no macros: what is left takes time and space linear in the template and its values, so that nobody who may
edit a template can stop the hub (docs/decisions/templates.md).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, Undefined, nodes
from jinja2 import Template as CompiledTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.sentences import said

MAX_SOURCE_LENGTH = 20_000
MAX_OUTPUT_LENGTH = 100_000
MAX_ITEMS = 100
MAX_SEPARATOR_LENGTH = 20
MAX_WORK = 5_000
"""Names and filters that run when a template is rendered, those in a loop counted MAX_ITEMS times."""

EACH = " each"
"""Put around what a loop goes over; the blank keeps it from being written in a template."""


class Faulty(ValueError):
    """`faults`: the line, and what to change, of all that is wrong."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {message}" for line, message in faults))
        self.faults = tuple(faults)


class TooLong(ValueError):
    """The output would be longer than MAX_OUTPUT_LENGTH characters."""


def _joined(value: Any, separator: str = ", ") -> str:
    if isinstance(value, str | Undefined):
        return str(value)
    return separator.join(map(_shown, value))


def _shown(value: Any) -> str:
    """How a value reads in plain text. What is no plain value (a function, say) is nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    return ", ".join(map(_shown, value)) if isinstance(value, tuple | list) else ""


def _truncated(value: Any, length: int = 255, end: str = "…") -> str:
    """At most `length` characters and the end mark."""
    text = _shown(value)
    return text if len(text) <= length else text[:length].rstrip() + end


def _each(value: Any) -> Sequence[Any]:
    """Loops go over lists; a text is not a list of letters."""
    return value[:MAX_ITEMS] if isinstance(value, tuple | list) else ()


FILTERS: dict[str, Callable[..., Any]] = {
    "upper": lambda value: _shown(value).upper(),
    "lower": lambda value: _shown(value).lower(),
    "title": lambda value: _shown(value).title(),
    "capitalize": lambda value: _shown(value).capitalize(),
    "trim": lambda value: _shown(value).strip(),
    "first_word": lambda value: next(iter(_shown(value).split()), ""),
    "truncate": _truncated,
    "join": _joined,
    "length": lambda value: 0 if isinstance(value, Undefined) else len(value),
    "default": lambda value, otherwise="": otherwise if isinstance(value, Undefined) or not value else value,
}
TESTS = frozenset(
    {"defined", "undefined", "none", "string", "number", "in", "eq", "ne", "lt", "le", "gt", "ge"}
)


class Sandbox(ImmutableSandboxedEnvironment):
    """Names lead to values only: `customer.name` is the key `name`, never an attribute or a method of an object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if type(obj).__name__ == "LoopContext":
            return super().getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return (
            self.getattr(obj, argument)
            if isinstance(argument, str)
            else self.undefined(obj=obj, name=str(argument))
        )


def environment(undefined: type[Undefined]) -> Environment:
    made = Sandbox(
        undefined=undefined,
        autoescape=False,  # plain text; the connector makes HTML of it and escapes then
        finalize=_shown,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters = {**FILTERS, EACH: _each}
    made.tests = {name: test for name, test in made.tests.items() if name in TESTS}
    made.globals = {}
    return made


class Missing(Undefined):
    """What is not there, and all that it might have had, is empty."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


FORGIVING = environment(Missing)


def parse(source: str) -> nodes.Template:
    """The tree of a template that has only what a template may have. Raises Faulty."""
    if len(source) > MAX_SOURCE_LENGTH:
        raise Faulty([(1, said("is longer than {n} characters", n=MAX_SOURCE_LENGTH))])
    try:
        tree = FORGIVING.parse(source)
        faults = faults_of(tree)
    except TemplateSyntaxError as error:
        raise Faulty([(error.lineno, error.message or "cannot be read")]) from error
    except RecursionError as error:
        raise Faulty([(1, "is nested too deeply")]) from error
    if faults:
        raise Faulty(faults)
    if _work(tree) > MAX_WORK:
        raise Faulty([(1, "does too much; make it shorter, above all what stands in loops")])
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, EACH, [], [], None, None, lineno=loop.lineno)
    return tree


def compiled(source: str, environment: Environment = FORGIVING) -> CompiledTemplate:
    """Raises Faulty."""
    tree = parse(source)
    try:
        return environment.from_string(tree)
    except (RecursionError, MemoryError, SyntaxError) as error:  # Python's own limits of nesting
        raise Faulty([(1, "is nested too deeply")]) from error


def _work(node: nodes.Node, times: int = 1) -> int:
    own = (
        times
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem | nodes.Filter | nodes.Test)
        else 0
    )
    inner = times * MAX_ITEMS if isinstance(node, nodes.For) else times
    return own + sum(_work(child, inner) for child in node.iter_child_nodes())


ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const,
    nodes.Filter, nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare,
    nodes.Operand, nodes.Concat, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip


def faults_of(tree: nodes.Node, in_loop: bool = False) -> list[tuple[int, str]]:
    """(line, what to change) of all that a template may not have."""
    faults: list[tuple[int, str]] = []
    if not isinstance(tree, ALLOWED):
        faults.append((tree.lineno, said("{what} is not possible in a template", what=_spelled(tree))))
    elif isinstance(tree, nodes.For):
        faults += _loop_faults(tree, in_loop)
        in_loop = True
    elif isinstance(tree, nodes.Filter):
        faults += _filter_faults(tree)
    elif isinstance(tree, nodes.Test) and tree.name not in TESTS:
        faults.append(
            (
                tree.lineno,
                said(
                    "there is no test {name!r}; there are {names}",
                    name=tree.name,
                    names=", ".join(sorted(TESTS)),
                ),
            )
        )
    elif isinstance(tree, nodes.Getitem) and not (
        isinstance(tree.arg, nodes.Const) and isinstance(tree.arg.value, str)
    ):
        faults.append((tree.lineno, "only a name in quotes can stand in [ ]"))
    for child in tree.iter_child_nodes():
        faults += faults_of(child, in_loop)
    return faults


def _spelled(node: nodes.Node) -> str:
    name = type(node).__name__
    words = {
        "Call": said("a call of a function"),
        "Assign": "`set`",
        "Macro": "`macro`",
        "Mul": "`*`",
        "Include": "`include`",
    }
    return words.get(name, f"`{name.lower()}`")


def _loop_faults(loop: nodes.For, in_loop: bool) -> list[tuple[int, str]]:
    faults: list[tuple[int, str]] = []
    if in_loop:
        faults.append((loop.lineno, "a loop may not stand in a loop"))
    if loop.recursive:
        faults.append((loop.lineno, "a loop may not be recursive"))
    if not isinstance(loop.iter, nodes.Name | nodes.Getattr | nodes.Getitem | nodes.List | nodes.Tuple):
        faults.append((loop.lineno, "a loop goes over a variable or a list that is written out"))
    return faults


def _filter_faults(tree: nodes.Filter) -> list[tuple[int, str]]:
    if tree.name not in FILTERS:
        return [
            (
                tree.lineno,
                said(
                    "there is no filter {name!r}; there are {names}",
                    name=tree.name,
                    names=", ".join(sorted(FILTERS)),
                ),
            )
        ]
    if tree.name == "default":
        return []
    for given in (*tree.args, *(keyword.value for keyword in tree.kwargs)):
        if not isinstance(given, nodes.Const):
            return [(tree.lineno, said("{name} takes what is written out, not a variable", name=tree.name))]
        if isinstance(given.value, str) and len(given.value) > MAX_SEPARATOR_LENGTH:
            return [
                (
                    tree.lineno,
                    said("{name} takes at most {n} characters", name=tree.name, n=MAX_SEPARATOR_LENGTH),
                )
            ]
    return []


def bounded_output(ready: CompiledTemplate, values: Mapping[str, Any]) -> str:
    """Renders piece by piece. Raises TooLong as soon as there is too much."""
    pieces: list[str] = []
    length = 0
    for piece in ready.generate(values):
        length += len(piece)
        if length > MAX_OUTPUT_LENGTH:
            raise TooLong(said("makes more than {n} characters", n=MAX_OUTPUT_LENGTH))
        pieces.append(piece)
    return "".join(pieces)
