"""Events to browsers over one WebSocket: best effort, never the record."""
