"""Whether an id was used before is told as if all were kept, and hardly any is."""

from hypothesis import given
from hypothesis import strategies as st

from store.audit.used_ids import UsedIds

NAME = st.text("abc", min_size=1, max_size=2) | st.text("abcd", min_size=1, max_size=4)


@given(st.lists(st.lists(NAME, max_size=4), max_size=8), st.booleans())
def test_every_repetition_is_told(bundles: list[list[str]], ordered: bool) -> None:
    """Bundle by bundle as a set of all ids would have it, in whatever order ids come."""
    bundles = sorted(bundles) if ordered else bundles
    used, all_of_them = UsedIds(lambda count: bundles[:count]), set[str]()
    for bundle in bundles:
        expected = len(all_of_them | set(bundle)) == len(all_of_them) + len(bundle)
        all_of_them |= set(bundle)
        assert used.take(bundle) == expected


def test_ids_that_go_up_are_not_kept() -> None:
    """What is below everything that came since is not needed again, and an id from far back is found all the same, by one look back."""
    looked = list[int]()
    bundles = [[f"{number:04}-{place}" for place in range(3)] for number in range(1_000)]

    def before(count: int) -> list[list[str]]:
        looked.append(count)
        return bundles[:count]

    used = UsedIds(before)
    assert all(map(used.take, bundles))
    assert len(used._kept) == 3  # noqa: SLF001 -- the point of it is what it does not keep
    assert not looked
    assert not used.take(["0005-1"])
    assert used.take(["0005-9"])
    assert looked == [1_000]
