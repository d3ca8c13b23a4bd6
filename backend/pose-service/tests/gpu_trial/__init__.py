"""What a machine with a GPU can prove in twelve minutes without a network: `python -m gpu_trial --help`.

HMR2's real code and size with random weights, so that no licensed file is needed; a fixed detector, because Detectron2
has no wheel. NEVER RUN ON A GPU so far; on the CPU it runs in test_gpu_trial.py against the fake of PyTorch.
"""
