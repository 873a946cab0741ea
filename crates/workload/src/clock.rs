use rustix::time::{ClockId, clock_gettime};

/// Reads `CLOCK_MONOTONIC`, in nanoseconds.
///
/// Unlike `std::time::Instant` the number means the same in every process of
/// the machine, so a line can carry it from the process that writes the line
/// to the one that sees it arrive.
pub fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock starts near zero at boot and never runs backwards.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
