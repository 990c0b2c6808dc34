"""Stepper: what a model does with one batch, which a subclass may write anew; traced once, then run for every batch."""

from __future__ import annotations

import warnings
from typing import Any

from lamina.graph.express import as_node
from lamina.graph.node import Node, label, leaf
from lamina.layers.calling import call_parameters
from lamina.models.data import unpack_x_y_sample_weight
from lamina.models.objective import Objective
from lamina.tape import GradientTape


class Stepper(Objective):
    """What one step is.

    The methods are called while a step is built, with nodes for arrays: once for each kind of data, as with
    ``tf.function``. What they assign (metrics, weights, variables of your own) happens in each run, and what is not of
    ``lamina.ops`` only once.
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch.

        Args:
            data: (x, y) or (x, y, sample_weight) as nodes, in the structures that were given; x alone without targets.

        Returns:
            What is logged, by name: results of metrics, and nodes that are one number, of which the last batch counts.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=True)
        loss = self._tracked_loss(x, y, y_pred, sample_weight, True)
        if variables := self.trainable_variables:
            slopes = GradientTape().gradient(self.optimizer.scale_loss(loss), variables)
            self.optimizer.apply(slopes, variables)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        with label("metrics"):
            return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate one batch; see ``train_step``."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self._tracked_loss(x, y, y_pred, sample_weight, False)
        with label("metrics"):
            return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for one batch.

        Args:
            data: x as nodes, in the structure that was given.
        """
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _tracked_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Node:
        """The loss of a batch, which counts in the mean as often as the batch has rows."""
        more = {"training": training} if "training" in call_parameters(type(self).compute_loss) else {}
        with label("loss"):
            loss = as_node(self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **more))
            if self._loss_tracker is not None:
                rows = leaf("rows", (), loss.dtype)
                self._loss_tracker.update_state(loss, sample_weight=rows)
        return loss
