"""`python -m tests.attacks > docs/security/attacks.md`: every attack that is tried, out of the tests themselves."""

import ast
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


_HEAD = """# Attacks

What is tried on every change, made by `python -m tests.attacks`. Beside these, `tests/ownership` walks every operation
as somebody else, `tests/fuzz` sends everything to all of them, and `tests/core/test_addresses.py` and
`tests/core/test_strangers*.py` have the addresses that webhooks must not reach."""


def text() -> str:
    lines = [_HEAD]
    for file in sorted(FOLDER.glob("test_*.py")):
        module = ast.parse(file.read_text())
        lines += [
            "",
            f"## {_title(_line(module))}",
            "",
            "| attack | what has to come of it |",
            "| --- | --- |",
        ]
        lines += [
            f"| {_attack(node.name)} | {_line(node)} |"
            for node in module.body
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_")
        ]
    return "\n".join(lines) + "\n"


def _attack(name: str) -> str:
    return _title(name.removeprefix("test_").replace("_", " "))


def _title(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".")


def _line(node: ast.Module | ast.AsyncFunctionDef | ast.FunctionDef) -> str:
    """What a docstring says first."""
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split()).removeprefix("Attack: ")


if __name__ == "__main__":
    sys.stdout.write(text())
