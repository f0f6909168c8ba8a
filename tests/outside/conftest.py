"""The packages here are plugins of strangers: their own tests are run where they are installed, not by ours."""

collect_ignore_glob = ["dlkit-*"]
