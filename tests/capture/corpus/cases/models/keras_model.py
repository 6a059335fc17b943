# title: a Keras model
# expect: right
# needs: keras
# timeout: 240
# check: ["predict([[1.0, 2.0, 3.0, 4.0]])"]
# %%
import os
os.environ.setdefault("KERAS_BACKEND", "torch")
import keras, numpy as np
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")])
def predict(rows):
    return np.asarray(model(np.asarray(rows, "float32")).detach()).astype("float64").round(5).tolist()
# %%
bj.build("case", predict, sample=[[0.5, 0.5, 0.5, 0.5]])
