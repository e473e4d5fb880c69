"""What managers read: where patients get stuck, and what was done about it. Only reads, except what is kept here."""
