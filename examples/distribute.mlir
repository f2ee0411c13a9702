// One tensor, handed out in several ways.
//
// `redistribute` is the only op that changes where a tensor lives, and never
// what it is. The number of rows N need not be a multiple of the number of
// devices: the last ones hold fewer rows, or none.

#world = #dtensor.mesh<"world" = ?>

#whole = #dtensor.layout<#world, [replicate], (N, 3)>
#rows = #dtensor.layout<#world, [shard(0)], (N, 3)>

!whole = tensor<?x3xf32, #whole>
!rows = tensor<?x3xf32, #rows>

// Every device keeps its rows.
func.func @shard(%x: !whole) -> !rows {
  %0 = dtensor.redistribute %x : !whole to !rows
  return %0 : !rows
}

// Every device keeps everything.
func.func @replicate(%x: !whole) -> !whole {
  return %x : !whole
}

// And back: one all-gather.
func.func @collect(%x: !rows) -> !whole {
  %0 = dtensor.redistribute %x : !rows to !whole
  return %0 : !whole
}
