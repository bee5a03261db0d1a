"""Cuts, kills and outages: whatever breaks on the way, money moves once and nothing is left unfinished."""
