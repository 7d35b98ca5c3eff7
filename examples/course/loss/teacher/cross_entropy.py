"""The cross-entropy of a softmax, solved."""

import numpy as np

from minidl.layers.losses import Loss


class CrossEntropy(Loss):
    """L = sum_i w_i l_i / sum_i w_i with l_i = log sum_k exp(s_ik) - s_i,t_i: scores (n, classes), labels t (n,)."""

    def forward(self, scores, targets, weights=None):
        """The mean over rows, which the weights weigh."""
        n = len(scores)
        weights = np.ones(n) if weights is None else np.asarray(weights, np.float64)
        self.shares = weights / max(weights.sum(), 1e-300)
        self.targets = targets
        shifted = scores - scores.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1, keepdims=True)
        self.probabilities_ = exponentials / sums
        losses = np.log(sums[:, 0]) - shifted[np.arange(n), targets]
        return float(self.shares @ losses)

    def backward(self):
        """dL/ds_ik = w_i / sum_j w_j (p_ik - [k = t_i])."""
        gradient = self.probabilities_.copy()
        gradient[np.arange(len(gradient)), self.targets] -= 1
        return gradient * self.shares[:, None].astype(gradient.dtype)
