"""New plugins, written as packages that work at once: ``dlkit new-plugin``.

The templates are packages themselves, of a plugin called ``my-plugin``; what is written is one of them, its names
exchanged. So what a plugin's author is given is what ruff, mypy and the tests have seen.
"""
