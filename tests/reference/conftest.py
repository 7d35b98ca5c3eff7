collect_ignore = ["make_torch.py"]  # needs torch; its numbers are kept in torch.json
