"""Transactions and their meter values, from stations of every version; remote start and stop."""
