"""Numerical work on plain arrays; nothing here knows what a Network is."""
