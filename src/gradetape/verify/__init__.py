"""The proof that an assignment's checks work.

The reference and every variant pass every check; the untouched starter and the adversaries get no points, or almost
none; every mutant fails exactly the checks that its header names; and every check is failed by at least one mutant.
Right solutions and mutants have to run: a file with a typo fails checks too, but proves nothing.
"""

from gradetape.verify.proof import Proof, Trial
from gradetape.verify.verification import verify

__all__ = ["Proof", "Trial", "verify"]
