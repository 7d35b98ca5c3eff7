"""Run `pytest` here: the smallest case in which something is wrong comes first."""

from dense import Dense
from hypothesis import strategies as st

from minidl.testing import layer_test

test_dense = layer_test(Dense, shape=("n", "in_features"), out_features=st.integers(1, 4))
