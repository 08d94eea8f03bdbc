"""Commands that serve all experiments: compare, report, reproduce, table."""
