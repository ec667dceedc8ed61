"""Fixtures shared by the tests of `lb.compute`."""

from tests.support.mariadb import mariadb

__all__ = ["mariadb"]
