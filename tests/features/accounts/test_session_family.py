import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.accounts.family import follow

STEPS = st.lists(
    st.sampled_from(["newest", "previous", "previous of another", "oldest", "soon", "later"]), min_size=1, max_size=12
)


@settings(max_examples=25)
@given(steps=STEPS)
def test_whatever_is_brought_in_whatever_order_a_family_has_one_newest_token_or_none(steps: list[str]) -> None:
    """A model of the session: a chain of tokens, the time since the last was made, and whether it has ended."""
    asyncio.run(follow(steps))
