//===- SelftestPeers.cpp - messages of all sizes in a row -------*- C++ -*-===//
//
// Through the peers' memory and by NCCL one after the other, while the ranks
// drift apart: a message that was overwritten before it was read gives wrong
// sums.
//
//===----------------------------------------------------------------------===//

#include "Selftest.h"

#include <chrono>
#include <thread>

using namespace dtensor;
using namespace dtensor::selftest;

namespace {

/// Small integers, exact in every order; every third line of 512 bytes changes
/// no sum.
double valueOf(int64_t rank, int64_t turn, int64_t i) {
  if ((i / 128 + rank + turn) % 3 == 0)
    return -0.0;
  return static_cast<double>((rank * 7 + turn * 5 + i * 3 + i / 11) % 9 - 4);
}

/// One size: what is sent, the sum, all pieces in a row, the rank's part of the
/// sum, which is uneven, those parts together again, and rows of all pieces
/// beside each other.
struct Messages {
  Messages(Rig &rig, int64_t count)
      : rig(rig), count(count), columns(count % 128 == 0 ? 128
                                        : count % 4 == 0 ? 4
                                                         : 1) {
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
      again.emplace_back(*rig.session, rank,
                         makeArray(DTENSOR_RT_f32, {count}));
      part.emplace_back(*rig.session, rank,
                        makeArray(DTENSOR_RT_f32, {sizeOf(rank)}));
      src.emplace_back(*rig.session, rank, makeArray(DTENSOR_RT_f32, {count}));
      sum.emplace_back(*rig.session, rank, makeArray(DTENSOR_RT_f32, {count}));
      all.emplace_back(*rig.session, rank,
                       makeArray(DTENSOR_RT_f32, {rig.numRanks() * count}));
      rows.emplace_back(*rig.session, rank,
                        makeArray(DTENSOR_RT_f32, {count / columns, columns}));
      wide.emplace_back(*rig.session, rank,
                        makeArray(DTENSOR_RT_f32,
                                  {count / columns, rig.numRanks() * columns}));
    }
  }

  int64_t offsetOf(int64_t rank) const {
    return std::min(count,
                    rank * ((count + rig.numRanks() - 1) / rig.numRanks()));
  }
  int64_t sizeOf(int64_t rank) const {
    return offsetOf(rank + 1) - offsetOf(rank);
  }

  void fill(int64_t turn) {
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank) {
      HostArray array = makeArray(DTENSOR_RT_f32, {count});
      HostArray matrix = makeArray(DTENSOR_RT_f32, {count / columns, columns});
      for (int64_t i = 0; i < count; ++i) {
        run::setElement(array, i, valueOf(rank, turn, i));
        run::setElement(matrix, i, valueOf(rank, turn, i));
      }
      src[static_cast<size_t>(rank)].write(array);
      rows[static_cast<size_t>(rank)].write(matrix);
    }
  }

  void queue(rt::RankContext &context) {
    auto rank = static_cast<size_t>(context.getRank());
    Descriptor from = src[rank].describe(), to = sum[rank].describe(),
               pieces = all[rank].describe(), own = part[rank].describe();
    rt::abi::dtensor_rt_all_reduce(&context, 1, from.get(), to.get(), pack({0}),
                                   0, DTENSOR_RT_f32);
    rt::abi::dtensor_rt_all_gather(&context, 1, from.get(), pieces.get(), 0, 1,
                                   pack({0}), DTENSOR_RT_f32);
    rt::abi::dtensor_rt_reduce_scatter(&context, 1, from.get(), own.get(), 0,
                                       offsetOf(context.getRank()), 1,
                                       pack({0}), 0, DTENSOR_RT_f32);
    Descriptor whole = again[rank].describe();
    rt::abi::dtensor_rt_all_gather(&context, 1, own.get(), whole.get(), 0, 1,
                                   pack({0}), DTENSOR_RT_f32);
    Descriptor narrow = rows[rank].describe(), beside = wide[rank].describe();
    rt::abi::dtensor_rt_all_gather(&context, 2, narrow.get(), beside.get(), 1,
                                   1, pack({0}), DTENSOR_RT_f32);
  }

  void check(int64_t turn) {
    std::vector<double> total(static_cast<size_t>(count)), pieces, beside;
    for (int64_t row = 0; row < count / columns; ++row)
      for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
        for (int64_t i = 0; i < columns; ++i)
          beside.push_back(valueOf(rank, turn, row * columns + i));
    for (int64_t rank = 0; rank < rig.numRanks(); ++rank)
      for (int64_t i = 0; i < count; ++i) {
        total[static_cast<size_t>(i)] += valueOf(rank, turn, i);
        pieces.push_back(valueOf(rank, turn, i));
      }
    for (size_t rank = 0; rank < src.size(); ++rank) {
      checkClose(sum[rank].read(), total, 0,
                 rt::concat("sum of ", count, ", turn ", turn));
      checkClose(again[rank].read(), total, 0,
                 rt::concat("parts of ", count, ", turn ", turn));
      checkClose(all[rank].read(), pieces, 0,
                 rt::concat("pieces of ", count, ", turn ", turn));
      checkClose(wide[rank].read(), beside, 0,
                 rt::concat("rows of ", count, ", turn ", turn));
    }
  }

  Rig &rig;
  int64_t count, columns;
  std::vector<DeviceArray> src, sum, all, part, again, rows, wide;
};

} // namespace

/// Groups of two stream long messages; larger ones leave them to NCCL.
static void testMessages(int numRanks) {
  Rig rig({numRanks});
  std::vector<Messages> messages;
  for (int64_t count : {1, 3, 1000, 131072, 131073, 300001})
    messages.emplace_back(rig, count);
  if (!isQuick)
    for (int64_t count : {1048576, 1048577})
      messages.emplace_back(rig, count);
  const uint64_t key[] = {1};
  rt::Session::Options options;
  options.key = key;
  for (int64_t turn = 0; turn < (isQuick ? 3 : 8); ++turn) {
    for (Messages &message : messages)
      message.fill(turn);
    rig.runChecked(
        [&](rt::RankContext &context) {
          for (int64_t round = 0; round < 6; ++round) {
            if (round % rig.numRanks() == context.getRank())
              std::this_thread::sleep_for(std::chrono::microseconds(300));
            for (Messages &message : messages)
              message.queue(context);
          }
        },
        rt::concat("messages, turn ", turn), options);
    for (Messages &message : messages)
      message.check(turn);
  }
}

void selftest::testPeers(int numGpus) {
  testMessages(numGpus);
  if (numGpus > 2)
    testMessages(2);
}
