"""What a traveller takes along: receipts, calendars, boarding passes."""
