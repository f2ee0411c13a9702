// Rows of a large table, looked up on any number of devices.
//
// Batch B, sequence S and the size of the mesh are not known to the compiler:
// one bundle serves them all. The entries differ only in where the table lives,
// and with it in what has to travel: the program says placements, the compiler
// finds the collectives.

#world = #dtensor.mesh<"tp" = ? {hint 4}>

#ids = #dtensor.layout<#world, [replicate], (B, S)>
#rows = #dtensor.layout<#world, [replicate], (B, S, 256)>

#whole = #dtensor.layout<#world, [replicate], (202048, 256)>
#by_word = #dtensor.layout<#world, [shard(0)], (202048, 256)>
#by_feature = #dtensor.layout<#world, [shard(1)], (202048, 256)>

!ids = tensor<?x?xi64, #ids>
!rows = tensor<?x?x256xf32, #rows>

// Every device has the whole table. Nothing travels.
func.func @replicated(%ids: !ids, %table: tensor<202048x256xf32, #whole>) -> !rows
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, tensor<202048x256xf32, #whole>) -> !rows
  return %0 : !rows
}

// Every device has a range of words and knows nothing of the others: each
// contributes the rows it owns, one all-reduce adds them up.
func.func @by_word(%ids: !ids, %table: tensor<202048x256xf32, #by_word>) -> !rows
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, tensor<202048x256xf32, #by_word>) -> !rows
  return %0 : !rows
}

// Every device has some features of every word: one all-gather joins them.
func.func @by_feature(%ids: !ids, %table: tensor<202048x256xf32, #by_feature>) -> !rows
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, tensor<202048x256xf32, #by_feature>) -> !rows
  return %0 : !rows
}
