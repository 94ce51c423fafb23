"""Slow proofs on the real app: what it loses under faults, and how it holds under many people."""
