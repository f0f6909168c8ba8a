"""Jobs that go on after the machine has come back: what starts at boot, and what it has go on.

``python -m dlkit.jobs.service WORKSPACE`` (``__main__``) keeps a list of the jobs that are going (``memory``), and when
it is started again has those go on that were going when it was last alive (``revive``). ``unit`` says what the system's
service manager is told, ``systemd`` and ``launchd`` how.
"""
