"""The assistant: models, knowledge and the reply to a turn."""
