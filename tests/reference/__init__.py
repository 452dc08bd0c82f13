"""Slow, independent Python reference for the Financials figures, and random worlds for it."""
