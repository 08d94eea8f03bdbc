"""Bridges to other libraries, each an optional extra: import the one you need, such as ``sympe.integrations.pyg``."""
