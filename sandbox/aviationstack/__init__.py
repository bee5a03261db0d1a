"""AviationStack's wire format, with its plans, its errors and its oddities."""
