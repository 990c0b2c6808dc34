"""The base of all layers: names, weights, freezing, penalties, calls; what layers do besides their equation."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.errors import DataError, GraphError, LaminaError, ShapeError

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


def test_a_layer_counts_in_whole_numbers() -> None:
    class Counting(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.calls = self.add_weight((), "zeros", "int32", trainable=False, name="calls")

        def call(self, inputs: Any) -> Any:
            self.calls.assign_add(1)
            return inputs

    model = lamina.Sequential([lamina.Input((3,)), Counting(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], batch_size=2, epochs=2, verbose=0)
    calls = model.layers[0].calls
    assert (calls.numpy(), calls.dtype, calls.numpy().dtype) == (6, "int32", np.int32)


def test_names_count_up() -> None:
    lamina.utils.clear_session()
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.LeakyReLU().name, layers.BatchNormalization().name]
    assert names == ["dense", "dense_1", "leaky_re_lu", "batch_normalization"]


def test_weights_are_in_keras_order_and_stay_there() -> None:
    layer = layers.BatchNormalization()
    layer(X)
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [v.name for v in layer.weights] == names
    assert [v.name for v in layer.trainable_weights] == names[:2]
    layer.trainable = False
    assert [v.name for v in layer.weights] == names
    assert layer.trainable_weights == []
    assert [v.name for v in layer.non_trainable_weights] == names


def test_freezing_reaches_the_layers_inside() -> None:
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2), layers.Dense(1)])
    model.trainable = False
    assert not any(layer.trainable for layer in model.layers)
    assert model.trainable_weights == []
    model.layers[0].trainable = True
    assert model.trainable_weights == []  # as in Keras: the model itself is frozen
    model.trainable = True
    assert len(model.trainable_weights) == 4


def test_a_frozen_batch_normalization_uses_its_averages() -> None:
    layer = layers.BatchNormalization()
    layer(X)
    layer.trainable = False
    before = layer.get_weights()
    np.testing.assert_allclose(layer(X, training=True), X / np.sqrt(1 + 1e-3), rtol=1e-6)
    for a, b in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_moving_averages_move() -> None:
    layer = layers.BatchNormalization()
    layer(np.array([[1.0, 2.0], [3.0, 6.0]]), training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), [0.02, 0.04], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), [1.0, 1.03], rtol=1e-6)  # 0.99 + 0.01 · (1 and 4)


def test_penalties() -> None:
    """1/3 Σ… of Keras's documentation: l2 on the kernel, and on the outputs divided by the batch size."""
    model = lamina.Sequential([
        lamina.Input((1,)),
        layers.Dense(1, kernel_initializer="ones", kernel_regularizer=lamina.regularizers.L2(0.5),
                     activity_regularizer=lamina.regularizers.L2(0.1)),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    x, y = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(1 / 3 + 0.5 + 0.1 * 14 / 3)
    model(x)
    assert [float(loss) for loss in model.losses] == pytest.approx([0.1 * 14 / 3, 0.5])
    model.trainable = False
    assert len(model.losses) == 1


def test_dropout_is_off_but_in_training() -> None:
    x = np.ones((400, 50), "float32")
    layer = layers.Dropout(0.3, seed=1)
    np.testing.assert_array_equal(layer(x), x)
    first, second = layer(x, training=True), layer(x, training=True)
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.7)}
    assert abs((first == 0).mean() - 0.3) < 0.01  # 20,000 draws: σ = 0.003
    assert (first != second).any()
    np.testing.assert_array_equal(layers.Dropout(0.3, seed=1)(x, training=True), first)
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), 0)


def test_arguments_of_older_versions_are_taken_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="`alpha` is deprecated"):
        assert layers.LeakyReLU(alpha=0.2).negative_slope == 0.2
    with pytest.warns(UserWarning, match="`input_length` is deprecated"):
        assert "input_length" not in layers.Embedding(5, 2, input_length=3).get_config()
    with pytest.warns(UserWarning, match="`rms_scaling=True` is deprecated"):
        layer = layers.LayerNormalization(rms_scaling=True)
    np.testing.assert_allclose(layer(X), X / np.sqrt(X.var(1, keepdims=True) + 1e-3), rtol=1e-5)
    assert [w.name for w in layer.weights] == ["gamma"]


def test_preprocessing_layers_take_single_values() -> None:
    assert layers.Discretization([0.0, 1.0])(0.5) == 1
    assert layers.StringLookup(vocabulary=["b", "a"])("a") == 2
    np.testing.assert_array_equal(layers.CategoryEncoding(4)(2), [0, 0, 1, 0])


