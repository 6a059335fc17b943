# title: inheritance over three cells, with super() and an abstract base
# expect: right
# check: ["Dog().speak('x')"]
# %%
from abc import ABC, abstractmethod
class Animal(ABC):
    legs = 4
    def __init__(self): self.log = ["animal"]
    @abstractmethod
    def sound(self): ...
    def speak(self, to): return [self.sound(), to, self.legs, *self.log]
# %%
class Pet(Animal):
    def __init__(self):
        super().__init__()
        self.log.append("pet")
    def sound(self): return "..."
# %%
class Dog(Pet):
    def __init__(self):
        super(Dog, self).__init__()
        self.log.append("dog")
    def sound(self): return "wuff" + super().sound()
# %%
bj.build("case", Dog, sample="you", endpoints=["speak"])
