"""Runs and studies as one document for people: gathered once (``blocks``), written as a page or as Markdown."""
