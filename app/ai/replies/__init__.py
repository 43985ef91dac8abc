"""Answer a turn: policy, prompt, model, outbound."""
