"""What NumPy and scikit-learn make of the same data: a case on standard input, arrays on standard output."""
import json
import sys

import numpy as np


def channels(case):
    pixels = np.array(case["pictures"], dtype=np.uint8).reshape(case["shape"])
    values = pixels.astype(np.float64) / 255
    return {"mean": values.mean(axis=(0, 1, 2)).tolist(), "std": values.std(axis=(0, 1, 2)).tolist()}


def numbers(values):
    return np.array([np.nan if x is None else x for x in values], dtype=np.float64).reshape(-1, 1)


def table(case):
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, QuantileTransformer, StandardScaler

    out = {}
    for name, column in case.items():
        how = column["how"]
        if how == "categories":
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            encoder.fit(np.array(column["train"], dtype=object).reshape(-1, 1))
            out[name] = encoder.transform(np.array(column["other"], dtype=object).reshape(-1, 1)).tolist()
            continue
        train, other = numbers(column["train"]), numbers(column["other"])
        steps = [SimpleImputer(strategy="median")]
        if how == "log":
            steps.append(FunctionTransformer(np.log1p))
        if how == "rank":
            steps.append(
                QuantileTransformer(
                    n_quantiles=min(1000, len(train)), output_distribution="normal", subsample=None
                )
            )
        steps.append(StandardScaler())
        pipeline = make_pipeline(*steps).fit(train)
        values = pipeline.transform(other)
        if np.isnan(train).any():
            values = np.hstack([values, MissingIndicator().fit(train).transform(other)])
        out[name] = values.astype(np.float64).tolist()
    return out


def text(case):
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    options = {"token_pattern": r"(?u)\w+", "vocabulary": case["words"]}
    if case["weighting"] == "counts":
        vectorizer = CountVectorizer(**options)
    else:
        norm = "l2" if case["length"] == "one" else None
        vectorizer = TfidfVectorizer(norm=norm, sublinear_tf=case["sublinear"], **options)
    vectorizer.fit(case["train"])
    return vectorizer.transform(case["other"]).toarray().astype(np.float64).tolist()


case = json.load(sys.stdin)
print(json.dumps({"channels": channels, "table": table, "text": text}[sys.argv[1]](case)))
