"""What a run's record says of it, in words: why it failed, why it is slow, whether it is any good.

``diagnose(Record)`` gives verdicts, the worst first, each with its evidence and the commands that mend it. A verdict is
a pure function of what is on record (the log, the configuration, run.json, what lies in the folder): it builds nothing,
asks nobody and never guesses. What cannot be told is said as such, with what would record it.
"""

from dlkit.diagnose.record import Record, read_record
from dlkit.diagnose.registry import diagnose
from dlkit.diagnose.verdict import Mend, Seen, Verdict

__all__ = ["Mend", "Record", "Seen", "Verdict", "diagnose", "read_record"]