def test_adapt() -> None:
    data = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 80.0]])
    layer = layers.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer(data), (data - data.mean(0)) / data.std(0), rtol=1e-5)
    layer.adapt(data + 5)
    np.testing.assert_allclose(layer.mean.numpy(), data.mean(0) + 5, rtol=1e-6)
    whole = layers.Normalization(axis=None)
    whole.adapt(data)
    np.testing.assert_allclose(whole(data), (data - data.mean()) / data.std(), rtol=1e-5)


def test_adapt_to_a_large_mean_keeps_the_variance() -> None:
    layer = layers.Normalization(dtype="float64")
    layer.adapt(np.array([[1e8 + 1], [1e8 + 3]]))
    np.testing.assert_allclose(layer.variance.numpy(), [1.0])
    np.testing.assert_allclose(layer(np.array([[1e8 + 3]])), [[1.0]])


def test_a_constant_feature_is_not_divided_by_zero() -> None:
    layer = layers.Normalization()
    layer.adapt(np.full((3, 1), 7.0))
    np.testing.assert_array_equal(layer(np.full((2, 1), 7.0)), 0.0)


def test_inverse_undoes() -> None:
    given = {"mean": [1.0, -2.0, 3.0], "variance": [4.0, 0.5, 9.0]}
    there, back = layers.Normalization(**given), layers.Normalization(**given, invert=True)
    np.testing.assert_allclose(back(there(X)), X, rtol=1e-5, atol=1e-6)


def test_a_first_table_for_an_embedding() -> None:
    table = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=[table])
    np.testing.assert_array_equal(layer(np.array([2, 0])), table[[2, 0]])
    np.testing.assert_array_equal(layer(np.array([2.9])), table[[2]])  # float indices are cut off


def test_a_mask_for_softmax() -> None:
    found = layers.Softmax()(np.zeros((1, 3)), mask=np.array([[True, False, True]]))
    np.testing.assert_allclose(found, [[0.5, 0.0, 0.5]])


def test_a_row_that_is_masked_whole_is_0() -> None:
    assert layers.Softmax()(np.zeros((1, 2)), mask=np.zeros((1, 2))).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("layer", [layers.Add, layers.Multiply])
def test_missing_axes_come_after_the_batch(layer: type[layers.Layer]) -> None:
    wide, narrow = np.arange(24.0).reshape(2, 3, 4), np.arange(8.0).reshape(2, 4)
    expected = wide + narrow[:, None] if layer is layers.Add else wide * narrow[:, None]
    assert layer()([wide, narrow]).tolist() == expected.tolist()


def test_inputs_keep_their_kind() -> None:
    assert layers.Identity()(np.array([1, 2], "int64")).dtype == np.int32
    assert layers.Identity()(np.array([1.0, 2.0])).dtype == np.float32
    assert layers.Dense(2)(np.array([[1, 2]])).dtype == np.float32


class Affine(layers.Layer):
    """A layer with a sublayer, a dictionary of layers and a variable of its own."""

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.inner = layers.Dense(units)
        self.others = {"b": layers.Dense(1), "a": layers.Dense(1)}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.scale = self.add_weight((self.units,), "ones", name="scale", regularizer="l2")
        self.seen = self.add_weight((), "zeros", trainable=False, name="seen")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            self.seen.assign_add(1.0)
        return self.scale * self.inner(inputs) + self.others["b"](inputs)


def test_a_layer_of_ones_own() -> None:
    layer = Affine(2)
    kernel_free = layer(X)
    assert kernel_free.shape == (6, 2)
    assert [v.name for v in layer.weights] == ["scale", "seen", "kernel", "bias", "kernel", "bias"]
    assert [v.path.split("/")[0] for v in layer.weights[:2]] == [layer.name] * 2
    layer(X, training=True)
    layer(X, training=True)
    assert float(layer.seen.numpy()) == 2.0
    assert Affine.from_config(layer.get_config()).units == 2
    assert float(layer.losses[0]) == pytest.approx(0.02)


def test_training_is_handed_down() -> None:
    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.drop = layers.Dropout(0.5, seed=1)

        def call(self, inputs: Any) -> Any:
            return self.drop(inputs)

    assert (Outer()(np.ones((20, 5)), training=True) == 0).any()
    assert not (Outer()(np.ones((20, 5))) == 0).any()


