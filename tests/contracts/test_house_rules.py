"""What is never written here, read off the source itself."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.contracts.test_architecture import files, nodes
from tests.support.stack import ROOT

Rule = Callable[[ast.AST], bool]
# Where amounts are worked out, and how they are called elsewhere.
MONEY = re.compile(
    r"core/money|fares/|extras/|payments/(ledger|compared|reconciliation)|bookings/(agreed|cancelling|changing|differences|quotes|refunding)"
)
AMOUNT = re.compile(r"(?<![a-z])(minor|amount|price|fee|tax|refund|penalty)s?(?![a-z])")


def calls(*names: str) -> Rule:
    """A call of one of these, by its last one or two names: `pickle.loads`, `eval`."""

    def is_one(node: ast.AST) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute):
            return f"{_last_name(called.value)}.{called.attr}" in names
        return _last_name(called) in names

    return is_one


def _last_name(node: ast.AST | None) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def imports(*modules: str) -> Rule:
    def is_one(node: ast.AST) -> bool:
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        return any(name.split(".")[0] in modules for name in named)

    return is_one


def given(name: str, *values: object) -> Rule:
    """A keyword argument, of one of these values or any."""

    def is_one(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.keyword)
            and node.arg == name
            and (not values or (isinstance(node.value, ast.Constant) and node.value.value in values))
        )

    return is_one


def only_in_type_checks(node: ast.AST) -> bool:
    """An assertion; those that tell mypy what is known say `isinstance` or `is not None`."""
    return isinstance(node, ast.Assert) and not any(
        told in ast.unparse(node.test) for told in ("isinstance(", "is not None")
    )


NEVER: dict[str, Rule] = {
    "pickled data run code": imports("pickle", "marshal", "shelve", "dill"),
    "vendors are called by core/http, strangers by core/strangers": imports("requests", "httpx", "urllib3"),
    "yaml builds objects": calls("yaml.load", "yaml.unsafe_load"),
    "code is not data": calls("eval", "exec", "os.system", "os.popen", "subprocess.getoutput"),
    "a certificate is checked": given("verify", False),
    "so is a host's": given("ssl", False),
    "a shell reads more than was meant": given("shell", True),
    "due times are rows": given("countdown"),
    "and never Celery's": given("eta"),
    "old digests can be forged": calls("hashlib.md5", "hashlib.sha1"),
    "an assertion can be switched off": only_in_type_checks,
    "a middleware of that kind reads bodies whole": lambda node: (
        "BaseHTTPMiddleware"
        in (getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", ""))
    ),
    "templates escape": given("autoescape", False),
    "lines are logged, not printed": calls("print"),
}


def offenders(rule: Rule) -> Iterator[str]:
    for path in files("app"):
        for node in nodes(path):
            if rule(node):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"


@pytest.mark.parametrize("why", NEVER)
def test_it_is_never_written(why: str) -> None:
    """In the product."""
    assert list(offenders(NEVER[why])) == []


@pytest.mark.parametrize(
    ("why", "source"),
    [
        ("pickled data run code", "import pickle"),
        ("vendors are called by core/http, strangers by core/strangers", "from httpx import get"),
        ("yaml builds objects", "yaml.load(x)"),
        ("code is not data", "eval(x)"),
        ("a certificate is checked", "get(verify=False)"),
        ("due times are rows", "task.apply_async(countdown=5)"),
        ("old digests can be forged", "hashlib.sha1(x)"),
        ("an assertion can be switched off", "assert user.is_admin"),
        ("a middleware of that kind reads bodies whole", "class A(BaseHTTPMiddleware): ..."),
    ],
)
def test_it_would_be_seen(why: str, source: str) -> None:
    """The negative control."""
    assert any(NEVER[why](node) for node in ast.walk(ast.parse(source)))


def is_inexact(node: ast.AST) -> bool:
    """A float, or what would become one."""
    return (
        (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    )


def is_an_inexact_amount(node: ast.AST) -> bool:
    """Something that is called like money and is divided, or said to be a float."""
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        named = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
        is_time = named.endswith(("minutes", "seconds"))
        return bool(AMOUNT.search(named)) and not is_time and "float" in ast.unparse(node.annotation)
    divided = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    return divided and bool(AMOUNT.search(ast.unparse(node))) and "/" in ast.unparse(node)


def test_no_amount_is_a_float() -> None:
    """Where money is worked out there is no such number, and nowhere does an amount become one."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files("app")
        for node in nodes(path)
        if (is_inexact(node) and MONEY.match(str(path.relative_to(ROOT / "app"))))
        or is_an_inexact_amount(node)
    ]

    assert found == []
    assert is_an_inexact_amount(ast.parse("amount_minor / 100", mode="eval").body)
