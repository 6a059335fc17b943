# title: two objects of notebook classes that refer to each other
# expect: right
# check: ["walk(3)"]
# %%
class Node:
    def __init__(self, name):
        self.name, self.next = name, None
a, b = Node("a"), Node("b")
a.next, b.next = b, a
def walk(steps):
    node, names = a, []
    for _ in range(steps):
        names.append(node.name)
        node = node.next
    return names
# %%
bj.build("case", walk, sample=2)
