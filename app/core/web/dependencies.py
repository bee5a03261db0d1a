"""What routes ask for in their signature."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends

from app.core import db
from app.core.db import Session


async def _transaction() -> AsyncIterator[Session]:
    async with db.transaction() as session:
        yield session


# "function" scope commits before the answer leaves. FastAPI's default would commit after it, and a client
# could be told of a booking that was then not stored.
SessionDep = Annotated[Session, Depends(_transaction, scope="function")]
