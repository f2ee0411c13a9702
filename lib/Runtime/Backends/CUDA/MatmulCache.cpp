//===- MatmulCache.cpp - matrix products through cuBLASLt -------*- C++ -*-===//

#include "MatmulCache.h"

#include "Gpu.h"

#include "../../Core/Error.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

using namespace dtensor::rt;
using namespace dtensor::rt::cuda;

/// Plans are small; a program that sees more shapes than this starts again.
static constexpr size_t kMaxPlans = 4096;
/// Elements of a tile of a result: one multiprocessor's work. A result of fewer
/// tiles than there are multiprocessors is a small one.
static constexpr int64_t kTile = int64_t(128) * 128;

namespace {

[[noreturn]] void badMatmul(const Matmul &call, const std::string &why) {
  raise(DTENSOR_RT_RUN_FAILED, "matmul of ",
        dtensor_rt_dtype_name(call.a.dtype), " ", call.a.shapeString(),
        call.transA ? " (transposed)" : "", " and ", call.b.shapeString(),
        call.transB ? " (transposed)" : "", ": ", why);
}

int ltType(int64_t dtype) {
  switch (dtype) {
  case DTENSOR_RT_f64:
    return kLtR64F;
  case DTENSOR_RT_f32:
    return kLtR32F;
  case DTENSOR_RT_f16:
    return kLtR16F;
  case DTENSOR_RT_bf16:
    return kLtR16BF;
  }
  return -1;
}

/// The last two dimensions of a view as a matrix whose rows are packed.
struct Matrix {
  int64_t rows, cols, ld;
  bool isTransposed; // the columns are packed instead: `ld` is their distance
};

std::optional<Matrix> asMatrix(const View &view) {
  int64_t rows = view.sizes[view.rank - 2], cols = view.sizes[view.rank - 1];
  int64_t rowStride = view.strides[view.rank - 2];
  int64_t colStride = view.strides[view.rank - 1];
  if ((colStride == 1 || cols == 1) && (rows == 1 || rowStride >= cols))
    return Matrix{rows, cols,
                  rows == 1 ? std::max<int64_t>(cols, 1) : rowStride, false};
  if ((rowStride == 1 || rows == 1) && (cols == 1 || colStride >= rows))
    return Matrix{rows, cols,
                  cols == 1 ? std::max<int64_t>(rows, 1) : colStride, true};
  return std::nullopt;
}

/// Any view with packed rows: itself, or a packed copy.
struct Operand {
  View view;
  std::optional<Scratch> copy;
};

void makeMatrix(Gpu &gpu, Operand &operand, const View &view) {
  operand.view = view;
  if (asMatrix(view))
    return;
  operand.copy.emplace(gpu, view.numBytes());
  operand.view =
      rowMajorView(operand.copy->get(), view.dtype, view.rank, view.sizes);
  gpu.copy(operand.view, view);
}

/// Batch dimensions [begin, end) of all three as one with one stride each.
struct Batch {
  int64_t count = 1;
  int64_t strides[3] = {0, 0, 0};
};

/// Merges dimension `d` into the batch of the dimensions after it.
bool mergeBatch(Batch &batch, const View *const (&views)[3], int64_t d) {
  int64_t size = views[2]->sizes[d];
  if (size == 1)
    return true;
  for (int i = 0; i < 3; ++i) {
    int64_t stride = views[i]->sizes[d] == 1 ? 0 : views[i]->strides[d];
    if (batch.count != 1 && stride != batch.count * batch.strides[i])
      return false;
  }
  if (batch.count == 1)
    for (int i = 0; i < 3; ++i)
      batch.strides[i] = views[i]->sizes[d] == 1 ? 0 : views[i]->strides[d];
  batch.count *= size;
  return true;
}

int64_t alignmentOf(const void *pointer) {
  auto bits = reinterpret_cast<uint64_t>(pointer) | 256;
  return static_cast<int64_t>(bits & (~bits + 1));
}

void checkShapes(const Matmul &call) {
  int64_t rank = call.c.rank;
  if (rank < 2)
    badMatmul(call, "at least 2 dimensions are needed");
  int64_t rows = rank - 2, cols = rank - 1;
  int64_t m = call.a.sizes[call.transA ? cols : rows];
  int64_t ka = call.a.sizes[call.transA ? rows : cols];
  int64_t kb = call.b.sizes[call.transB ? cols : rows];
  int64_t n = call.b.sizes[call.transB ? rows : cols];
  if (ka != kb || m != call.c.sizes[rows] || n != call.c.sizes[cols])
    badMatmul(call, concat("the result has shape ", call.c.shapeString()));
  for (int64_t d = 0; d < rows; ++d)
    for (const View *view : {&call.a, &call.b})
      if (view->sizes[d] != call.c.sizes[d] && view->sizes[d] != 1)
        badMatmul(call, concat("the batch is that of ", call.c.shapeString()));
  if (call.bias.base && call.bias.sizes[0] != n)
    badMatmul(call, concat("the bias has ", call.bias.sizes[0], " elements"));
  for (int64_t d = 0; call.addend.base && d < rank; ++d)
    if (call.addend.sizes[d] != call.c.sizes[d])
      badMatmul(call,
                concat("the addend has shape ", call.addend.shapeString()));
  bool isWide = call.a.dtype == DTENSOR_RT_f64;
  if (ltType(call.a.dtype) < 0 || ltType(call.c.dtype) < 0 ||
      isWide != (call.c.dtype == DTENSOR_RT_f64))
    badMatmul(call,
              concat("elements of type ", dtensor_rt_dtype_name(call.a.dtype),
                     " into ", dtensor_rt_dtype_name(call.c.dtype)));
}

} // namespace

