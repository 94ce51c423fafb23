"""Blind listening tests on triplets: studies, stimuli, schedules, the listener's way, answers."""
