"""What people see of conversations: the list, its counts, and the search."""
