"""Question sheets of every common kind: questions are complete, no answer is public, and nothing is lost.

In each sheet every answer holds a word of its own that begins with `canary`, and nothing else does.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradetape.course import assignments as course
from gradetape.errors import CourseError
from gradetape.scaffold import sheet
from tests.course import called, tiny

CANARY = re.compile(r"canary\w+", re.IGNORECASE)
FENCE = "```"


class Case(NamedTuple):
    """A sheet, and the text of each of its questions as it must stand in the prompt."""

    text: str
    questions: tuple[str, ...]


SHEETS = {
    "answers in a list that begins anew": Case(
        """\
1. What is a loss?
2. What is a rank?

1. canary1 from the labels.
2. canary2 of axes.
""",
        ("What is a loss?", "What is a rank?"),
    ),
    "indented answers": Case(
        """\
# Week three

Some words before the list.

1. **What does a loss measure? Why is it differentiable?**

   canary1 from the labels.

   - canary2 for gradients
   - canary3 with `code`

2. **What does `tf.range(10)` return?**
   canary4 on the next line.

10. **Describe a *tensor*.**

    canary5

    > canary6 quoted
""",
        ("What does a loss measure? Why is it differentiable?", "What does `tf.range(10)` return?",
         "Describe a *tensor*."),
    ),
    "parentheses": Case(
        f"""\
2) Derive the gradient of `my_relu(x)` for

   - $x_1 * x_2 > 0$
   - `x == __zero__`

   $$
   y
   = \\max(0, x)
   $$

   {FENCE}python
   def my_relu(x):
       # Answer for positive and negative x
       return x
   {FENCE}

   Answer: canary1

3) Which dtype has `np.arange(3)`?

Answer: canary2 is not indented

- canary3

4) And `tf.range(3)`?
Answer: canary4
""",
        ("Derive the gradient of `my_relu(x)` for\n\n"
         "- $x_1 * x_2 > 0$\n- `x == __zero__`\n\n$$\ny\n= \\max(0, x)\n$$\n",
         "Which dtype has `np.arange(3)`?", "And `tf.range(3)`?"),
    ),
    "headings": Case(
        """\
# Sheet 3

## Question 1

Write `a_b(x)`:

- takes `x`
- returns `x`

### Requirements

It is fast.

### Solution

canary1

## Question 2: Losses (2 points)

Write a loss.

**Answer**: canary2

canary3

## Q3

Which one? Explain.

canary4
""",
        ("Write `a_b(x)`:\n\n- takes `x`\n- returns `x`\n\n### Requirements\n\nIt is fast.", "Write a loss.",
         "Which one? Explain."),
    ),
    "numbered headings": Case(
        """\
### 1. What is a custom loss?

> canary1

### 2. Which metric streams?

<details>
<summary>Answer</summary>

canary2

</details>

### 3) Name a layer.

<details><summary>Show</summary>canary3</details>
""",
        ("What is a custom loss?", "Which metric streams?", "Name a layer."),
    ),
    "other headings": Case(
        """\
Q1: What is a graph?
--------------------

A: canary1

## Exercise 2

Build one.

1. Trace `f`.
2. Trace `g`.

*Sample solution:*

1. canary2
2. canary3

## Problem 3. Why?

**Model answer.** canary4
""",
        ("What is a graph?", "Build one.\n\n1. Trace `f`.\n2. Trace `g`.", "Why?"),
    ),
    "bold": Case(
        """\
**Question 1.** What is a *tensor*?

A: canary1

**Q2** Which of

* `tf.Tensor`
* `tf.Variable`

is mutable?

__Solution:__ canary2

**Q3: Is `x` a tensor?**

canary3

**4.** Is `y` one?

> **Answer**
>
> canary4

**Q5.** Is `z` one?

canary5

**Bonus.** Is it mutable?

Answer: canary6
""",
        ("What is a *tensor*?", "Which of\n\n* `tf.Tensor`\n* `tf.Variable`\n\nis mutable?", "Is `x` a tensor?",
         "Is `y` one?", "Is `z` one?"),
    ),
    "Q1 with a period": Case(
        """\
Q1. What is AutoGraph?
A1. canary1

Q2) Which loops does it convert? Explain.

Ans. canary2

Q3: Why? Answer: canary3

Q.4 - When is `range(n)` unrolled?
(Answer: canary4)
""",
        ("What is AutoGraph?", "Which loops does it convert? Explain.", "Why?", "When is `range(n)` unrolled?"),
    ),
    "questions and answers without numbers": Case(
        "**Q:** What is `tf.data`?\n\n**A:** canary1\n\nQ: What does `batch(2)` do?\nA: canary2\n",
        ("What is `tf.data`?", "What does `batch(2)` do?"),
    ),
    "Aiken": Case(
        """\
