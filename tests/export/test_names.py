"""Names in exports: valid in each language, and never two the same."""

import re

from hypothesis import given
from hypothesis import strategies as st

from lb.export.names import Names, one_line


@given(st.lists(st.text(max_size=8)))
def test_names_are_valid_and_told_apart_in_every_spelling(texts):
    names = Names()
    refs = [names.new("target_group", text) for text in texts]
    for spelling, pattern in (("camel", "[A-Za-z][A-Za-z0-9]*"), ("upper", "[A-Z][A-Z0-9_]*"), ("name", "[a-z0-9_]+")):
        spelled = [getattr(ref, spelling) for ref in refs]
        assert all(re.fullmatch(pattern, each) for each in spelled)
        assert len({each.lower() for each in spelled}) == len(texts)


def test_names_that_differ_in_punctuation_or_case_get_numbers():
    names = Names()
    made = [names.new("load_balancer", text).camel for text in ("web-1", "web1", "WEB-1", "")]
    assert made == ["LoadBalancerWeb1", "LoadBalancerWeb12", "LoadBalancerWeb13", "LoadBalancerUnnamed"]


def test_a_comment_stays_in_its_line():
    assert one_line("a\nb\r\x1b[1m\u2028c") == "a b  [1m c"
