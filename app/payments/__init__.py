"""Money: payments as a state machine, refunds, and the ledger that always balances."""
