//===- ExplainPage.cpp - the explanation as one HTML page -----------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The page is a fixed text (ExplainPage.inc) around one JSON value, which only
// this file writes. A formula appears once, in the table `formulas`, and is
// named by its place there:
//
//   tree ::= "<digits>" | ["symbol" | "size" | "index", name] | [op, tree,
//   tree] op   ::= add | mul | floordiv | ceildiv | mod | min | max
//
//===----------------------------------------------------------------------===//

#include "ExplainMovement.h"
#include "dtensor/Sharding/LocalShape.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace dtensor;
using llvm::json::OStream;

static constexpr llvm::StringLiteral pageHead =
#include "ExplainPageHead.inc"
    ;
static constexpr llvm::StringLiteral pageTail =
#include "ExplainPageTail.inc"
    ;

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

/// JSON strings hold UTF-8; names in a program need not.
static std::string clean(StringRef text) { return llvm::json::fixUTF8(text); }

static std::string quote(StringRef text) {
  std::string quoted;
  llvm::raw_string_ostream(quoted) << llvm::json::Value(clean(text));
  return quoted;
}

namespace {
struct TreeFolder final : Folder<std::string> {
  static std::string node(StringRef op, StringRef rest) {
    return ("[\"" + op + "\"," + rest + "]").str();
  }
  /// As digits: a number of JSON need not keep 64 bits.
  std::string constant(int64_t value) override {
    return "\"" + std::to_string(value) + "\"";
  }
  std::string symbol(StringRef name, SymbolKind kind) override {
    StringRef op = kind == SymbolKind::Extent     ? "symbol"
                   : kind == SymbolKind::AxisSize ? "size"
                                                  : "index";
    return node(op, quote(name));
  }
  std::string add(std::string lhs, std::string rhs) override {
    return node("add", lhs + "," + rhs);
  }
  std::string mul(std::string lhs, std::string rhs) override {
    return node("mul", lhs + "," + rhs);
  }
  std::string binary(BinaryKind kind, std::string lhs,
                     std::string rhs) override {
    static constexpr StringRef names[] = {"floordiv", "ceildiv", "mod", "min",
                                          "max"};
    return node(names[static_cast<int>(kind)], lhs + "," + rhs);
  }
};

class PageWriter {
public:
  PageWriter(ArrayRef<FunctionReport> reports, raw_ostream &os)
      : reports(reports), json(os) {}
  void write(StringRef title);

private:
  unsigned formula(Expr expr);
  void writeFunction(const FunctionReport &report);
  void writeSymbols(const FunctionReport &report);
  void writeAxes(const FunctionReport &report);
  void writeMovement(const Movement &movement, unsigned node);
  void writeRejected(const RejectedWay &way);
  void writeTensors(const FunctionReport &report);
  void writeTensor(const FunctionReport &report, const Twine &name, Type type);
  void writeLifetimes(const FunctionReport &report);
  void writePlacements(LayoutAttr layout);
  void writeFormulas();

  ArrayRef<FunctionReport> reports;
  OStream json;
  llvm::DenseMap<Expr, unsigned> numbers;
  std::vector<Expr> formulas;
};

/// The nodes of a function's graph: its arguments, its ops on tensors in
/// program order, its results. `emit` receives each once, inputs first.
class GraphWriter {
public:
  struct Node {
    StringRef kind;
    std::string label, where;
    LayoutAttr layout;
    unsigned layer;
    SmallVector<unsigned> inputs;
  };
  explicit GraphWriter(const FunctionReport &report);
  ArrayRef<Node> getNodes() const { return nodes; }
  unsigned lookup(Operation *op) const { return ops.lookup(op); }

private:
  void addBlock(Block &block, std::optional<unsigned> parent);
  void addOp(Operation *op, std::optional<unsigned> parent);
  void addReturn(func::ReturnOp op);
  unsigned addNode(Node node);

  func::FuncOp func;
  std::vector<Node> nodes;
  DenseMap<Value, unsigned> values;
  DenseMap<Operation *, unsigned> ops;
};
} // namespace

unsigned PageWriter::formula(Expr expr) {
  auto [slot, isNew] = numbers.try_emplace(expr, formulas.size());
  if (isNew)
    formulas.push_back(expr);
  return slot->second;
}

