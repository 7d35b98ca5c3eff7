"""What people of PyTorch, Keras and scikit-learn look for on a trainer, and what to use here."""

TRAINER = {
    "predict predict_proba predict_on_batch": "trainer.model.predict(x) gives the scores",
    "compile": "the constructor takes loss, optimizer and metrics",
    "train": "fit(train, validation, epochs=...)",
    "test validate score": "evaluate(data)",
    "train_on_batch training_step partial_fit": "step(x, targets)",
    "save save_weights save_checkpoint": "trainer.model.save(path), or callbacks=[Checkpoint(path)] for a run",
    "load load_weights load_from_checkpoint": "trainer.model.load(path), or fit(..., resume=path) for a run",
    "summary": "print(trainer.model)",
    "lr learning_rate": "trainer.optimizer.learning_rate",
    "logs log callback_metrics": "see trainer.history",
}
