"""Tables, figures and pages made from the records of runs, never during training."""

from sympe.report.audit import write_audit
from sympe.report.experiments import tables_of
from sympe.report.page import write_report
from sympe.report.table import Table

__all__ = ["Table", "tables_of", "write_audit", "write_report"]
