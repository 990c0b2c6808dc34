"""Configs from the signatures of constructors."""

from __future__ import annotations

import pytest

from lamina.signatures import Configured


class Base(Configured):
    def __init__(self, name="base", **kwargs):
        self.name = name


class Part(Base):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units


class Forgetful(Configured):
    def __init__(self, units):
        pass


def test_config_is_the_signature_through_kwargs():
    part = Part(3, name="p")
    assert part.get_config() == {"units": 3, "name": "p"}
    assert Part.from_config(part.get_config()).units == 3


def test_an_argument_that_is_not_kept_is_named():
    with pytest.raises(TypeError, match=r"Forgetful.__init__ takes 'units' but does not keep it"):
        Forgetful(1).get_config()
