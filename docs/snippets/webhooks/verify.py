import base64
import hashlib
import hmac
import json
import time

TOLERANCE_SECONDS = 300


def verified(secret, headers, body, now=None):
    """The event if the delivery is genuine and new, else None.

    `headers` by their names in lower case; `body` as it came, bytes that nobody has parsed and written again.
    """
    message = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split(" ")
    if not timestamp.isdecimal() or abs((now or time.time()) - int(timestamp)) > TOLERANCE_SECONDS:
        return None
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # While a secret is being replaced there are several signatures. One that fits is enough.
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures):
        return None
    return json.loads(body)
