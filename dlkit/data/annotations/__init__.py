"""Images with boxes on them, as people annotate them: Pascal VOC, COCO and YOLO, each read by a module of its own.

Reading stops at nothing: what is wrong comes back as text that names the file, and the caller stops, leaves it out or
counts it; what was guessed comes back as remarks. Boxes are as written here; ``dlkit.data.boxes`` says which are sound.
"""
