"""Two ways to read the same page: `wpp` through its modules, `dom` through what a person sees."""
