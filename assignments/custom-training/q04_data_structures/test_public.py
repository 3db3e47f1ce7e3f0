import numpy as np

from gradetape.checks import assert_tensor, hint, in_worker, points, proves


def sentence(rng, alphabet):
    """Draw a sentence of at least one word, with more spaces than it needs."""
    words = ["".join(rng.choice(list(alphabet), size=rng.integers(1, 8))) for _ in range(rng.integers(1, 6))]
    return " " * rng.integers(3) + "".join(word + " " * rng.integers(1, 4) for word in words)


@in_worker
def rows_of(word_lengths, sentences):
    """Return what was given if it is not a ragged tensor of integers, and its rows if it is."""
    given = word_lengths(tf.constant(sentences))
    if not isinstance(given, tf.RaggedTensor):
        return repr(given), None
    return "" if given.dtype.is_integer else repr(given.dtype), given.to_list()


@points(1)
@proves("ragged-integers", "ascii-spaces", "characters", "row-per-sentence")
@hint("How many bytes does a character take that is not ASCII? And what lies between two spaces?")
def test_word_lengths(exported, tf, rng):
    """The lengths of words are counted in characters, and every sentence has a row, if only an empty one."""
    sentences = [sentence(rng, "abcxyz"), "", sentence(rng, "éß日本Ω😀"), "  ", sentence(rng, "xyz…Å") + "   z"]
    word_lengths = exported.if_possible(word_lengths=[tf.TensorSpec([None], "string")]).word_lengths
    other, rows = rows_of(word_lengths, sentences)
    assert not other, f"expected a ragged tensor of integers, but your code gave {other}"
    for text, row in zip(sentences, rows, strict=True):
        expected = [len(word) for word in text.split()]
        assert row == expected, f"expected {expected} for {text!r}, but your code gave {row}"


@in_worker
def on_rows(mean_of_rows):
    """Make a function that takes the numbers of a ragged tensor and the lengths of its rows."""

    def means(values, lengths):
        return mean_of_rows(tf.RaggedTensor.from_row_lengths(values, lengths))

    return means


@points(1)
@proves("mean-of-each-row", "empty-row")
@hint("What is 0 / 0 in an empty row? And by how many numbers do you divide in the other rows?")
def test_mean_of_rows(student, exported, rng):
    """Each row has its own mean, and that of an empty row is 0."""
    lengths = np.append(rng.permutation([0, 1, 2, 5, 7]), 0)
    cases = [rng.uniform(1, 9, size=15).astype("float32"), rng.integers(1, 99, size=15)]
    function = on_rows(student.mean_of_rows)
    graph = exported.if_possible(means=(function, [(cases[0], lengths)])).means
    for means, values in ((graph, cases[0]), *((function, values) for values in cases)):
        rows = np.split(values, np.cumsum(lengths)[:-1])
        expected = np.array([row.mean() if len(row) else 0 for row in rows], "float32")
        advice = f"The rows were {values.dtype} and had the lengths {lengths}."
        assert_tensor(means(values, lengths), expected, advice)


@in_worker
def on_dense_votes(weighted_votes):
    """Make a function that takes the votes as a matrix, and makes a sparse tensor of it."""

    def weighted(votes, weights):
        with tf.device("CPU:0"):  # on a GPU the product of sparse and dense is not deterministic, and refused
            return weighted_votes(tf.sparse.from_dense(votes), tf.convert_to_tensor(weights))

    return weighted


@points(0.5)
@proves("votes-times-weights")
@hint("The second number of an index says which weight belongs to the vote. Does a user without votes have a sum?")
def test_weighted_votes(student, exported, rng):
    """Votes are weighted and added up for each user."""
    votes = np.where(rng.random((4, 6)) < 0.5, rng.integers(1, 6, size=(4, 6)), 0).astype("float32")
    votes[rng.integers(4)] = 0
    weights = rng.uniform(1, 5, size=6).astype("float32")
    weighted = exported.if_possible(weighted=(on_dense_votes(student.weighted_votes), [(votes, weights)])).weighted
    advice = f"The votes were {votes.tolist()}, the weights {weights.round(2)}."
    assert_tensor(weighted(votes, weights), votes @ weights, advice)


def ups_and_downs(rng, length):
    """Draw numbers whose sum falls below 0 in the middle, and rises again at the end."""
    x = rng.normal(size=length).astype("float32")
    x[length // 2] = -rng.uniform(20, 30)
    x[0], x[-1] = rng.uniform(1, 2, size=2)
    return x


@in_worker
def on_tensors(function):
    """Make a function take arrays."""
    return lambda *arrays: function(*map(tf.constant, arrays))


@points(0.5)
@proves("floor-at-zero")
@hint("Is each total cut off at 0 before the next number is added to it?")
def test_running_totals(exported, tf, rng):
    """Each total is the one before it plus a number, but never below 0."""
    x = ups_and_downs(rng, 12)
    total, expected = 0.0, []
    for value in x.tolist():
        total = max(0.0, total + value)
        expected.append(total)
    graphs = exported.if_possible(running_totals=[tf.TensorSpec((None,), "float32")])
    given = on_tensors(graphs.running_totals)(x)
    assert_tensor(given, np.array(expected, "float32"), f"The numbers were {x.round(2)}.", atol=1e-5)


@points(0.5)
@proves("sets", "share-in-both")
@hint("tf.sets works on the last axis of tensors with two or more. How many elements are in at least one of the sets?")
def test_jaccard_of_two_sets(student, exported, tf, rng):
    """The similarity of two sets counts each element once, whatever it is."""
    vectors = [tf.TensorSpec([None], dtype) for dtype in ("int64", "string")]
    jaccard = exported.if_possible(jaccard=[(each, each) for each in vectors]).jaccard
    for dtype in ("int64", "string"):
        one, other = (rng.permutation(20)[: rng.integers(5, 15)].tolist() for _ in range(2))
        expected = np.float32(len({*one} & {*other}) / len({*one} | {*other}))
        sets = [np.array(part, "U" if dtype == "string" else dtype) for part in (one + one[:3], other + other[:2])]
        for function in (jaccard, student.jaccard):
            given = on_tensors(function)(*sets)
            assert_tensor(given, expected, f"The elements were {sets[0].tolist()} and {sets[1].tolist()}.")


@points(0.5)
@proves("priority-order")
@hint("A queue of strings gives tensors of bytes: make Python strings of them.")
def test_priority_order(student, rng):
    """Names leave in the order of their priorities."""
    names = [f"{letter}{rng.integers(100)}" for letter in "abcdéf"]
    items = list(zip((rng.permutation(40)[:6] - 20).tolist(), names, strict=True))
    expected, given = [name for _, name in sorted(items)], student.in_priority_order(items)
    assert isinstance(given, list), f"expected a list, but your code gave {given!r}"
    assert given == expected, f"expected {expected} for {items}, but your code gave {given}"
