//===- Passes.td - analyses that print --------------------------*- tablegen -*-//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_ANALYSIS_PASSES_TD
#define DTENSOR_ANALYSIS_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrintShardingRules : Pass<"dtensor-print-sharding-rules"> {
  let summary = "print the sharding rule of every op";
  let description = [{
    One remark per op that has a rule: its factors with kind and size, every
    tensor's dimensions as lists of factors, and the partial signatures. The
    program stays as it is.

    ```
    remark: p0 = B, p1 = S, sum2 = V, p3 = 8 : ([p0, p1], [sum2, p3]) -> ([p0, p1, p3]), partial (-, sum) -> (sum)
    ```
  }];
}

#endif // DTENSOR_ANALYSIS_PASSES_TD
