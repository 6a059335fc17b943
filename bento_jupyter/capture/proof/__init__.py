"""The built Bento in an environment of its own: does it answer as the notebook did?"""
