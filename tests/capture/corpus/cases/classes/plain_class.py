# title: a class without constructor arguments: its public methods are endpoints
# expect: right
# check: ["Calculator().add(3, 4)", "Calculator().halve(5)"]
# %%
class Calculator:
    """Adds and halves."""
    unit = "m"
    def add(self, a, b):
        return self._round(a + b)
    def halve(self, x):
        return f"{x / 2} {self.unit}"
    def _round(self, x):
        return round(x, 3)
# %%
bj.build("case", Calculator, sample={"add": {"a": 1, "b": 2}, "halve": 3})
