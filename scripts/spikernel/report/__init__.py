"""Step 5: tables, figures and the page. No torch."""
