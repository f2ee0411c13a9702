include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ToyDialect : Dialect {
  let name = "toy";
  let cppNamespace = "::toy";
}

def DistanceOp : Op<ToyDialect, "distance", [Pure]> {
  let summary = "squared distances between the rows of two matrices";
  let arguments = (ins 2DTensorOf<[AnyFloat]>:$a, 2DTensorOf<[AnyFloat]>:$b);
  let results = (outs 2DTensorOf<[AnyFloat]>:$result);
  let assemblyFormat = [{
    $a `,` $b attr-dict `:` `(` type(operands) `)` `->` type($result)
  }];
}
