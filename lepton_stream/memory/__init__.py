"""What a worker may hold in memory, and what follows from what it holds: decisions only, nothing is measured here."""
