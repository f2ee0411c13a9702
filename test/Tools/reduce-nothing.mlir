// A program that the script has no interest in is told, and left alone.
//
// RUN: env WORDS=all_gather not dtensor-reduce %s --reduction-tree="traversal-mode=0 test=%S/Inputs/plans.sh" 2>&1 | FileCheck %s
// CHECK: dtensor-reduce: the script ends with exit code 0 for this program, 1 says that it is of interest

func.func @nothing() {
  return
}
