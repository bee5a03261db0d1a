"""What really happens: places, aircraft, the timetable and each day's mishaps, all kept in UTC."""