What is the dtype of 1.0?
A. float32
B. float64
ANSWER: A

canary1 is between the questions.

Which one is a list?
A) ()
B) []
C) {}
ANSWER: B
canary2
""",
        ("What is the dtype of 1.0?\nA. float32\nB. float64",),
    ),
    "GIFT": Case(
        """\
// canary0 is a remark
::First:: Who wrote it? {=canary1 =canary2}

::Second:: Which one is `tf.Tensor`? {
  ~an array#canary3
  =a tensor#canary4
  ####canary5
}

Two plus {=canary6} is four.

The sun rises. {T#canary7}

What is the value of pi? {#canary8:0.01}
""",
        ("Who wrote it?", "Which one is `tf.Tensor`?\n\n- a tensor\n- an array", "Two plus _____ is four.",
         "The sun rises.", "What is the value of pi?"),
    ),
    "choices with marks": Case(
        """\
1. Which of these is mutable?
   - [ ] `tf.Tensor`
   - [x] `tf.Variable`

   canary1
2. Which two?
   a) x
   *b) y
   *c) z
   ... canary2
3. Which three?
   A. x
   **B. y**
   C. z

   Explanation: canary3
4. Which four?
   - a) x
   - b) y ✓ canary4
""",
        ("Which of these is mutable?\n- [ ] `tf.Tensor`\n- [ ] `tf.Variable`", "Which two?\na) x\nb) y\nc) z",
         "Which three?\nA. x\nB. y\nC. z", "Which four?\n- a) x\n- b) y"),
    ),
    "answers at the end": Case(
        f"""\
# Losses

1. What is a loss?
   - its sign
   - its shape
2. Complete

   {FENCE}python
   def f(x):
       ...
   {FENCE}

   so that `f(2)` is 4.
3. Really? Yes or no.

## Answers

1. canary1
2. canary2

   canary3
3. canary4
""",
        ("What is a loss?\n- its sign\n- its shape", f"Complete\n\n{FENCE}python\ndef f(x):\n    ...\n{FENCE}\n\nso",
         "Really? Yes or no."),
    ),
    "an answer key in bold": Case(
        "**Q1.** What?\n\na) x\n\nb) y\n\n**Q2.** Which?\n\n**Answer key**\n\n1-B, 2-C (canary1)\n\nQ1: canary2\n",
        ("What?\n\na) x\n\nb) y", "Which?"),
    ),
    "solutions under headings at the end": Case(
        """\
## Question 1

What is `a`?

- one
- two

## Question 2

How?

# Solutions

## Question 1

canary1

## Question 2

canary2

1. canary3
""",
        ("What is `a`?\n\n- one\n- two", "How?"),
    ),
    "answers between parts": Case(
        """\
## Part A

1. What is a graph? Answer: canary1
2. How is it traced? (Answer: canary2)

## Part B

1. Why is it fast?

   **Answer:** canary3
2. canary4 may be an answer to part A.
""",
        ("What is a graph?", "How is it traced?", "Why is it fast?"),
    ),
    "parts of a question": Case(
        """\
1. Let `x` be a tensor.
   a) What is its rank?
      Answer: canary1
   b) What is its dtype?
      Answer: canary2
2. Let `y` be another.
   (a) Its rank? (b) Its dtype?

   Solution: (a) canary3 (b) canary4
""",
        ("Let `x` be a tensor.\na) What is its rank?\nb) What is its dtype?",
         "Let `y` be another.\n(a) Its rank? (b) Its dtype?"),
    ),
    "answers on the same line": Case(
        """\
1. What is a loss? It is canary1.
2. **Name a layer.** canary2
3. What is 2 + 2? The answer is canary3.
4. What is a metric?
   canary4
5. Which one? → canary5
6. What is <!-- canary6 --> a variable? <!--
   canary7 -->
""",
        ("What is a loss?", "Name a layer.", "What is 2 + 2?", "What is a metric?", "Which one?"),
    ),
    "every number is one": Case(
        "1. What is a set?\n\n   canary1\n1. What is a queue?\n\n   canary2\n1. What is a string?\n\n   canary3\n",
        ("What is a set?", "What is a queue?", "What is a string?"),
    ),
    "exported from a word processor": Case(
        """\
---
title: canary0 in the front matter
---

1\\. What is a `queue_like(x)`?

Answer. canary1

2\\. And a *set*?

Solution

canary2

***

canary3
""",
        ("What is a `queue_like(x)`?", "And a *set*?"),
    ),
    "solutions in code": Case(
        f"""\
1. Write `f`.

   {FENCE}python
   # Solution
   canary1 = 1
   {FENCE}

