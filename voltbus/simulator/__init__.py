"""Simulated stations and fleets of every version."""
