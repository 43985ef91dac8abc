"""One port for language models, their wire formats, and the router that chooses among them."""
