// RUN: dtensor-opt %s --dtensor-partition-pipeline | FileCheck %s
// RUN: sed -e 's/<?x/<4096x/g; s/(N)/(4096)/g' %s | dtensor-opt --dtensor-partition-pipeline | FileCheck %s
// A rank sorts its shard and merges it with those of others: a loop of rounds,
// each of which hands on one shard of elements and one of their positions.

#mesh = #dtensor.mesh<"tp" = ?>
#cut = #dtensor.layout<#mesh, [shard(0)], (N)>

// CHECK-LABEL: @merges
// CHECK: dtensor.sort %{{.+}} {dim = 0 : i64}
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-2: dtensor.collective_permute
// CHECK: dtensor.merge
// CHECK: tensor.extract_slice
// CHECK-NOT: dtensor.all_gather
// CHECK: return
func.func @merges(%x: tensor<?xf32> {dtensor.layout = #cut}) -> (tensor<?xf32> {dtensor.layout = #cut}) {
  %0, %1 = dtensor.sort %x {dim = 0, merges} : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
  return %0 : tensor<?xf32>
}
