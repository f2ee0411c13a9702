"""Runs every GoogleTest case of the unit test binaries as a lit test."""

import os

import lit.formats

config.name = "dtensor-unit"
config.suffixes = []
config.test_source_root = os.path.join(config.dtensor_obj_root, "test", "Unit")
config.test_exec_root = config.test_source_root
config.test_format = lit.formats.GoogleTest(".", "Tests")
