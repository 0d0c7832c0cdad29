"""Where things lie in a checkout, for tests that read its files."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
GOLDEN = ROOT / "tests" / "golden"
"""Files that freeze a format or a documented answer."""