def test_two_arguments() -> None:
    class Shifted(layers.Layer):
        def build(self, x_shape: Any, shift_shape: Any) -> None:
            self.shapes = (x_shape, shift_shape)

        def call(self, x: Any, shift: Any) -> Any:
            return x + shift

    layer = Shifted()
    np.testing.assert_array_equal(layer(X, shift=np.ones((1, 3), "float32")), X + 1)
    assert layer.shapes == ((6, 3), (1, 3))
    assert layer.get_build_config() == {"shapes_dict": {"x_shape": (6, 3), "shift_shape": (1, 3)}}


class Misnamed(layers.Layer):
    def build(self, first_size: Any, second_size: Any) -> None:
        self.sizes = (first_size, second_size)

    def call(self, a: Any, b: Any) -> Any:
        return a + b


class Forgetful(layers.Layer):
    def __init__(self) -> None:
        self.units = 3

    def call(self, x: Any) -> Any:
        return x


def unkept() -> Any:
    class Unkept(layers.Layer):
        def __init__(self, units: Any):
            super().__init__()

    return Unkept(np.array([3])).get_config()  # plain values are noted, an array is not


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "width": (lambda: built(layers.Dense(2))(X[:, :2]), ShapeError, r"axis -1 .* value 3, but received .* \(6, 2\)"),
    "rank": (lambda: layers.Dense(2)(X[0]), ShapeError, r"min_ndim=2, found ndim=1. Full shape received: \(3,\)"),
    "a list of numbers": (lambda: layers.Dense(2)([[1.0, 2.0]]), DataError, "Only input tensors"),
    "text": (lambda: layers.Dense(2)(np.array([["a"]])), DataError, "Invalid dtype: str32"),
    "whole numbers too large": (lambda: layers.Embedding(3, 2)(np.array([2**25])), DataError, "beyond 16777216"),
    "index": (lambda: layers.Embedding(3, 2)(np.array([1, 5])), IndexError, "5"),
    "units": (lambda: layers.Dense(0), ValueError, "`units` of Dense, expected a positive integer"),
    "rate": (lambda: layers.Dropout(1.5), ValueError, "between 0 and 1"),
    "shape of noise": (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), ValueError, "positive integers or None"),
    "rank of noise": (
        lambda: layers.Dropout(0.5, noise_shape=(1,))(X, training=True), ShapeError, "one size for each axis",
    ),
    "slope": (lambda: layers.LeakyReLU(-0.1), ValueError, "cannot be negative"),
    "an argument misspelt": (
        lambda: layers.Dense(2, activaton="relu"), ValueError, "activaton; did you mean 'activation'",
    ),
    "super().__init__ in a model": (lambda: lamina.Sequential([Forgetful()]), LaminaError, r"super\(\).__init__"),
    "NumPy's functions": (
        lambda: own(lambda x: np.exp(x)), GraphError, "mine: a Node has no numbers .* use lamina.ops",
    ),
    "nothing returned": (lambda: own(lambda x: None), GraphError, "mine: Mine.call returned None"),
    "argument": (lambda: layers.Dense(2, unit=3), ValueError, r"argument\(s\) unit"),
    "activation": (lambda: layers.Dense(2, activation="rellu"), ValueError, "'rellu'; did you mean 'relu'"),
    "dtype": (lambda: layers.Dense(2, dtype="float31"), ValueError, "float31"),
    "rank of a mask": (
        lambda: layers.BatchNormalization()(X, mask=np.ones((6, 3), bool)), ShapeError, "one dimension less",
    ),
    "shape of a mask": (
        lambda: layers.Softmax()(X, mask=np.ones((6, 2), bool)), ShapeError, r"broadcastable .*mask.shape=\(6, 2\)",
    ),
    "times of a mask": (
        lambda: layers.TimeDistributed(layers.Dense(2))(X[None], mask=np.ones((1, 2), bool)),
        ShapeError, "first two sizes must be equal",
    ),
    "order of data": (
        lambda: layers.GlobalMaxPooling1D(data_format="first"), ValueError, "must be 'channels_last'",
    ),
    "clipping": (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"r": 1}), ValueError, r"invalid keys \['r'\]",
    ),
    "bounds of clipping": (
        lambda: layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 2, "rmax": 1}), ValueError, "rmin ≤ r",
    ),
    "axis of layer normalization": (lambda: layers.LayerNormalization("last"), TypeError, "received: 'last'"),
    "one array to add": (lambda: layers.Add()(X), ShapeError, "list of inputs"),
    "shapes to add": (lambda: layers.Add()([X, X[:, :2]]), ShapeError, r"\(6, 3\) and \(6, 2\)"),
    "shapes to join": (lambda: layers.Concatenate()([X, X[:3]]), ShapeError, "matching shapes"),
    "one array for a product": (lambda: layers.Dot(1)([X]), ShapeError, "list of 2 inputs"),
    "sizes of a product": (lambda: layers.Dot(1)([X, X[:, :2]]), ShapeError, r"3 \(at axis 1\) != 2 \(at axis 1\)"),
    "the batch in a product": (lambda: layers.Dot(0)([X, X]), ShapeError, "names the batch axis"),
    "axes of a product": (lambda: layers.Dot((1, 2, 3)), ValueError, "two integers"),
    "an equation": (lambda: layers.EinsumDense("ab,bc", 3), ValueError, "Invalid einsum equation"),
    "rank for an equation": (
        lambda: layers.EinsumDense("abc,cd->abd", (None, 3))(X), ShapeError, "'abc' does not fit an array of rank 2",
    ),
    "size for an equation": (
        lambda: layers.EinsumDense("ab,bc->ac", (None,))(X), ShapeError, "the size of 'c' in 'ab,bc->ac' is neither",
    ),
    "sizes that do not match": (
        lambda: layers.EinsumDense("ab,bc->ab", 4)(X), ShapeError, "dimension 'b'. Input shape is 3, and output .* 4",
    ),
    "letter of a bias": (
        lambda: layers.EinsumDense("ab,bc->ac", 2, bias_axes="x")(X), ValueError, "Bias dimension 'x'",
    ),
    "groups": (lambda: layers.GroupNormalization(0), ValueError, "`groups`, expected a positive integer"),
    "features in groups": (lambda: layers.GroupNormalization(2)(X), ShapeError, "3 features .* groups=2"),
    "nothing to wrap": (lambda: layers.TimeDistributed("dense"), ValueError, "dense supplied to TimeDistributed"),
    "no axis of times": (lambda: layers.TimeDistributed(layers.Dense(2))(X), ShapeError, "at least 3 dimensions"),
    "no kernel": (
        lambda: layers.SpectralNormalization(layers.ReLU())(X), ValueError, "ReLU object has no attribute 'kernel'",
    ),
    "no iterations": (
        lambda: layers.SpectralNormalization(layers.Dense(2), 0), ValueError, "greater than zero",
    ),
    "rank of places": (lambda: layers.SpatialDropout1D(0.1)(X), ShapeError, "expected ndim=3, found ndim=2"),
    "no function": (lambda: layers.Lambda("relu"), TypeError, "needs a function, got 'relu'"),
    "a lambda in a file": (
        lambda: lamina.saving.serialize_keras_object(layers.Lambda(lambda x: x)), LaminaError, "lambda cannot be",
    ),
    "a layer for images": (lambda: layers.Conv2D, AttributeError, "'Conv2D': it works on images"),
    "a name by position": (
        lambda: layers.Layer().add_weight("kernel", (2,)), ValueError, "`name` must be passed as a keyword",
    ),
    "too much by position": (
        lambda: layers.Layer().add_weight((2,), "ones", "float32", True), TypeError, "at most 3 positional arguments",
    ),
    "a number as a shape": (lambda: layers.Layer().add_weight(shape=3), ValueError, "Cannot convert '3' to a shape"),
    "a size unknown": (lambda: layers.Layer().add_weight(shape=(None, 2)), ShapeError, "every size must be known"),
    "trainable": (lambda: layers.Dense(2, trainable="no"), ValueError, "Expected `trainable` to be a boolean"),
    "names of shapes": (
        lambda: Misnamed()(X, X), ValueError, r"'misnamed', received .* `first_size`; `call\(\)` takes \['a', 'b",
    ),
    "a penalty of text": (lambda: layers.Dense(2).add_loss("x"), ValueError, "invalid value: x"),
    "add_metric": (lambda: layers.Dense(2).add_metric(3), TypeError, "deprecated"),
    "quantize": (lambda: layers.Dense(2).quantize("int8"), ValueError, "float32 and float64"),
    "no input yet": (lambda: layers.Dense(2).input, AttributeError, "has never been called"),
    "stateless and not built": (lambda: layers.Dense(2).stateless_call([], [], X), ValueError, "must be built"),
    "values for a call": (lambda: built(layers.Dense(2)).stateless_call([], [], X), ValueError, "each of the 2"),
    "a weight after all": (lambda: built(layers.Dense(2)).add_weight((1,)), ValueError, "layer that is already built"),
    "a layer after all": (
        lambda: setattr(built(layers.Dense(2)), "more", layers.Dense(1)), ValueError, "layer that is already built",
    ),
    "two unknown sizes": (lambda: layers.Reshape((-1, -1)), ValueError, "at most one unknown"),
    "order to flatten": (lambda: layers.Flatten("first"), ValueError, "must be 'channels_last'"),
    "size to reshape": (lambda: layers.Reshape((2,))(X), ShapeError, "must be unchanged"),
    "rank of the averages": (lambda: built(layers.BatchNormalization())(X[None]), ShapeError, "expected ndim=2"),
    "axis of the rows": (lambda: layers.Normalization(axis=0), ValueError, "may not be 0"),
    "mean without variance": (lambda: layers.Normalization(mean=1.0), ValueError, "both `mean` and `variance`"),
    "adapt to text": (lambda: layers.Normalization().adapt(np.array([["a"]])), DataError, "needs rows of numbers"),
    "adapt after all": (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(X), LaminaError, "cannot `adapt`"),
    "weights": (lambda: built(layers.Dense(2)).set_weights([X]), ShapeError, "length 1, but .* expecting 2"),
    "shape of weights": (lambda: built(layers.Dense(2)).set_weights([X, X]), ShapeError, r"\(3, 2\) .* \(6, 3\)"),
    "super().__init__": (lambda: Forgetful()(X), LaminaError, r"super\(\).__init__"),
    "config": (unkept, TypeError, "'units'.*get_config"),
    "no call": (lambda: layers.Layer()(X), TypeError, "must define call"),
}  # fmt: skip


