"""Every figure of a report, computed again from its run folder with scikit-learn, and nothing of Praxis. Prints JSON."""
import json, math, os, sys
import numpy as np
from sklearn import metrics as sk

folder = sys.argv[1]
open_ = lambda name: open(os.path.join(folder, name), encoding="utf8")
rows = [json.loads(line) for line in open_("validation.jsonl") if line.strip()]
run = json.load(open_("run.json"))
lines = [json.loads(line) for line in open_("metrics.jsonl") if line.strip()]
classes = run["configuration"]["plan"]["data"]["classes"]
n, k = len(rows), len(classes)
y = np.array([row["target"] for row in rows])
p = np.array([row["probabilities"] for row in rows], dtype=np.float64)
said = p.argmax(1)
q = p / p.sum(1, keepdims=True)
sure = q.max(1)
labels = list(range(k))

def wilson(hits, count, z=1.959963984540054):
    if count == 0:
        return dict(low=0, high=1)
    share = hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return dict(low=0 if hits == 0 else max(0, centre - half), high=1 if hits == count else min(1, centre + half))

matrix = sk.confusion_matrix(y, said, labels=labels)
precision, recall, f1, support = sk.precision_recall_fscore_support(y, said, labels=labels, zero_division=0)
bins = 15
edges = np.arange(bins + 1) / bins
which = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
reliability = []
ece = 0.0
for b in range(bins):
    inside = which == b
    count = int(inside.sum())
    one = dict(low=edges[b], high=edges[b + 1], count=count, confidence="NaN", accuracy="NaN")
    if count:
        one["confidence"] = float(sure[inside].mean())
        one["accuracy"] = float((said[inside] == y[inside]).mean())
        ece += count / n * abs(one["confidence"] - one["accuracy"])
    reliability.append(one)
second = np.array([max((j for j in labels if j != said[i]), key=lambda j: (p[i, j], -j)) for i in range(n)])
def sample(i):
    return dict(name=rows[i]["name"], target=int(y[i]), predicted=int(said[i]), confidence=p[i, said[i]], ofTarget=p[i, y[i]], second=int(second[i]), ofSecond=p[i, second[i]])
wrong = sorted((i for i in range(n) if said[i] != y[i]), key=lambda i: (-p[i, said[i]], rows[i]["name"]))
unsure = sorted(range(n), key=lambda i: (p[i, said[i]] - p[i, second[i]], rows[i]["name"]))[:24]
surest = sorted(range(n), key=lambda i: (-p[i, said[i]], rows[i]["name"]))
coverage = []
for end in sorted({math.ceil((i + 1) * n / 50) for i in range(50)}):
    taken = surest[:end]
    coverage.append(dict(threshold=p[taken[-1], said[taken[-1]]], answered=end / n, accuracy=float(np.mean([said[i] == y[i] for i in taken]))))
confusions = sorted(([int(matrix[i, j]), i, j] for i in labels for j in labels if i != j and matrix[i, j]), key=lambda c: (-c[0], c[1], c[2]))
right = int((said == y).sum())
intervals = dict(accuracy=wilson(right, n))
figures = dict(
    kind="one label", count=n, right=right, accuracy=sk.accuracy_score(y, said),
    balancedAccuracy=sk.balanced_accuracy_score(y, said),
    macroF1=sk.f1_score(y, said, average="macro", zero_division=0),
    macroPrecision=sk.precision_score(y, said, average="macro", zero_division=0),
    macroRecall=sk.recall_score(y, said, average="macro", zero_division=0),
    logLoss=sk.log_loss(y, q, labels=labels), calibrationError=ece, meanConfidence=float(p.max(1).mean()),
    mostCommon=float(support.max() / n), mostCommonClass=int(support.argmax()), reliability=reliability,
    perClass=[dict(precision=precision[i], recall=recall[i], f1=f1[i], support=int(support[i]), predicted=int(matrix[:, i].sum()), recallInterval=wilson(int(matrix[i, i]), int(support[i]))) for i in labels],
    cells=[[i, j, int(matrix[i, j])] for i in labels for j in labels if matrix[i, j]],
    confusions=[dict(target=i, predicted=j, count=c) for c, i, j in confusions],
    mistakes=[sample(i) for i in wrong], unsure=[sample(i) for i in unsure], coverage=coverage)
if k > 5:
    hits = int(sum(1 for i in range(n) if sum(1 for j in labels if p[i, j] > p[i, y[i]] or (p[i, j] == p[i, y[i]] and j < y[i])) < 5))
    figures["top5"] = hits / n
    intervals["top5"] = wilson(hits, n)
# The bootstrap's draws are its own: its intervals are compared within what chance allows.
draws = np.random.default_rng(0).integers(0, n, (1000, n))
own = -np.log(np.clip(q[np.arange(n), y], np.finfo(float).eps, 1 - np.finfo(float).eps))
def drawn(d):
    have, taken = np.bincount(y[d], minlength=k), np.bincount(said[d], minlength=k)
    hits = np.bincount(y[d][said[d] == y[d]], minlength=k)
    return (hits[have > 0] / have[have > 0]).mean(), (2 * hits[have + taken > 0] / (have + taken)[have + taken > 0]).mean(), own[d].mean()
