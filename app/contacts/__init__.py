"""The people we talk with, by whatever identifiers they are known."""
