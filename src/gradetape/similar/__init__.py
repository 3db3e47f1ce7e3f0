"""Pairs of submissions that share code which neither the course nor most of the class wrote.

Code is only read. `tokens` divides it, whatever it holds, in time proportional to its length, and replaces the names
that it defines, so that renamed code stays alike. `phrases` turns tokens into digests of a few in a row, without those
of the course's own text and those that many share. `pairs` finds who shares the most, and where.
"""

from gradetape.similar.pairs import Given, SimilarPair, SimilarSide, similar_pairs
from gradetape.similar.tokens import LONGEST

__all__ = ["LONGEST", "Given", "SimilarPair", "SimilarSide", "similar_pairs"]
