"""AviationStack: schedules, status and reference data. https://aviationstack.com/documentation"""
