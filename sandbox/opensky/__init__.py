"""The OpenSky Network's wire format, with its credits, its gaps and its oddities."""
