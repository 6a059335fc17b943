# title: an adaptive batching endpoint on arrays
# expect: right
# check: ["Batch().double(np.array([[5.0], [6.0]]))"]
# %%
import bentoml, numpy as np
@bentoml.service
class Batch:
    @bentoml.api(batchable=True, max_batch_size=8)
    def double(self, rows: np.ndarray) -> np.ndarray:
        return rows * 2
# %%
bj.build("case", Batch, sample={"double": np.array([[1.0], [2.0], [3.0]])})