size_t MatmulCache::HashKey::operator()(const Key &key) const {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (int64_t word : key)
    hash = (hash ^ static_cast<uint64_t>(word)) * 0x9e3779b97f4a7c15ull;
  return static_cast<size_t>(hash ^ (hash >> 32));
}

MatmulCache::Plan::~Plan() {
  const Lt &lt = getLt();
  if (desc)
    lt.descDestroy(desc);
  for (LtLayout layout : {a, b, c})
    if (layout)
      lt.layoutDestroy(layout);
}

MatmulCache::MatmulCache(Gpu &gpu, ProductTable given)
    : gpu(gpu), table(std::move(given)) {
  checkLt(getLt().create(&handle), "starting cuBLASLt");
}

MatmulCache::~MatmulCache() {
  plans.clear();
  for (void *workspace : workspaces)
    if (workspace)
      gpu.getStorage().free(workspace);
  getLt().destroy(handle);
}

/// K == 0: zeros, and the bias where there is one; relu and gelu keep zeros.
void MatmulCache::runEmpty(const Matmul &call) {
  if (call.addend.base && !call.bias.base && call.epilogue == Epilogue::None)
    return gpu.copy(call.c, call.addend);
  if (call.addend.base)
    badMatmul(call, "nothing is summed, and bias or epilogue follow an addend");
  if (!call.bias.base)
    return gpu.fill(call.c, 0);
  if (call.epilogue != Epilogue::None)
    badMatmul(call, "nothing is summed, and the bias has an epilogue");
  View bias = call.c;
  bias.base = call.bias.base;
  for (int64_t d = 0; d < bias.rank; ++d)
    bias.strides[d] = d == bias.rank - 1 ? call.bias.strides[0] : 0;
  gpu.copy(call.c, bias);
}

/// Everything but batch and alignment.
static MatmulCache::Problem describeProduct(const Matmul &call) {
  Matrix a = *asMatrix(call.a), b = *asMatrix(call.b), c = *asMatrix(call.c);
  MatmulCache::Problem problem = {};
  problem.m = c.rows;
  problem.n = c.cols;
  problem.k = call.transA ? a.rows : a.cols;
  problem.lda = a.ld;
  problem.ldb = b.ld;
  problem.ldc = c.ld;
  problem.transA = call.transA != a.isTransposed;
  problem.transB = call.transB != b.isTransposed;
  problem.dtypeIn = call.a.dtype;
  problem.dtypeOut = call.c.dtype;
  problem.epilogue = static_cast<int64_t>(call.epilogue);
  problem.hasBias = call.bias.base != nullptr;
  return problem;
}

/// Merges the batch dimensions from the last one on; returns how many before
/// them could not be merged.
static int64_t mergeBatches(const Matmul &call, MatmulCache::Problem &problem) {
  const View *const views[3] = {&call.a, &call.b, &call.c};
  Batch batch;
  int64_t outer = call.c.rank - 2;
  while (outer > 0 && mergeBatch(batch, views, outer - 1))
    --outer;
  problem.batch = batch.count;
  problem.strideA = batch.strides[0];
  problem.strideB = batch.strides[1];
  problem.strideC = batch.strides[2];
  // A batch of rows under one b is one product with more rows.
  if (problem.batch > 1 && problem.strideB == 0 && !problem.transA &&
      problem.strideA == problem.m * problem.lda &&
      problem.strideC == problem.m * problem.ldc) {
    problem.m *= problem.batch;
    problem.batch = 1;
    problem.strideA = problem.strideC = 0;
  }
  return outer;
}

