// An op of a host, in the generic form, on a mesh of any size.
#world = #dtensor.mesh<"tp" = ?>
#tokens = #dtensor.layout<#world, [replicate], (T, D)>
#by_width = #dtensor.layout<#world, [shard(1)], (T, D)>
#centers = #dtensor.layout<#world, [shard(0)], (N, D)>
#centers_by_width = #dtensor.layout<#world, [shard(1)], (N, D)>
#apart = #dtensor.layout<#world, [shard(1)], (T, N)>
#whole = #dtensor.layout<#world, [replicate], (T, N)>

// Every device has some centers: nothing travels.
func.func @by_center(%t: tensor<?x?xf32> {dtensor.layout = #tokens},
                     %c: tensor<?x?xf32> {dtensor.layout = #centers})
    -> (tensor<?x?xf32> {dtensor.layout = #apart}) {
  %0 = "host.distance"(%t, %c) {power = 2 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Every device has some columns: the distances are summed over devices.
func.func @by_width(%t: tensor<?x?xf32> {dtensor.layout = #by_width},
                    %c: tensor<?x?xf32> {dtensor.layout = #centers_by_width})
    -> (tensor<?x?xf32> {dtensor.layout = #whole}) {
  %0 = "host.distance"(%t, %c) {power = 2 : i64} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
