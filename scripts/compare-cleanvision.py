"""What CleanVision and Praxis find in the same folder of pictures, kind by kind (docs/look.md shows the result).

    praxis look FOLDER --json > look.json
    python scripts/compare-cleanvision.py FOLDER look.json [--issues issues.csv]

Needs CleanVision (0.3.8 was compared: `pip install cleanvision`, or its sources and those of imagehash on PYTHONPATH). `--issues` keeps its
answers in a file, and takes them from there when it exists: CleanVision needs a minute or more for a few thousand pictures.
"""
import argparse
import json
import os

KINDS = [
    # CleanVision's name, and Praxis's kinds that mean the same.
    ("exact_duplicates", ["exact-duplicates", "conflicting-labels", "leak"], "exact"),
    ("near_duplicates", ["near-duplicates", "conflicting-labels", "leak"], "near"),
    ("dark", ["dark"], None),
    ("light", ["bright"], None),
    ("blurry", ["blurry"], None),
    ("grayscale", ["grey"], None),
    ("low_information", ["low-information"], None),
    ("odd_aspect_ratio", ["odd-aspect"], None),
    ("odd_size", ["odd-size"], None),
]


def cleanvision_issues(folder, file):
    import pandas

    if file and os.path.exists(file):
        return pandas.read_csv(file, index_col=0)
    import cleanvision

    # Straight from its sources it does not know its version.
    if not hasattr(cleanvision, "__version__"):
        cleanvision.__version__ = "from source"
    lab = cleanvision.Imagelab(data_path=folder)
    lab.find_issues(n_jobs=1, verbose=False)
    if file:
        lab.issues.to_csv(file)
    return lab.issues


def praxis_samples(report, kinds, only):
    """Names of the samples of some kinds of finding; of copies those that are (or are not) equal byte for byte."""
    found = set()
    for finding in report["findings"]:
        if finding["kind"] not in kinds:
            continue
        groups = {}
        for sample in finding["samples"]:
            groups.setdefault(sample.get("group", sample["index"]), []).append(sample["name"])
        for members in groups.values():
            if only is None or finding["kind"] == f"{only}-duplicates":
                found.update(members)
            elif finding["kind"] not in ("exact-duplicates", "near-duplicates"):
                same = len({open(os.path.join(report["root"], name), "rb").read() for name in members}) == 1
                if same == (only == "exact"):
                    found.update(members)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("look")
    parser.add_argument("--issues")
    given = parser.parse_args()
    issues = cleanvision_issues(given.folder, given.issues)
    with open(given.look, encoding="utf8") as file:
        report = json.load(file)
    names = [os.path.relpath(path, given.folder).replace(os.sep, "/") for path in issues.index]
    print(f"{len(names)} pictures seen by CleanVision, {report['samples']} by Praxis")
    print("| kind | CleanVision | Praxis | both |\n|---|---|---|---|")
    details = []
    for theirs, ours, only in KINDS:
        marked = issues[f"is_{theirs}_issue"].tolist()
        one = {name for name, is_issue in zip(names, marked) if is_issue}
        other = praxis_samples(report, ours, only)
        print(f"| {theirs} | {len(one)} | {len(other)} | {len(one & other)} |")
        for title, left in (("CleanVision only", one - other), ("Praxis only", other - one)):
            if left:
                details.append(f"{theirs}, {title}: {', '.join(sorted(left)[:12])}{' …' if len(left) > 12 else ''}")
    print("\n".join(details))


if __name__ == "__main__":
    main()
