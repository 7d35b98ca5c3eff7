"""Estimators of scikit-learn on top of `Trainer`: `MLPClassifier` and `MLPRegressor`, by the extra `sklearn`.

They go wherever estimators go: pipelines, searches, cross-validation, calibration, inspection.
"""

try:
    from minidl.sklearn.classifier import MLPClassifier
    from minidl.sklearn.regressor import MLPRegressor
except ImportError as error:  # pragma: no cover
    if (error.name or "").split(".")[0] != "sklearn":
        raise
    raise ImportError('minidl.sklearn needs scikit-learn 1.6 or later: pip install "minidl[sklearn]"') from error

__all__ = ["MLPClassifier", "MLPRegressor"]
