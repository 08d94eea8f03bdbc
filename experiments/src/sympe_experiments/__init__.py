"""The experiments of sympe: one room each, and what they share in training, records and reports.

:mod:`sympe_experiments.catalog` is the list of them.
"""

__version__ = "0.1.0"
