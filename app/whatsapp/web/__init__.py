"""WhatsApp Web, as far as the rest of the house sees it: sessions, the ledger of what the browser shall do, manners."""
