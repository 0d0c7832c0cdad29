"""The clock table: rows, presets, and which row a case gets."""
