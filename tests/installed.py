"""Which plugins are installed here, and how tests install others.

Not in conftest.py: pytest forgets the module ``conftest`` whenever it loads another one, so that whoever imports it
next gets a copy, with what is installed at that moment.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

TESTS = Path(__file__).parent
PLUGINS = tuple(sorted({found.name for found in entry_points(group="dlkit")}))
"""The plugins that are installed here."""


def all_but(*names: str) -> str:
    """A DLKIT_DISABLE that leaves these plugins: what a test says of lists is not to depend on what else there is."""
    return ",".join(name for name in ("toy", *PLUGINS) if name not in names)


def install_metadata(root: Path, distribution: str, name: str, module: str, version: str = "1.0") -> None:
    """What pip writes about an installed distribution with one entry point of the group dlkit."""
    folder = root / f"{distribution.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (folder / "entry_points.txt").write_text(f"[dlkit]\n{name} = {module}\n")
