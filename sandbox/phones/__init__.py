"""A push service whose phones keep what they are sent, and show it."""
