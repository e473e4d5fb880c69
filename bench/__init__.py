"""Measurements of the product's own functions against plain SQL floors, side by side in one run."""
