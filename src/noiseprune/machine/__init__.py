"""The machine that noiseprune runs on: threads, memory, time, randomness, files written whole."""
