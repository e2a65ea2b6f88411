"""A charger to play with: `voltbus station` walks one through a whole session and tells what it does."""

DEFAULT_ID = "DEMO-1"
DEFAULT_TOKEN = "04E2A1B2C3D480"
