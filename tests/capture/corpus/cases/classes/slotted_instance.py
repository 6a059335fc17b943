# title: an instance with __slots__ and properties
# expect: right
# check: ["point.move(3)"]
# %%
class Point:
    __slots__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y
    def move(self, by): return [self.x + by, self.y + by]
point = Point(1, 2)
# %%
bj.build("case", point, sample=1)
