"""What people of PyTorch, Keras and scikit-learn look for on a layer or model, and what to use here."""

from minidl.arguments import FREEZING

TRAINED = "Trainer(model, loss, optimizer) trains and judges a model: see its fit and evaluate"
MEMORY = "its numbers are in main memory, there is no GPU; build(dtype=...) chooses float32 or float64"

LAYER = {
    "fit compile train_step train_on_batch training_step evaluate test_on_batch": TRAINED,
    "call": "forward(x) is one batch, predict(x) is inference on any number of rows",
    "predict_on_batch": "predict(x) is inference on any number of rows",
    "eval train": "inference is the default, and training is a block: with model.train_mode(): ...",
    "summary": "print(model) shows a Sequential as a table",
    "predict_proba": "predict(x) returns raw scores; loss.probabilities(scores) are probabilities",
    "score": "predict(x) returns raw scores; accuracy(scores, targets) is a metric",
    "state_dict get_weights": "save(path) writes every number by name; parameters.snapshot() returns them",
    "load_state_dict set_weights": "load(path) reads every number by name; parameters.restore(snapshot) puts them back",
    "save_weights": "save(path) writes every parameter and state by name",
    "load_weights": "load(path) reads every parameter and state by name",
    "zero_grad": "backward sets every gradient and never adds, so there is nothing to clear",
    "to cuda cpu device half float double": MEMORY,
    "requires_grad requires_grad_ trainable freeze unfreeze": FREEZING,
    "register_parameter add_weight": "assign a Parameter(shape, init) to an attribute in __init__",
    "register_buffer": "assign a State(shape, init) to an attribute in __init__",
    "trainable_weights trainable_variables variables": "named_parameters() are the parameters by their paths",
    "buffers named_buffers non_trainable_weights": "named_states() are the states by their paths",
    "modules named_modules": "layers_inside() are all layers, children() those directly inside",
    "count_params": "parameters.size is the number of trainable numbers",
    "coef_ intercept_": "the arrays of a Linear are weight.value and bias.value",
    "get_config": "repr(layer) is the call that made it",
}

SEQUENTIAL = LAYER | {
    "add append insert extend pop": "a Sequential is made at once: Sequential(*model, layer), which is then built",
    "get_layer": "index it: model[0], model[-1]",
    "weights coefs_ intercepts_": "named_parameters() are the parameters by their paths",
}
