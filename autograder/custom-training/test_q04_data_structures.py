"""Hidden checks: structures that are large, empty, of any length, or full of equals."""

import numpy as np

from gradetape.checks import (
    assert_close,
    assert_each,
    assert_grads_flow,
    hint,
    in_worker,
    limit,
    ops_in,
    points,
    proves,
)
from gradetape.checks.corners import strings


def sentences_of(rng, alphabet, count):
    """Draw sentences of words of 1 to 9 characters, with up to three spaces around each, some without a word."""
    sentences = []
    for words in rng.integers(0, 5, size=count):
        text = ["".join(rng.choice(list(alphabet), size=rng.integers(1, 10))) for _ in range(words)]
        sentences.append(" " * rng.integers(3) + "".join(word + " " * rng.integers(1, 4) for word in text))
    return sentences


@in_worker
def lengths_in(word_lengths, batches):
    """Return the dtype, the number of ragged dimensions and the rows for each batch of sentences."""
    results = []
    for batch in batches:
        given = word_lengths(tf.constant(batch, tf.string, shape=[len(batch)]))
        ragged = isinstance(given, tf.RaggedTensor)
        results.append(
            (given.dtype.name, given.ragged_rank, given.to_list()) if ragged else ("no ragged tensor", 0, [])
        )
    return results


@points(1)
@proves("ragged-integers", "ascii-spaces", "characters", "row-per-sentence", "no-sentences")
@hint(
    "Which spaces separate words? And what do you return if no sentence of the batch has a word, or if there is none?"
)
def test_words_in_every_script(student, exported, tf, rng):
    """Words of every script are counted in characters, in batches with few words, with one sentence, and with none."""
    spaces = "ab\u00a0\u1680\u2002\u2028\u202f\u3000\ufeff"  # only " " is ASCII
    texts = [text for text in strings().values() if not {"\t", "\n"} & {*text}]
    texts += [*sentences_of(rng, "ab!éß日本Ω😀", 8), *sentences_of(rng, spaces, 8), "word" * 75]
    texts = [texts[i] for i in rng.permutation(len(texts))]
    batches = [texts, [*texts[:3], "", "  "], *([text] for text in texts), ["", "   ", ""], [" "], []]
    graph = exported.if_possible(word_lengths=[tf.TensorSpec([None], "string")]).word_lengths
    for function in (graph, student.word_lengths):
        for batch, (dtype, rank, rows) in zip(batches, lengths_in(function, batches), strict=True):
            expected = [[len(word) for word in text.split(" ") if word] for text in batch]
            assert dtype.lstrip("u").startswith("int") and rank == 1, (
                f"expected ragged integers for {batch}, but it is {dtype}, {rank}"
            )
            assert rows == expected, f"expected {expected} for {batch}, but it is {rows}"


