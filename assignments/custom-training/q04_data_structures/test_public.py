import numpy as np

from gradetape.checks import assert_tensor, hint, points, proves


def sentence(rng, alphabet):
    """Draw a sentence of at least one word, with more spaces than it needs."""
    words = ["".join(rng.choice(list(alphabet), size=rng.integers(1, 8))) for _ in range(rng.integers(1, 6))]
    return " " * rng.integers(3) + "".join(word + " " * rng.integers(1, 4) for word in words)


@points(1)
@proves("ragged-integers", "ascii-spaces", "characters", "row-per-sentence")
@hint("How many bytes does a character take that is not ASCII? And what lies between two spaces?")
def test_word_lengths(student, tf, rng):
    """The lengths of words are counted in characters, and every sentence has a row, if only an empty one."""
    sentences = [sentence(rng, "abcxyz"), "", sentence(rng, "éß日本Ω😀"), "  ", sentence(rng, "xyz…Å") + "   z"]
    given = student.word_lengths(tf.constant(sentences))
    assert isinstance(given, tf.RaggedTensor), f"expected a ragged tensor, but your code gave {given!r}"
    assert np.asarray(given.flat_values).dtype.kind == "i", "expected integers"
    for text, row in zip(sentences, given.to_list(), strict=True):
        expected = [len(word) for word in text.split()]
        assert row == expected, f"expected {expected} for {text!r}, but your code gave {row}"


@points(1)
@proves("mean-of-each-row", "empty-row")
@hint("What is 0 / 0 in an empty row? And by how many numbers do you divide in the other rows?")
def test_mean_of_rows(student, tf, rng):
    """Each row has its own mean, and that of an empty row is 0."""
    lengths = np.append(rng.permutation([0, 1, 2, 5, 7]), 0)
    for values in (rng.uniform(1, 9, size=15).astype("float32"), rng.integers(1, 99, size=15)):
        rows = np.split(values, np.cumsum(lengths)[:-1])
        expected = np.array([row.mean() if len(row) else 0 for row in rows], "float32")
        ragged = tf.RaggedTensor.from_row_lengths(values, lengths)
        advice = f"The rows were {values.dtype} and had the lengths {lengths}."
        assert_tensor(student.mean_of_rows(ragged), expected, advice)


@points(0.5)
@proves("votes-times-weights")
@hint("The second number of an index says which weight belongs to the vote. Does a user without votes have a sum?")
def test_weighted_votes(student, tf, rng):
    """Votes are weighted and added up for each user."""
    votes = np.where(rng.random((4, 6)) < 0.5, rng.integers(1, 6, size=(4, 6)), 0).astype("float32")
    votes[rng.integers(4)] = 0
    weights = rng.uniform(1, 5, size=6).astype("float32")
    with tf.device("CPU:0"):  # on a GPU the product of sparse and dense is not deterministic, and refused
        given = student.weighted_votes(tf.sparse.from_dense(votes), tf.constant(weights))
        assert_tensor(given, votes @ weights, f"The votes were {votes.tolist()}, the weights {weights.round(2)}.")


def ups_and_downs(rng, length):
    """Draw numbers whose sum falls below 0 in the middle, and rises again at the end."""
    x = rng.normal(size=length).astype("float32")
    x[length // 2] = -rng.uniform(20, 30)
    x[0], x[-1] = rng.uniform(1, 2, size=2)
    return x


@points(0.5)
@proves("floor-at-zero")
@hint("Is each total cut off at 0 before the next number is added to it?")
def test_running_totals(student, tf, rng):
    """Each total is the one before it plus a number, but never below 0."""
    x = ups_and_downs(rng, 12)
    total, expected = 0.0, []
    for value in x.tolist():
        total = max(0.0, total + value)
        expected.append(total)
    given = student.running_totals(tf.constant(x))
    assert_tensor(given, np.array(expected, "float32"), f"The numbers were {x.round(2)}.", atol=1e-5)


@points(0.5)
@proves("sets", "share-in-both")
@hint("tf.sets works on the last axis of tensors with two or more. How many elements are in at least one of the sets?")
def test_jaccard_of_two_sets(student, tf, rng):
    """The similarity of two sets counts each element once, whatever it is."""
    for dtype in ("int64", "string"):
        one, other = (rng.permutation(20)[: rng.integers(5, 15)].tolist() for _ in range(2))
        expected = np.float32(len({*one} & {*other}) / len({*one} | {*other}))
        sets = [[*map(str, part)] if dtype == "string" else part for part in (one + one[:3], other + other[:2])]
        given = student.jaccard(tf.constant(sets[0], dtype), tf.constant(sets[1], dtype))
        assert_tensor(given, expected, f"The elements were {sets[0]} and {sets[1]}.")


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
