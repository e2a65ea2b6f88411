"""Pools of contract certificates: who is asked where a vehicle wants one (M01, M02)."""