def rows_of_many_kinds(rng):
    """Return numbers and row lengths by a description."""
    lengths = rng.permutation([0, 1, 3, 0, 300, 6])
    count, big = lengths.sum(), np.repeat(10.0 ** np.arange(6)[::-1], lengths)
    found = {
        "integers with zeros": (rng.integers(-3, 4, size=count), lengths),
        "float64": (rng.normal(3, 1, size=count), lengths),
        "rows of different magnitudes": ((rng.uniform(1, 2, size=count) * big).astype("float32"), lengths),
        "empty rows at the end": (rng.uniform(1, 9, size=5).astype("float32"), [2, 3, 0, 0]),
        "empty rows at the beginning": (rng.integers(1, 9, size=5), [0, 0, 5]),
        "one row": (rng.uniform(1, 9, size=4).astype("float32"), [4]),
        "rows of equal lengths": (rng.integers(1, 9, size=6).astype("int32"), [2, 2, 2]),
        "empty rows only": (np.zeros(0, "float32"), [0, 0, 0]),
        "empty rows of integers only": (np.zeros(0, "int64"), [0]),
        "no rows": (np.zeros(0, "float32"), np.zeros(0, "int64")),
        "not a number, and infinity": (np.array([1, np.nan, 2, 3, np.inf], "float32"), [2, 0, 1, 2]),
        "large float16": (rng.uniform(4e4, 6e4, size=9).astype("float16"), [4, 0, 5]),
    }
    for dtype in ("int8", "int32", "int64"):
        top = np.iinfo(dtype).max
        found[f"large {dtype}"] = (rng.integers(top - top // 8, top, size=9, dtype=dtype), [4, 0, 5])
    return found


@in_worker
def means_of(mean_of_rows):
    """Make a function that gives the means of the rows which numbers and the lengths of the rows make."""

    def means(values, lengths):
        return mean_of_rows(tf.RaggedTensor.from_row_lengths(values, tf.cast(lengths, tf.int64), validate=False))

    return means


@points(1)
@proves("mean-of-each-row", "no-overflow", "empty-row", "no-rows")
@hint("Which dtype do the sums have? Is a row empty if its mean is NaN? What if the last rows, or all, are empty?")
def test_rows_of_every_kind(student, exported, tf, rng):
    """The means are right for every dtype, for large and small numbers, for NaN, and wherever rows are empty."""

    def means(values, lengths):
        rows = np.split(np.asarray(values, "float64"), np.cumsum(lengths)[:-1]) if len(lengths) else []
        return np.array([row.mean() if len(row) else 0 for row in rows], "float32")

    cases = {case: (values, np.asarray(lengths)) for case, (values, lengths) in rows_of_many_kinds(rng).items()}
    dtypes, function = ("int64", "float32"), means_of(student.mean_of_rows)
    specs = [(tf.TensorSpec([None], dtype), tf.TensorSpec([None], "int64")) for dtype in dtypes]
    graph = exported.if_possible(means=(function, specs)).means
    some = {case: parts for case, parts in cases.items() if parts[0].dtype.name in dtypes}
    # float32 sums of 300 numbers agree to about 1e-6 of their magnitude
    assert_each(graph, some, means, rtol=1e-5, atol=1e-5)
    assert_each(function, cases, means, rtol=1e-5, atol=1e-5)


def votes_of(rng, users, questions, count):
    """Draw votes at different places, in any order, as indices and values."""
    places = rng.permutation(np.unique(rng.integers(users * questions, size=count)))
    indices = np.stack(np.divmod(places, questions), axis=1)
    return indices, rng.normal(0, 3, size=len(places)).astype("float32")


@in_worker
def of_parts(weighted_votes):
    """Make a function that weighs the votes which are given as the parts of a sparse tensor."""

    def weighted(indices, values, users, questions, weights):
        with tf.device("CPU:0"):  # on a GPU the product of sparse and dense is not deterministic, and refused
            return weighted_votes(tf.SparseTensor(indices, values, (users, questions)), tf.convert_to_tensor(weights))

    return weighted


@points(1)
@proves("votes-times-weights", "any-order", "never-dense")
@hint("Multiply without leaving the sparse tensor: tf.sparse has a product, or sum up its values by their indices.")
def test_votes(student, exported, rng):
    """Votes are weighted and added up for each user, with one user, without votes, and with a million users."""
    sizes, cases = ((1, 1, 1), (1, 7, 9), (7, 1, 5), (5, 8, 0), (6, 9, 70), (10**6, 10**6, 5000)), {}
    for users, questions, count in sizes:
        weights = rng.normal(0, 3, size=questions).astype("float32")
        parts = *votes_of(rng, users, questions, count), users, questions, weights
        cases[f"{users} users, {questions} questions, {count} votes"] = parts

    def sums(indices, values, users, questions, weights):
        found = np.bincount(indices[:, 0], values * weights[indices[:, 1]], minlength=users)
        return found.astype("float32")

    function = of_parts(student.weighted_votes)
    for each in (exported.if_possible(weighted=(function, list(cases.values()))).weighted, function):
        assert_each(each, cases, sums, rtol=1e-5, atol=1e-5)


def ups_and_downs(rng, length):
    """Draw numbers whose sum falls far below 0 in the middle, and rises again at the end."""
    x = rng.normal(size=length).astype("float32")
    x[length // 2] = -rng.uniform(1e6, 2e6)
    x[0], x[-1] = rng.uniform(1, 2, size=2)
    return x


def totals(x):
    """Return the running totals, in NumPy."""
    result = [0.0]
    for value in x.tolist():
        result.append(max(0.0, result[-1] + value))
    return np.array(result[1:], "float32")


@in_worker
def on_tensors(fn):
    """Make a function take arrays."""
    return lambda *arrays: fn(*map(tf.constant, arrays))


@points(1)
@proves("floor-at-zero", "one-graph")
@hint("In a graph, `write` returns the array to go on with, and a length that is not known yet comes from tf.shape.")
def test_one_graph_for_every_length(student, exported, tf, rng):
    """One trace, with a loop and a tensor array in it, is right for every length, and so is a direct call."""
    vector = tf.TensorSpec((None,), "float32")
    graph = exported(running_totals=[vector]).running_totals
    numbers = [
        ups_and_downs(rng, length)
        for length in rng.permutation([1, 2, *rng.integers(5, 30, size=3), rng.integers(150, 250)])
    ]
    cases = {str(i): (x,) for i, x in enumerate((*numbers, -np.abs(numbers[0]), 1e4 * numbers[-1]))}
    for fn in map(on_tensors, (graph, student.running_totals)):
        assert_each(fn, cases, totals, rtol=1e-5, atol=1e-5)
    found = ops_in(graph, vector)
    assert {"While", "StatelessWhile"} & {*found}, "no loop is in the graph"
    assert "TensorListSetItem" in found, "nothing is written to a tensor array in the graph"


@points(0.5)
@proves("gradients")
@hint("A gradient flows only through TensorFlow's operations.")
def test_gradients_flow_through_the_totals(student, exported, tf, rng):
    """Each number counts for its own total and those that follow, up to the first that is 0."""
    graph = exported(running_totals=[tf.TensorSpec((None,), "float32")]).running_totals
    for length in (1, int(rng.integers(10, 40))):
        x, slopes = ups_and_downs(rng, length), [0]
        for total in reversed(totals(x)):
            slopes.append(slopes[-1] + 1 if total > 0 else 0)
        for fn in (student.running_totals, graph):
            assert_close(assert_grads_flow(fn, x), slopes[:0:-1])


def pairs_of_sets(rng):
    """Return pairs of lists of integers by a description."""
    a, b = rng.integers(-15, 20, size=20).tolist(), rng.integers(-10, 30, size=15).tolist()
    near = (2**53 + rng.permutation(9)).tolist()
    return {
        "sets with repeats": ([*a, *b[:3], *b[:2]], b),
        "the first empty": ([], b),
        "the second empty": (a, []),
        "both empty": ([], []),
        "the same set": (a, a[::-1]),
        "a part of a set": (b[:4], b),
        "nothing in common": ([1, 2, 2], [3]),
        "zero in one set": ([0, 1], [1]),
        "zero in both sets": ([0, 5], [0, 6]),
        "zero alone": ([0], [0]),
        "one element each": (a[:1], b[:1]),
        "many elements": (rng.integers(400, size=300).tolist(), rng.integers(400, size=200).tolist()),
        "neighbours": (near[:6], near[4:]),
        "neighbours near the ends": ([2**63 - 1, -(2**63), -1], [2**63 - 2, -(2**63), 1]),
    }


@points(1)
@proves("sets", "every-element", "share-in-both", "empty-sets")
@hint("tf.sets works on the last axis of tensors with two or more. What do you divide by if both sets are empty?")
def test_jaccard(student, exported, tf, rng):
    """The similarity is right for integers and strings of every kind, with repeats, and for empty sets."""
    texts, cases = ["", " ", "a", "A", "a ", "é", "e\u0301", "0", "00", "日本"], {}
    for case, pair in pairs_of_sets(rng).items():
        names = [[texts[i] if 0 <= i < len(texts) else str(i) for i in part] for part in pair]
        cases[f"{case}, integers"] = tuple(np.array(part, "int64") for part in pair)
        cases[f"{case}, strings"] = tuple(np.array(part, "U9") for part in names)

    def share(a, b):
        one, other = {*a.tolist()}, {*b.tolist()}
        return np.float32(len(one & other) / max(len(one | other), 1))

    vectors = [tf.TensorSpec([None], dtype) for dtype in ("int64", "string")]
    graph = exported.if_possible(jaccard=[(each, each) for each in vectors]).jaccard
    for function in map(on_tensors, (graph, student.jaccard)):
        assert_each(function, cases, share)


@in_worker
def watched(in_priority_order, lines):
    """Return for each line of items what was given twice, what became of the items, and the queues' dequeues."""
    taken, methods = (
        [],
        {name: getattr(tf.queue.QueueBase, name) for name in dir(tf.queue.QueueBase) if "dequeue" in name},
    )

    def counted(method):
        return lambda *args, **kwargs: (taken.append(method), method(*args, **kwargs))[1]

    try:
        for name, method in methods.items():
            setattr(tf.queue.QueueBase, name, counted(method))
        results = []
        for items in lines:
            mine = list(items)
            before = len(taken)
            results.append((in_priority_order(mine), in_priority_order(mine), mine, len(taken) - before))
        return results
    finally:
        for name, method in methods.items():
            setattr(tf.queue.QueueBase, name, method)


@points(0.5)
@limit(6)
@proves("priority-order", "equal-priorities", "no-items")
@hint("Let the arrival be part of the priority. And does anyone wait for an item that never comes?")
def test_equals_in_a_queue(student, rng):
    """Equals leave the queue as they came, however many they are, and without items there is nothing to wait for."""
    many = [f"item {number}" for number in rng.integers(1000, size=1200)]
    far_apart = rng.choice([-(10**9), 10**9, 10**9 - 1, 0, -1, 1], size=30)
    lines = [
        list(zip(priorities.tolist(), names, strict=False))
        for priorities, names in (
            (rng.integers(-2, 3, size=40), many),
            (rng.integers(-1, 2, size=1200), many),
            (far_apart, ["é", "", "日本", "b", "a", "Z"] * 5),
            (np.zeros(30, "int64"), many[::-1]),
            (rng.integers(-9, 10, size=1), many),
        )
    ]
    for items, (given, again, left, taken) in zip(lines, watched(student.in_priority_order, lines), strict=True):
        expected = [name for _, name in sorted(items, key=lambda item: item[0])]
        assert given == expected, f"{len(items)} items"
        assert again == expected, f"{len(items)} items, the second time"
        assert left == items, "the items were changed"
        assert taken > 0, "nothing was taken out of a queue"
    assert student.in_priority_order([]) == []
