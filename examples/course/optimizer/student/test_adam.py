"""Run `pytest` here: the smallest case in which something is wrong comes first."""

from adam import MyAdam

from minidl.testing import optimizer_test

test_adam = optimizer_test(MyAdam, lr=0.1)
