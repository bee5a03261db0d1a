from standardwebhooks import Webhook, WebhookVerificationError


def verified(secret, headers, body):
    """The event if the delivery is genuine and new, else None."""
    try:
        return Webhook(secret).verify(body, headers)
    except (WebhookVerificationError, ValueError):  # ValueError: the signature has no form at all.
        return None
