"""The outside world, simulated: airlines that fly, and the vendors that report on them, on one loopback port.

It shares nothing with the product. It has its own idea of time, places and flights, so that a mistake in
one cannot hide behind the same mistake in the other.
"""
