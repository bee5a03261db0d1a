"""What rules look like on the wire."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from app.core.shapes import Strict
from app.core.text import without_card_number

_TABLES = {
    "type": "object",
    "description": "Every table of the kind by its name: rows, each with all columns, every cell as text.",
    "additionalProperties": {
        "type": "array",
        "items": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}

# Whether they are tables is checked with everything else about them, so that all faults come in one answer.
TablesIn = Annotated[Any, WithJsonSchema(_TABLES)]


class RulesAbout(BaseModel):
    """A version of one kind of rules."""

    kind: str = Field(examples=["fares"])
    version: int
    checksum: str = Field(description="SHA-256 of the tables.")
    published_at: str
    published_by: str = Field(
        description="An administrator's e-mail address, `console`, or `packaged` for what comes with the product."
    )
    note: str


class RulesList(BaseModel):
    data: list[RulesAbout]


class RulesHistory(RulesList):
    next_cursor: str | None


class RulesOut(RulesAbout):
    tables: dict[str, list[dict[str, str]]]


class RulesIn(Strict):
    tables: TablesIn
    note: Annotated[str, Field(max_length=2000), AfterValidator(without_card_number)] = Field(
        description="Why; everybody who reads the history sees it."
    )
    based_on: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="The version that was edited: if another one is in force by now, nothing is published.",
    )
    dry_run: bool = Field(default=False, description="Only check.")


class RulesPublished(RulesAbout):
    """The version in force after that."""

    published: bool = Field(
        description="False where nothing was: for a dry run, and where these are in force already."
    )
