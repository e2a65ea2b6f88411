"""A charger to play with: `voltbus station` walks one through a whole session and tells what it does."""
