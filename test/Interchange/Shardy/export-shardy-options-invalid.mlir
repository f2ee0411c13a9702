// RUN: not dtensor-opt %s --dtensor-export-shardy="mesh=tp" 2>&1 | FileCheck %s --check-prefix=MESH
// RUN: not dtensor-opt %s --dtensor-export-shardy="mesh=tp=0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not dtensor-opt %s --dtensor-export-shardy="symbols=B=many" 2>&1 | FileCheck %s --check-prefix=SYMBOL
// RUN: not dtensor-opt %s --dtensor-export-shardy="symbols=B=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE

// MESH: error: option mesh: "tp" is not a name and a number of at least 1
// ZERO: error: option mesh: "tp=0" is not a name and a number of at least 1
// SYMBOL: error: option symbols: "B=many" is not a name and a number of at least 0
// NEGATIVE: error: option symbols: "B=-1" is not a name and a number of at least 0
func.func private @f()
