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

# ## What TensorFlow offers (9 points)
#
# A tensor computes much as a NumPy array does. What you come to TensorFlow for lies around it: pipelines that feed `fit`,
# derivatives of your own code, graphs that run where your code is not, and, through Keras 3, operations that run on other
# libraries too. Make one small tool of each kind.
#
# **`make_batches(features, labels, batch_size, seed)`** returns a `tf.data.Dataset` that goes straight into `model.fit`.
# The two arrays hold n examples along their first axis; each element of the dataset is a pair of a batch of features and
# the batch of labels that belongs to it.
#
# - An epoch holds each example once, in batches of `batch_size`. What remains makes a last, smaller batch.
# - Each epoch has a new order, drawn from all n examples: any of them may come first.
# - With the same `seed`, and the same global seed, you get the same orders again; with another `seed`, other orders.
#
# **`derivative(fn, x)`** returns the derivative of `fn` at `x`, by reverse-mode automatic differentiation:
# `tf.GradientTape`. `x` is a Python float, or a float32 array or tensor; `fn` takes a tensor and works on each of its
# elements alone. The result is a float32 tensor of the shape of `x`. Two things make it useful:
#
# - Applied twice, it gives the second derivative: `derivative(lambda z: derivative(fn, z), x)`.
# - Where `fn` does not depend on its argument, the derivative is 0, not `None`. That also holds for the second derivative
#   of a straight line.
#
# **`Affine(kernel, bias)`** is a `tf.Module` that computes `x @ kernel + bias`. From float32 arrays of shape `(n, m)` and
# `(m,)` it makes its two trainable variables, `kernel` and `bias`.
#
# - `affine(x)` takes float32 of shape `(batch, n)` and returns a tensor of shape `(batch, m)`. It is a `tf.function`
#   whose signature leaves the batch size open.
# - `affine.export(folder)` writes a SavedModel with the values that the variables have by then; `folder` is a
#   `pathlib.Path` or a string. In a process without your code, `tf.saved_model.load(folder)(x)` gives what `affine(x)`
#   would, for every batch size.
#
# **`standardize(x)`** subtracts from each column of `x`, float32 of shape `(n, k)`, the column's mean, and divides by its
# standard deviation, the root of the mean squared deviation. A column of equal values becomes 0. Use only operations of
# Keras 3, `from keras import ops`, and Python's operators: then it also runs on PyTorch or JAX, and on a symbolic tensor,
# which has a shape but no numbers yet, such as `keras.Input(batch_shape=(8, 3))`. (In legacy Keras too, `import keras` is
# Keras 3.)
#
# An example: 5 examples in batches of 2 make batches of 2, 2 and 1. The derivative of x³ at 2 is 12, and the second one
# is 12 as well. With `kernel = [[2.], [1.]]` and `bias = [3.]`, `Affine` turns `[[1., 1.]]` into `[[6.]]`. And
# `standardize` turns `[[1., 7.], [3., 7.]]` into `[[-1., 0.], [1., 0.]]`.

# In[5]:


import os

import tensorflow as tf
from keras import ops

# In[6]:


def make_batches(features, labels, batch_size, seed):
    """Return a dataset of batches of pairs, in a new order for each epoch that the seed decides."""
    number_of_examples = len(features)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    # Shuffle single examples before they are batched, with a buffer that holds all of them:
    # only then can any example come first. (A buffer of size 0 is not allowed.)
    dataset = dataset.shuffle(max(number_of_examples, 1), seed=seed, reshuffle_each_iteration=True)
    return dataset.batch(batch_size)


# In[7]:


def derivative(fn, x):
    """Return the derivative of fn at each element of x."""
    point = tf.convert_to_tensor(x, dtype=tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)
        # A constant fn may return a plain Python number, so make a tensor of it.
        value = tf.convert_to_tensor(fn(point))
    if not value.dtype.is_floating:
        return tf.zeros_like(point)  # whole numbers cannot depend smoothly on anything
    # Outside this tape, but still inside an outer one if there is one: that gives second derivatives.
    slope = tape.gradient(value, point, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.convert_to_tensor(slope)


# In[8]:


class Affine(tf.Module):
    """Computes x @ kernel + bias, here and wherever it is exported to."""

    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel = tf.Variable(kernel, dtype=tf.float32, name="kernel")
        self.bias = tf.Variable(bias, dtype=tf.float32, name="bias")

    @tf.function(input_signature=[tf.TensorSpec(shape=[None, None], dtype=tf.float32)])
    def __call__(self, x):
        """Return x @ kernel + bias, of shape (batch, m)."""
        return x @ self.kernel + self.bias

    def export(self, folder):
        """Write a SavedModel that others can load and call."""
        tf.saved_model.save(self, os.fspath(folder))


# In[9]:


def standardize(x):
    """Return the columns of x with mean 0 and standard deviation 1, in operations of keras.ops alone."""
    # Compare the extremes: the mean of equal values may be rounded, so that the deviations are not exactly 0.
    is_constant = ops.equal(ops.max(x, axis=0, keepdims=True), ops.min(x, axis=0, keepdims=True))
    centered = ops.subtract(x, ops.mean(x, axis=0, keepdims=True))
    # Once more takes away what the rounding of a large mean has left.
    centered = centered - ops.mean(centered, axis=0, keepdims=True)
    centered = ops.where(is_constant, 0.0, centered)
    # Bring the largest deviation to 1 first, so that no square is too small or too large for float32.
    largest = ops.max(ops.absolute(centered), axis=0, keepdims=True)
    scaled = centered / ops.where(is_constant, 1.0, largest)
    deviation = ops.sqrt(ops.mean(ops.square(scaled), axis=0, keepdims=True))
    return scaled / ops.where(is_constant, 1.0, deviation)


# In[10]:


grader.check("q01_what_tensorflow_offers")

# ## Almost like NumPy (9 points)
#
# Code that worked in NumPy often runs in TensorFlow after a few names were changed, and then means something else: the
# mean of integers is cut off, a sum runs over the edge of int32, and nothing can be assigned to a slice. Write three
# functions that answer as NumPy does, and one object that may change.
#
# The three functions take arrays, tensors or variables, leave them as they were, and return new tensors. They work when
# they are called directly, and in a `tf.function` that is traced once for all sizes. NumPy has no part in it, nor has any
# other Python that runs with each call: no `numpy_function`, no `py_function`.
#
# **`column_summary(x)`** takes `x` of shape `(n, k)`, int32, int64, float32 or float64. It returns a dictionary with the
# keys `"sum"`, `"mean"` and `"std"`, whose values are tensors of shape `(k,)`: those of each column, with NumPy's values
# and dtypes.
#
# - Of integers NumPy's sum is int64, also if they are int32 and their sum is not; mean and deviation are float64.
# - Of floats all three keep the dtype of `x`.
# - The deviation is the root of the mean squared deviation from the mean.
#
# **`replace_rows(x, indices, rows)`** is `x[indices] = rows` without the assignment: a tensor like `x`, of shape `(n, k)`
# and of the same dtype, but with `rows[i]` in row `indices[i]`. `indices` are int32 or int64, of shape `(m,)`, and all
# different; `rows` are of shape `(m, k)`.
#
# - An index outside 0…n-1 raises `tf.errors.InvalidArgumentError`. Negative ones do too: they do not count from the end.
# - This must hold on every device. On a GPU the operations that scatter skip a wrong index in silence, so look at the
#   indices yourself with `tf.debugging`, which becomes part of the graph.
#
# **`swap_axes(x)`** swaps the first two axes of a tensor that has at least two, and leaves the others where they are:
# sequences of shape `(time, batch, features)` become `(batch, time, features)`. The number of axes is known when it is
# traced; any size may not be.
#
# **`RunningTotal(size)`** is a `tf.Module` that adds up float32 vectors of shape `(size,)`, arrays or tensors.
#
# - `add(x)` adds `x` to the total, which is 0 at first.
# - `result()` returns the total as a tensor, which stays what it is when more is added.
# - The total is the module's only `tf.Variable`. It is made with the module, so that `add` and `result` work directly as
#   well as inside a `tf.function`, traced once, and it stays the same variable. Each module has its own.
#
# An example, with lists for arrays: the columns of `[[1, 8], [2, 8]]` have the sums 3 and 16, the means 1.5 and 8, and
# the deviations 0.5 and 0. `replace_rows([[1, 8], [2, 8]], [1], [[5, 6]])` is `[[1, 8], [5, 6]]`, and with `[-1]` it
# raises. `swap_axes` gives `[[1, 2], [8, 8]]`.

# In[12]:


import tensorflow as tf

# In[13]:


def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    x = tf.convert_to_tensor(x)
    if x.dtype.is_integer:
        summands = tf.cast(x, tf.int64)
        numbers = tf.cast(x, tf.float64)
    else:
        summands = x
        numbers = x
    mean = tf.reduce_mean(numbers, axis=0)
    variance = tf.reduce_mean(tf.square(numbers - mean), axis=0)
    return {"sum": tf.reduce_sum(summands, axis=0), "mean": mean, "std": tf.sqrt(variance)}


# In[14]:


def replace_rows(x, indices, rows):
    """Return x with some of its rows replaced."""
    x = tf.convert_to_tensor(x)
    rows = tf.cast(tf.convert_to_tensor(rows, dtype_hint=x.dtype), x.dtype)
    indices = tf.cast(tf.convert_to_tensor(indices, dtype_hint=tf.int64), tf.int64)
    number_of_rows = tf.shape(x, out_type=tf.int64)[0]
    checks = [
        tf.debugging.assert_non_negative(indices, message="replace_rows: an index is negative"),
        tf.debugging.assert_less(indices, number_of_rows, message="replace_rows: an index is too large"),
    ]
    # When run directly the checks have been made by now, and there is nothing (None) to wait for.
    with tf.control_dependencies([check for check in checks if check is not None]):
        checked_indices = tf.identity(indices)
    # Which row of "x, and below it the new rows" belongs where? At first each to its own place.
    sources = tf.range(number_of_rows, dtype=tf.int64)
    new_sources = number_of_rows + tf.range(tf.shape(indices, out_type=tf.int64)[0], dtype=tf.int64)
    sources = tf.tensor_scatter_nd_update(sources, checked_indices[:, tf.newaxis], new_sources)
    result = tf.gather(tf.concat([x, rows], axis=0), sources)
    return tf.ensure_shape(result, x.shape)


# In[15]:


def swap_axes(x):
    """Return x with its first two axes swapped."""
    x = tf.convert_to_tensor(x)
    other_axes = list(range(2, x.shape.rank))
    return tf.transpose(x, perm=[1, 0] + other_axes)


# In[16]:


class RunningTotal(tf.Module):
    """Adds up vectors."""

    def __init__(self, size):
        super().__init__()
        self.total = tf.Variable(tf.zeros([size], dtype=tf.float32), trainable=False, name="total")

    def add(self, x):
        """Add a vector to the total."""
        self.total.assign_add(tf.convert_to_tensor(x, dtype=tf.float32))

    def result(self):
        """Return the total so far, as a tensor of its own."""
        return tf.identity(self.total.read_value())


# In[17]:


grader.check("q02_numpy_and_tensorflow")

# ## Default dtypes (8 points)
#
# `np.arange(10)` and `tf.range(10)` print the same numbers, yet the first are int64 and the second int32. NumPy makes
# float64 of int64 and float32 together; TensorFlow refuses to add such tensors at all. Data comes from NumPy, in 64 bits;
# models are float32. Every program that joins the two has to decide about dtypes somewhere, and where it does not decide,
# numbers are lost.
#
# **`arange_like_numpy(n)`** returns the integers 0 to n-1 as a tensor of shape `(n,)` with the dtype that NumPy gives
# them on most machines: int64. `n` is a Python integer.
#
# **`add_promoted(a, b)`** returns the sum of two tensors, each of dtype int32, int64, float32 or float64, of any rank,
# whose shapes can be broadcast. The result has the dtype that NumPy would give it:
#
# | | int32 | int64 | float32 | float64 |
# |---|---|---|---|---|
# | **int32** | int32 | int64 | float64 | float64 |
# | **int64** | int64 | int64 | float64 | float64 |
# | **float32** | float64 | float64 | float32 | float64 |
# | **float64** | float64 | float64 | float64 | float64 |
#
# - Whatever the result's dtype can hold is exact: float32 cannot hold the integer 16,777,217, and float64 can.
# - It also works inside a `tf.function` that is traced for unknown sizes. (The dtypes are known then.)
#
# **`to_single_precision(nested)`** prepares data for a model. `nested` is made of dictionaries, lists and tuples, however
# deep, some of them perhaps empty, and at the ends there are NumPy arrays and tensors. It returns the same structure with
# a tensor at each end:
#
# - what is float64 becomes float32;
# - every other dtype stays what it is, integers, booleans, strings and other floats included.
#
# Dictionaries, lists and tuples stay such, with the same keys and lengths: a list of arrays is no array. The structure
# that was given stays as it was.
#
# An example: the int32 tensor `[1, 2]` plus the float32 tensor `0.5` is the float64 tensor `[1.5, 2.5]`. And
# `{"x": np.array([0.5]), "ids": [np.array([7]), np.array([8, 9])]}` becomes a dictionary with a float32 tensor under
# `"x"` and a list of two int64 tensors under `"ids"`.

# In[19]:


import copy

import numpy as np
import tensorflow as tf

# In[20]:


def arange_like_numpy(n):
    """Return the integers 0 to n-1 as int64."""
    # np.arange of a negative number is empty, where tf.range would raise.
    return tf.range(max(n, 0), dtype=tf.int64)


# In[21]:


def add_promoted(a, b):
    """Return a + b in the dtype that NumPy would choose."""
    a = tf.convert_to_tensor(a)
    b = tf.convert_to_tensor(b)
    # NumPy itself knows its table; it is asked about dtypes only, so that this works while tracing, too.
    common = tf.as_dtype(np.result_type(a.dtype.as_numpy_dtype, b.dtype.as_numpy_dtype))
    # Cast before adding: after it, the digits would be lost already.
    return tf.cast(a, common) + tf.cast(b, common)


# In[22]:


def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    if isinstance(nested, dict):
        converted = copy.copy(nested)  # keeps the kind of dictionary and the order of its keys
        for key, value in nested.items():
            converted[key] = to_single_precision(value)
        return converted
    if isinstance(nested, list):
        return [to_single_precision(value) for value in nested]
    if isinstance(nested, tuple):
        values = [to_single_precision(value) for value in nested]
        if hasattr(nested, "_fields"):  # a namedtuple takes its values one by one
            return type(nested)(*values)
        return tuple(values)

    if isinstance(nested, (tf.RaggedTensor, tf.SparseTensor)):
        tensor = nested
    else:
        tensor = tf.convert_to_tensor(nested)
    if tensor.dtype == tf.float64:
        tensor = tf.cast(tensor, tf.float32)
    return tensor


# In[23]:


grader.check("q03_default_dtypes")

# ## More than arrays (10 points)
#
# Data seldom comes as a full rectangle of numbers. Sentences have different lengths, most users have voted on nothing,
# and a program's work comes in an order of its own. TensorFlow has a structure for each of these, and the functions that
# go with it. Write one small function for each.
#
# **`word_lengths(sentences)`**, with *strings and ragged tensors*: from a string tensor of shape `(n,)` it makes a
# `tf.RaggedTensor` of integers that holds, for each sentence, the lengths of its words. Words are separated by one or
# more ASCII spaces, and there may be spaces at either end. A length counts characters (Unicode code points), not bytes;
# the text is encoded in UTF-8. A sentence without words has an empty row.
#
# **`mean_of_rows(ragged)`**: from a ragged tensor of floats or integers with n rows of numbers it makes a float32 tensor
# of shape `(n,)` with the mean of each row. The mean of an empty row is 0.
#
# **`weighted_votes(sparse, weights)`**, with a *sparse tensor*: `sparse` is a float32 `tf.SparseTensor` of shape
# `(n, m)`, the votes of n users on m questions, and `weights` is a float32 tensor of shape `(m,)`. The result is a
# float32 tensor of shape `(n,)`: for each user, the sum of votes times weights. A million users and a million questions
# must be no trouble: as a dense matrix, that takes 4 terabytes.
#
# **`running_totals(x)`**, with a *tensor array*: from a float32 tensor of shape `(n,)`, n ≥ 1, it makes one of the same
# shape, whose elements are total after total. Each total is max(0, previous total + x), and before the first it is 0.
#
# - In a `tf.function`, one trace serves all lengths: the loop becomes part of the graph and writes to a `tf.TensorArray`.
# - Gradients flow through it, called directly as well as in a graph.
#
# **`jaccard(a, b)`**, with *sets*: `a` and `b` are tensors of shapes `(n,)` and `(m,)`, both int64 or both strings. Each
# stands for the set of its elements, so repeats count once. The result is a float32 scalar tensor: how many elements are
# in both sets, divided by how many are in at least one. Of two empty sets it is 0. See `tf.sets`.
#
# **`in_priority_order(items)`**, with a *queue*: `items` is a list of pairs `(priority, name)` of a Python integer and a
# string. Put the items into one of the queues in `tf.queue`, and return the list of the names, as Python strings, in the
# order of their priorities, the smallest first.
#
# - Names of equal priority leave in the order in which they arrived. By itself, a `PriorityQueue` does not promise that.
# - Without items the result is an empty list. Whoever takes from an empty queue waits for ever.
#
# An example: the sentences `["two  words", "", "né"]` have the lengths `[[3, 5], [], [2]]`, with the means 4, 0 and 2.
# Votes 1 and 2 with weights 10 and 20 make 50. The running totals of `[2., -3., 4., -1.]` are `[2., 0., 4., 3.]`.
# `[1, 2, 2]` and `[2, 3]` share one of three elements, which is 0.3333. And the items `[(2, "c"), (1, "b"), (2, "a")]`
# leave as `["b", "c", "a"]`.

# In[25]:


import tensorflow as tf

# In[26]:


def word_lengths(sentences):
    """Return the number of characters of each word, as a ragged tensor with a row for each sentence."""
    sentences = tf.convert_to_tensor(sentences, dtype=tf.string)
    # An explicit separator: without one, tabs and line breaks would separate words as well.
    # In return there are empty pieces between two spaces and at the ends; those are no words.
    pieces = tf.strings.split(sentences, sep=" ")
    lengths = tf.strings.length(pieces, unit="UTF8_CHAR")
    return tf.ragged.boolean_mask(lengths, lengths > 0)


# In[27]:


def mean_of_rows(ragged):
    """Return the mean of each row, or 0 for an empty one."""
    numbers = tf.cast(ragged, tf.float64)  # large integers survive the sum
    totals = tf.reduce_sum(numbers, axis=1)
    counts = tf.cast(ragged.row_lengths(), tf.float64)
    return tf.cast(tf.math.divide_no_nan(totals, counts), tf.float32)


# In[28]:


def weighted_votes(sparse, weights):
    """Return the sum of votes times weights for each row of a sparse tensor."""
    column = tf.convert_to_tensor(weights, dtype=tf.float32)[:, tf.newaxis]
    return tf.squeeze(tf.sparse.sparse_dense_matmul(sparse, column), axis=1)


# In[29]:


def running_totals(x):
    """Return the totals max(0, previous + x), one for each element of x."""
    x = tf.convert_to_tensor(x, dtype=tf.float32)
    length = tf.shape(x)[0]
    totals = tf.TensorArray(tf.float32, size=length, element_shape=())

    def not_finished(i, total, totals):
        return i < length

    def add_element(i, total, totals):
        total = tf.maximum(0.0, total + x[i])
        return i + 1, total, totals.write(i, total)

    # tf.while_loop is a loop in the graph when it is traced, and an ordinary one when called directly.
    _, _, totals = tf.while_loop(not_finished, add_element, [tf.constant(0), tf.constant(0.0), totals])
    return tf.ensure_shape(totals.stack(), x.shape)


# In[30]:


def jaccard(a, b):
    """Return the share of the elements of a or b that are in both."""
    # tf.sets works on rows of sets: each of these has one row.
    row_a = tf.convert_to_tensor(a)[tf.newaxis, :]
    row_b = tf.convert_to_tensor(b)[tf.newaxis, :]
    in_both = tf.sets.size(tf.sets.intersection(row_a, row_b))[0]
    in_either = tf.sets.size(tf.sets.union(row_a, row_b))[0]
    return tf.math.divide_no_nan(tf.cast(in_both, tf.float32), tf.cast(in_either, tf.float32))


# In[31]:


def in_priority_order(items):
    """Return the names in the order of their priorities, and of their arrival where those are equal."""
    if not items:
        return []  # nobody should wait for an empty queue
    count = len(items)
    # The queue compares one int64 each, so priority and arrival have to go into one number. The rank
    # among the priorities stands for the priority, so that this number stays small for any integer.
    distinct_priorities = sorted({priority for priority, _ in items})
    rank = {priority: position for position, priority in enumerate(distinct_priorities)}
    keys = [rank[priority] * count + arrival for arrival, (priority, _) in enumerate(items)]
    names = [name for _, name in items]

    queue = tf.queue.PriorityQueue(capacity=count, types=[tf.string], shapes=[()])
    queue.enqueue_many((tf.constant(keys, dtype=tf.int64), tf.constant(names, dtype=tf.string)))
    ordered = []
    for _ in range(count):
        _, name = queue.dequeue()
        ordered.append(name.numpy().decode("utf-8"))
    return ordered


# In[32]:


grader.check("q04_data_structures")

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

# In[34]:


import math

import tensorflow as tf
from tensorflow import keras

# In[35]:


def log_cosh(y_true, y_pred):
    """log(cosh(e)) = log((exp(e) + exp(-e)) / 2) = softplus(2e) - e - log(2), and softplus never overflows."""
    y_pred = tf.convert_to_tensor(y_pred)
    e = y_pred - tf.cast(y_true, y_pred.dtype)
    return tf.reduce_mean(tf.math.softplus(2 * e) - e - math.log(2), axis=-1)


# quick look: should be [0.4338, 1.3250]
log_cosh([[1.0], [2.0]], [[0.0], [4.0]])

# In[36]:


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

# In[37]:


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

# In[39]:


def within(tolerance):
    def share_within(y_true, y_pred):
        y_pred = tf.convert_to_tensor(y_pred)
        hit = tf.abs(tf.cast(y_true, y_pred.dtype) - y_pred) <= tolerance
        return tf.reduce_mean(tf.cast(hit, tf.float32), axis=-1)

    return share_within


# In[40]:


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


# In[41]:


m = StreamingF1()
m.update_state([1, 1], [0.9, 0.8])
m.update_state([0, 0], [0.6, 0.2])
print("F1 of the epoch:", m.result().numpy())

# In[42]:


grader.check("q06_streaming_metric")

# ## Layer or model? (9 points)
#
# A building block that other models reuse is a layer. What you train, evaluate and save is a model: it may have losses and
# metrics of its own. Here you write one of each.
#
# **`ScaledResidual(units, scale, rate, **kwargs)`** is a `keras.layers.Layer`. For inputs of shape `(batch, n)` it returns
# `inputs + scale * branch` in the same shape. The branch is a `Dense` layer of `units` with ReLU, then one of n without
# activation, then dropout.
#
# - `call(inputs, training=None)`: with `training=True`, and inside `fit`, dropout sets each number of the branch to zero with
#   probability `rate` and divides the others by `1 - rate`. Otherwise nothing is dropped.
#
# **`ReconstructingRegressor(units, weight=0.05, **kwargs)`** is a `keras.Model` that predicts one number, and is also asked to
# keep its inputs in mind. A `Dense` layer of `units` with ReLU feeds two more, neither with an activation: one of 1 gives the
# prediction, one of n tries to give the n inputs back.
#
# - Calling it on inputs of shape `(batch, n)` returns only the prediction, in shape `(batch, 1)`.
# - Let e be the mean of (reconstruction - input)² over all numbers of the batch. Each call adds `weight * e` to the loss with
#   `add_loss`: `model.losses` then holds it, and `fit` and `evaluate` add it to the loss that you compile.
# - Its attribute `reconstruction_error` is a `keras.metrics.Mean` of the same name, updated with e by each call, so that `fit`
#   and `evaluate` report it for each epoch.
#
# **Both of them**
#
# - `build(input_shape)` makes every weight for the n in `input_shape`, before any data is seen. A `Dense` layer has no weights
#   until it is built: call its `build` too. In legacy Keras end a model's `build` with `self.built = True`, not with
#   `super().build`.
# - Keras finds all their trainable weights: two kernels and two biases in the layer, three of each in the model.
# - `get_config()` tells what the base class tells, and the arguments by their names as plain numbers.
# - They survive saving. A model with your layer comes back from `keras.models.load_model`, which is told your class by
#   `custom_objects`. The weights of your trained model, saved by `save_weights`, can be loaded by a new one of the same
#   configuration that is built and has seen no data.
#
# An example: `ScaledResidual(8, 0.1, 0.5)` built for n = 3 has 3·8 + 8 + 8·3 + 3 = 59 numbers to train. If its branch gives 4
# for an input of 1, it returns 1.4; in training it returns 1 or 1.8.

# In[44]:


import tensorflow as tf
from tensorflow import keras

# In[45]:


@keras.utils.register_keras_serializable(package="custom_training")
class ScaledResidual(keras.layers.Layer):
    """The inputs plus a scaled branch of two dense layers, with dropout on the branch."""

    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.units = int(units)
        self.scale = float(scale)
        self.rate = float(rate)
        self.hidden = keras.layers.Dense(self.units, activation="relu", name="hidden")
        self.dropout = keras.layers.Dropout(self.rate, name="dropout")
        self.back_to_n = None  # made in build, since it needs n

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = int(input_shape[-1])
        self.hidden.build((None, n))
        self.back_to_n = keras.layers.Dense(n, name="back_to_n")
        self.back_to_n.build((None, self.units))
        self.built = True

    def call(self, inputs, training=None):
        """Return inputs + scale * branch; only training drops out."""
        branch = self.back_to_n(self.hidden(inputs))
        branch = self.dropout(branch, training=training)
        return inputs + self.scale * branch

    def get_config(self):
        """Return what `from_config` needs in order to make this layer again."""
        config = super().get_config()
        config.update({"units": self.units, "scale": self.scale, "rate": self.rate})
        return config


# In[46]:


@keras.utils.register_keras_serializable(package="custom_training")
class ReconstructingRegressor(keras.Model):
    """Predicts one number, and pays for what it forgets of its inputs."""

    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units = int(units)
        self.weight = float(weight)
        self.hidden = keras.layers.Dense(self.units, activation="relu", name="hidden")
        self.prediction = keras.layers.Dense(1, name="prediction")
        self.reconstruction = None  # made in build, since it needs n
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = int(input_shape[-1])
        self.hidden.build((None, n))
        self.prediction.build((None, self.units))
        self.reconstruction = keras.layers.Dense(n, name="reconstruction")
        self.reconstruction.build((None, self.units))
        self.built = True

    def call(self, inputs):
        """Return the prediction, having added the reconstruction loss and updated the metric."""
        features = self.hidden(inputs)
        restored = self.reconstruction(features)
        error = tf.reduce_mean(tf.square(restored - tf.cast(inputs, restored.dtype)))
        self.add_loss(self.weight * error)
        self.reconstruction_error.update_state(error)
        return self.prediction(features)

    def get_config(self):
        """Return what `from_config` needs in order to make this model again."""
        config = super().get_config()
        config.update({"units": self.units, "weight": self.weight})
        return config


# In[47]:


grader.check("q07_layer_or_model")

# ## A training loop of your own (10 points)
#
# Callbacks, losses, regularizers and metrics cover almost everything that `fit` does not do by itself. One thing they do not
# cover is a model whose parts have different optimizers. Wide and deep models are trained like that: the wide, linear part
# learns simple rules by FTRL or SGD, the deep part learns the rest by Adam. For this you write the loop yourself.
#
# **`build_wide_and_deep(n_features)`** returns a Keras model that takes `(batch, n_features)` and gives `(batch, 1)`: the sum of
# two layers, each of which sees all features. `model.get_layer` finds them by these names:
#
# - `"wide"`: a `Dense` layer of 1 without activation;
# - `"deep"`: a `keras.Sequential` of a `Dense` layer of 16 with ReLU and a `Dense` layer of 1 without activation.
#
# **`train(model, dataset, epochs, wide_optimizer, deep_optimizer)`** trains any Keras model that has two layers of these names,
# whatever they are made of; nothing else in it has weights to train. The dataset gives batches of `(x, y)`, where y has
# shape `(batch, 1)`; the last batch of an epoch may be shorter.
#
# - Each batch, in the dataset's order, is one step. Its loss is the mean squared error of the batch plus all of
#   `model.losses`, where regularizers leave their penalties.
# - In each step the wide optimizer moves the weights of the wide layer, and the deep optimizer those of the deep layer, along
#   the gradients of that one loss.
# - The model runs in training mode, so that dropout drops and batch normalization updates its averages.
# - It returns a list with one Python float for each epoch: the mean of the losses of that epoch's steps, each step counting
#   once, as they were before its update.
# - The step is a `tf.function`. However many steps and epochs there are, the Python of a model that is built runs at most
#   three times: the first trace makes the optimizers' variables, and a short last batch may need one more.
# - `train` can be called again, with other models and new optimizers. It draws no random numbers of its own, so that two runs
#   with the same seed agree.
#
# An example: two steps with losses 4 and 2, then two with 1 and 1, return `[3.0, 1.0]`. A wide optimizer with learning rate 0
# leaves the wide layer as it was, while the deep layer learns.

# In[49]:


import tensorflow as tf
from tensorflow import keras

# In[50]:


def build_wide_and_deep(n_features):
    """Return a model that adds up a linear layer "wide" and a small network "deep"."""
    inputs = keras.Input(shape=(n_features,))
    wide = keras.layers.Dense(1, name="wide")
    deep = keras.Sequential(
        [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)],
        name="deep",
    )
    outputs = keras.layers.Add()([wide(inputs), deep(inputs)])
    return keras.Model(inputs, outputs)