def own(equation: Callable[[Any], Any]) -> np.ndarray:
    class Mine(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return equation(inputs)

    return Mine(name="mine")(X)


def built(layer: layers.Layer) -> layers.Layer:
    layer(X)
    return layer


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(name: str) -> None:
    act, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        act()


def test_layers_by_name_and_by_record() -> None:
    record = layers.serialize(layers.Dense(3, name="three"))
    assert layers.deserialize(record).name == "three"
    assert layers.deserialize({"class_name": "Dense", "config": {"units": 2}}).units == 2
    with pytest.raises(ValueError, match="Dens.*did you mean 'Dense'"):
        layers.deserialize({"class_name": "Dens", "config": {}})


def test_ops_on_arrays_inside_a_layer_work() -> None:
    class Shift(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + ops.mean(np.array([1.0, 3.0], "float32"))

    np.testing.assert_allclose(Shift()(X), X + 2.0)


class RunningSum(layers.Layer):
    def build(self, input_shape):
        self.total = self.add_weight(shape=input_shape[1:], initializer="zeros", trainable=False)

    def call(self, inputs):
        self.total.assign_add(ops.sum(inputs, axis=0))
        return self.total


def test_a_variable_that_a_layer_returns_has_its_new_value():
    layer, x = RunningSum(), np.ones((2, 3), "float32")
    np.testing.assert_array_equal(layer(x), [2, 2, 2])
    np.testing.assert_array_equal(layer(x), [4, 4, 4])


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy, "copy": copy.copy, "pickle": lambda layer: pickle.loads(pickle.dumps(layer)),
}  # fmt: skip


@pytest.mark.parametrize("again", COPIES)
def test_a_copy_learns_by_itself(again: str):
    first = built(layers.Dense(3))
    other = COPIES[again](first)
    other.name = "other"
    model = lamina.Sequential([lamina.Input((3,)), first, other])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    assert len(model.trainable_weights) == 4
    assert np.abs(first.kernel.numpy() - other.kernel.numpy()).max() > 0
    np.testing.assert_allclose(model.predict(X, verbose=0), other(first(X)), rtol=1e-6)


@pytest.mark.parametrize("again", COPIES)
def test_a_copy_is_built_by_itself(again: str):
    first = layers.Dense(2)
    other = COPIES[again](first)
    other(X)
    assert [first.built, other.built] == [False, True]
    assert [len(first.weights), len(other.weights)] == [0, 2]


def test_an_error_of_ones_own_says_in_which_layer_it_happened() -> None:
    def broken(x: Any) -> Any:
        return {}["key"]

    with pytest.raises(KeyError) as caught:
        lamina.Sequential([lamina.Input((2,)), lamina.layers.Lambda(broken, name="cut")])
    assert caught.value.__notes__[0] == "in layer 'cut': Lambda of (None, 2)"
