"""What people of PyTorch, Keras and scikit-learn look for on an optimizer, and what to use here."""

OPTIMIZER = {
    "zero_grad": "backward sets every gradient and never adds, so there is nothing to clear",
    "apply_gradients": "when model.backward has set the gradients, call step(model.parameters)",
    "param_groups add_param_group": "one learning rate moves the whole model: assign to lr or lr_scale",
    "get_lr get_last_lr": "learning_rate is that of the next step",
    "decay scheduler": "lr may be a function of the step, such as CosineDecay(0.1, steps=1000)",
    "iterations": "steps counts them",
    "state_dict get_weights variables": "state() returns what it remembers",
    "load_state_dict set_weights": "load_state(state) takes back what state() returned",
    "m v exp_avg exp_avg_sq momentum_buffer buf square_avg": "what the rule remembers is in slots, by its slot_names",
    "t step_count": "steps counts them",
    "weight_decay": "AdamW decays weights; for the others give the Trainer regularizers=[L2(...)]",
    "clipnorm global_clipnorm clipvalue": "clip=ClipNorm(...) or clip=ClipValue(...) of the constructor",
    "get_config": "repr(optimizer) is the call that made it",
}
