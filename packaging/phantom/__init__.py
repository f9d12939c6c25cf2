"""A procedural colonoscopy phantom: pictures drawn by a program, never taken from a patient.

``noise`` and ``vessels`` draw on the unrolled wall, ``wall`` puts the disease on it, ``tube`` is the
bowel's shape and where the rays meet it, ``scope`` is the light, the lens and the processor.
"""
