"""Event-time windows: assignment, watermark, and the table of open groups."""
