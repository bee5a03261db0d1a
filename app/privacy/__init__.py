"""What is known about a person: given to them when they ask, and forgotten when they ask."""
