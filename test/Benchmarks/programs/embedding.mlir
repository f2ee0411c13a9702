// Rows of a table of 202048 words, 256 numbers each, in f32: any batch B, any
// length S, any number of devices. The entries differ in where the table lives.

#tp = #dtensor.mesh<"tp" = ? {hint 2}>

#ids = #dtensor.layout<#tp, [replicate], (B, S)>
#rows = #dtensor.layout<#tp, [replicate], (B, S, 256)>
#replicated = #dtensor.layout<#tp, [replicate], (202048, 256)>
#by_word = #dtensor.layout<#tp, [shard(0)], (202048, 256)>
#by_number = #dtensor.layout<#tp, [shard(1)], (202048, 256)>

!ids = tensor<?x?xi64>
!table = tensor<202048x256xf32>
!rows = tensor<?x?x256xf32>

func.func @embedding_replicate(%ids: !ids {dtensor.layout = #ids},
                         %table: !table {dtensor.layout = #replicated})
    -> (!rows {dtensor.layout = #rows})
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, !table) -> !rows
  return %0 : !rows
}

func.func @embedding_vocab(%ids: !ids {dtensor.layout = #ids},
                         %table: !table {dtensor.layout = #by_word})
    -> (!rows {dtensor.layout = #rows})
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, !table) -> !rows
  return %0 : !rows
}

func.func @embedding_dim(%ids: !ids {dtensor.layout = #ids},
                         %table: !table {dtensor.layout = #by_number})
    -> (!rows {dtensor.layout = #rows})
    attributes {dtensor.symbols = {B = {hint = 8}, S = {hint = 512}}} {
  %0 = dtensor.embedding %ids, %table : (!ids, !table) -> !rows
  return %0 : !rows
}
