"""Every IR test once more, with all that dtensor-opt reads printed, parsed and
compared, as text and as bytecode. An op, an attribute or a type whose text says
less than it is fails here.

These are the tests of the main suite, in the same files.
"""

import os

config.roundtrip = True
lit_config.load_config(config, os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    "lit.cfg.py"))

config.name = "dtensor-roundtrip"
config.suffixes = [".mlir"]
# Tests of other tools than dtensor-opt.
config.excludes = [*config.excludes, "Fuzz", "Target", "Tools"]
config.test_exec_root = os.path.join(config.dtensor_obj_root, "test",
                                     "Roundtrip")
