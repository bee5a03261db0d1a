"""`python -m dev.secret_scan`: nobody has committed a secret. It reads what git knows of and asks nobody.

A secret is told by how its issuer makes it, or by standing beside a telling name and looking like chance.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ISSUED = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\b[sr]k_live_[0-9A-Za-z]{16,}|\bgh[opsur]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22,}"
    r"|\bxox[abprs]-[0-9A-Za-z-]{20,}|\bAIza[\w-]{35}|\bglpat-[\w-]{20}|\bpypi-[\w-]{50,}|\bwhsec_[0-9A-Za-z+/=]{32,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"
    r"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\n|\s)+[0-9A-Za-z+/=]{40,}"
)
_NAMED = re.compile(
    r"(?i)(?:secret|token|passw(?:or)?d|api_?key|private_?key|credential)s?[\"']?\s*[:=]\s*[\"']?([\w+/=.-]{20,})"
)
# Words have some three bits a character, chance has more: sixteen kinds of digits can have four.
_BITS_OF_CHANCE = 3.7
# What everybody may know: the specification's example of a webhook secret, and those of our test vector, which count.
_PUBLIC = {
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
}


def found(text: str) -> Iterator[str]:
    """What looks like a secret in a text."""
    for match in _ISSUED.finditer(text):
        if match[0] not in _PUBLIC:
            yield match[0]
    for match in _NAMED.finditer(text):
        value = match[1]
        by_chance = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        if by_chance and _bits(value) > _BITS_OF_CHANCE and value not in _PUBLIC:
            yield value


def _bits(text: str) -> float:
    """Shannon's entropy of a character."""
    shares = (number / len(text) for number in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


def files() -> list[Path]:
    """Everything that is committed or about to be, but the locks: they are hashes from beginning to end."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else _unpacked()
    return [ROOT / name for name in names if name and not name.startswith("requirements")]


def _unpacked() -> list[str]:
    """The files of a copy that git knows nothing of, without what was made in it."""
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    made = {".git", ".venv", ".data", ".hypothesis", "__pycache__", "sbom.json", ".env"}
    return [str(path) for path in paths if not made & set(path.parts) and "cache" not in path.parts[0]]


def main() -> int:
    """Tells where, and never what."""
    suspects = 0
    for file in files():
        if not file.is_file():
            continue
        for line, text in enumerate(file.read_text(errors="replace").splitlines(), 1):
            for secret in found(text):
                suspects += 1
                sys.stderr.write(
                    f"{file.relative_to(ROOT)}:{line}: looks like a secret ({len(secret)} characters)\n"
                )
    return min(suspects, 1)


if __name__ == "__main__":
    sys.exit(main())
