"""The WhatsApp Web worker: a browser for each linked phone. Only this package knows Playwright."""
