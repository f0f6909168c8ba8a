"""Serve: a trained model that answers over HTTP.

``command`` is ``dlkit serve``; ``app`` the routes; ``guard`` says who may ask; ``batching`` gathers simultaneous
questions for the processes of ``model``, each of which is a ``worker`` with the model in it (``of_run``: a checkpoint,
``of_folder``: an exported folder, without torch); ``limits`` bounds all of it; ``static/`` is the page on which a
person tries it. The process that listens never loads the model, torch or a plugin: what hangs or dies is a worker,
which is started again.
"""