2. Write `g`.

   {FENCE}{{solution}}
   canary2
   {FENCE}

3. Write `h`. For example `h(1)`:

   {FENCE}pycon
   >>> h(1)
   2
   {FENCE}

   Lösung:

       canary3
""",
        ("Write `f`.", "Write `g`.", f"Write `h`. For example `h(1)`:\n\n{FENCE}pycon\n>>> h(1)\n2\n{FENCE}"),
    ),
}  # fmt: skip


@pytest.fixture(params=SHEETS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Case, Path, str]:
    """A case, the course with an assignment made of its sheet, and what the command printed."""
    case = SHEETS[request.param]
    root = tiny(tmp_path / "course")
    (tmp_path / "sheet.md").write_text(case.text)
    run = called(root, "new", "assignment", "week-3", "--from", tmp_path / "sheet.md")
    assert run.returncode == 0, run.stderr
    return case, root, run.stdout


def everything(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_answer_is_public(made: tuple[Case, Path, str]) -> None:
    _, root, _ = made
    assert CANARY.findall(everything(root / "assignments" / "week-3")) == []


def test_every_question_is_in_its_prompt_word_for_word(made: tuple[Case, Path, str]) -> None:
    case, root, _ = made
    sources = course.find(root).assignment("week-3").question_sources
    assert len(sources) >= len(case.questions)
    for source, text in zip(sources, case.questions, strict=False):
        body = source.prompt.read_text().partition("-->")[2]
        assert text in body


def test_nothing_of_the_sheet_is_lost(made: tuple[Case, Path, str]) -> None:
    case, root, printed = made
    kept = everything(root / "assignments" / "week-3") + everything(root / "solutions" / "week-3" / "notes")
    words = {word for word in re.findall(r"\w+", case.text) if not re.fullmatch(r"(?i)[a-z]?\d+", word)}
    labels = {"Q", "Question", "Exercise", "Problem"}
    assert words - labels - set(re.findall(r"\w+", kept + printed)) == set()
    assert set(CANARY.findall(case.text)) <= set(CANARY.findall(kept))


def test_a_canary_is_in_every_answer() -> None:
    assert len(SHEETS) >= 15
    for case in SHEETS.values():
        found = CANARY.findall(case.text)
        assert len(found) == len(set(found)) and found


LABELS = {
    "list": "{number}. {text}",
    "parentheses": "{number}) {text}",
    "bold list": "{number}. **{text}**",
    "heading": "## Question {number}\n\n{text}",
    "numbered heading": "### {number}. {text}",
    "heading with text": "## Q{number}: {text}",
    "bold": "**Question {number}.** {text}",
    "all bold": "**Q{number}: {text}**",
    "period": "Q{number}. {text}",
    "exercise": "Exercise {number}: {text}",
}
BODIES = ("", "- bullet `a_b`\n- other $x_1*y$", f"{FENCE}python\ndef f(x):\n    return x\n{FENCE}", "$$\ny\n= x\n$$")
ANSWERS = (
    "Answer: {0}", "**Answer:** {0}\n\nmore {1}", "A: {0}", "Solution:\n\n{0}\n\n- {1}", "#### Solution\n\n{0}",
    "> {0}", "> **Answer**: {0}", "<details>\n<summary>Answer</summary>\n\n{0}\n\n</details>\n\n{1}", "{0}\n\n- {1}",
    "*Solution.* {0}", f"Solution:\n\n{FENCE}python\nx = '{{0}}'\n{FENCE}", "Answer:\n\n1. {0}\n2. {1}",
    "", "at the end",
)  # fmt: skip
questions = st.tuples(
    st.sampled_from(["What is `f(x)`? Explain.", "Derive `my_relu(x)`", "Which of these is a *tensor*?"]),
    st.sampled_from(BODIES),
    st.sampled_from(ANSWERS),
)


def sheet_of(label: str, indented: bool, found: list[tuple[str, str, str]]) -> str:
    """A sheet with these questions; answers that are marked so are in a section at the end."""
    blocks, ending = ["# A sheet"], list[str]()
    for number, (text, body, answer) in enumerate(found, start=1):
        below = [body, "" if answer == "at the end" else answer.format(f"canary{number}x", f"canary{number}y")]
        indent = "   " if indented and "list" in label else ""
        blocks += [label_of(label, number, text), *(textwrap.indent(each, indent) for each in below if each)]
        ending += [f"{number}. canary{number}z"] if answer == "at the end" else []
    return "\n\n".join([*blocks, *(["## Answers", "\n".join(ending)] if ending else [])]) + "\n"


def label_of(label: str, number: int, text: str) -> str:
    return LABELS[label].format(number=number, text=text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(LABELS)), st.booleans(), st.lists(questions, min_size=2, max_size=4))
def test_answers_of_any_kind_below_questions_of_any_kind_stay_out(
    tmp_path: Path, label: str, indented: bool, found: list[tuple[str, str, str]]
) -> None:
    text = sheet_of(label, indented, found)
    (tmp_path / "sheet.md").write_text(text)
    read = sheet.read(tmp_path / "sheet.md")
    public = [read.title, *(part for entry in read.entries for part in (entry.title, entry.text, entry.id))]
    notes = [read.left_out, *(part for entry in read.entries for part in (entry.answer, entry.doubts))]
    assert CANARY.findall(" ".join(public)) == []
    assert set(CANARY.findall(text)) <= set(CANARY.findall(" ".join(notes)))
    assert read.entries[0].text.lstrip("*").startswith(found[0][0].partition("?")[0])


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Define overfitting. It is when canary.", "Define overfitting."),
        ("Define overfitting\n   It is when canary.", "Define overfitting"),
        ("Run `f(2, 3)`\n   Output: canary", "Run `f(2, 3)`"),
        ("Run `f(2, 3)`. Result: canary", "Run `f(2, 3)`."),
        ("2 + 2 → canary", "2 + 2"),
        ("`x` is a tensor (True)", "`x` is a tensor"),
        ("`x` is a tensor - **True**", "`x` is a tensor"),
        ("什么是损失？ 答案：canary", "什么是损失？"),  # noqa: RUF001
        ("什么是损失。canary", "什么是损失。"),
    ],
)
def test_what_follows_a_question_without_a_mark_stays_out(tmp_path: Path, text: str, question: str) -> None:
    (tmp_path / "sheet.md").write_text(f"1. {text}\n2. Why?\n")
    first, _ = sheet.read(tmp_path / "sheet.md").entries
    assert first.text == question
    assert first.doubts or first.answer


def test_what_may_be_an_answer_is_listed_with_its_line(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (tmp_path / "sheet.md").write_text("# Week\n\nRead this.\n\n1. What is a loss?\n\n   - a number\n\n## Bye\n")
    run = called(root, "new", "assignment", "week-3", "--from", tmp_path / "sheet.md")
    assert "Not surely questions, so kept in solutions/week-3/notes/" in run.stdout
    assert "sheet.md, line 3, in left_out.md: Read this." in run.stdout
    assert "sheet.md, line 7, in q01_loss.md: - a number" in run.stdout
    assert "sheet.md, line 9, in left_out.md: ## Bye" in run.stdout
    assert "- a number" in (root / "solutions/week-3/notes/q01_loss.md").read_text()
    assert "Read this." in (root / "solutions/week-3/notes/left_out.md").read_text()


def test_an_author_can_say_that_a_sheet_has_no_answers(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (tmp_path / "sheet.md").write_text("1. What is a loss? Show it.\n\n   - in Keras\n\n2. Why?\n\n   Answer: canary\n")
    run = called(root, "new", "assignment", "week-3", "--from", tmp_path / "sheet.md", "--questions-only")
    assert "What is a loss? Show it.\n\n- in Keras" in (root / "assignments/week-3/q01_loss/prompt.md").read_text()
    assert "Not surely" not in run.stdout
    assert "canary" not in everything(root / "assignments/week-3")
    run = called(root, "new", "assignment", "week-4", "--questions-only")
    assert run.returncode == 2 and "--questions-only describes a sheet: name it with --from SHEET" in run.stderr


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Implement `my_relu(x)`", "Implement `my_relu(x)`"),
        ("Derive **the** gradient of `__init__` for $a_i*b_i*c$", "Derive the gradient of `__init__` for $a_i*b_i*c$"),
        ("See [the book](https://example.org) on snake_case_names. Explain.", "See the book on snake_case_names."),
    ],
)
def test_titles_keep_the_characters_of_code_and_formulas(tmp_path: Path, question: str, title: str) -> None:
    (tmp_path / "sheet.md").write_text(f"1. {question}\n")
    [entry] = sheet.read(tmp_path / "sheet.md").entries
    assert (entry.title, entry.text) == (title, question)


@pytest.mark.parametrize("text", ["# Solutions\n\n1. canary\n2. canary\n", "| What? | canary |\n|---|---|\n"])
def test_a_sheet_of_answers_alone_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sheet.md").write_text(text)
    with pytest.raises(CourseError, match="no numbered questions"):
        sheet.read(tmp_path / "sheet.md")


def test_a_sheet_with_more_questions_than_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sheet.md").write_text("".join(f"{number}. What?\n" for number in range(1, 101)))
    with pytest.raises(CourseError, match="has 100 questions, and an assignment at most 99"):
        sheet.read(tmp_path / "sheet.md")
