"""The recipe of the default model: from folders of images to the file that ships, and to the figures that describe it.

One command, given the path of the data, does all of it (``python -m recipes.default_model DATA``); `__main__` says in
which order. Only images, features and scores pass between the steps, and each step keeps its result in the work
folder, so that an interrupted run goes on where it stopped.
"""
