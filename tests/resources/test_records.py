"""Records and transactions against the plainest thing that could be right: a dict in order of creation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.resources.records import Change, Key, Kind, OwnedByFileError, Record, Records, Transaction

REGIONS = ("us-east-1", "eu-west-1")
KINDS = (Kind.RULE, Kind.TARGET, Kind.SUBNET)
PARENTS = ("one", "two")


def record(kind: Kind, number: int, version: int = 0) -> Record:
    """A record keeps its parent and its region for as long as it lives."""
    return Record(kind, f"id-{number}", REGIONS[number % 2], "0", {"version": version}, parent=PARENTS[number // 2 % 2])


STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.none() | st.integers(0, 3)), max_size=20)


def take(step: tuple[Kind, int, int | None], target: Transaction, model: dict[Key, Record]) -> None:
    kind, number, version = step
    if version is None:
        if model.pop((kind, f"id-{number}"), None) is not None:
            target.delete(kind, f"id-{number}")
        return
    new = record(kind, number, version)
    target.put(new)
    model[new.key] = new


def agree(seen: Records | Transaction, model: dict[Key, Record]) -> None:
    for kind in KINDS:
        wanted = [each for each in model.values() if each.kind is kind]
        # A transaction puts a record that it deleted and made again where it was.
        assert sorted(seen.all(kind), key=lambda each: each.id) == sorted(wanted, key=lambda each: each.id)
        for parent in PARENTS:
            assert {each.id for each in seen.children(kind, parent)} == {
                each.id for each in wanted if each.parent == parent
            }
        for number in range(6):
            assert seen.get(kind, f"id-{number}") == model.get((kind, f"id-{number}"))


@given(st.lists(STEPS, max_size=5), STEPS)
def test_what_transactions_changed_is_what_is_kept_and_what_the_next_one_sees(committed, under_way):
    records, model = Records(), dict[Key, Record]()
    for steps in committed:
        transaction = Transaction(records)
        for step in steps:
            take(step, transaction, model)
            agree(transaction, model)
        records.apply(transaction.changes)
        agree(records, model)
    kept = dict(model)
    transaction = Transaction(records)
    for step in under_way:
        take(step, transaction, model)
    agree(transaction, model)
    agree(records, kept)


@given(st.lists(STEPS, max_size=3))
def test_a_region_sees_its_own(steps):
    transaction, model = Transaction(Records()), dict[Key, Record]()
    for step in (step for each in steps for step in each):
        take(step, transaction, model)
    for region in REGIONS:
        found = {each.key for each in transaction.all(Kind.RULE, region)}
        assert found == {each.key for each in model.values() if each.kind is Kind.RULE and each.region == region}


def test_each_kind_is_in_order_of_creation_whatever_is_changed_or_deleted():
    records = Records(record(Kind.RULE, number) for number in range(6))
    records.apply([Change((Kind.RULE, "id-2"), None), Change((Kind.RULE, "id-0"), record(Kind.RULE, 0, 9))])
    assert [each.id for each in records.all(Kind.RULE)] == ["id-0", "id-1", "id-3", "id-4", "id-5"]
    assert [each.shape["version"] for each in records.children(Kind.RULE, "one")] == [9, 0, 0, 0]


def test_what_has_not_changed_is_the_same_object_again():
    records = Records(record(Kind.RULE, number) for number in range(4))
    subnets, one, two = records.all(Kind.SUBNET), *(records.children(Kind.RULE, parent) for parent in PARENTS)
    records.apply([Change((Kind.RULE, "id-0"), record(Kind.RULE, 0, 1))])
    assert records.all(Kind.SUBNET) is subnets
    assert records.children(Kind.RULE, "one") is not one
    assert records.children(Kind.RULE, "two") is two
    transaction = Transaction(records)
    transaction.put(record(Kind.RULE, 1, 1))
    assert transaction.children(Kind.RULE, "two") is two


def test_a_transaction_that_puts_back_what_it_made_has_changed_nothing():
    transaction = Transaction(Records())
    transaction.put(record(Kind.RULE, 1))
    transaction.delete(Kind.RULE, "id-1")
    assert transaction.changes == ()
    assert transaction.all(Kind.RULE) == ()


def test_what_the_file_defines_is_for_the_file_to_change():
    listener = Record(Kind.LISTENER, "listener", REGIONS[0], "0", {}, parent="lb")
    records = Records([record(Kind.SUBNET, 1)])
    records.replace_file([listener])
    transaction = Transaction(records)
    rule = Record(Kind.RULE, "rule", REGIONS[0], "0", {}, parent="listener")
    for change in (
        lambda: transaction.put(listener),
        lambda: transaction.delete(Kind.LISTENER, "listener"),
        lambda: transaction.put(rule),
    ):
        with pytest.raises(OwnedByFileError, match="listener is defined in the configuration file"):
            change()
    assert transaction.changes == ()
    records.replace_file([])
    assert records.get(*listener.key) is None
    assert records.all(Kind.SUBNET) == (record(Kind.SUBNET, 1),)
    Transaction(records).put(rule)
