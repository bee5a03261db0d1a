"""A card processor that speaks a faithful part of Stripe's HTTP API: payments, refunds, balance and webhooks."""
