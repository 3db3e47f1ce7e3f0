#!/usr/bin/env python

# coding: utf-8

# # Custom training with TensorFlow and Keras
#
# Most training needs no more than `compile` and `fit`. This assignment is about the rest: the loss that nobody has
# written for you yet, the metric that has to be right over a whole epoch, the layer that must work in a graph as it
# does in plain Python. In each question you write a small, real piece of a training program.
#
# How to work:
#
# - Complete the code cell below each question. Keep the names and the arguments that it gives you; add helpers as you
#   like, in the same cell.
# - Run the question's check cell whenever you want. It runs the public checks and tells you what each one looks at.
# - Your work is also graded with further checks on inputs that you have not seen. They ask for nothing that the
#   question does not ask for, so read its text to the end.
# - Before you hand in, choose *Restart and run all*. Your notebook is graded from the first cell to the last, in a
#   fresh process without network, and whatever an earlier session left behind is gone.
# - A question that you leave unfinished costs only its own points.
#
# TensorFlow and Keras come with long documentation. Use it: looking things up is part of the work.

# **Before you start.** Keep the folder `tests` beside this notebook: the check cells need it. Then run the next cell.
#
# *On Google Colab*, first upload the folder `tests` into the Files pane, and run `%pip install -q otter-grader` in a new cell.

# In[3]:


# Initialize Otter
import otter

grader = otter.Notebook()

# ## A loss of your own (10 points)
#
# A model becomes good at exactly what its loss asks for. If running out of stock costs you nine times as much as
# storing one item too many, mean squared error asks the wrong question; a quantile loss asks the right one.
#
# A plain function is enough for a loss that has nothing to remember. As soon as it has a hyperparameter, write a class:
# Keras then saves the hyperparameter with the model and brings it back when the model is loaded.
#
# **`log_cosh(y_true, y_pred)`** is such a function. With `error = y_pred - y_true` it returns the mean of
# log(cosh(error)) over the last axis, so two arrays or tensors of shape `(n, k)` give a tensor of shape `(n,)`.
#
# - cosh overflows float32 at 89, but errors up to ±10,000 must give the right value and the right gradient.
# - Errors of 0.001 cost about 5·10⁻⁷: be right to 3·10⁻⁷. Where the error is exactly 0 the gradient is 0, not NaN.
#
# **`QuantileLoss(quantile=0.5, **kwargs)`** is a subclass of `keras.losses.Loss`. With `error = y_true - y_pred` each
# output costs `max(quantile * error, (quantile - 1) * error)`.
#
# - `call(y_true, y_pred)` returns one number per example: the mean of the costs over the last axis. Reductions and
#   `sample_weight` are the base class's work, which takes `reduction` and `name` from `kwargs`.
# - A quantile that is not strictly between 0 and 1 raises a `ValueError`.
# - `get_config()` tells what the base class tells, and `"quantile"` as a plain number; a saved model keeps its quantile.
# - It works in `compile` and `fit`: stay with TensorFlow's or Keras's operations.
#
# An example: for `y_true = [[1.], [2.]]` and `y_pred = [[0.], [4.]]` the errors are 1 and -2. With `quantile=0.9` they cost
# 0.9 and 0.2, so the loss is 0.55; trained on it, a model learns to be too low for only one case in ten.
# For the same numbers `log_cosh` gives `[0.4338, 1.3250]`.

# In[5]:


import math

import numpy as np
import tensorflow as tf
from tensorflow import keras

# In[6]:


def log_cosh(y_true, y_pred):
    """log(cosh(e)) = log((exp(e) + exp(-e)) / 2) = softplus(2e) - e - log(2), and softplus never overflows."""
    y_pred = tf.convert_to_tensor(y_pred)
    e = y_pred - tf.cast(y_true, y_pred.dtype)
    return tf.reduce_mean(tf.math.softplus(2 * e) - e - math.log(2), axis=-1)


# quick look: should be [0.4338, 1.3250]
log_cosh([[1.0], [2.0]], [[0.0], [4.0]])

# In[7]:


class QuantileLoss(keras.losses.Loss):
    def __init__(self, quantile=0.5, **kwargs):
        if not 0 < quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, got {quantile}")
        super().__init__(**kwargs)
        self.quantile = float(quantile)

    def call(self, y_true, y_pred):
        y_pred = tf.convert_to_tensor(y_pred)
        missing = tf.cast(y_true, y_pred.dtype) - y_pred
        # the part that we are too low, and the part that we are too high
        under, over = tf.nn.relu(missing), tf.nn.relu(-missing)
        return tf.reduce_mean(self.quantile * under + (1.0 - self.quantile) * over, axis=-1)

    def get_config(self):
        return dict(super().get_config(), quantile=self.quantile)


print(float(QuantileLoss(0.9)([[1.0], [2.0]], [[0.0], [4.0]])), "should be 0.55")

# In[8]:


grader.check("q05_custom_loss")

# ## A metric that streams (10 points)
#
# Keras shows one number for an epoch, yet sees the epoch batch by batch. For a mean that is harmless. For F1 it is not: the
# average of the batches' F1 is not the F1 of the epoch, and it changes with the batch size. Many a published score was
# computed that way.
#
# **`within(tolerance)`** returns a function for `compile(metrics=[within(0.5)])`. Given `y_true` and `y_pred` of shape
# `(n, k)`, that function returns a float tensor of shape `(n,)`: for each example, the share of its `k` outputs with
# |y_true - y_pred| ≤ tolerance. Keras averages these numbers over the epoch, so a plain function is enough here.
#
# **`StreamingF1(threshold=0.5, **kwargs)`** is a subclass of `keras.metrics.Metric`; `kwargs` go to the base class.
#
# - `update_state(y_true, y_pred, sample_weight=None)` takes one batch. `y_true` holds zeros and ones, as integers or floats;
#   a score in `y_pred` predicts a one if it is greater than the threshold. An example of weight 3 counts as three examples.
#   Each argument has one value for each example, in shape `(n,)` or `(n, 1)`, and the shapes need not agree.
# - `result()` returns the scalar F1 = 2·TP / (2·TP + FP + FN) of all examples since the last reset, in true positives,
#   false positives and false negatives. Where that is 0 / 0, as before the first batch, it is 0.
# - The counts are weights of the metric from the start: whoever copies its `variables` into a new metric copies its result.
# - `reset_state()` forgets all examples. The base class sets every weight to zero, which may be all you need.
#   (In legacy Keras `reset_states()` does the same.)
# - `get_config()` tells what the base class tells, and `"threshold"` as a plain number.
# - It works in `compile`, `fit` and `evaluate`, with batches of any size.
#
# An example, at a threshold of 0.5: in the first batch `y_true = [1, 1]` and `y_pred = [0.9, 0.8]`, in the second
# `y_true = [0, 0]` and `y_pred = [0.6, 0.2]`. The batches' F1 are 1 and 0, with a mean of 0.5. All four examples together
# have two true positives and one false positive: their F1 is 4 / 5 = 0.8.

# In[10]:


def within(tolerance):
    def share_within(y_true, y_pred):
        y_pred = tf.convert_to_tensor(y_pred)
        hit = tf.abs(tf.cast(y_true, y_pred.dtype) - y_pred) <= tolerance
        return tf.reduce_mean(tf.cast(hit, tf.float32), axis=-1)

    return share_within


# In[11]:


class StreamingF1(keras.metrics.Metric):
    # F1 = 2 TP / (predicted ones + actual ones), since TP + FP are the predicted ones and TP + FN the actual ones.

    def __init__(self, threshold=0.5, name="streaming_f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.both = self.add_weight(name="both", shape=(), initializer="zeros")
        self.ones = self.add_weight(name="ones", shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        actual = flat(y_true)
        predicted = tf.cast(flat(y_pred) > self.threshold, tf.float32)
        weight = tf.ones_like(actual) if sample_weight is None else flat(sample_weight)
        self.both.assign_add(tf.reduce_sum(weight * actual * predicted))
        self.ones.assign_add(tf.reduce_sum(weight * (actual + predicted)))

    def result(self):
        return tf.math.divide_no_nan(2 * tf.convert_to_tensor(self.both), tf.convert_to_tensor(self.ones))

    def get_config(self):
        config = super().get_config()
        config["threshold"] = float(self.threshold)
        return config


def flat(x):
    return tf.reshape(tf.cast(x, tf.float32), [-1])


# In[12]:


m = StreamingF1()
m.update_state([1, 1], [0.9, 0.8])
m.update_state([0, 0], [0.6, 0.2])
print("F1 of the epoch:", m.result().numpy())

# In[13]:


grader.check("q06_streaming_metric")

# ## Ready for the graph (9 points)
#
# `fit` traces your layer once and then runs the graph, without Python. So does a server that loads your exported model,
# and it has none of your Python at all. Here you write one layer twice, to see what each way costs.
#
# Both layers take float32 inputs of shape `(batch, n)` and give float32 results of the same shape. Each row is treated on
# its own: its smallest value has rank 0, its largest n - 1, and equal values share the mean of their ranks; ranks are then
# divided by n - 1. A row of one value gives 0.
#
# **`NormalizedRanks()`** is a `keras.layers.Layer` that computes this with TensorFlow's or Keras's operations only.
#
# - It gives the same values when called directly, inside a `tf.function` traced for an unknown batch size, and inside `fit`.
# - No Python hides in its graph: no `py_function` or `numpy_function`, not even in the body of a loop or a map.
# - A model with it, exported by `model.export`, answers in a process that has never seen your code.
#
# **`PythonRanks()`** is a `keras.layers.Layer` that computes the same in ordinary Python or NumPy, through `tf.py_function`.
#
# - It works in all three places as well: the graph calls back into your Python.
# - A `py_function` does not know the shape of its result. Tell it, so that a `Dense` layer can follow.
# - Its exported model answers only in the process that holds your Python; anywhere else the first call fails.
#
# In a traced function the static shape of either result is that of the input: unknown batch size, n columns.
#
# An example: the row `[30., 10., 30., 20.]` has the ranks 2.5, 0, 2.5 and 1, so it becomes `[0.8333, 0., 0.8333, 0.3333]`.

# In[15]:


class NormalizedRanks(keras.layers.Layer):
    """The mean rank of equal values is halfway between the first and the last place that they take when sorted."""

    def call(self, inputs):
        in_order = tf.sort(inputs, axis=-1)
        first = tf.searchsorted(in_order, inputs, side="left")
        last = tf.searchsorted(in_order, inputs, side="right") - 1
        steps = tf.maximum(tf.shape(inputs)[-1] - 1, 1)
        ranks = tf.cast(first + last, tf.float32) / tf.cast(2 * steps, tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)


# In[16]:


def python_ranks(batch):
    out = []
    for row in batch.numpy().tolist():
        order = sorted(row)
        places = {value: order.index(value) + (order.count(value) - 1) / 2 for value in row}
        out.append([places[value] / max(len(row) - 1, 1) for value in row])
    return np.array(out, dtype="float32").reshape(batch.shape)


class PythonRanks(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # XLA cannot call back into Python

    def call(self, inputs):
        ranks = tf.py_function(python_ranks, [inputs], tf.float32)
        ranks.set_shape(inputs.shape)
        return ranks


# In[17]:


example = tf.constant([[30.0, 10.0, 30.0, 20.0]])
print(NormalizedRanks()(example).numpy())
print(PythonRanks()(example).numpy())

# In[18]:


grader.check("q09_graph_ready")

# ## Submission
#
# Make sure you have run all cells in your notebook in order before running the cell below, so that all images/graphs appear in the output. The cell below will generate a zip file for you to submit. **Please save before exporting!**
#
# If the cell cannot tell which notebook is yours, put the name first: `grader.export("my-notebook.ipynb", pdf=False)`.
# On Google Colab it does not work: hand in the notebook itself (File, Download, Download .ipynb). Your course says when it is due.

# In[20]:


# Save your notebook first, then run this cell to export your submission.
grader.export(pdf=False, ignore_log=True)