/// Where number `index` of the first `outer` batch dimensions of c begins in a
/// view; dimensions of extent 1 are broadcast.
static char *batchBase(const View &view, const View &c, int64_t outer,
                       int64_t index) {
  int64_t offset = 0;
  for (int64_t d = outer - 1; d >= 0; --d) {
    if (view.sizes[d] != 1)
      offset += index % c.sizes[d] * view.strides[d];
    index /= c.sizes[d];
  }
  return view.base + offset * view.elementBytes();
}

/// The library reads an addend that lies as the result does. Another one is
/// copied into the result, which may be read and written at once.
static void placeAddend(Gpu &gpu, Matmul &call) {
  bool isAlike = true;
  for (int64_t d = 0; d < call.c.rank; ++d)
    isAlike &=
        call.c.sizes[d] == 1 || call.addend.strides[d] == call.c.strides[d];
  if (isAlike)
    return;
  gpu.copy(call.c, call.addend);
  call.addend = call.c;
}

void MatmulCache::run(const Matmul &given) {
  checkShapes(given);
  if (given.c.numElements() == 0)
    return;
  int64_t rank = given.c.rank;
  if (given.a.sizes[given.transA ? rank - 2 : rank - 1] == 0)
    return runEmpty(given);
  Matmul call = given;
  Operand a, b;
  makeMatrix(gpu, a, given.a);
  makeMatrix(gpu, b, given.b);
  call.a = a.view;
  call.b = b.view;
  // A result that is not row-major is computed beside and copied.
  std::optional<Matrix> out = asMatrix(call.c);
  std::optional<Scratch> result;
  if (!out || out->isTransposed) {
    result.emplace(gpu, call.c.numBytes());
    call.c = rowMajorView(result->get(), call.c.dtype, rank, call.c.sizes);
  }
  if (call.addend.base)
    placeAddend(gpu, call);
  Problem problem = describeProduct(call);
  int64_t outer = mergeBatches(call, problem), count = 1;
  for (int64_t d = 0; d < outer; ++d)
    count *= call.c.sizes[d];
  auto baseOf = [&](const View &view, int64_t i) {
    return view.base ? batchBase(view, call.c, outer, i) : nullptr;
  };
  for (int64_t i = 0; i < count; ++i)
    runProblem(problem, call.bias.base,
               {baseOf(call.a, i), baseOf(call.b, i), baseOf(call.addend, i),
                baseOf(call.c, i)});
  if (result)
    gpu.copy(given.c, call.c);
}

void MatmulCache::runProblem(Problem problem, void *bias,
                             const Operands &operands) {
  problem.alignA = alignmentOf(operands.a);
  problem.alignB = alignmentOf(operands.b);
  problem.alignC = std::min(alignmentOf(operands.addend), // null: any
                            alignmentOf(operands.c));
  Plan *plan = findPlan(problem);
  if (!plan) {
    preload(problem);
    plan = &addPlan(problem);
    tune(problem, operands);
  }
  if (problem.hasBias)
    getLt().descSet(plan->desc, kLtDescBiasPointer, &bias, sizeof(bias));
  ++gpu.numLibraryCalls;
  int64_t elements = problem.m * problem.n * problem.batch;
  bool isSmall = elements < gpu.getMultiprocessors() * kTile;
  launch(problem, *plan, operands,
         gpu.placeProduct(accessOf(problem, bias, operands), isSmall));
}

ProductAccess MatmulCache::accessOf(const Problem &problem, const void *bias,
                                    const Operands &operands) {
  auto range = [&](const void *base, int64_t dtype, int64_t rows, int64_t cols,
                   int64_t ld, int64_t stride) -> MemoryRange {
    if (!base)
      return {};
    int64_t count = (problem.batch - 1) * stride + (rows - 1) * ld + cols;
    return {static_cast<const char *>(base), count * bytesOf(dtype)};
  };
  auto [m, n, k] = std::array{problem.m, problem.n, problem.k};
  auto result = [&](const void *base) {
    return range(base, problem.dtypeOut, m, n, problem.ldc, problem.strideC);
  };
  return {{range(operands.a, problem.dtypeIn, problem.transA ? k : m,
                 problem.transA ? m : k, problem.lda, problem.strideA),
           range(operands.b, problem.dtypeIn, problem.transB ? n : k,
                 problem.transB ? k : n, problem.ldb, problem.strideB),
           result(operands.addend), range(bias, problem.dtypeOut, 1, n, n, 0)},
          result(operands.c)};
}

