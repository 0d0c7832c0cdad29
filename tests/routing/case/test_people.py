"""By which names a person is recognized later."""

import pytest

from routing.case.people import Person


@pytest.mark.parametrize(
    ("dotless", "one"),
    [((), False), (("example.com",), True), (("EXAMPLE.com.",), True), (("example.org",), False)],
)
def test_dots_in_an_address_count_unless_the_policy_says_otherwise(dotless: tuple[str, ...], one: bool) -> None:
    """Whoever makes a person says of which domains; two accounts are then one person or two."""
    first = Person("U1", "T0HOME", email="anna@example.com", dotless=dotless)
    second = Person("U2", "T0HOME", email="a.nna@example.com", dotless=dotless)
    assert second.was("U1", first.known_with(())) is one
