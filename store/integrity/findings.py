"""What a check of the database found, as values. Owns the shape only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not what the audit log says. `about` names what it is of: a case, an event, a policy, a table."""

    about: str
    sentence: str
    workflow: str = ""

    def __str__(self) -> str:
        return f"{self.about}: {self.sentence}"