void MatmulCache::launch(const Problem &problem, const Plan &plan,
                         const Operands &operands,
                         const Branches::Place &place) {
  void *&workspace = workspaces[static_cast<size_t>(place.number)];
  if (plan.workspaceBytes && !workspace) {
    workspace = gpu.getStorage().allocate(kWorkspaceBytes);
    if (!workspace)
      raise(DTENSOR_RT_OUT_OF_MEMORY, gpu.describe(), " has no ",
            kWorkspaceBytes, " bytes for the workspace of matrix products");
  }
  char *addend = operands.addend ? operands.addend : operands.c;
  double alpha64 = 1, beta64 = operands.addend ? 1 : 0;
  float alpha32 = 1, beta32 = operands.addend ? 1 : 0;
  bool isWide = problem.dtypeIn == DTENSOR_RT_f64;
  const void *alpha = isWide ? static_cast<void *>(&alpha64) : &alpha32;
  const void *beta = isWide ? static_cast<void *>(&beta64) : &beta32;
  checkLt(getLt().matmul(handle, plan.desc, alpha, operands.b, plan.a,
                         operands.a, plan.b, beta, addend, plan.c, operands.c,
                         plan.c, &plan.algo, workspace, plan.workspaceBytes,
                         place.stream),
          "matmul");
}

MatmulCache::Key MatmulCache::keyOf(const Problem &problem) {
  Key key;
  static_assert(sizeof(key) == sizeof(problem), "all fields are in the key");
  std::memcpy(key.data(), &problem, sizeof(problem));
  return key;
}

MatmulCache::Plan *MatmulCache::findPlan(const Problem &problem) {
  auto it = plans.find(keyOf(problem));
  return it == plans.end() ? nullptr : it->second.get();
}

MatmulCache::Plan &MatmulCache::addPlan(const Problem &problem) {
  std::unique_ptr<Plan> plan = makePlan(problem);
  if (plans.size() >= kMaxPlans)
    plans.clear();
  return *plans.emplace(keyOf(problem), std::move(plan)).first->second;
}

static LtLayout makeLayout(int type, int64_t rows, int64_t cols, int64_t ld,
                           int64_t batch, int64_t stride) {
  const Lt &lt = getLt();
  LtLayout layout = nullptr;
  checkLt(lt.layoutCreate(&layout, type, static_cast<uint64_t>(rows),
                          static_cast<uint64_t>(cols), ld),
          "describing a matrix");
  auto count = static_cast<int32_t>(batch);
  lt.layoutSet(layout, kLtLayoutBatchCount, &count, sizeof(count));
  lt.layoutSet(layout, kLtLayoutBatchStride, &stride, sizeof(stride));
  return layout;
}

std::unique_ptr<MatmulCache::Plan>
MatmulCache::makePlan(const Problem &problem) {
  const Lt &lt = getLt();
  auto plan = std::make_unique<Plan>();
  bool isWide = problem.dtypeIn == DTENSOR_RT_f64;
  // Products of f32 round nothing to tf32 unless the user asks for it.
  const char *tf32 = std::getenv("DTENSOR_ALLOW_TF32");
  int compute = isWide ? kLtCompute64F : kLtCompute32F;
  if (problem.dtypeIn == DTENSOR_RT_f32 && tf32 && *tf32 == '1')
    compute = kLtComputeTF32;
  checkLt(lt.descCreate(&plan->desc, compute, isWide ? kLtR64F : kLtR32F),
          "describing a matrix product");
  // The first operand of cuBLASLt is b.
  int32_t opA = problem.transB ? kLtOpT : kLtOpN;
  int32_t opB = problem.transA ? kLtOpT : kLtOpN;
  lt.descSet(plan->desc, kLtDescTransA, &opA, sizeof(opA));
  lt.descSet(plan->desc, kLtDescTransB, &opB, sizeof(opB));
  int32_t epilogue = 0;
  if (problem.epilogue == static_cast<int64_t>(Epilogue::Relu))
    epilogue |= kLtEpilogueRelu;
  if (problem.epilogue == static_cast<int64_t>(Epilogue::Gelu))
    epilogue |= kLtEpilogueGelu;
  if (problem.hasBias)
    epilogue |= kLtEpilogueBias;
  if (epilogue == 0)
    epilogue = kLtEpilogueDefault;
  checkLt(lt.descSet(plan->desc, kLtDescEpilogue, &epilogue, sizeof(epilogue)),
          "setting the epilogue of a matrix product");
  int in = ltType(problem.dtypeIn), out = ltType(problem.dtypeOut);
  int64_t m = problem.m, n = problem.n, k = problem.k;
  plan->a = makeLayout(in, problem.transB ? k : n, problem.transB ? n : k,
                       problem.ldb, problem.batch, problem.strideB);
  plan->b = makeLayout(in, problem.transA ? m : k, problem.transA ? k : m,
                       problem.lda, problem.batch, problem.strideA);
  plan->c = makeLayout(out, n, m, problem.ldc, problem.batch, problem.strideC);
  choose(*plan, problem);
  return plan;
}
