"""A process of its own: migrate a new database, and do whatever Beat would ask for."""

from alembic import command
from alembic.config import Config

from app.core import background
from app.worker import celery

if __name__ == "__main__":
    command.upgrade(Config("alembic.ini"), "head")
    for entry in celery.conf.beat_schedule.values():
        celery.tasks[entry["task"]]()
    background.close_resources()
