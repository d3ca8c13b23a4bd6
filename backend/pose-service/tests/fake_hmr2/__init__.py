"""A FAKE of PyTorch, Detectron2 and 4D-Humans: the calls of engines.hmr2.models, checked as the real ones would.

Names, arguments, shapes and types are those of the pinned commits; the numbers are made up. It proves that the calls
fit, and nothing about estimates.
"""