# In[51]:


def train(model, dataset, epochs, wide_optimizer, deep_optimizer):
    """Train both parts, each by its own optimizer; return the mean loss of each epoch as a list of floats."""

    def apply_where_known(optimizer, gradients, variables):
        """Move the variables that the loss depends on; a part may also have none at all."""
        pairs = [(g, v) for g, v in zip(gradients, variables) if g is not None]
        if pairs:
            optimizer.apply_gradients(pairs)

    # The step is made anew for each call of train, because a tf.function that has made the variables
    # of one pair of optimizers cannot make those of another.
    @tf.function(reduce_retracing=True)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            predictions = model(x, training=True)
            loss = tf.reduce_mean(tf.square(tf.cast(y, predictions.dtype) - predictions))
            for penalty in model.losses:
                loss += tf.cast(penalty, loss.dtype)
        wide_variables = model.get_layer("wide").trainable_variables
        deep_variables = model.get_layer("deep").trainable_variables
        # Both gradients belong to the same loss, so take them before either optimizer moves anything.
        wide_gradients, deep_gradients = tape.gradient(loss, [wide_variables, deep_variables])
        apply_where_known(wide_optimizer, wide_gradients, wide_variables)
        apply_where_known(deep_optimizer, deep_gradients, deep_variables)
        return loss

    history = []
    for _ in range(epochs):
        step_losses = [train_step(x, y) for x, y in dataset]
        total = sum(float(loss) for loss in step_losses)
        history.append(total / len(step_losses) if step_losses else 0.0)
    return history


