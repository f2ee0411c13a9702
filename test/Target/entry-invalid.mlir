// RUN: split-file %s %t
// RUN: not dtensor-compile --from-local %t/type.mlir -o %t/a.so 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not dtensor-compile --from-local %t/symbol.mlir -o %t/a.so 2>&1 | FileCheck %s --check-prefix=SYMBOL
// RUN: not dtensor-compile --from-local %t/unknown.mlir -o %t/a.so 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not dtensor-compile --from-local %t/element.mlir -o %t/a.so 2>&1 | FileCheck %s --check-prefix=ELEMENT
// RUN: not dtensor-compile --from-local %t/empty.mlir -o %t/a.so 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not dtensor-compile --from-local --target=abacus %t/symbol.mlir 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not dtensor-compile --from-local --cpu=abacus %t/good.mlir 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not ls %t/a.so

// TYPE: type.mlir:1:1: error: 'func.func' op is public but has no dtensor.global_type
// SYMBOL: symbol.mlir:2:1: error: 'func.func' op has a symbol "B" that no argument binds
// UNKNOWN: unknown.mlir:2:1: error: 'func.func' op "arg0" has extent B + 1, but symbol "B" is no argument of the local function
// ELEMENT: element.mlir:2:1: error: 'func.func' op argument 0 has type {{.*}}, whose elements the runtime does not know
// EMPTY: error: module has no public function
// TARGET: no target "abacus"
// CPU: no processor "abacus" for

//--- type.mlir
func.func @local_only(%x: tensor<?xf32>) { return }
//--- symbol.mlir
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (B + 1)>
func.func @unbound(%x: tensor<?xf32>, %B: index {dtensor.symbol = "B"}) attributes {dtensor.global_type = (tensor<?xf32, #l>) -> ()} { return }
//--- unknown.mlir
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (B + 1)>
func.func @unknown(%x: tensor<?xf32>) attributes {dtensor.global_type = (tensor<?xf32, #l>) -> ()} { return }
//--- element.mlir
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (B)>
func.func @odd_element(%x: tensor<?xi7>, %B: index {dtensor.symbol = "B"}) attributes {dtensor.global_type = (tensor<?xi7, #l>) -> ()} { return }
//--- empty.mlir
func.func private @hidden(%x: tensor<?xf32>) { return }
//--- good.mlir
#l = #dtensor.layout<#dtensor.mesh<"tp" = ?>, [replicate], (B)>
func.func @good(%x: tensor<?xf32>, %B: index {dtensor.symbol = "B"}) attributes {dtensor.global_type = (tensor<?xf32, #l>) -> ()} { return }
