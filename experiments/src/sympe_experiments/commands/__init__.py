"""Commands that serve all experiments: compare, reproduce, table."""
