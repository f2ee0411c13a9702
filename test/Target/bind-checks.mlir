// RUN: dtensor-compile --from-local %s -o %t.so
// RUN: dtensor-run %t.so --mesh tp=2 --random --dim B=4,S=4 --check
// RUN: not dtensor-run %t.so --mesh tp=2 --random --dim B=6,S=4 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// RUN: not dtensor-run %t.so --mesh tp=1 --random --dim B=4,S=3 --input y=%S/Inputs/zeros-5.npy 2>&1 | FileCheck %s --check-prefix=EXTENT
// RUN: not dtensor-run %t.so --mesh tp=3 --random --dim B=4,S=4 2>&1 | FileCheck %s --check-prefix=AXIS
// RUN: not dtensor-run %t.so --mesh tp=1 --random --dim B=4,S=9 2>&1 | FileCheck %s --check-prefix=MAX
// RUN: not dtensor-run %t.so --mesh tp=1 --random --dim B=4,S=1 2>&1 | FileCheck %s --check-prefix=MIN

// MULTIPLE: symbol "B" is 6, not a multiple of 4
// EXTENT: argument "y" dim 0 is 5, expected B*S = 12
// AXIS: symbol "S" is 4, not a multiple of the size 3 of axis "tp"
// MAX: symbol "S" is 9, greater than its maximum 8
// MIN: symbol "S" is 1, less than its minimum 2

#mesh = #dtensor.mesh<"tp" = ?>
#x = #dtensor.layout<#mesh, [shard(0)], (B, S)>
#y = #dtensor.layout<#mesh, [replicate], (B*S)>
func.func @facts_and_extents_are_checked_at_launch(%x: tensor<?x?xf32>, %y: tensor<?xf32> {dtensor.name = "y"},
    %B: index {dtensor.symbol = "B"}, %S: index {dtensor.symbol = "S"},
    %n: index {dtensor.axis_size = "tp"}, %r: index {dtensor.axis_index = "tp"}) -> tensor<?x?xf32>
    attributes {dtensor.global_type = (tensor<?x?xf32, #x>, tensor<?xf32, #y>) -> tensor<?x?xf32, #x>,
                dtensor.mesh = #mesh, dtensor.symbols = {B = {multiple_of = 4}, S = {min = 2, max = 8, multiple_of = "tp"}}} {
  return %x : tensor<?x?xf32>
}
