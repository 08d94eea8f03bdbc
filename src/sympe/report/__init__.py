"""Tables, figures and pages made from the records of runs, never during training."""

from sympe.report.page import write_report
from sympe.report.tables import Table, tables_of

__all__ = ["Table", "tables_of", "write_report"]
