"""What publishing rules can refuse."""

from app.core.errors import Conflict, NotFound, Unprocessable


class RulesNotFound(NotFound):
    code = "rules_not_found"
    title = "There are no such rules"


class RulesRefused(Unprocessable):
    code = "rules_refused"
    title = "Some of these rules make no sense"


class RulesChanged(Conflict):
    """Carries `version`, the one in force."""

    code = "rules_changed"
    title = "Somebody has published other rules since these were read"
