"""The service account that may push: its key, as the vendor's console gives it out, and the tokens it opens."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROJECT = "sandbox"
EMAIL = f"jetway@{PROJECT}.iam.gserviceaccount.example"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_SECONDS = 3599


class Refusal(Exception):
    """What the token endpoint says no to, as an OAuth2 error and its description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


class Account:
    """Made when it is first needed, because a key takes its time; kept in a file, if there is one."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._tokens: dict[str, datetime] = {}

    def reset(self) -> None:
        self._tokens.clear()

    def keep_in(self, file: Path, token_url: str) -> None:
        """Write the key where the product looks for it. One that is there stays, so that a restart changes nothing."""
        self._file = file
        if file.exists():
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            json.dump(self.described(token_url), opened, indent=2)

    def described(self, token_url: str) -> dict[str, str]:
        """The file that the vendor's console gives."""
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "sandbox-key",
            "private_key": self._made,
            "client_email": EMAIL,
            "token_uri": token_url,
        }

    def granted(self, form: dict[str, str], audience: str, now: datetime) -> str:
        """A token for a signed assertion. Raises Refusal."""
        if form.get("grant_type") != GRANT:
            raise Refusal("unsupported_grant_type", "Invalid grant_type")
        try:
            claims = jwt.decode(
                form.get("assertion", ""),
                self._public,
                ["RS256"],
                audience=audience,
                issuer=EMAIL,
                # By the sandbox's clock, below.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat"]},
            )
        except jwt.InvalidTokenError:
            raise Refusal("invalid_grant", "Invalid JWT Signature.") from None
        if not claims["iat"] - 300 <= now.timestamp() <= claims["exp"] <= claims["iat"] + 3600:
            raise Refusal("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)")
        if claims.get("scope") != SCOPE:
            raise Refusal("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        token = "ya29." + secrets.token_urlsafe(40)
        self._tokens[token] = now + timedelta(seconds=LIFE_SECONDS)
        return token

    def admits(self, authorization: str, now: datetime) -> bool:
        """Whether it is a token that was given out and is still good."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and now < self._tokens.get(token, now)

    @cached_property
    def _made(self) -> str:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        plain = serialization.NoEncryption()
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
        ).decode()

    @cached_property
    def _public(self) -> rsa.RSAPublicKey:
        pem = json.loads(self._file.read_text())["private_key"] if self._file else self._made
        private = serialization.load_pem_private_key(pem.encode(), None)
        public = private.public_key()
        if not isinstance(public, rsa.RSAPublicKey):
            raise TypeError("the key is not RSA's")
        return public
