"""The proof that an assignment's checks work.

The reference and every variant pass every check; the untouched starter and the adversaries get no points, or almost
none; every mutant fails exactly the checks that its header names; every check is failed by at least one mutant;
and every requirement of a prompt is proven by checks, which a mutant that breaks it fails.
Right solutions and mutants have to run: a file with a typo fails checks too, but proves nothing.
"""

from gradetape.verify.proof import Proof
from gradetape.verify.scope import Scope
from gradetape.verify.trials import Trial
from gradetape.verify.verification import verify

__all__ = ["Proof", "Scope", "Trial", "verify"]