# In[52]:


grader.check("q08_training_loop")

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

# In[54]:


class NormalizedRanks(keras.layers.Layer):
    """The mean rank of equal values is halfway between the first and the last place that they take when sorted."""

    def call(self, inputs):
        in_order = tf.sort(inputs, axis=-1)
        first = tf.searchsorted(in_order, inputs, side="left")
        last = tf.searchsorted(in_order, inputs, side="right") - 1
        steps = tf.maximum(tf.shape(inputs)[-1] - 1, 1)
        ranks = tf.cast(first + last, tf.float32) / tf.cast(2 * steps, tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)


# In[55]:


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


# In[56]:


example = tf.constant([[30.0, 10.0, 30.0, 20.0]])
print(NormalizedRanks()(example).numpy())
print(PythonRanks()(example).numpy())

# In[57]:


grader.check("q09_graph_ready")

# ## The rules of TF functions (9 points)
#
# `tf.function` runs your Python once, to trace it, and from then on it runs the graph. Whatever Python does besides making
# operations happens while tracing, and never again. The six pieces below look right, and without a graph some of them are.
# Each breaks one rule of TF functions; mend them.
#
# - **`make_noisy(seed)`** returns a function `noisy(x)` that adds standard normal noise to a float32 vector. NumPy draws it while
#   `noisy` is traced, so that it is the same for ever. Draw anew with every call, direct or within anybody's graph. Two functions
#   made with the same seed give the same sequence of noise when they are called directly, with another seed another one.
# - **`logistic_orbit(values, y)`** replaces y by `v * y * (1 - y)` for each v of a float32 vector, and returns the last y, a float32
#   scalar. In a graph it unrolls the loop. Let the graph loop, with a `While` or `StatelessWhile` in it: it can be traced for
#   vectors of unknown length, empty ones too, and is no larger for 500 values than for 5.
# - **`AuditedDouble()`** is a layer that returns twice its inputs, and its attribute `calls` tells how often it did. In a graph
#   only the tracing is counted. Count every call, direct or whenever a graph runs, even if the layer occurs in it several times.
#   Let `calls` be a variable.
# - **`make_total()`** returns a `tf.function` `total(x)` that adds the sum of a float32 vector to a running total and returns the
#   total, a scalar. It makes a variable with every call. Make one for each function that `make_total` returns: their totals
#   are independent, begin at 0, and take vectors of any length, also within other graphs.
# - **`trace_once(fn)`** returns a function of `(x, factor)` that computes `fn(x, factor)` in a graph. Called with Python numbers
#   it traces `fn` for each of them, even with `reduce_retracing`. Here x is a float32 vector of any length, and factor a Python
#   integer or float, which `fn` gets as a float32 scalar tensor. However many it is called with, `fn`'s Python runs at most twice.
# - **`limit_to_one(x)`** divides a float32 vector by its largest absolute value if that is more than 1, and otherwise returns it
#   unchanged. In a graph it asks for the truth of a tensor that has no value yet. One trace must serve both cases, for vectors
#   of any length but 0.
#
# An example: `logistic_orbit([2., 4.], 0.5)` goes from 0.5 to 2·0.5·0.5 = 0.5 and on to 4·0.5·0.5 = 1, and returns 1.
# `limit_to_one([1., -4.])` gives `[0.25, -1.]`.

