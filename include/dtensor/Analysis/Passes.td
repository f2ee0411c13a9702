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

    Before:
    ```mlir
    #ids = #dtensor.layout<#mesh, [replicate], (B, S)>
    #table = #dtensor.layout<#mesh, [shard(0)], (V, 8)>
    #out = #dtensor.layout<#mesh, [partial(sum)], (B, S, 8)>
    func.func @f(%ids: tensor<?x?xi64, #ids>, %table: tensor<?x8xf32, #table>) -> tensor<?x?x8xf32, #out> {
      %y = dtensor.embedding %ids, %table : (tensor<?x?xi64, #ids>, tensor<?x8xf32, #table>) -> tensor<?x?x8xf32, #out>
      return %y : tensor<?x?x8xf32, #out>
    }
    ```
    The remark:
    ```
    remark: p0 = B, p1 = S, sum2 = V, p3 = 8 : ([p0, p1], [sum2, p3]) -> ([p0, p1, p3]), partial (-, sum) -> (sum), partial (-, avg) -> (avg)
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

    Before:
    ```mlir
    #partial = #dtensor.layout<#mesh, [partial(sum)], (B)>
    #replicated = #dtensor.layout<#mesh, [replicate], (B)>
    func.func @f(%x: tensor<?xf32, #partial>) -> tensor<?xf32, #replicated> {
      %y = dtensor.redistribute %x plan <#mesh, (B), [all_reduce ["tp"] sum to [replicate] bytes 8*B]> : tensor<?xf32, #partial> to tensor<?xf32, #replicated>
      return %y : tensor<?xf32, #replicated>
    }
    ```
    The remarks:
    ```
    remark: all_reduce sum over "tp": 8*B bytes, 1024 at B = 128, 14.60 us
    note: argument 0 of @f at ... gives [partial(sum)]
    note: the program states [replicate] at ...
    note: rejected: reduce_scatter sum dim 0 over "tp", then all_gather dim 0 over "tp": 8*size(tp)*(B ceildiv size(tp)) - 8*(B ceildiv size(tp)) bytes, 896 at tp = 8, B = 128, 20.00 us instead of 14.60 us
    ```
  }];
}

#endif // DTENSOR_ANALYSIS_PASSES_TD
