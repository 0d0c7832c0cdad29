"""Who plays: Northwind's people by their names, and what Slack and PagerDuty call them. Values only."""

ANNA, BEN, CHIARA, DMITRI, ELENA = ("Anna Lindqvist", "Ben Okafor", "Chiara Rossi", "Dmitri Volkov", "Elena Petrova")
GRACE, HUGO = "Grace Mwangi", "Hugo Martins"

SLACK_IDS = {
    ANNA: "U0ANNA00001",
    BEN: "U0BEN000001",
    CHIARA: "U0CHIARA001",
    DMITRI: "U0DMITRI001",
    ELENA: "U0ELENA0001",
    GRACE: "U0GRACE0001",
    HUGO: "U0HUGO00001",
}
ON_CALL = {ELENA: "PELENA01"}
"""PagerDuty's ids of those who are rung in the story."""


def first_name(person: str) -> str:
    """As colleagues call somebody."""
    return person.partition(" ")[0]