# In[59]:


import tensorflow as tf
from tensorflow import keras

# In[60]:


def make_noisy(seed):
    """Return a function that adds standard normal noise to a vector."""
    # TensorFlow's own generator keeps its state in a variable, so that a graph moves it on, too.
    generator = tf.random.Generator.from_seed(seed)

    @tf.function(input_signature=[tf.TensorSpec(shape=[None], dtype=tf.float32)])
    def noisy(x):
        return x + generator.normal(shape=tf.shape(x), dtype=tf.float32)

    return noisy


# In[61]:


def logistic_orbit(values, y):
    """Return what y = v * y * (1 - y) makes of y, for each v of a vector in turn."""
    values = tf.convert_to_tensor(values, dtype=tf.float32)
    y = tf.convert_to_tensor(y, dtype=tf.float32)
    length = tf.shape(values)[0]

    def not_finished(i, y):
        return i < length

    def next_y(i, y):
        return i + 1, values[i] * y * (1 - y)

    _, last_y = tf.while_loop(not_finished, next_y, [tf.constant(0), y])
    return last_y


# In[62]:


class AuditedDouble(keras.layers.Layer):
    """Doubles its inputs, and counts how often."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = self.add_weight(name="calls", shape=(), dtype="int64", initializer="zeros", trainable=False)

    def call(self, inputs):
        """Return twice the inputs."""
        self.calls.assign_add(1)
        return 2 * inputs


# In[63]:


def make_total():
    """Return a function that adds the sum of a vector to a running total, and returns the total."""
    running = tf.Variable(0.0, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec(shape=[None], dtype=tf.float32)])
    def total(x):
        running.assign_add(tf.reduce_sum(x))
        return running.read_value()

    return total


# In[64]:


def trace_once(fn):
    """Return a function that computes fn(x, factor) in a graph, for any vector x and any number."""
    vector = tf.TensorSpec(shape=[None], dtype=tf.float32)
    scalar = tf.TensorSpec(shape=[], dtype=tf.float32)

    @tf.function(input_signature=[vector, scalar])
    def in_graph(x, factor):
        return fn(x, factor)

    def with_number(x, factor):
        # The number becomes a tensor before the graph's function sees it: to that, all numbers are alike.
        if not tf.is_tensor(factor):
            factor = float(factor)
        return in_graph(tf.convert_to_tensor(x, dtype=tf.float32), tf.cast(factor, tf.float32))

    return with_number


# In[65]:


def limit_to_one(x):
    """Return a vector divided by its largest absolute value, if that is more than 1."""
    x = tf.convert_to_tensor(x, dtype=tf.float32)
    largest = tf.reduce_max(tf.abs(x))
    # Choose the divisor in the graph; to divide by 1 changes nothing.
    divisor = tf.where(largest > 1.0, largest, 1.0)
    return x / divisor


# In[66]:


grader.check("q10_tf_function_rules")

# ## When to run eagerly (7 points)
#
# Run eagerly, a model is ordinary Python: breakpoints stop, prints print, and `call` may use any library. The price is speed,
# and a model that needs its Python cannot be exported. Here you pay that price where you have to, and measure it.
#
# **`SentimentRules(rule, **kwargs)`** is a `keras.Model` that scores texts by an ordinary Python function.
#
# - It is called on a string tensor of shape `(batch,)`. `rule(text)` takes one text as a Python `str` and returns a number; it is
#   called once for each text of each batch. A `Dense` layer of 1 without activation turns that number into the prediction, so
#   the result has shape `(batch, 1)`, and the `Dense` layer can learn.
# - It runs wherever it is run eagerly. In legacy Keras it declares with `dynamic=True` in `super().__init__` that it must be, and
#   then trains after a plain `compile`. Keras 3 has no such argument.
#
# **`compile_for_debugging(model)`** compiles any model so that its Python runs for every batch, also if it was compiled and trained
# otherwise before. The loss is the mean squared error, the optimizer Adam with learning rate 0.01. It returns the model.
#
# **`calls_per_epoch(model, dataset)`** takes a model that does not need to be eager, and whose `call` adds to its attribute
# `model.calls`, a Python integer. It compiles the model with the mean squared error, once to run eagerly and once to run in a
# graph, and measures each time how much `calls` grows in one epoch of `fit`. A first epoch builds and traces: let it pass as a
# warm-up, and count the one after. It returns a dictionary such as `{"eager": 12, "traced": 0}`.
#
# **`is_portable(model, example, folder)`** tells whether a model can leave your Python behind, and if so lets it go.
#
# - First it calls the model on `example`, a float32 batch as an array. What that raises is a bug of the model's: let it be raised.
# - It returns `False` if the model cannot be traced for such inputs with an unknown batch size, or if there is a `PyFunc`,
#   `PyFuncStateless` or `EagerPyFunc` operation anywhere in its graph, nested function bodies included.
# - Otherwise it writes the model to `folder`, a path, with `model.export` and returns `True`. If the folder cannot be written, that
#   is no answer either: let the error be raised.
#
# An example: with `rule = len`, a weight of 2 and a bias of 1, `SentimentRules` predicts `[[9.], [5.]]` for `["good", "no"]`. A
# model that turns its inputs into NumPy arrays in `call` is not portable; neither is one with a loop over
# `range(inputs.shape[0])`, nor one with a `tf.py_function` in the body of a map.

# In[68]:


import tensorflow as tf
from tensorflow import keras

# In[69]:


class SentimentRules(keras.Model):
    """Scores texts by an ordinary Python function, and learns what a score is worth."""

    def __init__(self, rule, **kwargs):
        if keras.__version__.startswith("2."):
            kwargs["dynamic"] = True  # legacy Keras wants to be told; Keras 3 has no such argument
        super().__init__(**kwargs)
        self.rule = rule
        self.worth = keras.layers.Dense(1, name="worth")
        # One score for each text: the weights' shapes are known already, and nothing need be traced for them.
        self.worth.build((None, 1))

    def build(self, input_shape):
        """There is nothing left to build."""
        self.built = True

    def compute_output_shape(self, input_shape):
        """Return the shape of the predictions."""
        return (input_shape[0], 1)

    def call(self, texts):
        """Return one prediction for each text, in shape (batch, 1)."""
        texts = tf.reshape(tf.convert_to_tensor(texts), [-1])
        scores = [float(self.rule(text.decode("utf-8"))) for text in texts.numpy()]
        return self.worth(tf.constant(scores, dtype=tf.float32, shape=(len(scores), 1)))


# In[70]:


def forget_compiled_functions(model):
    """Throw away the functions that an earlier fit, evaluate or predict has left in a model."""
    model.train_function = None
    model.test_function = None
    model.predict_function = None


def compile_for_debugging(model):
    """Compile a model so that its Python runs for every batch, and return it."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.01),
        loss=keras.losses.MeanSquaredError(),
        run_eagerly=True,
    )
    forget_compiled_functions(model)
    return model


