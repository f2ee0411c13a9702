// RUN: dtensor-compile --from-local %s -o %t.so
// RUN: strings -n 100 %t.so | FileCheck %s
// RUN: dtensor-run %t.so --list | FileCheck %s --check-prefix=LIST

// CHECK: {"abi":{{[0-9]+}},"cpu":"{{[^"]+}}","entries":[{"args":[
// CHECK-SAME: {"donated":true,"dtype":"bf16","extents":["2*H","4"],"kind":"tensor","name":"x","placements":[{"dim":0,"kind":"shard","unit":"H"},{"kind":"partial","reduce":"max"}],"shape":[null,4]}
// CHECK-SAME: {"dtype":"index","kind":"scalar","name":"h"}
// CHECK-SAME: "bind":"described__bind"
// CHECK-SAME: "results":[{"donated":false,"dtype":"i64","extents":[],"kind":"tensor","name":"out0","placements":[{"kind":"replicate"},{"kind":"replicate"}],"shape":[]}]
// CHECK-SAME: "symbols":["H"]
// CHECK-SAME: "mesh":{"axes":[{"divides":null,"hint":8,"max":null,"min":1,"multiple_of":1,"name":"dp","size":2},{"divides":64,"hint":4,"max":null,"min":1,"multiple_of":1,"name":"tp","size":null}]},"target":"cpu"}
// LIST: entry described (H)

#mesh = #dtensor.mesh<"dp" = 2, "tp" = ? {divides 64, hint 4}>
#x = #dtensor.layout<#mesh, [shard(0, unit = H), partial(max)], (2*H, 4)>
func.func @described(%x: tensor<?x4xbf16> {dtensor.name = "x", dtensor.donated}, %h: index {dtensor.name = "h", dtensor.symbol = "H"},
    %H: index {dtensor.symbol = "H"}, %dp: index {dtensor.axis_size = "dp"}, %tp: index {dtensor.axis_size = "tp"},
    %i: index {dtensor.axis_index = "dp"}, %j: index {dtensor.axis_index = "tp"}) -> index
    attributes {dtensor.global_type = (tensor<?x4xbf16, #x>, index) -> index, dtensor.symbols = {H = {}}} {
  return %H : index
}
