"""scikit-learn's figures for cases given on stdin, as JSON."""
import json, math, sys
import numpy as np
from sklearn import metrics as m

def one(case):
    logits = np.array(case["logits"], dtype=np.float64)
    target = np.array(case["target"])
    classes = logits.shape[1]
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    predicted = logits.argmax(1)
    labels = list(range(classes))
    precision, recall, f1, support = m.precision_recall_fscore_support(target, predicted, labels=labels, zero_division=0)
    bins = np.linspace(0, 1, 16)
    confidence = p.max(1)
    ece = 0.0
    for i in range(15):
        inside = (confidence > bins[i]) & (confidence <= bins[i + 1])
        if inside.any():
            ece += inside.mean() * abs(confidence[inside].mean() - (predicted[inside] == target[inside]).mean())
    out = dict(
        accuracy=m.accuracy_score(target, predicted), balancedAccuracy=m.balanced_accuracy_score(target, predicted),
        macroF1=m.f1_score(target, predicted, average="macro", zero_division=0),
        macroPrecision=m.precision_score(target, predicted, average="macro", zero_division=0),
        macroRecall=m.recall_score(target, predicted, average="macro", zero_division=0),
        logLoss=m.log_loss(target, p, labels=labels), calibrationError=ece,
        precision=precision.tolist(), recall=recall.tolist(), f1=f1.tolist(), support=support.tolist(),
        confusion=m.confusion_matrix(target, predicted, labels=labels).tolist())
    if classes > 5:
        out["top5"] = m.top_k_accuracy_score(target, logits, k=5, labels=labels)
    return out

def multi(case):
    scores, target = np.array(case["scores"]), np.array(case["target"])
    predicted = (scores > 0).astype(int)
    return dict(averagePrecision=[m.average_precision_score(target[:, j], scores[:, j]) for j in range(target.shape[1])],
        microF1=m.f1_score(target, predicted, average="micro"), macroF1=m.f1_score(target, predicted, average="macro", zero_division=0),
        exactMatch=m.accuracy_score(target, predicted))

def wilson(case):
    from scipy.stats import binomtest
    r = binomtest(case["successes"], case["count"]).proportion_ci(case["confidence"], method="wilson")
    return [r.low, r.high]

given = json.load(sys.stdin)
print(json.dumps(dict(single=[one(c) for c in given["single"]], multi=[multi(c) for c in given["multi"]], wilson=[wilson(c) for c in given["wilson"]])))
