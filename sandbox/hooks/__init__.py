"""A receiver of webhooks that answers as it is told, and shows what arrived."""
