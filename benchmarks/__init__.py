"""Measurements of this bot, as ratios against what is measured beside it in the same run. Start them with `python -m benchmarks`."""
