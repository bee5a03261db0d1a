"""What jobs can refuse."""

from app.core.errors import NotFound


class JobNotFound(NotFound):
    code = "job_not_found"
    title = "No job has this id"