# In[71]:


def calls_per_epoch(model, dataset):
    """Return how much model.calls grows in an epoch after the first, as {"eager": …, "traced": …}."""
    growth = {}
    for name, run_eagerly in [("eager", True), ("traced", False)]:
        model.compile(loss=keras.losses.MeanSquaredError(), run_eagerly=run_eagerly, jit_compile=False)
        forget_compiled_functions(model)
        model.fit(dataset, epochs=1, verbose=0)  # the warm-up
        calls_before = model.calls
        model.fit(dataset, epochs=1, verbose=0)
        growth[name] = model.calls - calls_before
    return growth


# In[72]:


PYTHON_OPERATIONS = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def uses_python(graph):
    """Return whether an operation that calls back into Python is in a graph, or in a function inside it."""
    graph_def = graph.as_graph_def()
    operations = {node.op for node in graph_def.node}
    for function in graph_def.library.function:
        operations.update(node.op for node in function.node_def)
    return bool(operations & PYTHON_OPERATIONS)


def is_portable(model, example, folder):
    """Return whether a model needs no Python; export it to the folder if so."""
    model(example)  # not within the try: its errors are the caller's business

    any_batch = tf.TensorSpec(shape=[None, *example.shape[1:]], dtype=tf.float32)
    try:
        traced = tf.function(lambda x: model(x), input_signature=[any_batch]).get_concrete_function()
    except Exception:  # whatever it is that stops the tracing
        return False
    if uses_python(traced.graph):
        return False

    model.export(str(folder))  # again outside the try: a folder that cannot be written is an error
    return True


# In[73]:


grader.check("q11_when_to_run_eagerly")

# ## Submission
#
# Make sure you have run all cells in your notebook in order before running the cell below, so that all images/graphs appear in the output. The cell below will generate a zip file for you to submit. **Please save before exporting!**
#
# If the cell cannot tell which notebook is yours, put the name first: `grader.export("my-notebook.ipynb", pdf=False)`.
# On Google Colab it does not work: hand in the notebook itself (File, Download, Download .ipynb). Your course says when it is due.

# In[75]:


# Save your notebook first, then run this cell to export your submission.
grader.export(pdf=False, ignore_log=True)
