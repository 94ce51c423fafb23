"""Blind listening tests on triplets: studies, stimuli, schedules, answers. Not yet built."""
