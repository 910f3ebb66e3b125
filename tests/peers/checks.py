"""The checks of the federation probe, in the order they run: one coroutine each, given the two users.

A check returns a short remark or nothing, and raises when the other side did not see what it should."""

CHECKS = []


def check(function):
    """Adds a check to the list; its name is the function's, its description the docstring."""
    CHECKS.append(function)
    return function


def load():
    """Every check of every theme, in order."""
    import checks_chat, checks_presence, checks_queries, checks_pep, checks_rooms, checks_end  # noqa: F401, E401
    return CHECKS
