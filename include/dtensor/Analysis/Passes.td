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

def Explain : Pass<"dtensor-explain"> {
  let summary = "say why every redistribute moves what it moves";
  let description = [{
    One remark per redistribute after `plan`: its steps, the bytes that one rank
    sends as a formula and at the hints, and the time. Notes name the op that
    gives the value, the ops that want it otherwise and what chose that, and the
    ways that were rejected with what they would have cost. The program stays as
    it is.

    ```
    remark: all_reduce sum over "tp": 8*B bytes, 1024 at B = 128, 12.0 us
    note: linear at a.mlir:3:8 gives [partial(sum)]
    note: return at a.mlir:4:3 wants [replicate]: result 0 of @f
    note: rejected: reduce_scatter sum dim 0 over "tp", then all_gather dim 0 over "tp": 8*B bytes, 1024 at B = 128, 16.2 us instead of 12.0 us
    ```
  }];
}

#endif // DTENSOR_ANALYSIS_PASSES_TD
