"""Ways to read a page of WhatsApp Web: `wpp` through its own modules, `dom` by what it shows."""
