"""How many examples a property test draws: so many in everyday runs, ten times as many with `--full`. Never a matter of seconds."""

from hypothesis import settings


def examples(everyday: int) -> int:
    """The number for this run, from the profile that `tests/conftest.py` loaded."""
    return everyday * settings.default.max_examples // 100 if settings.default is not None else everyday
