"""Jetway: a flight booking backend."""

import gc

__version__ = "0.1.0"

# Loading makes several hundred thousand objects that stay, a search some ten thousand that are all gone when it is
# answered: looking for ones to collect every 700 objects, as Python does by itself, is in vain at both.
gc.set_threshold(50_000, 20, 50)
