// The tensor of distribute.mlir on a grid of devices: two hosts that hold the
// same, each with its rows spread over its own devices.

#grid = #dtensor.mesh<"host" = 2, "device" = ?>

#whole = #dtensor.layout<#grid, [replicate, replicate], (N, 3)>
#hybrid = #dtensor.layout<#grid, [replicate, shard(0)], (N, 3)>

!whole = tensor<?x3xf32, #whole>
!hybrid = tensor<?x3xf32, #hybrid>

func.func @hybrid_shard(%x: !whole) -> !hybrid {
  %0 = dtensor.redistribute %x : !whole to !hybrid
  return %0 : !hybrid
}