rough = dict(zip(("balancedAccuracy", "macroF1", "logLoss"), np.array([drawn(d) for d in draws]).T))
rough = {name: dict(low=float(np.quantile(v, 0.025)), high=float(np.quantile(v, 0.975)), deviation=float(np.std(v))) for name, v in rough.items()}

epochs = [line for line in lines if line.get("kind") == "epoch"]
number = lambda value: float(value) if isinstance(value, (int, float)) else "NaN"
column = lambda name: [number(line.get(name)) for line in epochs]
curves = {name: column(name) for name in ("trainLoss", "trainAccuracy", "validationLoss", "validationAccuracy", "seconds", "waiting")}
curves["epoch"] = [line["epoch"] + 1 for line in epochs]
least = int(np.argmin(curves["validationLoss"]))
vl, tl, va, ta = (np.array(curves[name]) for name in ("validationLoss", "trainLoss", "validationAccuracy", "trainAccuracy"))
quarter = max(1, len(epochs) // 4)
fit = dict(lossGap=vl[-1] - tl[-1], accuracyGap=ta[-1] - va[-1], leastLossEpoch=curves["epoch"][least], rise=vl[-1] / vl[least] - 1, trainFall=1 - tl[-1] / tl[least],
    lateGain=float(va[-quarter:].mean() - va[-2 * quarter:-quarter].mean()) if len(epochs) >= 4 else "NaN") if len(epochs) >= 2 else None
steps = [line for line in lines if line.get("kind") == "step"]
plan = run["configuration"]["plan"]["optimisation"]
seconds = np.array(curves["seconds"])
time = dict(perEpoch=seconds.mean(), perSecond=plan["batches"] * plan["batchSize"] * len(epochs) / seconds.sum(),
    waiting=float((np.array(curves["waiting"]) * seconds).sum() / seconds.sum()), updates=plan["epochs"] * math.ceil(plan["batches"] / plan["accumulate"]), training=run["progress"]["seconds"])
result = json.load(open_("result.json"))
out = dict(figures=figures, intervals=intervals, rough=rough, curves=curves, fit=fit, time=time,
    steps=dict(step=[line["step"] for line in steps], loss=[number(line["loss"]) for line in steps], learningRate=[number(line["learningRate"]) for line in steps], gradientNorm=[number(line.get("gradientNorm")) for line in steps], spikes=[line["step"] for line in steps if line.get("spike")]),
    chosen=dict(epoch=result["epoch"], epochs=curves["epoch"][-1], checkpoints=result["checkpoints"], averaged=result["averaged"], metric=result["metric"], score=result["score"], loss=result["loss"]))
learnt = [json.loads(line) for line in open_("training.jsonl") if line.strip()]
since = lambda i: dict(leftBehind=curves["epoch"][i], rise=vl[-1] / vl[i] - 1, trainFall=1 - tl[-1] / tl[i])
still = int(np.argmax(vl <= 1.05 * vl[least]))
left = dict(leftBehind="none", rise=0, trainFall=0)
if since(least)["rise"] > 0.05 and since(least)["trainFall"] > 0.02:
    left = since(least)
elif ta[-1] - va[-1] > 0.05 and since(still)["trainFall"] > 0.1:
    left = since(still)
gaps = []
for i in labels:
    own, other = [row["right"] for row in learnt if row["target"] == i], said[y == i] == i
    if own and len(other):
        gaps.append(dict(name=classes[i], train=float(np.mean(own)), validation=float(other.mean()), gap=float(np.mean(own) - other.mean())))
surprising = max(math.log(k), np.mean([row["early"] for row in learnt]) + np.std([row["early"] for row in learnt]))
late = sorted((row for row in learnt if row["early"] > surprising and row["right"] > 0.5), key=lambda row: (-row["early"], row["late"]))
out["overfitting"] = dict(gap=ta[-1] - va[-1], **left,
    classes=sorted(gaps, key=lambda one: -one["gap"]), memorised=dict(samples=late[:24], count=len(late), of=len(learnt), early=max(1, math.ceil(plan["epochs"] / 4))))
if os.path.exists(os.path.join(folder, "split.json")):
    split = json.load(open_("split.json"))
    out["parts"] = {name: len(split["parts"][name]) for name in ("train", "validation", "test")}
    uses = [event for event in split["seal"] if event["kind"] == "opened"]
    results = {event["use"]: event["result"] for event in split["seal"] if event["kind"] == "result"}
    out["tests"] = [dict(number=u["use"], time=u["time"], command=u["command"], score=results[u["use"]]["score"], samples=results[u["use"]]["samples"]) for u in uses]
if os.path.exists(os.path.join(folder, "quiz.json")):
    attempt = [a for a in json.load(open_("quiz.json"))["attempts"] if "finished" in a][-1]
    given = [a for a in attempt["answers"] if a["answer"] is not None]
    net = {row["name"]: int(said[i]) for i, row in enumerate(rows)}
    hits = sum(a["answer"] == a["label"] for a in given)
    theirs = sum(net[a["name"]] == a["label"] for a in given)
    out["human"] = dict(accuracy=hits / len(given), interval=wilson(hits, len(given)), right=hits, of=len(given), net=dict(accuracy=theirs / len(given), right=theirs, of=len(given), interval=wilson(theirs, len(given))))
default = lambda o: o.item() if hasattr(o, "item") else str(o)
print(json.dumps(out, default=default))
