"""Bridges to other libraries, each an optional extra: import the one that you need, ``sympe.integrations.pyg`` say."""
