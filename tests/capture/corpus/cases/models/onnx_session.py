# title: an ONNX session of a converted pipeline
# expect: right
# needs: [onnxruntime, skl2onnx]
# check: ["predict([[5.0, 3.4, 1.5, 0.2]])"]
# %%
import numpy as np, onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
X = X.astype("float32")
session = onnxruntime.InferenceSession(to_onnx(LogisticRegression(max_iter=500).fit(X, y), X[:1]).SerializeToString())
def predict(rows):
    return session.run(None, {"X": np.asarray(rows, "float32")})[0].tolist()
# %%
bj.build("case", predict, sample=[[6.0, 3.0, 4.8, 1.8]])
