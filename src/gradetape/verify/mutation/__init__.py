"""Generated mutants: small changes of the right solutions, each of which a check should notice.

`mutate` makes them from the syntax trees of the reference and the variants, runs them, and returns a report with the
score of each question: the share of mutants that fail a check.
"""

from gradetape.verify.mutation.equivalents import append_survivors
from gradetape.verify.mutation.mutation import MutationRequest, mutate
from gradetape.verify.mutation.sample import Sample
from gradetape.verify.mutation.score import MutationReport

__all__ = ["MutationReport", "MutationRequest", "Sample", "append_survivors", "mutate"]
