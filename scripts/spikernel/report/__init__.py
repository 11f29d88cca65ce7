"""Step 5: tables, figures and the page that show the trade-off between accuracy and memory.

Nothing below this package imports torch: its environment holds pandas, seaborn, matplotlib,
jinja2, pydantic and pyyaml only.
"""

from spikernel.report.build import write_report, write_tables

__all__ = ["write_report", "write_tables"]
