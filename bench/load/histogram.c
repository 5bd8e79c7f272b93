#include "load.h"

/* 64 steps to each power of two: values are kept to 2 %. */
static unsigned bucketOf(uint64_t value) {
  if (value < 64) return (unsigned)value;
  unsigned shift = 57 - (unsigned)__builtin_clzll(value);
  return shift * 64 + (unsigned)(value >> shift);
}

static uint64_t upperEnd(unsigned bucket) {
  if (bucket < 128) return bucket;
  unsigned shift = bucket / 64 - 1;
  return ((bucket - shift * 64 + 1ULL) << shift) - 1;
}

void histogramAdd(Histogram *histogram, uint64_t value, uint64_t times) {
  histogram->counts[bucketOf(value)] += times;
  histogram->total += times;
  if (value > histogram->most) histogram->most = value;
}

uint64_t histogramAt(const Histogram *histogram, double share) {
  uint64_t wanted = (uint64_t)(share * (double)histogram->total + 0.999999);
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < 64 * 64; bucket++) {
    seen += histogram->counts[bucket];
    if (seen >= wanted && seen > 0) {
      uint64_t end = upperEnd(bucket);
      return end < histogram->most ? end : histogram->most;
    }
  }
  return histogram->most;
}
