"""Session settings and names."""

from __future__ import annotations

import pytest

from lamina import config
from lamina.errors import DtypeError


@pytest.fixture(autouse=True)
def _fresh_names():
    config.clear_session()
    yield
    config.clear_session()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dense", "dense"),
        ("ReLU", "re_lu"),
        ("ELU", "elu"),
        ("BatchNormalization", "batch_normalization"),
        ("L1L2", "l1l2"),
    ],
)
def test_snake_case_is_keras(name: str, expected: str):
    from keras.src.utils.naming import to_snake_case

    assert config.snake_case(name) == expected == to_snake_case(name)


def test_names_count_up_until_the_session_is_cleared():
    assert [config.unique_name("Dense") for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    config.clear_session()
    assert config.unique_name("Dense") == "dense"


def test_floatx_is_one_of_two():
    config.set_floatx("float64")
    assert config.floatx() == "float64"
    config.set_floatx("float32")
    with pytest.raises(DtypeError, match="float32 or float64, got dtype 'float16'"):
        config.set_floatx("float16")


def test_epsilon_is_kept():
    config.set_epsilon(1e-5)
    assert config.epsilon() == 1e-5
    config.set_epsilon(1e-7)