void PageWriter::writeFormulas() {
  TreeFolder folder;
  ExprMemo<std::string> memo;
  json.attributeArray("formulas", [&] {
    for (Expr expr : formulas)
      json.object([&] {
        json.attribute("text", clean(expr.str()));
        json.attributeBegin("tree");
        json.rawValue(expr.isOverflow() ? "null"
                                        : foldExpr(expr, folder, memo));
        json.attributeEnd();
      });
  });
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

static StringRef kindOf(Operation *op) {
  auto move = dyn_cast<RedistributeOp>(op);
  if (!move)
    return "op";
  return move.getPlanAttr() && move.getPlanAttr().getPlan().collectives() == 0
             ? "local"
             : "collective";
}

GraphWriter::GraphWriter(const FunctionReport &report) : func(report.func) {
  Block &body = func.getBody().front();
  for (BlockArgument argument : body.getArguments())
    if (LayoutAttr layout = getLayout(argument))
      values[argument] =
          addNode({"argument",
                   "argument " + std::to_string(argument.getArgNumber()),
                   describeLocation(argument.getLoc()),
                   layout,
                   0,
                   {}});
  addBlock(body, std::nullopt);
}

unsigned GraphWriter::addNode(Node node) {
  nodes.push_back(std::move(node));
  return nodes.size() - 1;
}

void GraphWriter::addBlock(Block &block, std::optional<unsigned> parent) {
  if (parent)
    for (BlockArgument argument : block.getArguments())
      values[argument] = *parent;
  for (Operation &op : block)
    addOp(&op, parent);
}

void GraphWriter::addReturn(func::ReturnOp op) {
  for (auto [i, value] : llvm::enumerate(op.getOperands())) {
    auto source = values.find(value);
    if (source == values.end())
      continue;
    unsigned layer = nodes[source->second].layer + 1;
    addNode({"result",
             "result " + std::to_string(i),
             describeLocation(op.getLoc()),
             getLayout(value),
             layer,
             {source->second}});
  }
}

void GraphWriter::addOp(Operation *op, std::optional<unsigned> parent) {
  if (auto ret = dyn_cast<func::ReturnOp>(op))
    return addReturn(ret);
  Node node{kindOf(op),
            describeOp(op),
            describeLocation(op->getLoc()),
            LayoutAttr(),
            parent ? nodes[*parent].layer + 1 : 0,
            {}};
  node.label = StringRef(node.label).split(" at ").first.str();
  for (Value operand : op->getOperands()) {
    auto source = values.find(operand);
    if (source == values.end() ||
        llvm::is_contained(node.inputs, source->second))
      continue;
    node.inputs.push_back(source->second);
    node.layer = std::max(node.layer, nodes[source->second].layer + 1);
  }
  for (Value result : llvm::reverse(op->getResults()))
    if (LayoutAttr layout = getLayout(result))
      node.layout = layout;
  bool isOnTensors = node.layout || !node.inputs.empty();
  if (!isOnTensors && op->getNumRegions() == 0)
    return;
  unsigned id = addNode(std::move(node));
  ops[op] = id;
  for (Value result : op->getResults())
    if (getLayout(result))
      values[result] = id;
  if (!isa<ShardingRuleOpInterface>(op))
    for (Region &region : op->getRegions())
      for (Block &block : region)
        addBlock(block, id);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

void PageWriter::writePlacements(LayoutAttr layout) {
  json.attributeArray("placements", [&] {
    if (layout)
      for (const Placement &placement : layout.getPlacements())
        json.value(clean(placement.str()));
  });
}

void PageWriter::writeSymbols(const FunctionReport &report) {
  auto symbols = report.func->getAttrOfType<DictionaryAttr>("dtensor.symbols");
  json.attributeArray("symbols", [&] {
    if (!symbols)
      return;
    for (NamedAttribute symbol : symbols) {
      StringRef name = symbol.getName().getValue();
      const SymbolFacts *facts = report.facts.lookupSymbol(name);
      Expr expr = Expr::symbol(getExprContext(symbols.getContext()), name);
      json.object([&] {
        json.attribute("name", clean(name));
        json.attribute("hint", report.facts.hint(expr));
        json.attribute("min", facts ? facts->min : 0);
        if (facts && facts->max)
          json.attribute("max", *facts->max);
        json.attribute("step", facts ? facts->multipleOf : 1);
      });
    }
  });
}

void PageWriter::writeAxes(const FunctionReport &report) {
  const Mesh &mesh = report.getMesh();
  json.attributeArray("axes", [&] {
    for (unsigned axis = 0; axis < mesh.getNumAxes(); ++axis)
      json.object([&] {
        const AxisFacts &facts = mesh.getAxes()[axis].facts;
        json.attribute("name", clean(mesh.getName(axis)));
        json.attribute("hint", mesh.hint(axis));
        json.attribute("known", mesh.knownSize(axis).has_value());
        json.attribute("min", facts.min);
        if (facts.max)
          json.attribute("max", *facts.max);
        if (facts.divides)
          json.attribute("divides", *facts.divides);
        json.attribute("step", facts.multipleOf);
      });
  });
}

void PageWriter::writeRejected(const RejectedWay &way) {
  json.object([&] {
    json.attribute("what", clean(way.what));
    json.attribute("time", way.time);
    json.attribute("instead", way.instead);
    if (way.bytes)
      json.attribute("bytes", formula(way.bytes));
  });
}

void PageWriter::writeMovement(const Movement &movement, unsigned node) {
  RedistributeOp op = movement.op;
  const Mesh &mesh = getLayout(op.getResult()).getMesh().getMesh();
  json.object([&] {
    json.attribute("node", node);
    json.attribute("where", clean(describeLocation(movement.where)));
    json.attribute("what", clean(movement.describeSteps()));
    json.attribute("collectives", movement.plan.collectives());
    json.attribute("given", clean(movement.given));
    json.attributeArray("wanted", [&] {
      for (const std::string &wanted : movement.wanted)
        json.value(clean(wanted));
    });
    json.attribute("bytes", formula(movement.plan.bytes));
    json.attribute("time", movement.plan.time);
    json.attribute("inLoop", movement.inLoop);
    json.attributeArray("steps", [&] {
      for (const Step &step : movement.plan.steps)
        json.object([&] {
          json.attribute("what", clean(dtensor::describeSteps(mesh, step)));
          json.attribute("bytes", formula(step.bytes));
          json.attribute("time", step.time);
        });
    });
    json.attributeArray("rejected", [&] {
      for (const RejectedWay &way : movement.rejected)
        writeRejected(way);
    });
  });
}

void PageWriter::writeTensor(const FunctionReport &report, const Twine &name,
                             Type type) {
  LayoutAttr layout = getLayout(type);
  if (!layout)
    return;
  ExprContext &context = getExprContext(type.getContext());
  json.object([&] {
    json.attribute("name", clean(name.str()));
    writePlacements(layout);
    json.attributeArray("dims", [&] {
      for (unsigned dim = 0; dim < layout.getLayout().getRank(); ++dim)
        json.object([&] {
          LocalDim local = localDim(report.getMesh(), layout.getLayout(), dim,
                                    context, &report.facts);
          json.attribute("extent", formula(layout.getExtents()[dim]));
          json.attribute("size", formula(local.size));
          json.attribute("offset", formula(local.offset));
          json.attribute("capacity", formula(local.capacity));
        });
    });
  });
}

void PageWriter::writeTensors(const FunctionReport &report) {
  FunctionType type = func::FuncOp(report.func).getFunctionType();
  json.attributeArray("tensors", [&] {
    for (auto [i, input] : llvm::enumerate(type.getInputs()))
      writeTensor(report, "argument " + Twine(i), input);
    for (auto [i, result] : llvm::enumerate(type.getResults()))
      writeTensor(report, "result " + Twine(i), result);
  });
}

void PageWriter::writeLifetimes(const FunctionReport &report) {
  json.attribute("positions", report.numPositions);
  json.attributeArray("lifetimes", [&] {
    for (const Lifetime &lifetime : report.lifetimes) {
      if (lifetime.bytes.isConstant(0))
        continue;
      json.object([&] {
        auto argument = dyn_cast<BlockArgument>(lifetime.value);
        std::string name =
            argument ? "argument " + std::to_string(argument.getArgNumber())
                     : describeOp(lifetime.value.getDefiningOp());
        json.attribute("name", clean(name));
        json.attribute("bytes", formula(lifetime.bytes));
        json.attribute("birth", lifetime.birth);
        json.attribute("death", lifetime.death);
      });
    }
  });
}

void PageWriter::writeFunction(const FunctionReport &report) {
  func::FuncOp func = report.func;
  GraphWriter graph(report);
  json.object([&] {
    json.attribute("name", clean(func.getName()));
    json.attribute("where", clean(describeLocation(func.getLoc())));
    json.attribute("collectives", report.collectives);
    json.attribute("bytes", formula(report.bytes));
    json.attribute("time", report.time);
    writeSymbols(report);
    writeAxes(report);
    json.attributeArray("nodes", [&] {
      for (const GraphWriter::Node &node : graph.getNodes())
        json.object([&] {
          json.attribute("kind", node.kind);
          json.attribute("label", clean(node.label));
          json.attribute("where", clean(node.where));
          json.attribute("layer", node.layer);
          json.attributeArray("inputs", [&] {
            for (unsigned input : node.inputs)
              json.value(input);
          });
          writePlacements(node.layout);
        });
    });
    json.attributeArray("movements", [&] {
      for (const Movement &movement : report.movements)
        writeMovement(movement, graph.lookup(movement.op));
    });
    writeTensors(report);
    writeLifetimes(report);
  });
}

void PageWriter::write(StringRef title) {
  json.object([&] {
    json.attribute("title", clean(title));
    json.attributeArray("functions", [&] {
      for (const FunctionReport &report : reports)
        writeFunction(report);
    });
    writeFormulas();
  });
}

void dtensor::printExplanationPage(ArrayRef<FunctionReport> reports,
                                   StringRef title, raw_ostream &os) {
  std::string data;
  llvm::raw_string_ostream stream(data);
  PageWriter(reports, stream).write(title);
  os << pageHead;
  // No text of a program may end the script element that holds it.
  for (char c : data) {
    if (c == '<')
      os << "\\u003c";
    else
      os << c;
  }
  os << pageTail;
}
