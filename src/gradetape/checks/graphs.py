"""Functions as graphs: saved beside the student's code, and loaded again in another process.

In a notebook both happen in one process. Students receive this file with public checks that use `exported`, so it is
short and contains nothing secret.
"""

from __future__ import annotations

from typing import Any

from gradetape.checks.marks import in_worker

tf: Any


@in_worker
def export_graphs(functions: Any, signatures: Any, folder: Any) -> None:
    """Save the graphs of functions for some signatures: lists of specs and of plain values, which are not traced."""
    autograph = tf.__internal__.autograph

    def traced(function: Any, signature: Any) -> Any:
        converted = autograph.tf_convert(function, autograph.control_status_ctx())

        def call(*tensors: Any) -> Any:
            left = iter(tensors)
            result = converted(*[next(left) if isinstance(each, tf.TypeSpec) else each for each in signature])
            return None if isinstance(result, tf.Operation) else result  # as of metrics in tf-keras

        specs = [each for each in signature if isinstance(each, tf.TypeSpec)]
        # A tf.function would be traced once more where it is saved.
        return tf.function(call, autograph=False).get_concrete_function(*specs)

    def module(owners: Any) -> Any:
        made = tf.Module()
        for name, graph in graphs.items():
            setattr(made, name, graph)
            setattr(made, f"variables_of_{name}", list(graph.graph.variables))
        made.owners = owners
        return made

    graphs = {
        f"{name}_{number}": traced(function, signature)
        for name, function in functions.items()
        for number, signature in enumerate(signatures[name])
    }
    owners = [getattr(function, "__self__", function) for function in functions.values()]
    bare = tf.saved_model.SaveOptions(experimental_skip_saver=True)  # nobody serves or trains what is saved
    try:
        tf.saved_model.save(module([]), str(folder), signatures={}, options=bare)
    except AssertionError:  # tables and other resources are saved with their owner alone
        tracked = [each for each in owners if isinstance(each, tf.__internal__.tracking.AutoTrackable)]
        tf.saved_model.save(module(tracked), str(folder), signatures={}, options=bare)


@in_worker
def optimize_nothing() -> None:
    """Graphs run once or twice here: to improve them takes longer than it saves."""
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@in_worker
def restore_graphs(folder: Any, signatures: Any) -> Any:
    """Return functions that call the saved graphs, and whether none of these has a state."""
    restored = tf.saved_model.load(str(folder))

    def tensors_of(args: Any, signature: Any) -> Any:
        found = []
        for value, each in zip(args, signature, strict=True):
            if not isinstance(each, tf.TypeSpec):
                if type(value) is not type(each) or value != each:
                    return None
                continue
            tensor = tf.convert_to_tensor(value)
            if tensor.dtype != each.dtype or not each.shape.is_compatible_with(tensor.shape):
                return None
            found.append(tensor)
        return found

    def dispatched(name: Any) -> Any:
        def call(*args: Any) -> Any:
            for number, signature in enumerate(signatures[name]):
                tensors = tensors_of(args, signature) if len(args) == len(signature) else None
                if tensors is not None:
                    return getattr(restored, f"{name}_{number}")(*tensors)
            raise TypeError(f"{name} was not exported for such inputs")

        return call

    graphs = [getattr(restored, f"{name}_{number}") for name in signatures for number in range(len(signatures[name]))]
    captured = [tensor for graph in graphs for tensor in graph.captured_inputs]
    return {name: dispatched(name) for name in signatures}, not any(each.dtype == tf.resource for each in captured)
