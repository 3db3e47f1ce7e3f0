import tensorflow as tf
from tensorflow import keras


# %%
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


# %%
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


# %%
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


# %%
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
